//! What a planned move does at the source: it quiets the servers before, and after the commit of a
//! failback it takes away what the failover had made there.

use super::build::source_of;
use super::facts::{Asked, FailoverFacts, SourceFacts};
use crate::plan::{Lane, Step};
use crate::ports::compute::{Server, ServerStatus};
use crate::record::Member;

fn lane(member: &Member, steps: Vec<Step>) -> Lane {
    Lane {
        id: member.id.to_string(),
        title: member.captured.name.clone(),
        tier: member.tier,
        steps,
    }
}

/// The member's server at the source, if it is there.
fn server_of<'a>(
    facts: &FailoverFacts,
    source: &'a SourceFacts,
    member: &Member,
) -> Option<&'a Server> {
    let id = member.places.at(source_of(facts.here))?;
    let Asked::Known(servers) = &source.servers else {
        return None;
    };
    servers.iter().find(|server| &server.id == id)
}

/// One lane per source server that exists: stop, keep its volumes, lock.
pub(super) fn quiesce_lanes(facts: &FailoverFacts, source: &SourceFacts) -> Vec<Lane> {
    let members = facts.body.members.iter();
    let quiet = members.filter_map(|member| {
        let server = server_of(facts, source, member)?;
        let doomed = server.volumes.iter().filter(|v| v.delete_on_termination);
        let step = Step::QuiesceServer {
            acting: source.acting.clone(),
            member: member.id,
            server: server.id.clone(),
            was_active: server.status == ServerStatus::Active,
            delete_on_termination: doomed.map(|v| v.volume.clone()).collect(),
        };
        Some(lane(member, vec![step]))
    });
    quiet.collect()
}

/// One lane per member: server, then ports, then volumes, of what the record says is at the source.
pub(super) fn retire_lanes(facts: &FailoverFacts, source: &SourceFacts) -> Vec<Lane> {
    let there = source_of(facts.here);
    let members = facts.body.members.iter();
    let retired = members.map(|member| {
        let acting = &source.acting;
        let mut steps = Vec::new();
        if let Some(server) = member.places.at(there) {
            steps.push(Step::RetireServer {
                acting: acting.clone(),
                member: member.id,
                server: server.clone(),
            });
        }
        let ports = member.nics.iter().filter_map(|nic| nic.places.at(there));
        steps.push(Step::RetirePorts {
            acting: acting.clone(),
            member: member.id,
            ports: ports.cloned().collect(),
        });
        let disks = member.disks.iter().filter_map(|d| d.places.at(there));
        steps.push(Step::RetireVolumes {
            acting: acting.clone(),
            member: member.id,
            volumes: disks.map(|place| place.volume.clone()).collect(),
        });
        lane(member, steps)
    });
    retired.collect()
}
