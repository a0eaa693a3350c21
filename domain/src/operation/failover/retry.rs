//! Another try for the members that a forced move left down (I14): from the same recovery point (S6), and
//! nothing of the members that run is touched. It moves nobody, so that what it achieved reaches the record
//! as an ordinary change.
//!
//! Absent: planned moves; they take all or none.

use super::decide::Locally;
use super::facts::FailoverFacts;
use super::outcome::settled;
use crate::operation::{Operation, OperationKind};
use crate::plan::Plan;
use crate::record::{GroupBody, GroupStatus, Member};
use crate::refusal::{Refusal, Refusals};
use crate::saga::Journal;
use crate::sync::Role;

/// Members without a server here, by the record and by every try since it was written.
fn down(body: &GroupBody, here: Role) -> Vec<Member> {
    let members = body.members.iter();
    let down = members.filter(|member| member.places.at(here).is_none());
    down.cloned().collect()
}

/// The plan of another try after `moved`, or why not. `tries`: those that have ended since.
pub fn decide_retry(
    moved: &Operation,
    tries: &[(Operation, Journal)],
    facts: &FailoverFacts,
) -> Result<Plan, Refusals> {
    let body = settle_members(&facts.body, facts.here, tries);
    let members = down(&body, facts.here);
    if members.is_empty() {
        return Err(Refusal::NobodyDown.into());
    }
    let point = moved.plan.point.as_ref().map(|point| point.suffix.clone());
    let facts = FailoverFacts {
        body: GroupBody { members, ..body },
        ..facts.clone()
    };
    let wanted = Locally {
        kind: OperationKind::RetryMembers,
        drill: None,
        point,
        all_or_none: false,
    };
    wanted.decide(&facts)
}

/// The body with everything that the tries have brought up; `failed_over` when nobody is down any more.
pub fn settle_members(body: &GroupBody, here: Role, tries: &[(Operation, Journal)]) -> GroupBody {
    let mut body = body.clone();
    for (operation, journal) in tries {
        for member in &mut body.members {
            if member.places.at(here).is_none() {
                *member = settled(member, &operation.plan, journal, here);
            }
        }
    }
    if body.status == GroupStatus::FailedOverPartial && down(&body, here).is_empty() {
        body.status = GroupStatus::FailedOver;
    }
    body
}

/// What the record does not say yet of what the tries have brought up.
pub fn settle(
    body: &GroupBody,
    here: Role,
    tries: &[(Operation, Journal)],
) -> Result<GroupBody, Refusals> {
    let settled = settle_members(body, here, tries);
    if &settled == body {
        return Err(Refusal::NothingToSettle.into());
    }
    Ok(settled)
}
