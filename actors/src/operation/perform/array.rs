//! `recover_volumes`: every disk of the group out of one point, in one array call.
//!
//! Key: the copy's name, which is ours until Cinder renames it. So a request that arrives after the
//! rename makes a second copy; it keeps our name, and the stray sweep finds it by that.

use super::{Job, Unmade};
use crate::journal::Made;
use crate::site::Site;
use protector_domain::effect::{EffectKey, EffectState};
use protector_domain::ids::{ArrayId, PointSuffix, Serial};
use protector_domain::operation::failover::copy_name_prefix;
use protector_domain::plan::CopyPlan;
use protector_domain::ports::PortResult;
use protector_domain::ports::storage::{CopyAsk, GroupSpec};
use serde_json::json;

fn key_of(job: &Job, copy: &CopyPlan) -> EffectKey {
    EffectKey::new(job.plan.operation, job.step.name(), &copy.disk.to_string())
}

fn made(key: EffectKey, serial: &Serial, name: &str) -> Made {
    Made {
        key,
        id: serial.to_string(),
        detail: json!({ "copy_name": name }),
    }
}

pub(super) async fn look(
    job: &Job,
    spec: &GroupSpec,
    copies: &[CopyPlan],
) -> PortResult<Vec<Made>> {
    let prefix = copy_name_prefix(job.plan.operation);
    let found = job
        .site
        .storage()
        .find_by_key(&spec.target, &prefix)
        .await?;
    let ours = found.iter().filter_map(|volume| {
        let copy = copies.iter().find(|c| c.copy_name == volume.name)?;
        Some(made(key_of(job, copy), &volume.serial, &volume.name))
    });
    Ok(ours.collect())
}

/// Idempotent by name: the array answers a repetition with the copies that are there.
pub(super) async fn make(
    job: &Job,
    spec: &GroupSpec,
    point: &PointSuffix,
    copies: &[CopyPlan],
) -> PortResult<Vec<Made>> {
    let asks: Vec<CopyAsk> = copies
        .iter()
        .map(|c| CopyAsk {
            source_name: c.source_name.clone(),
            copy_name: c.copy_name.clone(),
        })
        .collect();
    let copied = job.site.storage().recover_point(spec, point, &asks).await?;
    let done = copied.iter().filter_map(|volume| {
        let copy = copies.iter().find(|c| c.copy_name == volume.copy_name)?;
        Some(made(key_of(job, copy), &volume.serial, &volume.copy_name))
    });
    Ok(done.collect())
}

/// Names that a copy of ours may carry by now: ours, and what Cinder leaves after an unmanage.
fn names_of(job: &Job, copy: &CopyPlan) -> Vec<String> {
    let import = EffectKey::new(job.plan.operation, "import_volumes", &copy.disk.to_string());
    let volume = job
        .journal
        .get(import.as_str())
        .filter(|e| e.state != EffectState::Done);
    let unmanaged = volume
        .and_then(|e| e.object_id.as_ref())
        .map(|id| unmanaged_name(id));
    std::iter::once(copy.copy_name.clone())
        .chain(unmanaged)
        .collect()
}

/// What the Pure driver renames a volume to when Cinder lets go of it.
pub(super) fn unmanaged_name(cinder_volume: &str) -> String {
    format!("volume-{cinder_volume}-cinder-unmanaged")
}

pub(super) async fn unmake(job: &Job, spec: &GroupSpec, copies: &[CopyPlan]) -> PortResult<Unmade> {
    let mut serials: Vec<Serial> = look(job, spec, copies)
        .await?
        .into_iter()
        .map(|m| Serial(m.id))
        .collect();
    let known = copies
        .iter()
        .filter_map(|copy| job.journal.get(key_of(job, copy).as_str()));
    serials.extend(known.filter_map(|e| e.object_id.clone()).map(Serial));
    serials.sort();
    serials.dedup();
    let names: Vec<String> = copies.iter().flat_map(|copy| names_of(job, copy)).collect();
    let left = job
        .site
        .storage()
        .release(&spec.target, &serials, &names)
        .await?;
    Ok(if left.is_empty() {
        Unmade::Gone
    } else {
        Unmade::Left
    })
}

/// A copy that still carries our name although the one in the ledger has been renamed.
pub(super) async fn remove_twin(site: &Site, array: &ArrayId, twin: &Made) -> PortResult<()> {
    let name = twin
        .detail
        .get("copy_name")
        .and_then(|n| n.as_str())
        .unwrap_or_default();
    if name.is_empty() {
        return Ok(());
    }
    let serial = [Serial(twin.id.clone())];
    site.storage()
        .release(array, &serial, &[name.to_owned()])
        .await
        .map(|_| ())
}
