//! Points to recover from: taking one, and listing them on the target.

use std::collections::BTreeMap;

use protector_domain::ids::{ArrayId, PointSuffix};
use protector_domain::ports::storage::{GroupSpec, RecoveryPoint};
use protector_domain::ports::{ErrorKind, PortError, PortResult};

use super::door::Door;
use super::errors::{is_binned, port_error};
use crate::link::LinkError;
use crate::model::{
    Answer, ArrayConnectionRow, Command, GroupSnapshotBody, GroupSnapshotRow, Query, TransferRow,
};

/// How far two arrays' clocks may differ before an age is not worth saying.
const CLOCK_TOLERANCE_MS: i64 = 1_000;

/// Takes a snapshot and starts to replicate it, ahead of others. Retention may remove it later.
///
/// A snapshot of this suffix that is there already is the one asked for; one in the bin is not.
pub(super) async fn snapshot_now(
    source: &Door,
    spec: &GroupSpec,
    suffix: &PointSuffix,
) -> PortResult<()> {
    let command = Command::GroupSnapshotsPost {
        source_names: vec![spec.name.0.clone()],
        body: GroupSnapshotBody {
            suffix: Some(suffix.0.clone()),
            replicate_now: true,
            apply_retention: true,
            ..GroupSnapshotBody::default()
        },
    };
    let whole = format!("{}.{suffix}", spec.name);
    match source.try_call(command).await {
        Ok(_) => Ok(()),
        Err(error) if is_binned(&error, &whole) => {
            let what = format!("snapshot {whole} was taken and destroyed");
            Err(PortError::new(ErrorKind::AlreadyThere, what))
        }
        Err(error) => match port_error("taking a group snapshot", &error) {
            taken if taken.kind == ErrorKind::AlreadyThere => Ok(()),
            other => Err(other),
        },
    }
}

/// The other array as one array knows it.
pub(super) struct Peer {
    pub(super) name: String,
    /// By any of their connections: async and sync ones are listed apart.
    pub(super) is_connected: bool,
}

/// The name of array `peer` as the array behind `door` knows it.
pub(super) async fn peer_name(door: &Door, id: &ArrayId) -> PortResult<String> {
    peer(door, id).await.map(|peer| peer.name)
}

/// Array `id` as the array behind `door` knows it: that array itself may be gone (`L3`).
///
/// Errors: `Refused` when they are not connected; an array is never connected to itself.
pub(super) async fn peer(door: &Door, id: &ArrayId) -> PortResult<Peer> {
    let open = |answer| match answer {
        Answer::ArrayConnections(page) => Some(page),
        _ => None,
    };
    let rows = door
        .walk(&Command::ArrayConnectionsGet, open, Query::default())
        .await?;
    let same = |row: &&ArrayConnectionRow| row.remote.id == id.as_str();
    let found: Vec<&ArrayConnectionRow> = rows.iter().filter(same).collect();
    let first = found.first().ok_or_else(|| {
        let what = format!("array {} has no connection to array {id}", door.array.name);
        PortError::new(ErrorKind::Refused, what)
    })?;
    Ok(Peer {
        name: first.remote.name.clone(),
        is_connected: found.iter().any(|row| row.status == "connected"),
    })
}

/// Points on the target, newest first. A group that does not show there has none.
pub(super) async fn list(target: &Door, spec: &GroupSpec) -> PortResult<Vec<RecoveryPoint>> {
    let group = format!("{}:{}", peer_name(target, &spec.source).await?, spec.name);
    let transfers = match transfers(target, &group).await {
        Err(error) if error.kind == ErrorKind::Missing => return Ok(Vec::new()),
        other => other?,
    };
    if transfers.is_empty() {
        return Ok(Vec::new());
    }
    let created = created(target, &group).await?;
    let mut points: Vec<RecoveryPoint> = (1..)
        .zip(&transfers)
        .filter_map(|(sequence, transfer)| {
            let snapshot = created.get(&transfer.name)?;
            Some(point(sequence, transfer, snapshot, target.now_latest_ms()))
        })
        .collect();
    points.reverse();
    Ok(points)
}

/// In the order they were begun, which within a group is the order they were taken in, whatever
/// any clock says: an unsorted list comes in the order of creation.
async fn transfers(target: &Door, group: &str) -> PortResult<Vec<TransferRow>> {
    let open = |answer| match answer {
        Answer::Transfers(page) => Some(page),
        _ => None,
    };
    target
        .walk(&Command::TransfersGet, open, Query::named([group]).live())
        .await
}

async fn created(target: &Door, group: &str) -> PortResult<BTreeMap<String, GroupSnapshotRow>> {
    let open = |answer| match answer {
        Answer::GroupSnapshots(page) => Some(page),
        _ => None,
    };
    let rows = target
        .walk(
            &Command::GroupSnapshotsGet,
            open,
            Query::named([group]).live(),
        )
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.name.clone(), row))
        .collect())
}

fn point(
    sequence: u64,
    transfer: &TransferRow,
    snapshot: &GroupSnapshotRow,
    now_ms: i64,
) -> RecoveryPoint {
    RecoveryPoint {
        suffix: PointSuffix(snapshot.suffix.clone()),
        created_ms: snapshot.created,
        completed_ms: completed_ms(transfer),
        age_s: age_s(snapshot.created, transfer.started, now_ms),
        sequence,
    }
}

/// Both signs are needed: a transfer may be complete by one of them only.
pub(super) fn completed_ms(transfer: &TransferRow) -> Option<i64> {
    transfer.completed.filter(|_| transfer.progress >= 1.0)
}

/// Never less than the true age as far as the clocks can tell: rounded up, and counted from the
/// start of the transfer if the source claims to have taken it later than that.
fn age_s(created_ms: i64, started_ms: i64, now_ms: i64) -> Option<u64> {
    const MS_PER_S: u64 = 1_000;
    let sane = created_ms > 0 && created_ms <= started_ms.saturating_add(CLOCK_TOLERANCE_MS);
    let age_ms = now_ms
        .checked_sub(created_ms.min(started_ms))
        .filter(|_| sane)?;
    Some(u64::try_from(age_ms).ok()?.div_ceil(MS_PER_S))
}

/// The transfer of one point, if the target knows it. Asked by its whole name.
pub(super) async fn transfer_of(target: &Door, whole: &str) -> PortResult<Option<TransferRow>> {
    let command = Command::TransfersGet(Query::named([whole]).live());
    let answer = match target.try_call(command).await {
        Err(error @ LinkError::Refused(_)) => {
            let error = port_error("asking for the transfer", &error);
            return if error.kind == ErrorKind::Missing {
                Ok(None)
            } else {
                Err(error)
            };
        }
        other => other.map_err(|error| port_error("asking for the transfer", &error))?,
    };
    match answer {
        Answer::Transfers(page) => Ok(page
            .items
            .into_iter()
            .find(|t| t.name.eq_ignore_ascii_case(whole))),
        _ => Err(super::door::nonsense("transfers_get")),
    }
}
