//! `quiesce_server` at the source and `restart_server` at the target: one server, stopped and locked
//! with a reason, or unlocked and running. Both read first and do what is missing, so that twice is
//! once. They make no object: what they did is seen on the server itself.

use super::poll::until;
use super::{Job, Unmade, nothing_made};
use crate::journal::Made;
use protector_domain::ids::{OperationId, ServerId, VolumeId};
use protector_domain::plan::Step;
use protector_domain::ports::compute::{Server, ServerStatus};
use protector_domain::ports::{Acting, Cloud, ErrorKind, PortError, PortResult};

/// Longest wait for a guest to shut down or come up (I7), in polls of a second.
const POWER_POLLS_MAX: u32 = 600;
/// How long an accepted stop may take before it counts as one that no host has heard of, in polls of a second:
/// twice what Nova itself gives a guest.
const STOP_POLLS_MAX: u32 = 120;
/// What Nova says it is about to do with a server it has accepted a stop for.
const STOPPING: &str = "powering-off";
/// How long a refused change of power is watched before the no is believed (B4), in polls of a second.
const DOUBT_POLLS_MAX: u32 = 60;

/// What Nova shows to whoever wonders about the lock.
fn reason(operation: OperationId) -> String {
    format!("protector: moved by operation {operation}")
}

async fn fetch(cloud: &Cloud, acting: &Acting, id: &ServerId) -> PortResult<Option<Server>> {
    let found = cloud.compute.server_fetch(acting, id).await?;
    Ok(found.filter(|server| server.status != ServerStatus::Deleted))
}

/// The server whose power the step changes, where it is.
pub(crate) async fn seen(job: &Job, id: &ServerId) -> PortResult<Option<Server>> {
    match &job.step {
        Step::QuiesceServer { acting, .. } => fetch(&job.peer_cloud()?, acting, id).await,
        Step::RestartServer { acting, .. } => fetch(job.site.cloud(), acting, id).await,
        _ => Ok(None),
    }
}

async fn until_status(
    cloud: &Cloud,
    acting: &Acting,
    id: &ServerId,
    wanted: ServerStatus,
    polls_max: u32,
) -> PortResult<()> {
    let look = || async {
        match fetch(cloud, acting, id).await? {
            Some(server) if server.status == wanted => Ok(Some(())),
            Some(server) if server.status == ServerStatus::Error => {
                let what = format!("server {id} went to ERROR");
                Err(PortError::new(ErrorKind::Refused, what))
            }
            Some(_) => Ok(None),
            None => {
                let what = format!("server {id} is gone");
                Err(PortError::new(ErrorKind::Missing, what))
            }
        }
    };
    until(&format!("server {id}"), polls_max, look).await
}

/// Waits for what was asked for. A no may be the answer to our own request delivered twice: the first one
/// is on its way then, and the state comes (B4); if it does not, the no was meant.
async fn arrived(
    asked: PortResult<()>,
    cloud: &Cloud,
    acting: &Acting,
    id: &ServerId,
    wanted: ServerStatus,
    polls_max: u32,
) -> PortResult<()> {
    match asked {
        Ok(()) => until_status(cloud, acting, id, wanted, polls_max).await,
        Err(no) if no.kind == ErrorKind::Refused => {
            let seen = until_status(cloud, acting, id, wanted, DOUBT_POLLS_MAX).await;
            seen.map_err(|_| no)
        }
        Err(other) => Err(other),
    }
}

/// A stopped server keeps its volumes connected; a running one would have them changed under its
/// feet.
pub(super) async fn all_stopped(
    job: &Job,
    acting: &Acting,
    servers: &[ServerId],
) -> PortResult<()> {
    for id in servers {
        let server = fetch(job.site.cloud(), acting, id).await?;
        if server.is_some_and(|s| s.status != ServerStatus::Shutoff) {
            let what = format!("server {id} is not stopped; openstack server stop {id}");
            return Err(PortError::new(ErrorKind::Refused, what));
        }
    }
    Ok(())
}

