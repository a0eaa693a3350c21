//! What people's word to an operation changes, or why it changes nothing (I13): cancel, resume, give up a stuck
//! undo, adopt an object.
//!
//! Absent: who may say it (`http`), looking at an object that is adopted and writing anything down (`actors`), and
//! what comes next (`saga`).

use crate::adopt;
use crate::effect::{Effect, EffectState};
use crate::plan::Plan;
use crate::ports::engine::Order;
use crate::refusal::Refusal;
use crate::saga::{Journal, past_no_return, stuck};

/// Longest reason, letters.
const REASON_LETTERS_MAX: usize = 1_000;

/// What an order changes once it is written down.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Cancel,
    /// These effects as they are now.
    Effects(Vec<Effect>),
}

fn has_reason(reason: &str) -> Result<(), Refusal> {
    let letters = reason.trim().chars().count();
    let fits = (1..=REASON_LETTERS_MAX).contains(&letters);
    fits.then_some(()).ok_or(Refusal::NoReason)
}

/// The change that an order asks for. What adopts is only the first row here, its object has still to be looked
/// at; the others are what waits in its lane and goes on with it. `ending`: its last words are being written.
///
/// # Errors
/// `OperationEnded`, `PastNoReturn`, `NotStuck`, `NotSkippable`, `NoReason`; those of `adopt::row`;
/// `OperationInProgress` for another try, which is a new operation when this one is over.
pub fn judge(
    plan: &Plan,
    journal: &Journal,
    ending: bool,
    order: &Order,
) -> Result<Change, Refusal> {
    let operation = plan.operation.to_string();
    if ending {
        let status = "ending".to_owned();
        return Err(Refusal::OperationEnded { operation, status });
    }
    let stuck = stuck(plan, journal);
    match order {
        Order::Cancel {} if past_no_return(plan, journal) => {
            Err(Refusal::PastNoReturn { operation })
        }
        Order::Cancel {} => Ok(Change::Cancel),
        Order::Resume {} | Order::SkipStep { .. } if stuck.is_empty() => {
            Err(Refusal::NotStuck { operation })
        }
        Order::Resume {} => Ok(Change::Effects(stuck.into_iter().map(resumed).collect())),
        Order::RetryMembers {} => Err(Refusal::OperationInProgress { operation }),
        Order::SkipStep { reason } => given_up(stuck, reason),
        Order::Adopt {
            step,
            object_id,
            reason,
        } => {
            has_reason(reason)?;
            let row = adopt::row(plan, journal, step, object_id)?;
            let same_lane = |e: &Effect| (e.stage, &e.lane) == (row.stage, &row.lane);
            let waits = stuck
                .into_iter()
                .filter(|e| same_lane(e) && e.key != row.key);
            let waits = waits.map(resumed).collect::<Vec<_>>();
            Ok(Change::Effects([vec![row], waits].concat()))
        }
    }
}

/// Begun, and its outcome open again.
fn resumed(effect: Effect) -> Effect {
    let state = match effect.state {
        EffectState::UndoFailed => EffectState::UndoIntended,
        _ => EffectState::Intended,
    };
    Effect { state, ..effect }
}

/// Each may still be there: listed by id, nobody's to undo any more (S3). The commit cannot be given up: nothing
/// else says who leads.
fn given_up(stuck: Vec<Effect>, reason: &str) -> Result<Change, Refusal> {
    has_reason(reason)?;
    let last = stuck.iter().find(|e| e.state != EffectState::UndoFailed);
    if let Some(last) = last {
        let step = last.step.clone();
        return Err(Refusal::NotSkippable { step });
    }
    let left = stuck.into_iter().map(|effect| Effect {
        state: EffectState::LeftBehind,
        ..effect
    });
    Ok(Change::Effects(left.collect()))
}
