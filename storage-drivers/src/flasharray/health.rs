//! Replication of one group as seen now: judged from the target, since the source may be gone or
//! only unreachable for us while its data still flows (`C5`).

use protector_domain::ids::Serial;
use protector_domain::ports::storage::{GroupHealth, GroupSpec};
use protector_domain::ports::{ErrorKind, PortResult};

use super::door::Door;
use super::members;
use super::points::{Peer, list, peer};
use crate::model::{Answer, Command, GroupTargetRow, Query};

pub(super) async fn look(
    target: &Door,
    source: PortResult<Door>,
    spec: &GroupSpec,
) -> PortResult<GroupHealth> {
    let points = list(target, spec).await?;
    let peer = peer(target, &spec.source).await?;
    Ok(GroupHealth {
        replicating: replicating(target, spec, &peer).await?,
        member_serials: member_serials(source, spec).await?,
        newest_complete: points
            .into_iter()
            .find(|point| point.completed_ms.is_some()),
    })
}

/// Allowed there, the link up, and the schedule on.
async fn replicating(target: &Door, spec: &GroupSpec, peer: &Peer) -> PortResult<bool> {
    let name = format!("{}:{}", peer.name, spec.name);
    let open = |answer| match answer {
        Answer::Groups(page) => Some(page),
        _ => None,
    };
    let query = Query::named([name.as_str()]).live();
    let scheduled = match target.walk(&Command::GroupsGet, open, query).await {
        Err(error) if error.kind == ErrorKind::Missing => return Ok(false),
        other => other?
            .iter()
            .any(|group| group.replication_schedule.enabled),
    };
    let ask = move |query| Command::GroupTargetsGet {
        group_names: vec![name.clone()],
        query,
    };
    let open = |answer| match answer {
        Answer::GroupTargets(page) => Some(page),
        _ => None,
    };
    let rows: Vec<GroupTargetRow> = target.walk(&ask, open, Query::default()).await?;
    Ok(scheduled && rows.iter().any(|row| flows(row, peer)))
}

/// Older arrays (below REST 2.54) say whether a target allows it and nothing about its state.
fn flows(row: &GroupTargetRow, peer: &Peer) -> bool {
    row.allowed
        && match row.status.as_str() {
            "" => peer.is_connected,
            status => status == "replicating",
        }
}

/// `None` when the source could not be asked.
async fn member_serials(
    source: PortResult<Door>,
    spec: &GroupSpec,
) -> PortResult<Option<Vec<Serial>>> {
    let asked = match source {
        Ok(source) => serials(&source, spec).await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(serials) => Ok(Some(serials)),
        Err(error) => match error.kind {
            ErrorKind::Missing => Ok(Some(Vec::new())),
            ErrorKind::Unreachable | ErrorKind::Unknown | ErrorKind::Busy { .. } => Ok(None),
            ErrorKind::AlreadyThere | ErrorKind::Denied | ErrorKind::Refused => Err(error),
        },
    }
}

async fn serials(source: &Door, spec: &GroupSpec) -> PortResult<Vec<Serial>> {
    let rows = members::list(source, spec).await?;
    let (field, values) = members::known_by(&rows);
    let volumes = source.volumes_by(field, &values, true).await?;
    Ok(volumes.into_iter().map(|row| Serial(row.serial)).collect())
}
