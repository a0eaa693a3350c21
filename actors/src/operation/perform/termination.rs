//! `restore_termination`: volumes that go with their server again. Makes nothing; twice is once. The group has
//! moved: what cannot be restored, on a Nova before 2.85 or because somebody was quicker, is told and stays.

use super::{Job, nothing_made};
use crate::journal::Made;
use protector_domain::ids::{ServerId, VolumeId};
use protector_domain::plan::Part;
use protector_domain::ports::{Acting, PortResult};

pub(super) async fn make(
    job: &Job,
    acting: &Acting,
    server: &Part,
    volumes: &[Part],
) -> PortResult<Vec<Made>> {
    let server = ServerId(job.part(server)?);
    let mut kept = Vec::new();
    for volume in volumes {
        let volume = VolumeId(job.part(volume)?);
        let compute = &job.site.cloud().compute;
        let set = compute.attachment_set_delete(acting, &server, &volume, true);
        match set.await {
            Err(no) if no.is_definite_no() => kept.push(format!("{volume} ({})", no.what)),
            other => other?,
        }
    }
    let made = nothing_made(job).into_iter();
    if kept.is_empty() {
        return Ok(made.collect());
    }
    let why = format!(
        "volumes that would outlive server {server}, and did not before: {}",
        kept.join(", ")
    );
    Ok(made.map(|one| one.deviating(&why)).collect())
}
