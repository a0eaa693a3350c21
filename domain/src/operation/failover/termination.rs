//! At the end of the way home: which volumes go with their server again. The flag was cleared on every server
//! that a move stopped or made, so that no deletion could take a volume along; the record knows what it was.
//!
//! Absent: servers away from home; whoever deletes one of those must not lose its volumes.

use super::facts::FailoverFacts;
use crate::effect::EffectKey;
use crate::ids::DiskId;
use crate::plan::{Lane, Part, Step};
use crate::record::{Disk, Member};

/// One lane per member that has such volumes; `lanes` bring the members up.
pub(super) fn restore_lanes(facts: &FailoverFacts, lanes: &[Lane]) -> Vec<Lane> {
    let restored = lanes.iter().filter_map(|lane| {
        let mut members = facts.body.members.iter();
        let member = members.find(|member| member.id.to_string() == lane.id)?;
        let step = restore(facts, member, lane)?;
        Some(Lane {
            steps: vec![step],
            ..lane.clone()
        })
    });
    restored.collect()
}

fn restore(facts: &FailoverFacts, member: &Member, lane: &Lane) -> Option<Step> {
    let doomed = member.disks.iter().filter(|d| d.delete_on_termination);
    let volumes: Vec<Part> = doomed.filter_map(|d| volume(facts, d, lane)).collect();
    if volumes.is_empty() {
        return None;
    }
    Some(Step::RestoreTermination {
        acting: facts.servers_as.clone(),
        member: member.id,
        server: server(facts, member, lane)?,
        volumes,
    })
}

fn server(facts: &FailoverFacts, member: &Member, lane: &Lane) -> Option<Part> {
    lane.steps.iter().find_map(|step| match step {
        Step::RestartServer { server, .. } => Some(Part::Kept(server.0.clone())),
        Step::BootServer { .. } => {
            let (step, target) = (step.name(), member.id.to_string());
            Some(Part::Made(EffectKey::new(facts.operation, step, &target)))
        }
        _ => None,
    })
}

/// The volume that the disk is at the end of the lane.
fn volume(facts: &FailoverFacts, disk: &Disk, lane: &Lane) -> Option<Part> {
    let imports = |step: &Step, wanted: DiskId| match step {
        Step::ImportVolumes { imports, .. } => imports.iter().any(|i| i.disk == wanted),
        _ => false,
    };
    let import = lane.steps.iter().find(|step| imports(step, disk.id));
    match import {
        Some(step) => {
            let target = disk.id.to_string();
            Some(Part::Made(EffectKey::new(
                facts.operation,
                step.name(),
                &target,
            )))
        }
        None => {
            let place = disk.places.at(facts.here)?;
            Some(Part::Kept(place.volume.0.clone()))
        }
    }
}
