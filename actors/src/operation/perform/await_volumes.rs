//! `await_volumes`: the member's volumes are `available` and carry their image metadata (G1, G10).
//! Makes nothing, so there is nothing to look for and nothing to take back.

use super::{Job, nothing_made};
use crate::journal::Made;
use protector_domain::ids::VolumeId;
use protector_domain::plan::AwaitVolume;
use protector_domain::ports::{Acting, ErrorKind, PortError, PortResult};

pub(super) async fn make(
    job: &Job,
    acting: &Acting,
    volumes: &[AwaitVolume],
) -> PortResult<Vec<Made>> {
    for wanted in volumes {
        let id = VolumeId(job.object_of(&wanted.import)?);
        let volume = job.site.watch().volume_settled(acting, &id).await?;
        if volume.status != "available" {
            let what = format!("volume {id} is {} after its import", volume.status);
            return Err(PortError::new(ErrorKind::Refused, what));
        }
        if wanted
            .image_metadata
            .iter()
            .any(|(key, value)| volume.image_metadata.get(key) != Some(value))
        {
            let ports = &job.site.cloud().volumes;
            ports
                .volume_set_image_metadata(acting, &id, &wanted.image_metadata)
                .await?;
        }
    }
    Ok(nothing_made(job))
}
