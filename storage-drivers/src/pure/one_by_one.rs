//! A batch of volumes on arrays without one (below REST 2.32): first everything is judged that can
//! be, then each volume is made by itself. What remains weaker is said where it is.

use super::link::{RestLink, nonsense};
use crate::flasharray::errors::port_error;
use crate::flasharray::marks::is_unmarked;
use crate::link::LinkError;
use crate::model::{
    Answer, Command, Filter, Page, Query, VolumeItem, VolumePatch, VolumeRow, VolumeSource,
};
use protector_domain::ports::ErrorKind;

/// Names in one list of snapshots: they stand in the URL, which should stay below 4 KiB.
const NAMES_PER_CALL: usize = 20;

/// New copies, each marked in a second call: a copy whose mark was lost is met again by its name and
/// its source. A refusal half way destroys what this call made, so that no half group stays; those
/// names then lie in the bin.
pub(super) async fn copy(link: &RestLink, items: &[VolumeItem]) -> Result<Answer, LinkError> {
    sources_check(link, items).await?;
    let mut made: Vec<VolumeRow> = Vec::new();
    for item in items {
        match copy_one(link, item).await {
            Ok(row) => made.push(row),
            Err(error @ LinkError::Refused(_)) => {
                take_back(link, &made).await?;
                return Err(error);
            }
            Err(error) if made.is_empty() => return Err(error),
            Err(error) => return Err(LinkError::Unknown(format!("half the copies: {error}"))),
        }
    }
    Ok(Answer::Volumes(Page::whole(made)))
}

/// All or none as far as names and sources go; once one has changed, a failure is an open outcome.
pub(super) async fn overwrite(link: &RestLink, items: &[VolumeItem]) -> Result<Answer, LinkError> {
    sources_check(link, items).await?;
    let mut changed = Vec::new();
    for item in items {
        match link.volumes(&post(item, true)).await {
            Ok(page) => changed.extend(page.items),
            Err(error) if changed.is_empty() => return Err(error),
            Err(error) => return Err(LinkError::Unknown(format!("half the volumes: {error}"))),
        }
    }
    Ok(Answer::Volumes(Page::whole(changed)))
}

fn post(item: &VolumeItem, overwrite: bool) -> Command {
    Command::VolumesPost {
        names: vec![item.name.clone()],
        source: item.source.clone(),
        overwrite,
        add_to_groups: item.add_to_groups.clone(),
    }
}

/// Every snapshot that is to be copied is there: the array refuses a list that misses a name.
async fn sources_check(link: &RestLink, items: &[VolumeItem]) -> Result<(), LinkError> {
    let names: Vec<&str> = items.iter().filter_map(source_of).collect();
    for chunk in names.chunks(NAMES_PER_CALL) {
        let query = Query::named(chunk.iter().copied()).live();
        link.plain(&Command::VolumeSnapshotsGet(query)).await?;
    }
    Ok(())
}

fn source_of(item: &VolumeItem) -> Option<&str> {
    match &item.source {
        VolumeSource::Name(name) => Some(name),
        VolumeSource::Provisioned(_) => None,
    }
}

async fn copy_one(link: &RestLink, item: &VolumeItem) -> Result<VolumeRow, LinkError> {
    let command = post(item, false);
    let made = match link.volumes(&command).await {
        Ok(page) => page.items.into_iter().next(),
        Err(error) if is_taken(&error) => Some(half_done(link, item).await?.ok_or(error)?),
        Err(error) => return Err(error),
    };
    let mut row = made.ok_or_else(|| nonsense(&command))?;
    let marks = Command::TagsPut {
        resource_names: vec![row.name.clone()],
        tags: item.tags.clone(),
    };
    // The copy is there: a mark that could not be set leaves the outcome open, whatever the reason.
    let marked = link.plain(&marks).await;
    marked.map_err(|error| LinkError::Unknown(format!("marking {}: {error}", row.name)))?;
    row.tags.clone_from(&item.tags);
    Ok(row)
}

fn is_taken(error: &LinkError) -> bool {
    port_error("", error).kind == ErrorKind::AlreadyThere
}

/// The copy that an earlier attempt, or the first of two deliveries (`B4`), left without its mark.
async fn half_done(link: &RestLink, item: &VolumeItem) -> Result<Option<VolumeRow>, LinkError> {
    let query = Query::filtered(Filter::eq("name", item.name.as_str())).live();
    let mut rows = link.volumes(&Command::VolumesGet(query)).await?.items;
    rows.retain(|row| row.name.eq_ignore_ascii_case(&item.name));
    link.tags_add(&mut rows).await?;
    let is_half = |row: &VolumeRow| source_of(item).is_some_and(|s| is_unmarked(row, s));
    Ok(rows.into_iter().find(is_half))
}

async fn take_back(link: &RestLink, made: &[VolumeRow]) -> Result<(), LinkError> {
    for row in made {
        let command = Command::VolumesPatch {
            names: vec![row.name.clone()],
            patch: VolumePatch {
                destroyed: Some(true),
                ..VolumePatch::default()
            },
        };
        let done = link.plain(&command).await;
        done.map_err(|error| LinkError::Unknown(format!("copy {} stays: {error}", row.name)))?;
    }
    Ok(())
}
