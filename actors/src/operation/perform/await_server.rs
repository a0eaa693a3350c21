//! `await_server`: the server is ACTIVE (H2, H3). Makes nothing.

use super::{Job, nothing_made};
use crate::journal::Made;
use protector_domain::effect::EffectKey;
use protector_domain::ids::ServerId;
use protector_domain::ports::compute::ServerStatus;
use protector_domain::ports::{Acting, ErrorKind, PortError, PortResult};

pub(super) async fn make(job: &Job, acting: &Acting, server: &EffectKey) -> PortResult<Vec<Made>> {
    let id = ServerId(job.object_of(server)?);
    let server = job.site.watch().server_settled(acting, &id).await?;
    if server.status == ServerStatus::Active {
        return Ok(nothing_made(job));
    }
    let fault = server
        .fault
        .unwrap_or_else(|| "Nova gives no reason".to_owned());
    let what = format!("server {id} is not ACTIVE: {fault}");
    Err(PortError::new(ErrorKind::Refused, what))
}
