//! `safety_snapshot` and `overwrite_volumes`: a point's contents into the volumes that the target
//! still has, after a snapshot of each that is the way back. Serials, ids and names stay.

use super::{Job, Unmade, nothing_made};
use crate::journal::Made;
use protector_domain::ids::{ArrayId, PointSuffix, Serial};
use protector_domain::plan::OverwritePlan;
use protector_domain::ports::PortResult;
use protector_domain::ports::storage::{GroupSpec, OverwriteAsk};

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
) -> PortResult<Vec<Made>> {
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

pub(super) async fn unmake(
    job: &Job,
    spec: &GroupSpec,
    guard: &PointSuffix,
    overwrites: &[OverwritePlan],
) -> PortResult<Unmade> {
    let serials: Vec<Serial> = overwrites.iter().map(|o| o.serial.clone()).collect();
    let storage = job.site.storage();
    storage
        .restore_safety(&spec.target, &serials, guard)
        .await?;
    Ok(Unmade::Gone)
}
