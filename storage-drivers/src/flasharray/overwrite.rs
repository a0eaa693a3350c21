//! Giving existing volumes other contents: those of a point (the way home), or those of their
//! safety snapshot (its undo). Volumes keep id and serial; a call changes all of them or none.
//!
//! The one place where contents are lost, so nothing is taken on trust: which way the data flows
//! and that the deed can be undone are asked of the array in every round. Absent: whether anybody
//! uses the volumes; a stopped server stays connected, so the caller has to know.
//!
//! An array overwrites by name and makes what is not there; so the answer is held against the
//! serials, and what was made by mistake is cleared away.

use std::collections::BTreeSet;
use std::future::Future;

use protector_domain::ids::{PointSuffix, Serial};
use protector_domain::ports::storage::{GroupSpec, OverwriteAsk};
use protector_domain::ports::{ErrorKind, PortError, PortResult};

use super::door::{Door, nonsense};
use super::group::find;
use super::points::peer_name;
use super::recover::point_check;
use super::safety::{name_of, unguarded};
use super::{members, volumes};
use crate::model::{Answer, Command, VolumeItem, VolumeRow};

/// Attempts while volumes are renamed under our hands.
const ROUNDS_MAX: usize = 3;

/// A volume and the name of the snapshot whose contents it takes.
struct Change {
    volume: VolumeRow,
    source: String,
}

pub(super) async fn from_point(
    target: &Door,
    spec: &GroupSpec,
    point: &PointSuffix,
    asks: &[OverwriteAsk],
    guard: &PointSuffix,
) -> PortResult<()> {
    targets_distinct(asks)?;
    // Refused when source and target are one array: none is connected to itself.
    let source = peer_name(target, &spec.source).await?;
    let whole = format!("{source}:{}.{point}", spec.name);
    until_meant(target, || {
        changes_of_point(target, spec, &whole, asks, guard)
    })
    .await
}

pub(super) async fn from_safety(
    door: &Door,
    serials: &[Serial],
    suffix: &PointSuffix,
) -> PortResult<()> {
    until_meant(door, || changes_of_safety(door, serials, suffix)).await
}

async fn changes_of_point(
    target: &Door,
    spec: &GroupSpec,
    whole: &str,
    asks: &[OverwriteAsk],
    guard: &PointSuffix,
) -> PortResult<Vec<Change>> {
    point_check(target, whole).await?;
    let serials: Vec<Serial> = asks.iter().map(|ask| ask.target.clone()).collect();
    let found = target.volumes_live(&serials).await.map_err(not_here)?;
    not_protected_from_here(target, spec, &found).await?;
    if let [first, ..] = unguarded(target, &found, guard).await?.as_slice() {
        return refused(format!("volume {first} has no safety snapshot {guard}"));
    }
    let change = |(volume, ask): (VolumeRow, &OverwriteAsk)| Change {
        volume,
        source: format!("{whole}.{}", ask.source_name),
    };
    Ok(found.into_iter().zip(asks).map(change).collect())
}

async fn changes_of_safety(
    door: &Door,
    serials: &[Serial],
    suffix: &PointSuffix,
) -> PortResult<Vec<Change>> {
    let found = door.volumes_live(serials).await?;
    let change = |volume: VolumeRow| Change {
        source: name_of(&volume, suffix),
        volume,
    };
    Ok(found.into_iter().map(change).collect())
}

/// A volume that is not on the target array is another matter than a point that is gone: no other
/// point helps.
fn not_here(error: PortError) -> PortError {
    match error.kind {
        ErrorKind::Missing => PortError::new(ErrorKind::Refused, error.what),
        _ => error,
    }
}

fn refused<T>(what: String) -> PortResult<T> {
    Err(PortError::new(ErrorKind::Refused, what))
}

