//! Power of a group's servers after a move that went back: a stop, a lock, a start or an unlock may arrive
//! later than anybody waited (B3), on a server that was put right long ago.
//!
//! Pure. Absent: looking and acting (`actors::sweepers`).

use crate::effect::EffectState;
use crate::ids::ServerId;
use crate::plan::{Plan, Step};
use crate::ports::compute::{Server, ServerStatus};
use crate::saga::Journal;

/// Steps that changed the power of a server and took it back, by the ledger: nothing else is looked at (S4).
pub fn taken_back<'a>(plan: &'a Plan, ledger: &Journal) -> Vec<&'a Step> {
    let is_undone = |step: &&Step| {
        let mut targets = step.targets(plan.operation).into_iter();
        let state = |key: &str| ledger.get(key).map(|e| e.state);
        targets.all(|t| state(t.key.as_str()) == Some(EffectState::Undone))
    };
    let steps = plan.steps().map(|(_, _, step)| step);
    let of_power = steps.filter(|step| server_of(step).is_some());
    of_power.filter(is_undone).collect()
}

/// The server whose power the step changes.
pub fn server_of(step: &Step) -> Option<&ServerId> {
    match step {
        Step::QuiesceServer { server, .. } | Step::RestartServer { server, .. } => Some(server),
        _ => None,
    }
}

/// True if the server is not as the undo of `step` has left it. One that is under way is left alone for now.
pub fn is_out_of_place(step: &Step, server: &Server) -> bool {
    let (stopped, runs) = (
        server.status == ServerStatus::Shutoff,
        server.status == ServerStatus::Active,
    );
    match step {
        Step::QuiesceServer { was_active, .. } => {
            (stopped && (server.locked || *was_active)) || (runs && server.locked)
        }
        Step::RestartServer { .. } => runs || (stopped && !server.locked),
        _ => false,
    }
}
