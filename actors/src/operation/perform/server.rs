//! `boot_server`: one create request to Nova, in the tenant's name if it lets us.
//!
//! Key: in the server's metadata; names are not unique and Nova's name filter is a pattern (H14).

use super::{Job, Unmade, only_key};
use crate::journal::Made;
use crate::site::Site;
use protector_domain::effect::METADATA_KEY;
use protector_domain::ids::{PortId, ServerId, VolumeId};
use protector_domain::plan::{BootFrom, Part, Step};
use protector_domain::ports::compute::{
    BootVolume, Server, ServerCreate, ServerFilter, ServerStatus,
};
use protector_domain::ports::{Acting, ErrorKind, PortError, PortResult};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

pub(super) async fn look(job: &Job, acting: &Acting) -> PortResult<Vec<Made>> {
    let key = only_key(job);
    let filter = ServerFilter {
        metadata_prefix: Some((METADATA_KEY.to_owned(), key.to_string())),
        ..ServerFilter::default()
    };
    let found = job
        .site
        .cloud()
        .compute
        .server_list(acting, &filter)
        .await?;
    let exactly =
        |s: &Server| s.metadata.get(METADATA_KEY).map(String::as_str) == Some(key.as_str());
    let ours = found
        .into_iter()
        .filter(|s| exactly(s) && s.status != ServerStatus::Deleted);
    Ok(ours
        .map(|s| Made {
            key: key.clone(),
            id: s.id.0,
            detail: Value::Null,
        })
        .collect())
}

/// The request with what earlier steps have made.
pub(super) fn filled(
    job: &Job,
    ask: &ServerCreate,
    volumes: &[BootFrom],
    ports: &[Part],
) -> PortResult<ServerCreate> {
    let mut ask = ask.clone();
    for from in volumes {
        ask.volumes.push(BootVolume {
            volume: VolumeId(job.part(&from.volume)?),
            boot_index: from.boot_index,
            device: from.device.clone(),
            tag: from.tag.clone(),
        });
    }
    for port in ports {
        ask.ports.push(PortId(job.part(port)?));
    }
    Ok(ask)
}

/// The user data that the record has for the member, or why there is none to give: a VM that comes up
/// without it is a deviation, one that does not come up would be worse.
async fn user_data(job: &Job) -> PortResult<Result<Option<SecretString>, String>> {
    let Step::BootServer {
        member,
        has_user_data: true,
        ..
    } = &job.step
    else {
        return Ok(Ok(None));
    };
    let group = job.plan.group;
    let stored = job.site.store().group_fetch(group).await;
    let stored = stored.map_err(|e| PortError::new(ErrorKind::Unreachable, e.to_string()))?;
    let found = stored.as_ref().and_then(|stored| {
        let mut members = stored.body.as_ref()?.members.iter();
        let found = members.find(|m| &m.id == member)?;
        Some((found, stored.sync.role()))
    });
    let Some((found, role)) = found else {
        return Ok(Err("the record has the member no more".to_owned()));
    };
    let opened = found
        .user_data
        .open(group, *member, role, job.site.identity());
    Ok(opened.map_err(|error| error.to_string()))
}

/// In the tenant's name. A trust that has died since the plan was made stops nobody (E3): the refusal is
/// certain, so that the service asks for the same server, but for the keypair, which is the tenant's own.
pub(super) async fn make(job: &Job, mut ask: ServerCreate) -> PortResult<Vec<Made>> {
    let Step::BootServer { acting, tenant, .. } = &job.step else {
        return Ok(Vec::new());
    };
    let mut told = Vec::new();
    match user_data(job).await? {
        Ok(text) => ask.user_data = text.map(|text| text.expose_secret().to_owned()),
        Err(why) => told.push(format!("made without its user data: {why}")),
    }
    let compute = &job.site.cloud().compute;
    let first = tenant.as_ref().unwrap_or(acting);
    let id = match compute.server_create(first, &ask).await {
        Err(no) if no.kind == ErrorKind::Denied && first != acting => {
            let without = ServerCreate {
                key_name: None,
                ..ask
            };
            told.push(format!(
                "made by the service, without a keypair: {}",
                no.what
            ));
            compute.server_create(acting, &without).await?
        }
        other => other?,
    };
    let made = Made {
        key: only_key(job),
        id: id.0,
        detail: Value::Null,
    };
    let plain = told.is_empty();
    Ok(vec![if plain {
        made
    } else {
        made.deviating(&told.join("; "))
    }])
}

/// Gone from Nova when this returns `Ok`; until then `Busy`, to be asked again.
pub(super) async fn remove(site: &Site, acting: &Acting, id: &ServerId) -> PortResult<()> {
    let compute = &site.cloud().compute;
    match compute.server_fetch(acting, id).await? {
        None => return Ok(()),
        Some(server) if server.status == ServerStatus::Deleted => return Ok(()),
        Some(_) => compute.server_delete(acting, id).await?,
    }
    let what = format!("server {id} is being deleted");
    Err(PortError::new(
        ErrorKind::Busy {
            retry_after_ms: None,
        },
        what,
    ))
}

pub(super) async fn unmake(job: &Job, acting: &Acting) -> PortResult<Unmade> {
    let found = look(job, acting).await?;
    for id in super::known_objects(job, found) {
        remove(&job.site, acting, &ServerId(id)).await?;
    }
    Ok(Unmade::Gone)
}
