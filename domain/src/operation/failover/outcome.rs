//! The group's body when a failover starts (R4) and when it has ended (R5).

use super::build::source_of;
use crate::effect::{Effect, EffectKey, EffectState};
use crate::ids::{PortId, Serial, ServerId, VolumeId};
use crate::operation::OperationKind;
use crate::plan::Plan;
use crate::record::{DiskPlace, GroupBody, GroupStatus, Member};
use crate::saga::{Journal, LaneEnd, lane_outcomes};
use crate::sync::Role;

/// `failing_over` (FO-03).
pub fn body_at_start(body: &GroupBody) -> GroupBody {
    GroupBody {
        status: GroupStatus::FailingOver,
        ..body.clone()
    }
}

/// Where everything is now, and whether every member is really up (FO-06, L6).
pub fn body_at_end(
    body: &GroupBody,
    plan: &Plan,
    journal: &Journal,
    here: Role,
    now_us: i64,
) -> GroupBody {
    let ends = lane_outcomes(plan, journal);
    let is_up = |member: &Member| ends.get(&member.id.to_string()) == Some(&LaneEnd::Completed);
    let mut body = body.clone();
    let all_up = body.members.iter().all(is_up);
    for member in body.members.iter_mut().filter(|m| is_up(m)) {
        let done = Done { plan, journal };
        settle_member(member, &done, here);
    }
    (body.status, body.protected) = if all_up {
        status_of_all_up(plan, false)
    } else {
        (GroupStatus::FailedOverPartial, false)
    };
    if plan.stages.iter().any(|stage| stage.name == "retire") {
        forget_source(&mut body, source_of(here));
    }
    body.failover_count = body.failover_count.saturating_add(1);
    body.last_failover_at_us = Some(now_us);
    body
}

/// The group's status when every member is up where `plan` has moved it, and whether it is protected. At home
/// the array's own group still replicates outwards; anywhere else somebody has to ask, or has asked.
pub(super) fn status_of_all_up(plan: &Plan, asked: bool) -> (GroupStatus, bool) {
    match plan.kind {
        OperationKind::Failback => (GroupStatus::Active, true),
        _ => (GroupStatus::FailedOver, asked),
    }
}

/// What is retired after the commit is nobody's place any more.
fn forget_source(body: &mut GroupBody, there: Role) {
    for member in &mut body.members {
        member.places.set(there, None);
        for disk in &mut member.disks {
            disk.places.set(there, None);
        }
        for nic in &mut member.nics {
            nic.places.set(there, None);
        }
    }
}

/// The member as `plan` has left it, if that brought its server up here.
pub(super) fn settled(member: &Member, plan: &Plan, journal: &Journal, here: Role) -> Member {
    let mut member = member.clone();
    let ends = lane_outcomes(plan, journal);
    if ends.get(&member.id.to_string()) == Some(&LaneEnd::Completed) {
        settle_member(&mut member, &Done { plan, journal }, here);
    }
    member
}

struct Done<'a> {
    plan: &'a Plan,
    journal: &'a Journal,
}

impl Done<'_> {
    fn effect(&self, step: &str, target: &str) -> Option<&Effect> {
        let key = EffectKey::new(self.plan.operation, step, target);
        self.journal
            .get(key.as_str())
            .filter(|e| e.state == EffectState::Done)
    }

    fn object(&self, step: &str, target: &str) -> Option<String> {
        self.effect(step, target)?.object_id.clone()
    }
}

fn settle_member(member: &mut Member, done: &Done<'_>, here: Role) {
    let id = member.id.to_string();
    // A server that was started again is where it has been before, with its ports and disks.
    let Some(server) = done.object("boot_server", &id) else {
        return;
    };
    member.places.set(here, Some(ServerId(server)));
    for disk in &mut member.disks {
        let target = disk.id.to_string();
        let (Some(volume), Some(serial)) = (
            done.object("import_volumes", &target),
            done.object("recover_volumes", &target),
        ) else {
            continue;
        };
        // Cinder has renamed it to its own form (G3).
        let array_name = format!("volume-{volume}-cinder");
        let place = DiskPlace {
            volume: VolumeId(volume),
            serial: Serial(serial),
            array_name,
        };
        disk.places.set(here, Some(place));
    }
    // What the plan has not made was there before, and is where it was.
    for (index, nic) in member.nics.iter_mut().enumerate() {
        if let Some(port) = done.object("create_ports", &format!("{id}.{index}")) {
            nic.places.set(here, Some(PortId(port)));
        }
    }
}
