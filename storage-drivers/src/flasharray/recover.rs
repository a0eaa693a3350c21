//! Copying volumes out of one complete point. Never overwrites: a copy is a new volume with our
//! mark, or it is one we made before, or the whole call is refused.

use std::collections::BTreeSet;

use protector_domain::ids::{PointSuffix, Serial};
use protector_domain::ports::storage::{Copied, CopyAsk, GroupSpec};
use protector_domain::ports::{ErrorKind, PortError, PortResult};

use super::door::{Door, nonsense};
use super::errors::{is_binned, port_error};
use super::marks::{COPY_KEY, is_copy, is_unmarked, marks};
use super::points::{completed_ms, peer_name, transfer_of};
use crate::link::LinkError;
use crate::model::{Answer, Command, Filter, Query, VolumeItem, VolumeRow, VolumeSource};

/// Most copies looked for in one call: each stands in the URL as a name and as a mark.
const ASKS_PER_CALL: usize = 20;

/// The whole wish: what to copy out of which snapshot.
struct Wish<'a> {
    /// `A:group.suffix`.
    whole: String,
    copies: &'a [CopyAsk],
}

impl Wish<'_> {
    fn part(&self, ask: &CopyAsk) -> String {
        format!("{}.{}", self.whole, ask.source_name)
    }
}

pub(super) async fn recover(
    target: &Door,
    spec: &GroupSpec,
    point: &PointSuffix,
    copies: &[CopyAsk],
) -> PortResult<Vec<Copied>> {
    names_distinct(copies)?;
    let source = peer_name(target, &spec.source).await?;
    let wish = Wish {
        whole: format!("{source}:{}.{point}", spec.name),
        copies,
    };
    let mut there = look(target, &wish).await?;
    let absent = missing_of(&wish, &there);
    // Copies that are there need their point no longer: it may have been removed since.
    if !absent.is_empty() {
        point_check(target, &wish.whole).await?;
        there.extend(make(target, &wish, &absent).await?);
    }
    result(&wish, &there)
}

fn names_distinct(copies: &[CopyAsk]) -> PortResult<()> {
    let names: BTreeSet<String> = copies
        .iter()
        .map(|c| c.copy_name.to_ascii_lowercase())
        .collect();
    if names.len() == copies.len() {
        return Ok(());
    }
    Err(PortError::new(
        ErrorKind::Refused,
        "two copies were asked for under one name",
    ))
}

/// Only a point that is completely here may be used (`F1`, `S6`).
pub(super) async fn point_check(target: &Door, whole: &str) -> PortResult<()> {
    let refuse = |kind, why: &str| Err(PortError::new(kind, format!("point {whole} {why}")));
    match transfer_of(target, whole).await? {
        None => refuse(ErrorKind::Missing, "is not there"),
        Some(row) if row.destroyed => refuse(ErrorKind::Missing, "has been destroyed"),
        Some(row) if completed_ms(&row).is_none() => refuse(ErrorKind::Refused, "is not complete"),
        Some(_) => Ok(()),
    }
}

/// Volumes under the names asked for, and our own copies that were renamed since.
///
/// Errors: `AlreadyThere` when a name is held by anything else, also in the bin (`F5`, `F6`).
async fn look(target: &Door, wish: &Wish<'_>) -> PortResult<Vec<VolumeRow>> {
    let mut rows = Vec::new();
    for chunk in wish.copies.chunks(ASKS_PER_CALL) {
        let names = chunk.iter().map(|ask| ask.copy_name.as_str());
        let mut either = vec![Filter::any_of("name", names)];
        either.extend(chunk.iter().map(|ask| Filter::Tags {
            key: COPY_KEY.to_owned(),
            value: ask.copy_name.clone(),
        }));
        rows.extend(target.volumes(Query::filtered(Filter::Or(either))).await?);
    }
    for ask in wish.copies {
        if let Some(row) = rows
            .iter()
            .find(|row| stands_in_the_way(row, ask, &wish.part(ask)))
        {
            let bin = if row.destroyed { ", in the bin" } else { "" };
            let what = format!("volume {} is there{bin} and is not this copy", row.name);
            return Err(PortError::new(ErrorKind::AlreadyThere, what));
        }
    }
    rows.retain(|row| !row.destroyed);
    Ok(rows)
}

fn stands_in_the_way(row: &VolumeRow, ask: &CopyAsk, part: &str) -> bool {
    let named = row.name.eq_ignore_ascii_case(&ask.copy_name);
    named && (row.destroyed || !(is_copy(row, ask, part) || is_unmarked(row, part)))
}

fn missing_of<'a>(wish: &Wish<'a>, there: &[VolumeRow]) -> Vec<&'a CopyAsk> {
    let absent = |ask: &&CopyAsk| !there.iter().any(|row| is_copy(row, ask, &wish.part(ask)));
    wish.copies.iter().filter(absent).collect()
}

/// The new volumes as the array answered them: a list may not show them yet (`B20`).
async fn make(target: &Door, wish: &Wish<'_>, absent: &[&CopyAsk]) -> PortResult<Vec<VolumeRow>> {
    let item = |ask: &&CopyAsk| {
        let source = wish.part(ask);
        VolumeItem {
            name: ask.copy_name.clone(),
            tags: marks(&ask.copy_name, &source),
            source: VolumeSource::Name(source),
            add_to_groups: Vec::new(),
        }
    };
    let command = Command::VolumesBatchPost {
        items: absent.iter().map(item).collect(),
        overwrite: false,
    };
    match target.try_call(command).await {
        Ok(Answer::Volumes(page)) => Ok(page.items),
        Ok(_) => Err(nonsense("volumes_batch_post")),
        Err(error) => made_after_all(target, wish, absent, &error).await,
    }
}

/// "Already exists" may be the second answer to a request that was delivered twice (`B4`).
async fn made_after_all(
    target: &Door,
    wish: &Wish<'_>,
    absent: &[&CopyAsk],
    error: &LinkError,
) -> PortResult<Vec<VolumeRow>> {
    let refusal = port_error("copying out of a point", error);
    let name_binned = absent.iter().any(|ask| is_binned(error, &ask.copy_name));
    let refusal = match refusal.kind {
        ErrorKind::Missing if name_binned => PortError::new(ErrorKind::AlreadyThere, refusal.what),
        _ => refusal,
    };
    if refusal.kind != ErrorKind::AlreadyThere {
        return Err(refusal);
    }
    let there = look(target, wish).await?;
    if missing_of(wish, &there).is_empty() {
        Ok(there)
    } else {
        Err(refusal)
    }
}

fn result(wish: &Wish<'_>, there: &[VolumeRow]) -> PortResult<Vec<Copied>> {
    let copied = |ask: &CopyAsk| {
        let row = there.iter().find(|row| is_copy(row, ask, &wish.part(ask)));
        let row = row.ok_or_else(|| {
            let what = format!(
                "copy {} was made and the array does not show it",
                ask.copy_name
            );
            PortError::new(ErrorKind::Unknown, what)
        })?;
        Ok(Copied {
            copy_name: ask.copy_name.clone(),
            serial: Serial(row.serial.clone()),
            size_bytes: row.provisioned,
        })
    };
    wish.copies.iter().map(copied).collect()
}
