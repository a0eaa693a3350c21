//! `retire_*`: past the point of no return, what an earlier move made at the peer's cloud goes. What
//! does not carry a key of ours stays, and is told (S4).

use super::poll::until;
use super::{Job, nothing_made};
use crate::journal::Made;
use protector_domain::effect::{EffectKey, METADATA_KEY};
use protector_domain::ids::{PortId, ServerId, VolumeId};
use protector_domain::ports::compute::ServerStatus;
use protector_domain::ports::{Acting, ErrorKind, PortError, PortResult, Volumes};
use serde_json::json;
use std::collections::BTreeMap;

/// Longest wait for a deletion, in polls of a second.
const GONE_POLLS_MAX: u32 = 300;

fn is_ours(metadata: &BTreeMap<String, String>) -> bool {
    metadata
        .get(METADATA_KEY)
        .is_some_and(|key| EffectKey::is_key(key))
}

/// The step's row, with what stays.
fn told(job: &Job, left: &[String]) -> Vec<Made> {
    let rows = nothing_made(job).into_iter();
    rows.map(|made| Made {
        detail: json!({ "left": left }),
        ..made
    })
    .collect()
}

pub(super) async fn server(job: &Job, acting: &Acting, id: &ServerId) -> PortResult<Vec<Made>> {
    let compute = job.peer_cloud()?.compute;
    let Some(found) = compute.server_fetch(acting, id).await? else {
        return Ok(told(job, &[]));
    };
    if !is_ours(&found.metadata) {
        return Ok(told(job, &[id.to_string()]));
    }
    if found.locked {
        compute.server_unlock(acting, id).await?;
    }
    compute.server_delete(acting, id).await?;
    let gone = || async {
        let found = compute.server_fetch(acting, id).await?;
        let there = found.is_some_and(|s| s.status != ServerStatus::Deleted);
        Ok((!there).then_some(()))
    };
    until(&format!("deleting server {id}"), GONE_POLLS_MAX, gone).await?;
    Ok(told(job, &[]))
}

pub(super) async fn ports(job: &Job, acting: &Acting, ids: &[PortId]) -> PortResult<Vec<Made>> {
    let network = job.peer_cloud()?.network;
    let mut left = Vec::new();
    for id in ids {
        match network.port_fetch(acting, id).await? {
            None => {}
            Some(port) if EffectKey::is_key(&port.description) => {
                network.port_delete(acting, id).await?;
            }
            Some(_) => left.push(id.to_string()),
        }
    }
    Ok(told(job, &left))
}

/// A no may be the answer to our own request delivered twice (B4): then the volume goes already.
async fn on_its_way(
    volumes: &dyn Volumes,
    acting: &Acting,
    id: &VolumeId,
    no: PortError,
) -> PortResult<Option<()>> {
    match volumes.volume_fetch(acting, id).await? {
        None => Ok(Some(())),
        Some(volume) if volume.status == "deleting" => Ok(None),
        Some(_) => Err(no),
    }
}

pub(super) async fn volumes(job: &Job, acting: &Acting, ids: &[VolumeId]) -> PortResult<Vec<Made>> {
    let volumes = job.peer_cloud()?.volumes;
    let mut left = Vec::new();
    for id in ids {
        match volumes.volume_fetch(acting, id).await? {
            None => continue,
            Some(volume) if volume.key().is_some_and(EffectKey::is_key) => {}
            Some(_) => {
                left.push(id.to_string());
                continue;
            }
        }
        let gone = || async {
            match volumes.volume_fetch(acting, id).await? {
                None => Ok(Some(())),
                Some(volume) if matches!(volume.status.as_str(), "available" | "error") => {
                    match volumes.volume_delete(acting, id).await {
                        Err(no) if no.kind == ErrorKind::Refused => {
                            on_its_way(&*volumes, acting, id, no).await
                        }
                        other => other.map(|()| None),
                    }
                }
                Some(_) => Ok(None),
            }
        };
        until(&format!("deleting volume {id}"), GONE_POLLS_MAX, gone).await?;
    }
    Ok(told(job, &left))
}
