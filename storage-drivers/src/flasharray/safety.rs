//! Safety snapshots: what volumes held before something is done to them that must be undoable.
//!
//! Known by name alone, `volume.suffix`: volume snapshots carry no tags. A snapshot follows its
//! volume through renames, so it is always looked for under the volume's name of the moment.
//! Absent: putting the contents back (`overwrite`), eradication.

use protector_domain::ids::{PointSuffix, Serial};
use protector_domain::ports::{ErrorKind, PortError, PortResult};

use super::door::{Door, Field, nonsense};
use crate::model::{Answer, Command, Filter, Query, SnapshotPatch, VolumeRow, VolumeSnapshotRow};

/// Looks between attempts when a volume changes its name under our hands.
const ROUNDS_MAX: usize = 3;

/// Names in one call, which stand in the URL: longer than those of volumes.
const SNAPSHOTS_PER_CALL: usize = 30;

/// The name of `volume`'s safety snapshot just now.
pub(super) fn name_of(volume: &VolumeRow, suffix: &PointSuffix) -> String {
    format!("{}.{suffix}", volume.name)
}

/// One snapshot of each volume, at one moment: in one call, however long that makes its URL,
/// since two calls would be two moments.
pub(super) async fn take(door: &Door, serials: &[Serial], suffix: &PointSuffix) -> PortResult<()> {
    let mut failure = None;
    for _ in 0..ROUNDS_MAX {
        let volumes = door.volumes_live(serials).await?;
        if all_there(door, &volumes, suffix).await? {
            return Ok(());
        }
        match post(door, &volumes, suffix).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            // A rename since the look, or the first of two deliveries (`B4`): look again.
            Err(error) if matches!(error.kind, ErrorKind::Missing | ErrorKind::AlreadyThere) => {
                failure = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(failure.unwrap_or_else(|| nonsense("volume_snapshots_post")))
}

/// True when every volume has its snapshot, false when none has.
///
/// Errors: `AlreadyThere` in between: what is taken now would be of another moment, perhaps after
/// the deed that the snapshots are to undo.
async fn all_there(door: &Door, volumes: &[VolumeRow], suffix: &PointSuffix) -> PortResult<bool> {
    let rows = look(door, volumes, suffix).await?;
    let binned = rows.iter().find(|row| row.destroyed);
    if binned.is_none() && rows.len() == volumes.len() {
        return Ok(true);
    }
    let Some(held) = binned.or(rows.first()) else {
        return Ok(false);
    };
    let what = format!(
        "snapshot {} is there{} and not every volume has one live",
        held.name,
        if held.destroyed { ", in the bin" } else { "" }
    );
    Err(PortError::new(ErrorKind::AlreadyThere, what))
}

/// The snapshots `suffix` of these volumes, destroyed ones included; at most one of each volume.
async fn look(
    door: &Door,
    volumes: &[VolumeRow],
    suffix: &PointSuffix,
) -> PortResult<Vec<VolumeSnapshotRow>> {
    let open = |answer| match answer {
        Answer::VolumeSnapshots(page) => Some(page),
        _ => None,
    };
    let mut found = Vec::new();
    for chunk in volumes.chunks(SNAPSHOTS_PER_CALL) {
        let names = chunk.iter().map(|volume| name_of(volume, suffix));
        let query = Query::filtered(Filter::any_of("name", names));
        let rows = door.walk(&Command::VolumeSnapshotsGet, open, query).await?;
        let is_of = |row: &VolumeSnapshotRow, volume: &VolumeRow| {
            is_taken_of(row, volume) && row.name.eq_ignore_ascii_case(&name_of(volume, suffix))
        };
        let ours = |row: &VolumeSnapshotRow| chunk.iter().any(|volume| is_of(row, volume));
        found.extend(rows.into_iter().filter(ours));
    }
    Ok(found)
}

fn is_taken_of(row: &VolumeSnapshotRow, volume: &VolumeRow) -> bool {
    match row.source.id.as_str() {
        "" => row.source.name.eq_ignore_ascii_case(&volume.name),
        id => id == volume.id,
    }
}

/// True when the array says that it took a snapshot of exactly these volumes: a name may have
/// gone over to another volume since we looked.
async fn post(door: &Door, volumes: &[VolumeRow], suffix: &PointSuffix) -> PortResult<bool> {
    let command = Command::VolumeSnapshotsPost {
        source_names: volumes.iter().map(|volume| volume.name.clone()).collect(),
        suffix: Some(suffix.0.clone()),
    };
    let Answer::VolumeSnapshots(page) = door.call(command).await? else {
        return Err(nonsense("volume_snapshots_post"));
    };
    let taken = |volume: &VolumeRow| page.items.iter().any(|row| is_taken_of(row, volume));
    Ok(volumes.iter().all(taken))
}

/// Volumes without a live snapshot `suffix`, by name. Only an overwrite has to ask: whoever copies
/// out of the snapshots is told by the array when one is gone.
pub(super) async fn unguarded(
    door: &Door,
    volumes: &[VolumeRow],
    suffix: &PointSuffix,
) -> PortResult<Vec<String>> {
    let rows = look(door, volumes, suffix).await?;
    let guarded = |volume: &&VolumeRow| rows.iter().any(|r| !r.destroyed && is_taken_of(r, volume));
    let bare = volumes.iter().filter(|volume| !guarded(volume));
    Ok(bare.map(|volume| volume.name.clone()).collect())
}

/// Destroys the snapshots `suffix` of these volumes; what is gone is fine.
pub(super) async fn release(
    door: &Door,
    serials: &[Serial],
    suffix: &PointSuffix,
) -> PortResult<()> {
    let mut failure: Option<PortError> = None;
    for _ in 0..ROUNDS_MAX {
        let wanted: Vec<&str> = serials.iter().map(Serial::as_str).collect();
        // A volume in the bin has taken its snapshots along.
        let volumes = door.volumes_by(Field::Serial, &wanted, true).await?;
        let mut rows = look(door, &volumes, suffix).await?;
        rows.retain(|row| !row.destroyed);
        if rows.is_empty() {
            return Ok(());
        }
        failure = destroy(door, &rows).await.err();
        if failure.as_ref().is_some_and(|e| !e.is_definite_no()) {
            break;
        }
    }
    Err(failure.unwrap_or_else(|| nonsense("volume_snapshots_patch")))
}

async fn destroy(door: &Door, rows: &[VolumeSnapshotRow]) -> PortResult<()> {
    for chunk in rows.chunks(SNAPSHOTS_PER_CALL) {
        let command = Command::VolumeSnapshotsPatch {
            names: chunk.iter().map(|row| row.name.clone()).collect(),
            patch: SnapshotPatch {
                destroyed: Some(true),
                ..SnapshotPatch::default()
            },
        };
        door.call(command).await?;
    }
    Ok(())
}
