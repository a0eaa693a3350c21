//! Coming to a place where a member has been before (design: coming home). Its volumes are overwritten, so
//! that their ids stay; its server is started again, so that ports and addresses stay, too. A server that is
//! gone is made anew on the volumes and ports that it has left.
//!
//! Absent: what is not there any more; that is made as at a new place (`build`).

use super::build::{Builder, MemberPlan, source_of};
use super::facts::FailoverFacts;
use crate::ids::{PortId, ServerId};
use crate::plan::{Lane, OverwritePlan, Step};
use crate::ports::compute::{Server, ServerStatus};
use crate::record::{Disk, Member, Nic};
use crate::refusal::Refusal;

/// The disk's volume here, if nobody but `user` has it attached.
fn overwrite(facts: &FailoverFacts, disk: &Disk, user: Option<&ServerId>) -> Option<OverwritePlan> {
    let here = disk.places.at(facts.here)?;
    let source = disk.places.at(source_of(facts.here))?;
    let mut left = facts.left_here.volumes.iter();
    let volume = left.find(|v| v.id == here.volume)?;
    if volume.attached_to.iter().any(|by| Some(by) != user) {
        return None;
    }
    Some(OverwritePlan {
        disk: disk.id,
        source_name: source.array_name.clone(),
        serial: here.serial.clone(),
        volume: here.volume.clone(),
        size_gib: volume.size_gib,
        array_name: here.array_name.clone(),
    })
}

/// The member's old server, in whatever state.
fn server_here<'a>(facts: &'a FailoverFacts, member: &Member) -> Option<&'a Server> {
    let id = member.places.at(facts.here)?;
    let mut left = facts.left_here.servers.iter();
    left.find(|s| &s.id == id && s.status != ServerStatus::Deleted)
}

impl Builder<'_> {
    /// The lane that starts the member's old server on its old volumes, or what speaks against it; `None` if
    /// any part of it is missing, or if it is not as we left it: then the member is made anew.
    pub(super) fn again(&self, member: &Member) -> Option<Result<MemberPlan, Vec<Refusal>>> {
        if self.drill.is_some() {
            return None;
        }
        let plan = restart(self.facts, member)?;
        let missing = self.not_in_point(member);
        Some(if missing.is_empty() {
            Ok(plan)
        } else {
            Err(missing)
        })
    }
}

fn restart(facts: &FailoverFacts, member: &Member) -> Option<MemberPlan> {
    let server = server_here(facts, member)?;
    if server.status != ServerStatus::Shutoff {
        return None;
    }
    let overwrites: Vec<OverwritePlan> = member
        .disks
        .iter()
        .map(|disk| overwrite(facts, disk, Some(&server.id)))
        .collect::<Option<_>>()?;
    // Without one of its disks it would come up as something else.
    let has = |o: &OverwritePlan| server.volumes.iter().any(|v| v.volume == o.volume);
    if !overwrites.iter().all(has) {
        return None;
    }
    let lane = Lane {
        id: member.id.to_string(),
        title: member.captured.name.clone(),
        tier: member.tier,
        steps: vec![Step::RestartServer {
            acting: facts.servers_as.clone(),
            member: member.id,
            server: server.id.clone(),
        }],
    };
    Some(MemberPlan {
        lane,
        copies: Vec::new(),
        overwrites,
        warnings: Vec::new(),
    })
}

/// The disk's volume here that a new server of `member` is put on; `None` while the old one is there.
pub(super) fn kept_volume(
    facts: &FailoverFacts,
    member: &Member,
    disk: &Disk,
) -> Option<OverwritePlan> {
    let gone = server_here(facts, member).is_none();
    gone.then(|| overwrite(facts, disk, None)).flatten()
}

/// The interface's port here that nothing uses any more: it holds the member's address and MAC.
pub(super) fn kept_port<'a>(facts: &'a FailoverFacts, nic: &Nic) -> Option<&'a PortId> {
    let id = nic.places.at(facts.here)?;
    let mut there = facts.target.ports.known()?.iter();
    let port = there.find(|port| &port.id == id)?;
    port.device.is_none().then_some(&port.id)
}
