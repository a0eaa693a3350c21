//! `safety_snapshot` and `overwrite_volumes`: a point's contents into the volumes that the target
//! still has, after a snapshot of each that is the way back. Serials, ids and names stay.
//!
//! Neither way under a running server: who uses the volumes is looked at before each.

use super::{Job, Unmade, nothing_made, power, volume};
use crate::journal::Made;
use protector_domain::effect::EffectState;
use protector_domain::ids::{ArrayId, PointSuffix, Serial, ServerId, VolumeId};
use protector_domain::plan::OverwritePlan;
use protector_domain::ports::storage::{GroupSpec, OverwriteAsk};
use protector_domain::ports::{Acting, PortResult};

/// Whoever could be using volumes that get other contents.
#[derive(Clone, Copy)]
pub(super) struct Users<'a> {
    pub acting: &'a Acting,
    /// Have them, and have to be stopped.
    pub servers: &'a [ServerId],
    /// Nobody's.
    pub loose: &'a [VolumeId],
}

impl Users<'_> {
    /// Errors: `Refused` if somebody does; `Missing` if a volume is gone.
    async fn are_none(self, job: &Job) -> PortResult<()> {
        power::all_stopped(job, self.acting, self.servers).await?;
        volume::all_loose(job, self.acting, self.loose).await
    }
}

pub(super) async fn guard(
    job: &Job,
    array: &ArrayId,
    serials: &[Serial],
    suffix: &PointSuffix,
) -> PortResult<Vec<Made>> {
    let storage = job.site.storage();
    storage.safety_snapshot(array, serials, suffix).await?;
    Ok(nothing_made(job))
}

pub(super) async fn unguard(
    job: &Job,
    array: &ArrayId,
    serials: &[Serial],
    suffix: &PointSuffix,
) -> PortResult<Unmade> {
    let storage = job.site.storage();
    storage.release_safety(array, serials, suffix).await?;
    Ok(Unmade::Gone)
}

pub(super) async fn make(
    job: &Job,
    spec: &GroupSpec,
    point: &PointSuffix,
    guard: &PointSuffix,
    overwrites: &[OverwritePlan],
    users: Users<'_>,
) -> PortResult<Vec<Made>> {
    users.are_none(job).await?;
    let asks: Vec<OverwriteAsk> = overwrites
        .iter()
        .map(|o| OverwriteAsk {
            source_name: o.source_name.clone(),
            target: o.serial.clone(),
        })
        .collect();
    let storage = job.site.storage();
    storage
        .overwrite_from_point(spec, point, &asks, guard)
        .await?;
    Ok(nothing_made(job))
}

/// True when the only attempt was refused: an overwrite is all or none, and a definite no means none.
fn never_happened(job: &Job) -> bool {
    let targets = job.step.targets(job.plan.operation).into_iter();
    let mut rows = targets.map(|target| job.journal.get(target.key.as_str()));
    rows.all(|row| row.is_some_and(|row| row.state == EffectState::Failed && row.attempts <= 1))
}

/// Errors: `Refused` while somebody uses a volume that may hold the point's contents.
pub(super) async fn unmake(
    job: &Job,
    spec: &GroupSpec,
    guard: &PointSuffix,
    overwrites: &[OverwritePlan],
    users: Users<'_>,
) -> PortResult<Unmade> {
    match users.are_none(job).await {
        Err(used) if used.is_definite_no() && never_happened(job) => return Ok(Unmade::Gone),
        looked => looked?,
    }
    let serials: Vec<Serial> = overwrites.iter().map(|o| o.serial.clone()).collect();
    let storage = job.site.storage();
    storage
        .restore_safety(&spec.target, &serials, guard)
        .await?;
    Ok(Unmade::Gone)
}