fn targets_distinct(asks: &[OverwriteAsk]) -> PortResult<()> {
    let serials: BTreeSet<&str> = asks.iter().map(|ask| ask.target.as_str()).collect();
    if serials.len() == asks.len() {
        return Ok(());
    }
    refused("one volume was to be overwritten with two".to_owned())
}

/// Source and target exchanged would put an old point over the data that is being protected
/// (`F14`, `I6`). Our groups have one name on both arrays, so the live one shows on the target.
/// Groups of others do not count: Cinder's own may replicate these volumes all the time.
async fn not_protected_from_here(
    target: &Door,
    spec: &GroupSpec,
    found: &[VolumeRow],
) -> PortResult<()> {
    let live = find(target, spec).await?.filter(|group| !group.destroyed);
    if !live.is_some_and(|group| group.replication_schedule.enabled) {
        return Ok(());
    }
    let rows = members::list(target, spec).await?;
    let is_member = |volume: &&VolumeRow| rows.iter().any(|row| members::is(row, volume));
    match found.iter().find(is_member) {
        Some(volume) => refused(format!(
            "volume {} replicates from array {} in group {}",
            volume.name, target.array.name, spec.name
        )),
        None => Ok(()),
    }
}

/// Asks for the changes and makes them, until the volumes hit were those meant.
///
/// Once a call has changed anything, no later failure may say that nothing happened.
async fn until_meant<F, Asked>(door: &Door, changes: F) -> PortResult<()>
where
    F: Fn() -> Asked,
    Asked: Future<Output = PortResult<Vec<Change>>>,
{
    let mut changed = false;
    for _ in 0..ROUNDS_MAX {
        let round = match changes().await {
            Ok(wanted) => replace(door, &wanted).await,
            Err(error) => Err(error),
        };
        match round {
            Ok(true) => return Ok(()),
            Ok(false) => changed = true,
            Err(error) if changed => return Err(unknown(error.what)),
            Err(error) => return Err(error),
        }
    }
    Err(nonsense("volumes_batch_post"))
}

fn unknown(what: String) -> PortError {
    PortError::new(ErrorKind::Unknown, what)
}

/// False when a name had gone over to another volume, or to none, since it was looked up.
async fn replace(door: &Door, wanted: &[Change]) -> PortResult<bool> {
    if wanted.is_empty() {
        return Ok(true);
    }
    let item = |change: &Change| VolumeItem::copy(&change.volume.name, &change.source);
    let command = Command::VolumesBatchPost {
        items: wanted.iter().map(item).collect(),
        overwrite: true,
    };
    let Answer::Volumes(page) = door.call(command).await? else {
        return Err(nonsense("volumes_batch_post"));
    };
    let meant: BTreeSet<&str> = wanted.iter().map(|c| c.volume.serial.as_str()).collect();
    let (hit, missed): (Vec<VolumeRow>, Vec<VolumeRow>) = page
        .items
        .into_iter()
        .partition(|row| meant.contains(row.serial.as_str()));
    let cleared = clear_away(door, missed).await;
    cleared.map_err(|error| unknown(error.what))?;
    Ok(hit.len() == meant.len())
}

/// What was made just now (within the second that a `Date` tells) under a name that had become free
/// is ours, and goes. A volume that was
/// there before has lost its contents: nothing can be done about it here but to say so.
async fn clear_away(door: &Door, missed: Vec<VolumeRow>) -> PortResult<()> {
    let made_now = |row: &VolumeRow| row.created >= door.array.now_ms && row.connection_count == 0;
    let (strays, hurt): (Vec<VolumeRow>, Vec<VolumeRow>) = missed.into_iter().partition(made_now);
    volumes::destroy(door, &strays).await?;
    let Some(row) = hurt.first() else {
        return Ok(());
    };
    let what = format!(
        "volume {} with serial {} on array {} took a name that was to be overwritten, and was",
        row.name, row.serial, door.array.name
    );
    tracing::error!("{what}");
    Err(unknown(what))
}
