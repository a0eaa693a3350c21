//! Coming to a place where a member has been before: its volumes are overwritten, its server is
//! started again, so that ids, ports and addresses stay (design: coming home).
//!
//! Absent: members of which something is missing; they are rebuilt like any other (`build`).

use super::build::source_of;
use super::facts::FailoverFacts;
use crate::plan::{Lane, OverwritePlan, Step};
use crate::ports::compute::ServerStatus;
use crate::record::{Disk, Member};

fn overwrite(facts: &FailoverFacts, disk: &Disk) -> Option<OverwritePlan> {
    let here = disk.places.at(facts.here)?;
    let source = disk.places.at(source_of(facts.here))?;
    facts
        .left_here
        .volumes
        .iter()
        .find(|v| v.id == here.volume)?;
    Some(OverwritePlan {
        disk: disk.id,
        source_name: source.array_name.clone(),
        serial: here.serial.clone(),
        volume: here.volume.clone(),
        array_name: here.array_name.clone(),
    })
}

/// The lane that starts the member's old server on its old volumes; `None` if any part of it is
/// missing, or if it is not as we left it.
pub(super) fn restart(
    facts: &FailoverFacts,
    member: &Member,
) -> Option<(Lane, Vec<OverwritePlan>)> {
    let id = member.places.at(facts.here)?;
    let server = facts.left_here.servers.iter().find(|s| &s.id == id)?;
    if server.status != ServerStatus::Shutoff {
        return None;
    }
    let overwrites: Vec<OverwritePlan> = member
        .disks
        .iter()
        .map(|disk| overwrite(facts, disk))
        .collect::<Option<_>>()?;
    let lane = Lane {
        id: member.id.to_string(),
        title: member.captured.name.clone(),
        tier: member.tier,
        steps: vec![Step::RestartServer {
            acting: facts.servers_as.clone(),
            member: member.id,
            server: id.clone(),
        }],
    };
    Some((lane, overwrites))
}
