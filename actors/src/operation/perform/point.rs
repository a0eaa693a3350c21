//! `take_last_point`: a snapshot of the quiet group, and its complete arrival at the target.
//!
//! Key: the suffix, which is ours and follows from the operation; taking it twice is taking it once.

use super::poll::until;
use super::{Job, only_key};
use crate::journal::Made;
use protector_domain::ids::PointSuffix;
use protector_domain::ports::PortResult;
use protector_domain::ports::storage::GroupSpec;
use serde_json::Value;

/// Longest wait for the last changes to arrive, in polls of a second.
const ARRIVAL_POLLS_MAX: u32 = 7_200;

pub(super) async fn look(
    job: &Job,
    spec: &GroupSpec,
    suffix: &PointSuffix,
) -> PortResult<Vec<Made>> {
    let points = job.site.storage().recovery_points(spec).await?;
    let arrived = |p: &&protector_domain::ports::storage::RecoveryPoint| {
        &p.suffix == suffix && p.completed_ms.is_some()
    };
    let found = points.iter().find(arrived).map(|point| Made {
        key: only_key(job),
        id: point.suffix.to_string(),
        detail: Value::Null,
    });
    Ok(found.into_iter().collect())
}

pub(super) async fn make(
    job: &Job,
    spec: &GroupSpec,
    suffix: &PointSuffix,
) -> PortResult<Vec<Made>> {
    job.site.storage().snapshot_now(spec, suffix).await?;
    let arrived = || async {
        let found = look(job, spec, suffix).await?;
        Ok(if found.is_empty() { None } else { Some(found) })
    };
    let what = format!("the arrival of {}.{suffix}", spec.name);
    until(&what, ARRIVAL_POLLS_MAX, arrived).await
}
