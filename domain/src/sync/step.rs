//! The one door to the rules: state and input in, new state and outputs out. Decides which rule is
//! asked and nothing else.

use super::input::{Input, Step, StepContext};
use super::refusal::SyncRefusal;
use super::rules::Turn;
use super::state::GroupSync;
use super::tickets::Tickets;

/// Applies one input. On a refusal nothing has changed.
///
/// The caller commits `Step::state` in one transaction that finds [`GroupSync::fence`] of the old
/// state unchanged, and only then keeps the tickets and does the outputs.
///
/// Errors: the refusals X1 to X13 of the rule that was asked.
pub fn step(
    state: &GroupSync,
    tickets: &Tickets,
    input: Input,
    ctx: &StepContext<'_>,
) -> Result<Step, SyncRefusal> {
    let mut turn = Turn::new(state, tickets, ctx)?;
    match input {
        Input::AskTicket {
            nonce,
            intent,
            draft,
            for_operation,
        } => {
            turn.ask_ticket(nonce, intent, draft, for_operation)?;
        }
        Input::Ticket { ticket, offer } => turn.answer_ticket(&ticket, offer)?,
        Input::Commit { reservation } => turn.commit(reservation.as_ref())?,
        Input::ForcedMove {
            operation,
            plan_digest,
            content,
            reclaim,
        } => {
            turn.forced_move(operation, plan_digest, content, reclaim)?;
        }
        Input::AbandonPeer => turn.abandon_peer()?,
        Input::Finish { operation, content } => turn.finish(operation, content)?,
        Input::Envelope(envelope) => turn.store(envelope)?,
        Input::Receipt(receipt) => turn.receipt(&receipt)?,
        Input::Rejection(rejection) => turn.rejection(&rejection)?,
        Input::Abort { operation } => turn.abort(operation)?,
        Input::AskRelease {
            operation,
            source_vms,
            searched,
        } => {
            turn.ask_release(operation, source_vms, searched)?;
        }
        Input::Release(release) => turn.release(&release)?,
        Input::Settle { content } => turn.settle(content)?,
        Input::Restored => turn.restored(),
        Input::Head { head, envelope } => {
            turn.compare_head(&head, envelope.map(|envelope| *envelope))?
        }
        Input::EngineStarted => turn.engine_started(),
        Input::TakeLocal { operation } => turn.take_local(operation)?,
        Input::EndLocal { operation } => turn.end_local(operation)?,
        Input::PurgeKept { digest } => turn.purge_kept(&digest),
    }
    Ok(turn.into_step())
}