/// A cloud that comes up takes a stop before its hosts listen, and the word is lost: Nova then refuses any
/// other for as long as it believes the first to be under way (I4). It is made to forget that one, once.
async fn stopped(cloud: &Cloud, acting: &Acting, id: &ServerId) -> PortResult<()> {
    let stop = async |polls_max| {
        let asked = cloud.compute.server_stop(acting, id).await;
        arrived(asked, cloud, acting, id, ServerStatus::Shutoff, polls_max).await
    };
    let Err(error) = stop(STOP_POLLS_MAX).await else {
        return Ok(());
    };
    let found = fetch(cloud, acting, id).await?;
    if found.and_then(|server| server.task).as_deref() != Some(STOPPING) {
        return Err(error);
    }
    cloud.compute.server_forget_task(acting, id).await?;
    stop(POWER_POLLS_MAX).await
}

async fn stopped_and_locked(
    operation: OperationId,
    cloud: &Cloud,
    acting: &Acting,
    server: &Server,
) -> PortResult<()> {
    if server.status == ServerStatus::Active {
        stopped(cloud, acting, &server.id).await?;
    }
    if !server.locked {
        let reason = reason(operation);
        cloud
            .compute
            .server_lock(acting, &server.id, &reason)
            .await?;
    }
    Ok(())
}

async fn unlocked_and_running(cloud: &Cloud, acting: &Acting, server: &Server) -> PortResult<()> {
    if server.locked {
        cloud.compute.server_unlock(acting, &server.id).await?;
    }
    let asked = match server.status {
        ServerStatus::Shutoff => cloud.compute.server_start(acting, &server.id).await,
        _ => Ok(()),
    };
    let (id, up) = (&server.id, ServerStatus::Active);
    arrived(asked, cloud, acting, id, up, POWER_POLLS_MAX).await
}

/// A source server that is gone needs no quiet.
pub(super) async fn quiesce(
    job: &Job,
    acting: &Acting,
    id: &ServerId,
    doomed: &[VolumeId],
) -> PortResult<Vec<Made>> {
    let cloud = job.peer_cloud()?;
    if let Some(server) = fetch(&cloud, acting, id).await? {
        quiet(job.plan.operation, &cloud, acting, &server, doomed).await?;
    }
    Ok(nothing_made(job))
}

/// Keeps these volumes when the server is deleted, then stops and locks it. Twice is once.
pub(crate) async fn quiet(
    operation: OperationId,
    cloud: &Cloud,
    acting: &Acting,
    server: &Server,
    keep: &[VolumeId],
) -> PortResult<()> {
    for volume in keep {
        let kept = cloud
            .compute
            .attachment_set_delete(acting, &server.id, volume, false);
        kept.await?;
    }
    stopped_and_locked(operation, cloud, acting, server).await
}

pub(super) async fn unquiesce(
    job: &Job,
    acting: &Acting,
    id: &ServerId,
    was_active: bool,
    doomed: &[VolumeId],
) -> PortResult<Unmade> {
    let cloud = job.peer_cloud()?;
    if let Some(server) = fetch(&cloud, acting, id).await? {
        if was_active {
            unlocked_and_running(&cloud, acting, &server).await?;
        } else if server.locked {
            cloud.compute.server_unlock(acting, id).await?;
        }
        for volume in doomed {
            cloud
                .compute
                .attachment_set_delete(acting, id, volume, true)
                .await?;
        }
    }
    Ok(Unmade::Gone)
}

pub(super) async fn restart(job: &Job, acting: &Acting, id: &ServerId) -> PortResult<Vec<Made>> {
    let cloud = job.site.cloud();
    let missing = || PortError::new(ErrorKind::Missing, format!("server {id} is gone"));
    let server = fetch(cloud, acting, id).await?.ok_or_else(missing)?;
    unlocked_and_running(cloud, acting, &server).await?;
    Ok(nothing_made(job))
}

pub(super) async fn unrestart(job: &Job, acting: &Acting, id: &ServerId) -> PortResult<Unmade> {
    let cloud = job.site.cloud();
    if let Some(server) = fetch(cloud, acting, id).await? {
        stopped_and_locked(job.plan.operation, cloud, acting, &server).await?;
    }
    Ok(Unmade::Gone)
}
