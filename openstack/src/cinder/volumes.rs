//! The calls behind the `Volumes` port, and the microversion of each.

use crate::answer::{Answer, new_id, optional, same};
use crate::ask::{Ask, Microversion, segment};
use crate::cinder::wire::{
    ManagedEnvelope, PoolList, PoolShape, QuotaEnvelope, ServiceList, ServiceShape, TypeShape,
    VolumeEnvelope, VolumeShape, manage_body,
};
use crate::cloud::OpenStackCloud;
use crate::page::ListKeys;
use crate::service::Service;
use crate::walls::is_walled_off;
use protector_domain::ids::VolumeId;
use protector_domain::ports::volumes::{
    Volume, VolumeFilter, VolumeManage, VolumePool, VolumeQuota, VolumeService, VolumeType,
};
use protector_domain::ports::{Acting, ErrorKind, PortResult};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What every Cinder of API 3 can do.
const PLAIN: Microversion = Microversion(3, 0);
/// `manageable_volumes` as a resource.
const MANAGE: Microversion = Microversion(3, 8);
/// `group_id` in a volume.
const GROUPS: Microversion = Microversion(3, 13);

/// From here on a volume in use may be extended.
const EXTEND_IN_USE: Microversion = Microversion(3, 42);

const VOLUMES: ListKeys = ListKeys {
    items: "volumes",
    links: "volumes_links",
};
const TYPES: ListKeys = ListKeys {
    items: "volume_types",
    links: "volume_type_links",
};
const VOLUME_BINARY: &str = "cinder-volume";

pub(super) async fn fetch(
    cloud: &OpenStackCloud,
    acting: &Acting,
    id: &VolumeId,
) -> PortResult<Option<Volume>> {
    let path = format!("/volumes/{}", segment("volume_fetch", id.as_str())?);
    let ask = Ask::get(Service::Volume, "volume_fetch", path)
        .on(id.as_str())
        .version(GROUPS);
    let Some(answer) = optional(cloud.client.send(acting, &ask).await)? else {
        return Ok(None);
    };
    let shape = answer.json::<VolumeEnvelope>(&ask)?.volume;
    same(&ask, "volume", id.as_str(), &shape.id)?;
    // Who may not see owners may not see other projects' volumes either.
    let foreign = shape
        .project
        .as_deref()
        .is_some_and(|owner| is_walled_off(acting, owner));
    Ok((!foreign).then(|| shape.into_volume()))
}

pub(super) async fn list(
    cloud: &OpenStackCloud,
    acting: &Acting,
    filter: &VolumeFilter,
) -> PortResult<Vec<Volume>> {
    let mut ask = Ask::get(Service::Volume, "volume_list", "/volumes/detail")
        .query("sort", "created_at:asc")
        .version(GROUPS);
    if filter.all_projects {
        ask = ask.query("all_tenants", "1");
    }
    let mut shapes: Vec<VolumeShape> = cloud.client.list(acting, &ask, VOLUMES).await?;
    shapes.sort_by_cached_key(VolumeShape::age_key);
    let volumes = shapes.into_iter().map(VolumeShape::into_volume);
    let wanted = |v: &Volume| match &filter.key_prefix {
        Some(prefix) => v.key().is_some_and(|key| key.starts_with(prefix)),
        None => true,
    };
    Ok(volumes.filter(wanted).collect())
}

pub(super) async fn manage(
    cloud: &OpenStackCloud,
    acting: &Acting,
    manage: &VolumeManage,
) -> PortResult<VolumeId> {
    let ask = Ask::post(Service::Volume, "volume_manage", "/manageable_volumes")
        .on(manage.source_name.as_str())
        .json(&manage_body(manage))
        .version(MANAGE);
    let answer = cloud.client.send(acting, &ask).await?;
    let managed = answer.json::<ManagedEnvelope>(&ask)?.volume;
    if let Some(name) = &managed.name {
        // Cinder trims names.
        same(&ask, "volume", manage.name.trim(), name.trim())?;
    }
    Ok(new_id(&ask, managed.id)?.into())
}

/// Already gone is `Ok`.
pub(super) async fn unmanage(
    cloud: &OpenStackCloud,
    acting: &Acting,
    id: &VolumeId,
) -> PortResult<()> {
    let action = json!({"os-unmanage": {}});
    optional(act(cloud, acting, "volume_unmanage", id, &action).await).map(drop)
}

/// Already gone is `Ok`.
pub(super) async fn delete(
    cloud: &OpenStackCloud,
    acting: &Acting,
    id: &VolumeId,
) -> PortResult<()> {
    let path = format!("/volumes/{}", segment("volume_delete", id.as_str())?);
    let ask = Ask::delete(Service::Volume, "volume_delete", path)
        .on(id.as_str())
        .version(PLAIN);
    optional(cloud.client.send(acting, &ask).await).map(drop)
}

