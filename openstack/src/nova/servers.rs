//! Reading servers and asking things of them. Absent: their creation's body (`create`).

use crate::answer::{new_id, optional, same};
use crate::ask::{Ask, segment};
use crate::cloud::OpenStackCloud;
use crate::nova::create::create_body;
use crate::nova::version::{ATTACHMENT_UPDATE, BASE};
use crate::nova::wire::{AttachmentList, Created, ServerEnvelope, ServerShape, in_device_order};
use crate::page::ListKeys;
use crate::service::Service;
use crate::walls::is_walled_off;
use protector_domain::ids::{ServerId, VolumeId};
use protector_domain::ports::compute::{AttachedVolume, Server, ServerCreate, ServerFilter};
use protector_domain::ports::{Acting, ErrorKind, PortResult};
use serde_json::{Value, json};

const SERVERS: ListKeys = ListKeys {
    items: "servers",
    links: "servers_links",
};

pub(super) async fn fetch(
    cloud: &OpenStackCloud,
    acting: &Acting,
    id: &ServerId,
) -> PortResult<Option<Server>> {
    let version = cloud.nova_max.for_servers(&cloud.client, acting).await?;
    let path = format!("/servers/{}", segment("server_fetch", id.as_str())?);
    let ask = Ask::get(Service::Compute, "server_fetch", path)
        .on(id.as_str())
        .version(version);
    let Some(answer) = optional(cloud.client.send(acting, &ask).await)? else {
        return Ok(None);
    };
    let shape = answer.json::<ServerEnvelope>(&ask)?.server;
    same(&ask, "server", id.as_str(), &shape.id)?;
    if is_walled_off(acting, &shape.tenant_id) {
        return Ok(None);
    }
    if shape.is_cell_down() {
        return Err(cell_down(&ask));
    }
    let volumes = optional(attachments(cloud, acting, id).await)?;
    Ok(volumes.map(|volumes| shape.into_server(volumes)))
}

/// `Missing`: the server went away meanwhile.
async fn attachments(
    cloud: &OpenStackCloud,
    acting: &Acting,
    id: &ServerId,
) -> PortResult<Vec<AttachedVolume>> {
    let server = segment("server_fetch", id.as_str())?;
    let path = format!("/servers/{server}/os-volume_attachments");
    let ask = Ask::get(Service::Compute, "server_fetch", path)
        .on(id.as_str())
        .version(BASE);
    let list: AttachmentList = cloud.client.send(acting, &ask).await?.json(&ask)?;
    for attachment in &list.attachments {
        same(&ask, "server", id.as_str(), &attachment.server)?;
    }
    Ok(in_device_order(list.attachments))
}

pub(super) async fn list(
    cloud: &OpenStackCloud,
    acting: &Acting,
    filter: &ServerFilter,
) -> PortResult<Vec<Server>> {
    let version = cloud.nova_max.for_servers(&cloud.client, acting).await?;
    let ask = list_ask(filter).version(version);
    let mut shapes: Vec<ServerShape> = cloud.client.list(acting, &ask, SERVERS).await?;
    // A server that cannot be looked at may carry the key: a list without it would prove its absence.
    let blind = shapes.iter().any(ServerShape::is_cell_down);
    if blind && filter.metadata_prefix.is_some() {
        return Err(cell_down(&ask));
    }
    if let Some((key, prefix)) = &filter.metadata_prefix {
        shapes.retain(|s| {
            s.metadata
                .get(key)
                .is_some_and(|value| value.starts_with(prefix))
        });
    }
    shapes.sort_by_cached_key(ServerShape::age_key);
    Ok(shapes.into_iter().map(ServerShape::into_listed).collect())
}

/// Oldest first, so that what is made while we read comes at the end and shifts nothing.
fn list_ask(filter: &ServerFilter) -> Ask {
    let mut ask = Ask::get(Service::Compute, "server_list", "/servers/detail")
        .query("sort_key", "created_at")
        .query("sort_dir", "asc");
    if filter.all_projects {
        ask = ask.query("all_tenants", "1");
    }
    if let Some(since) = &filter.changes_since {
        ask = ask.query("changes-since", since.as_str());
    }
    ask
}

fn cell_down(ask: &Ask) -> protector_domain::ports::PortError {
    let busy = ErrorKind::Busy {
        retry_after_ms: None,
    };
    ask.error(busy, "Nova cannot reach the cell of a server")
}

pub(super) async fn create(
    cloud: &OpenStackCloud,
    acting: &Acting,
    create: &ServerCreate,
) -> PortResult<ServerId> {
    let version = match create.hostname {
        Some(_) => cloud.nova_max.for_servers(&cloud.client, acting).await?,
        None => BASE,
    };
    let ask = Ask::post(Service::Compute, "server_create", "/servers")
        .on(create.name.as_str())
        .json(&create_body(create, version))
        .version(version);
    let answer = cloud.client.send(acting, &ask).await?;
    let created: Created = answer.json(&ask)?;
    Ok(new_id(&ask, created.server.id)?.into())
}

pub(super) async fn delete(
    cloud: &OpenStackCloud,
    acting: &Acting,
    id: &ServerId,
) -> PortResult<()> {
    let path = format!("/servers/{}", segment("server_delete", id.as_str())?);
    let ask = Ask::delete(Service::Compute, "server_delete", path)
        .on(id.as_str())
        .version(BASE);
    optional(cloud.client.send(acting, &ask).await).map(drop)
}

/// One of Nova's server actions.
pub(super) async fn act(
    cloud: &OpenStackCloud,
    acting: &Acting,
    call: &'static str,
    id: &ServerId,
    action: &Value,
) -> PortResult<()> {
    let path = format!("/servers/{}/action", segment(call, id.as_str())?);
    let ask = Ask::post(Service::Compute, call, path)
        .on(id.as_str())
        .json(action)
        .version(BASE);
    cloud.client.send(acting, &ask).await.map(drop)
}

/// Idempotent: sets what it is told.
pub(super) async fn set_delete(
    cloud: &OpenStackCloud,
    acting: &Acting,
    server: &ServerId,
    volume: &VolumeId,
    delete_on_termination: bool,
) -> PortResult<()> {
    let call = "attachment_set_delete";
    let path = format!(
        "/servers/{}/os-volume_attachments/{}",
        segment(call, server.as_str())?,
        segment(call, volume.as_str())?
    );
    let body = json!({"volumeAttachment": {
        "volumeId": volume, "delete_on_termination": delete_on_termination,
    }});
    let ask = Ask::put(Service::Compute, call, path)
        .on(server.as_str())
        .json(&body)
        .version(ATTACHMENT_UPDATE);
    cloud.client.send(acting, &ask).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_that_nova_knows_are_asked_of_nova() {
        let filter = ServerFilter {
            metadata_prefix: Some(("k".into(), "v".into())),
            all_projects: true,
            changes_since: Some("2026-11-20T05:00:00Z".into()),
        };
        assert_eq!(
            list_ask(&filter).path_and_query(),
            "/servers/detail?sort_key=created_at&sort_dir=asc&all_tenants=1\
             &changes-since=2026-11-20T05%3A00%3A00Z"
        );
        let plain = list_ask(&ServerFilter::default()).path_and_query();
        assert!(!plain.contains("all_tenants") && !plain.contains("changes"));
    }
}
