//! `grow_volumes`: a volume that was extended away from here is extended in Cinder before the point's contents
//! come over it; the array would give it the point's size, and Cinder would not know.
//!
//! What the point holds is asked here and not when the plan is made: a planned move takes its point on the way.
//! Absent: shrinking. Nobody shrinks a volume.

use super::poll::until;
use super::{Job, nothing_made};
use crate::journal::Made;
use protector_domain::ids::{PointSuffix, VolumeId};
use protector_domain::plan::{OnMemberFailure, OverwritePlan};
use protector_domain::ports::storage::GroupSpec;
use protector_domain::ports::volumes::Volume;
use protector_domain::ports::{Acting, ErrorKind, PortError, PortResult};

/// What Cinder calls a volume whose extension has failed.
const FAILED: &str = "error_extending";
/// While it extends it.
const GROWING: &str = "extending";
/// Longest wait for that, in polls of a second.
const POLLS_MAX: u32 = 300;

pub(super) async fn make(
    job: &Job,
    acting: &Acting,
    spec: &GroupSpec,
    point: &PointSuffix,
    overwrites: &[OverwritePlan],
) -> PortResult<Vec<Made>> {
    let held = job.site.storage().point_volumes(spec, point).await?;
    for overwrite in overwrites {
        let in_point = held.iter().find(|v| v.name == overwrite.source_name);
        let wanted_gib = in_point.map_or(0, |v| v.size_gib());
        if wanted_gib <= overwrite.size_gib {
            continue;
        }
        let grown = grown(job, acting, &overwrite.volume, wanted_gib).await;
        grown.or_else(|error| tolerated(job, overwrite, error))?;
    }
    Ok(nothing_made(job))
}

/// A move of force brings the server up also where Cinder says no: the array gives the volume its size anyway,
/// and the figure in Cinder is somebody's to mend by day.
fn tolerated(job: &Job, overwrite: &OverwritePlan, error: PortError) -> PortResult<()> {
    let forced = job.plan.on_member_failure == OnMemberFailure::Continue;
    if !(forced && error.is_definite_no()) {
        return Err(error);
    }
    tracing::warn!(volume = %overwrite.volume, why = %error, "a volume that has grown is not extended in Cinder");
    Ok(())
}

async fn fetch(job: &Job, acting: &Acting, id: &VolumeId) -> PortResult<Volume> {
    let found = job.site.cloud().volumes.volume_fetch(acting, id).await?;
    found.ok_or_else(|| PortError::new(ErrorKind::Missing, format!("volume {id} is gone")))
}

/// Reads first, so that twice is once. A no may be the answer to our own request delivered twice (B4): then
/// the volume grows already.
async fn grown(job: &Job, acting: &Acting, id: &VolumeId, wanted_gib: u64) -> PortResult<()> {
    let grows = |v: &Volume| v.size_gib >= wanted_gib || v.status == GROWING;
    if !grows(&fetch(job, acting, id).await?) {
        let volumes = &job.site.cloud().volumes;
        let asked = volumes.volume_extend(acting, id, wanted_gib).await;
        if let Err(no) = asked
            && !(no.kind == ErrorKind::Refused && grows(&fetch(job, acting, id).await?))
        {
            return Err(no);
        }
    }
    let look = async || {
        let volume = fetch(job, acting, id).await?;
        Ok((volume.status != GROWING).then_some(volume))
    };
    // Not among those that the watch lists: it looks for keys of ours, and this one has none.
    let settled = until(&format!("volume {id}"), POLLS_MAX, look).await?;
    if settled.status == FAILED || settled.size_gib < wanted_gib {
        let what = format!(
            "volume {id} is {} with {} GiB, and {wanted_gib} are needed",
            settled.status, settled.size_gib
        );
        return Err(PortError::new(ErrorKind::Refused, what));
    }
    Ok(())
}
