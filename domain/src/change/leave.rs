//! Less than before: a VM leaves its group (MEM-10), and a group is deleted (PG-11). Neither deletes a
//! server, a volume, or what they hold.
//!
//! Absent: whether an operation runs (`sync`, X5), and taking array objects away (`crate::retire`).

use crate::ids::{MemberId, OperationId, ServerId};
use crate::operation::Operation;
use crate::record::{GroupBody, GroupStatus, Member};
use crate::refusal::{Refusal, Refusals};

/// What stands at this site, or is owed by it, that the group is still needed for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeaveFacts {
    /// Drills that nobody has cleaned up.
    pub drills: Vec<DrillUp>,
    /// Source servers not known to be stopped since a forced move (I4).
    pub unfenced: Vec<ServerId>,
}

/// A drill that stands, and whose copies run in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillUp {
    pub operation: OperationId,
    pub lanes: Vec<String>,
}

impl DrillUp {
    pub fn of(operation: &Operation) -> Self {
        let lanes = operation.plan.stages.iter().flat_map(|stage| &stage.lanes);
        Self {
            operation: operation.id,
            lanes: lanes.map(|lane| lane.id.clone()).collect(),
        }
    }

    fn refusal(&self) -> Refusal {
        Refusal::DrillIsUp {
            operation: self.operation.to_string(),
        }
    }
}

fn word(status: GroupStatus) -> String {
    let word = serde_json::to_value(status).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

fn answer<T>(given: T, against: Vec<Refusal>) -> Result<T, Refusals> {
    if against.is_empty() {
        Ok(given)
    } else {
        Err(Refusals(against))
    }
}

fn split_brain<'a>(servers: impl Iterator<Item = &'a ServerId>) -> Option<Refusal> {
    let servers: Vec<String> = servers.map(ServerId::to_string).collect();
    let servers = servers.join(", ");
    (!servers.is_empty()).then_some(Refusal::SplitBrain { servers })
}

/// The member that `server` is, at either site.
pub(super) fn member_of<'a>(body: &'a GroupBody, server: &ServerId) -> Option<&'a Member> {
    let is = |place: &Option<ServerId>| place.as_ref() == Some(server);
    let mut members = body.members.iter();
    members.find(|m| is(&m.places.home) || is(&m.places.other))
}

/// The body without this member, or everything that speaks against it. A move that left members down
/// is finished first: what is known of them is in the record alone.
pub fn remove_member(
    body: &GroupBody,
    server: &ServerId,
    facts: &LeaveFacts,
) -> Result<GroupBody, Refusals> {
    let Some(member) = member_of(body, server) else {
        let server = server.to_string();
        return Err(Refusal::NotAMember { server }.into());
    };
    let mut against = Vec::new();
    if !matches!(body.status, GroupStatus::Active | GroupStatus::FailedOver) {
        against.push(Refusal::WrongGroupStatus {
            status: word(body.status),
            needed: "active or failed_over".to_owned(),
        });
    }
    against.extend(drills_of(facts, &[member.id]));
    let places = [&member.places.home, &member.places.other];
    let of_member = |server: &&ServerId| places.iter().any(|p| p.as_ref() == Some(*server));
    against.extend(split_brain(facts.unfenced.iter().filter(of_member)));
    let mut next = body.clone();
    next.members.retain(|m| m.id != member.id);
    answer(next, against)
}

/// Drills in which copies of any of these members run.
fn drills_of(facts: &LeaveFacts, members: &[MemberId]) -> Vec<Refusal> {
    let names: Vec<String> = members.iter().map(MemberId::to_string).collect();
    let drills = facts.drills.iter();
    let with = drills.filter(|drill| drill.lanes.iter().any(|lane| names.contains(lane)));
    with.map(DrillUp::refusal).collect()
}

/// Everything that speaks against deleting the group from its leading site. Away from home its way back
/// is still in it.
pub fn delete(body: &GroupBody, facts: &LeaveFacts) -> Result<(), Refusals> {
    let mut against = Vec::new();
    if !matches!(body.status, GroupStatus::Active | GroupStatus::Creating) {
        let status = word(body.status);
        against.push(Refusal::NotHome { status });
    }
    against.extend(facts.drills.iter().map(DrillUp::refusal));
    against.extend(split_brain(facts.unfenced.iter()));
    answer((), against)
}

/// What the peer, where drills run, has against a draft of the leader's: `next` is the draft's body, none
/// if it deletes the group.
pub fn may_leave(
    before: &GroupBody,
    next: Option<&GroupBody>,
    facts: &LeaveFacts,
) -> Result<(), Refusals> {
    let against = match next {
        None => facts.drills.iter().map(DrillUp::refusal).collect(),
        Some(next) => drills_of(facts, &gone(before, next)),
    };
    answer((), against)
}

/// Members that `next` has no more.
pub fn gone(before: &GroupBody, next: &GroupBody) -> Vec<MemberId> {
    let stays = |id: &MemberId| next.members.iter().any(|m| m.id == *id);
    let ids = before.members.iter().map(|m| m.id);
    ids.filter(|id| !stays(id)).collect()
}