/// One request: Cinder writes the metadata before the rest, so a key is there before it leaves the description.
pub(super) async fn describe(
    cloud: &OpenStackCloud,
    acting: &Acting,
    id: &VolumeId,
    description: Option<&str>,
    metadata: &BTreeMap<String, String>,
) -> PortResult<()> {
    let path = format!("/volumes/{}", segment("volume_describe", id.as_str())?);
    let words = json!({ "description": description, "metadata": metadata });
    let ask = Ask::put(Service::Volume, "volume_describe", path)
        .on(id.as_str())
        .json(&json!({ "volume": words }))
        .version(PLAIN);
    cloud.client.send(acting, &ask).await.map(drop)
}

pub(super) async fn set_image_metadata(
    cloud: &OpenStackCloud,
    acting: &Acting,
    id: &VolumeId,
    metadata: &BTreeMap<String, String>,
) -> PortResult<()> {
    if metadata.is_empty() {
        return Ok(());
    }
    let action = json!({"os-set_image_metadata": {"metadata": metadata}});
    act(cloud, acting, "volume_set_image_metadata", id, &action).await
}

pub(super) async fn extend(
    cloud: &OpenStackCloud,
    acting: &Acting,
    id: &VolumeId,
    size_gib: u64,
) -> PortResult<()> {
    let action = json!({"os-extend": {"new_size": size_gib}});
    act_in(cloud, acting, "volume_extend", id, &action, EXTEND_IN_USE).await
}

async fn act(
    cloud: &OpenStackCloud,
    acting: &Acting,
    call: &'static str,
    id: &VolumeId,
    action: &Value,
) -> PortResult<()> {
    act_in(cloud, acting, call, id, action, PLAIN).await
}

async fn act_in(
    cloud: &OpenStackCloud,
    acting: &Acting,
    call: &'static str,
    id: &VolumeId,
    action: &Value,
    version: Microversion,
) -> PortResult<()> {
    let path = format!("/volumes/{}/action", segment(call, id.as_str())?);
    let ask = Ask::post(Service::Volume, call, path)
        .on(id.as_str())
        .json(action)
        .version(version);
    cloud.client.send(acting, &ask).await.map(drop)
}

/// By id. Private ones of other projects only for the service itself (S14).
pub(super) async fn type_list(
    cloud: &OpenStackCloud,
    acting: &Acting,
) -> PortResult<Vec<VolumeType>> {
    let mut ask = Ask::get(Service::Volume, "volume_type_list", "/types").version(PLAIN);
    if *acting == Acting::Service {
        ask = ask.query("is_public", "None");
    }
    let shapes: Vec<TypeShape> = cloud.client.list(acting, &ask, TYPES).await?;
    let mut types: Vec<VolumeType> = shapes.into_iter().map(TypeShape::into_type).collect();
    types.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(types)
}

/// By host.
pub(super) async fn service_list(
    cloud: &OpenStackCloud,
    acting: &Acting,
) -> PortResult<Vec<VolumeService>> {
    let ask = Ask::get(Service::Volume, "volume_service_list", "/os-services")
        .query("binary", VOLUME_BINARY)
        .version(PLAIN);
    let answer = collection(&ask, cloud.client.send(acting, &ask).await)?;
    let list: ServiceList = answer.json(&ask)?;
    let volume_only = list
        .services
        .into_iter()
        .filter(|s| s.binary == VOLUME_BINARY);
    let mut services: Vec<VolumeService> = volume_only.map(ServiceShape::into_service).collect();
    services.sort_by(|a, b| a.host.cmp(&b.host));
    Ok(services)
}

/// By name.
pub(super) async fn pool_list(
    cloud: &OpenStackCloud,
    acting: &Acting,
) -> PortResult<Vec<VolumePool>> {
    let ask = Ask::get(
        Service::Volume,
        "volume_pool_list",
        "/scheduler-stats/get_pools",
    )
    .query("detail", "True")
    .version(PLAIN);
    let answer = collection(&ask, cloud.client.send(acting, &ask).await)?;
    let list: PoolList = answer.json(&ask)?;
    let mut pools: Vec<VolumePool> = list.pools.into_iter().map(PoolShape::into_pool).collect();
    pools.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pools)
}

/// A collection is always there: a 404 speaks of the API, not of an object.
fn collection(ask: &Ask, outcome: PortResult<Answer>) -> PortResult<Answer> {
    outcome.map_err(|error| match error.kind {
        ErrorKind::Missing => ask.error(ErrorKind::Refused, "this Cinder has no such list"),
        _ => error,
    })
}

pub(super) async fn quota(cloud: &OpenStackCloud, acting: &Acting) -> PortResult<VolumeQuota> {
    let project = cloud.client.project_of(acting).await?;
    let path = format!("/os-quota-sets/{}", segment("volume_quota", &project)?);
    let ask = Ask::get(Service::Volume, "volume_quota", path)
        .query("usage", "True")
        .on(project)
        .version(PLAIN);
    let answer = cloud.client.send(acting, &ask).await?;
    Ok(answer.json::<QuotaEnvelope>(&ask)?.into_quota())
}
