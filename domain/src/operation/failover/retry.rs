//! Another try for the members that a forced move left down (I14): from the same recovery point (S6), and
//! nothing of the members that run is touched. It moves nobody, so that what it achieved reaches the record
//! as an ordinary change.
//!
//! Who is up is read from the ledger, not from the record's places: at home a member that did not start
//! still has the place that it had before. Absent: planned moves; they take all or none.

use super::decide::Locally;
use super::facts::FailoverFacts;
use super::outcome::{settled, status_of_all_up};
use crate::operation::OperationKind;
use crate::plan::Plan;
use crate::record::{GroupBody, GroupStatus, Member};
use crate::refusal::{Refusal, Refusals};
use crate::saga::{Journal, LaneEnd, lane_outcomes};
use crate::sync::Role;
use std::collections::BTreeSet;

/// Steps that bring a member's server up; a try that has done none of them has brought up nobody.
pub const BRINGS_UP: [&str; 2] = ["boot_server", "restart_server"];

/// A plan, and what the ledger says of it.
pub type Ran = (Plan, Journal);

/// The move by force by which a site leads a group, and the tries since that have ended, oldest first.
#[derive(Debug, Clone)]
pub struct ForcedMove {
    pub moved: Ran,
    pub tries: Vec<Ran>,
}

/// Lanes of members that the operation has brought up.
fn brought((plan, journal): &Ran) -> BTreeSet<String> {
    let ends = lane_outcomes(plan, journal).into_iter();
    ends.filter(|(_, end)| *end == LaneEnd::Completed)
        .map(|(lane, _)| lane)
        .collect()
}

impl ForcedMove {
    /// Members that neither the move nor a try has brought up. One that joined the group later is where its
    /// record says.
    fn down(&self, body: &GroupBody, here: Role) -> Vec<Member> {
        let runs = std::iter::once(&self.moved).chain(&self.tries);
        let up: BTreeSet<String> = runs.flat_map(brought).collect();
        let plan = &self.moved.0;
        let lanes: BTreeSet<&str> = plan.steps().map(|(_, lane, _)| lane.id.as_str()).collect();
        let is_down = |member: &&Member| {
            let id = member.id.to_string();
            let left_out = plan.left_out.iter().any(|left| left.member == member.id);
            let moved = left_out || lanes.contains(id.as_str());
            !up.contains(&id) && (moved || member.places.at(here).is_none())
        };
        body.members.iter().filter(is_down).cloned().collect()
    }
}

/// The plan of another try, or why not.
pub fn decide_retry(since: &ForcedMove, facts: &FailoverFacts) -> Result<Plan, Refusals> {
    let members = since.down(&facts.body, facts.here);
    if members.is_empty() {
        return Err(Refusal::NobodyDown.into());
    }
    let point = since.moved.0.point.as_ref();
    let body = GroupBody {
        members,
        ..facts.body.clone()
    };
    let facts = FailoverFacts {
        body,
        ..facts.clone()
    };
    let wanted = Locally {
        kind: OperationKind::RetryMembers,
        drill: None,
        point: point.map(|point| point.suffix.clone()),
        all_or_none: false,
    };
    wanted.decide(&facts)
}

/// The body with everything that the tries have brought up; nobody is down any more: as after a move that
/// brought up all.
pub fn settle_members(body: &GroupBody, here: Role, since: &ForcedMove) -> GroupBody {
    let mut body = body.clone();
    for (plan, journal) in &since.tries {
        for member in &mut body.members {
            let now = settled(member, plan, journal, here);
            if now.places.at(here) != member.places.at(here) {
                *member = now;
            }
        }
    }
    if body.status == GroupStatus::FailedOverPartial && since.down(&body, here).is_empty() {
        (body.status, body.protected) = status_of_all_up(&since.moved.0, body.protected);
    }
    body
}

/// What the record does not say yet of what the tries have brought up.
pub fn settle(body: &GroupBody, here: Role, since: &ForcedMove) -> Result<GroupBody, Refusals> {
    let settled = settle_members(body, here, since);
    if &settled == body {
        return Err(Refusal::NothingToSettle.into());
    }
    Ok(settled)
}
