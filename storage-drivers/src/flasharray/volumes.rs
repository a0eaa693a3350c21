//! Finding volumes, and letting go of our own.
//! Absent: eradication; the array does that in its own time.

use protector_domain::ids::{Serial, VolumeId};
use protector_domain::ports::storage::ArrayVolume;
use protector_domain::ports::{ErrorKind, PortError, PortResult};

use super::door::{Door, Field, NAMES_PER_CALL, array_volume};
use crate::model::{Command, Filter, Query, VolumeItem, VolumePatch, VolumeRow, VolumeSource};

/// Looks between attempts when a volume changes under our hands.
const ROUNDS_MAX: usize = 3;

/// The volume of a Cinder volume, by the name that Cinder's driver gives it; a live one before a
/// destroyed one of the same name in another letter case.
pub(super) async fn locate(door: &Door, cinder: &VolumeId) -> PortResult<Option<ArrayVolume>> {
    let name = format!("volume-{cinder}-cinder");
    let mut rows = door
        .volumes(Query::filtered(Filter::eq("name", name.as_str())))
        .await?;
    rows.retain(|row| row.name.eq_ignore_ascii_case(&name));
    rows.sort_by_key(|row| row.destroyed);
    Ok(rows.first().map(array_volume))
}

pub(super) async fn by_serial(door: &Door, serial: &Serial) -> PortResult<Option<ArrayVolume>> {
    let rows = door
        .volumes_by(Field::Serial, &[serial.as_str()], true)
        .await?;
    let exact = rows.iter().find(|row| row.serial == serial.as_str());
    Ok(exact.map(array_volume))
}

/// Globs of real arrays are looser than one wishes: every hit is checked again.
pub(super) async fn by_prefix(door: &Door, prefix: &str) -> PortResult<Vec<ArrayVolume>> {
    let filter = Filter::eq("name", format!("{prefix}*"));
    let rows = door.volumes(Query::filtered(filter).live()).await?;
    let ours = rows.iter().filter(|row| row.name.starts_with(prefix));
    Ok(ours.map(array_volume).collect())
}

/// Bytes of a mark: the least that an array makes.
const MARK_BYTES: u64 = 1 << 20;

/// The empty volume of this name, made if it is not there. Made twice is made once: the name says all.
pub(super) async fn mark(door: &Door, name: &str) -> PortResult<ArrayVolume> {
    if let Some(found) = named(door, name).await? {
        return found;
    }
    let item = VolumeItem {
        name: name.to_owned(),
        source: VolumeSource::Provisioned(MARK_BYTES),
        tags: Vec::new(),
        add_to_groups: Vec::new(),
    };
    let command = Command::VolumesBatchPost {
        items: vec![item],
        overwrite: false,
    };
    let made = door.call(command).await;
    match (named(door, name).await?, made) {
        (Some(found), _) => found,
        (None, Err(error)) => Err(error),
        (None, Ok(_)) => Err(super::door::nonsense("volumes_post")),
    }
}

/// The volume of exactly this name, or that the name lies in the bin (F6).
async fn named(door: &Door, name: &str) -> PortResult<Option<PortResult<ArrayVolume>>> {
    let rows = door.volumes_by(Field::Name, &[name], false).await?;
    let mut exact = rows.iter().filter(|row| row.name == name);
    let in_bin = || {
        let what = format!("a destroyed volume is called {name}");
        Err(PortError::new(ErrorKind::AlreadyThere, what))
    };
    let judged = |row: &VolumeRow| match row.destroyed {
        true => in_bin(),
        false => Ok(array_volume(row)),
    };
    Ok(exact.next().map(judged))
}

/// Destroys those that carry our name now; the rest is left alone and returned (`S4`).
pub(super) async fn release(
    door: &Door,
    serials: &[Serial],
    ours: &[String],
) -> PortResult<Vec<Serial>> {
    let mut failure: Option<PortError> = None;
    for _ in 0..ROUNDS_MAX {
        let wanted: Vec<&str> = serials.iter().map(Serial::as_str).collect();
        let rows = door.volumes_by(Field::Serial, &wanted, true).await?;
        let (mine, foreign): (Vec<VolumeRow>, Vec<VolumeRow>) =
            rows.into_iter().partition(|row| is_ours(row, ours));
        if mine.is_empty() {
            return Ok(foreign.into_iter().map(|row| Serial(row.serial)).collect());
        }
        // Look again even after a success: what is gone is gone, what was renamed stays.
        failure = destroy(door, &mine).await.err();
        if failure
            .as_ref()
            .is_some_and(|error| !error.is_definite_no())
        {
            break;
        }
    }
    Err(failure.unwrap_or_else(|| super::door::nonsense("volumes_patch")))
}

fn is_ours(row: &VolumeRow, prefixes: &[String]) -> bool {
    let named = prefixes
        .iter()
        .any(|p| !p.is_empty() && row.name.starts_with(p.as_str()));
    named && row.connection_count == 0
}

pub(super) async fn destroy(door: &Door, rows: &[VolumeRow]) -> PortResult<()> {
    for chunk in rows.chunks(NAMES_PER_CALL) {
        let command = Command::VolumesPatch {
            names: chunk.iter().map(|row| row.name.clone()).collect(),
            patch: VolumePatch {
                destroyed: Some(true),
                ..VolumePatch::default()
            },
        };
        door.call(command).await?;
    }
    Ok(())
}
