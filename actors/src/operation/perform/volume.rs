//! `import_volume`: one array copy becomes a Cinder volume of the tenant (DD-10).
//!
//! Key: in the volume's metadata. Cinder renames the array volume at once, so after a lost answer
//! the old name finds nothing (G3).

use super::array::unmanaged_name;
use super::{Job, Unmade, only_key};
use crate::journal::Made;
use crate::site::Site;
use protector_domain::effect::METADATA_KEY;
use protector_domain::ids::{ArrayId, VolumeId};
use protector_domain::plan::ImportPlan;
use protector_domain::ports::volumes::{Volume, VolumeFilter};
use protector_domain::ports::{Acting, ErrorKind, PortError, PortResult};
use serde_json::Value;

pub(super) async fn look(job: &Job, acting: &Acting) -> PortResult<Vec<Made>> {
    let key = only_key(job);
    let filter = VolumeFilter {
        metadata_prefix: Some((METADATA_KEY.to_owned(), key.to_string())),
        all_projects: false,
    };
    let found = job
        .site
        .cloud()
        .volumes
        .volume_list(acting, &filter)
        .await?;
    let exactly =
        |v: &Volume| v.metadata.get(METADATA_KEY).map(String::as_str) == Some(key.as_str());
    let ours = found.into_iter().filter(exactly);
    Ok(ours
        .map(|v| Made {
            key: key.clone(),
            id: v.id.0,
            detail: Value::Null,
        })
        .collect())
}

pub(super) async fn make(job: &Job, acting: &Acting, import: &ImportPlan) -> PortResult<Vec<Made>> {
    let id = job
        .site
        .cloud()
        .volumes
        .volume_manage(acting, &import.ask)
        .await?;
    Ok(vec![Made {
        key: only_key(job),
        id: id.0,
        detail: Value::Null,
    }])
}

/// Cinder lets go of it, and it is gone from Cinder when this returns `Ok`.
async fn let_go(site: &Site, acting: &Acting, id: &VolumeId) -> PortResult<()> {
    let volumes = &site.cloud().volumes;
    match volumes.volume_fetch(acting, id).await? {
        None => Ok(()),
        Some(v) if v.status == "unmanaging" || v.status == "deleting" || v.status == "creating" => {
            Err(busy(format!("volume {id} is {}", v.status)))
        }
        // A failed import has no array volume behind it; Cinder forgets only by a delete (G2).
        Some(v) if v.status.starts_with("error") => {
            volumes.volume_delete(acting, id).await?;
            Err(busy(format!("volume {id} is being deleted")))
        }
        Some(v) if v.status == "in-use" || v.status == "detaching" || v.status == "reserved" => {
            Err(busy(format!("volume {id} is still {}", v.status)))
        }
        Some(_) => {
            volumes.volume_unmanage(acting, id).await?;
            Err(busy(format!("volume {id} is being unmanaged")))
        }
    }
}

/// Asked again by the caller's retries until it is over.
fn busy(what: String) -> PortError {
    PortError::new(
        ErrorKind::Busy {
            retry_after_ms: None,
        },
        what,
    )
}

/// The copy stays on the array: it is what `retry_members` or the group's undo needs.
pub(super) async fn unmake(job: &Job, acting: &Acting) -> PortResult<Unmade> {
    let key = only_key(job);
    let mut ids: Vec<String> = look(job, acting).await?.into_iter().map(|m| m.id).collect();
    let known = job
        .journal
        .get(key.as_str())
        .and_then(|e| e.object_id.clone());
    ids.extend(known);
    ids.sort();
    ids.dedup();
    for id in ids {
        let_go(&job.site, acting, &VolumeId(id)).await?;
    }
    Ok(Unmade::Gone)
}

/// A second import of the same copy can only be an empty shell or a failed one: Cinder refuses to
/// manage what it manages. If it did take a copy, that one goes, too.
pub(super) async fn remove_twin(
    site: &Site,
    acting: &Acting,
    array: &ArrayId,
    id: &VolumeId,
) -> PortResult<()> {
    let on_array = site.storage().locate(array, id).await?;
    let_go(site, acting, id).await?;
    if let Some(found) = on_array {
        let name = unmanaged_name(id.as_str());
        site.storage()
            .release(array, &[found.serial], &[name])
            .await?;
    }
    Ok(())
}
