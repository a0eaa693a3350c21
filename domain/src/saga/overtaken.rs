//! The end of an operation that a higher epoch has overtaken (I5): somebody else leads, so it undoes what
//! is its own alone, and nothing else.
//!
//! Absent: learning of the epoch (`actors::operation`), and what the arrays say of it (`fence`).

use super::advance::{Advance, Journal, View};
use super::outline::Outline;
use crate::effect::{Effect, EffectState};
use crate::operation::{OperationKind, Outcome};
use crate::plan::{Plan, Step};
use crate::sync::Epoch;

/// The step that leaves the record is done: what the operation made is the group's by now.
fn committed(plan: &Plan, journal: &Journal) -> bool {
    let targets = plan.steps().filter(|(_, _, step)| is_commit(step));
    let mut targets = targets.flat_map(|(_, _, step)| step.targets(plan.operation));
    targets.any(|t| journal.get(t.key.as_str()).map(|e| e.state) == Some(EffectState::Done))
}

fn is_commit(step: &Step) -> bool {
    matches!(step, Step::CommitNewPrimary)
}

/// The epoch that the operation acts under now; the group's being higher means that it was overtaken.
pub fn acts_under(plan: &Plan, journal: &Journal) -> Epoch {
    if committed(plan, journal) {
        plan.fence_after
    } else {
        plan.fence
    }
}

/// Nobody can have written to what it made as to the group's current data: a drill, or a planned move
/// before its end. What led already, or belongs to what did, is for people to let go of.
pub fn may_take_back(plan: &Plan, journal: &Journal) -> bool {
    let is_planned = plan.moves() && plan.fence_after > plan.fence;
    let is_drill = plan.kind == OperationKind::TestFailover;
    (is_planned || is_drill) && !committed(plan, journal)
}

/// What an overtaken operation does next: last first, it takes back the objects that it made, and ends.
/// Source servers are not started (S1), no contents are put back (S5), no snapshot that may be somebody's
/// way back goes.
pub fn overtaken(plan: &Plan, journal: &Journal) -> Advance {
    if !may_take_back(plan, journal) {
        return Advance::Settled(Outcome::Partial);
    }
    View::of_own_objects(&Outline::of(plan), journal).unwind()
}

/// What of it stays as it is, in the order of the ledger: to be told (S3). Of one that had committed, only
/// what is open; the rest is the group's.
pub fn left_by_overtaken(plan: &Plan, journal: &Journal) -> Vec<Effect> {
    use EffectState::{Done, Intended, LeftBehind, UndoIntended};
    let open = |e: &Effect| matches!(e.state, Intended | UndoIntended);
    let there = |e: &Effect| matches!(e.state, Done | LeftBehind);
    let touches = |e: &Effect| {
        let mut steps = plan.steps().map(|(_, _, step)| step);
        steps.any(|step| step.name() == e.step && step.touches_something())
    };
    let is_groups = committed(plan, journal);
    let left = journal.values();
    let left = left.filter(|e| touches(e) && (open(e) || (there(e) && !is_groups)));
    left.cloned().collect()
}
