//! `mark_epoch`: the new epoch as the name of an empty volume on the target array. Found again by that
//! name; it stays when the move is undone, because the epoch does, too.

use super::{Job, only_key};
use crate::journal::Made;
use protector_domain::ids::ArrayId;
use protector_domain::ports::PortResult;
use protector_domain::ports::storage::ArrayVolume;
use serde_json::json;

fn made(job: &Job, volume: &ArrayVolume) -> Vec<Made> {
    vec![Made {
        key: only_key(job),
        id: volume.serial.to_string(),
        detail: json!({ "name": volume.name }),
    }]
}

pub(super) async fn look(job: &Job, array: &ArrayId, name: &str) -> PortResult<Vec<Made>> {
    let found = job.site.storage().find_by_key(array, name).await?;
    let exact = found.iter().find(|volume| volume.name == name);
    Ok(exact.map(|volume| made(job, volume)).unwrap_or_default())
}

pub(super) async fn make(job: &Job, array: &ArrayId, name: &str) -> PortResult<Vec<Made>> {
    let volume = job.site.storage().mark(array, name).await?;
    Ok(made(job, &volume))
}
