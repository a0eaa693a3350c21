//! What a server needs around it: flavors, a keypair, room in the quota.

use crate::answer::{optional, same};
use crate::ask::{Ask, segment};
use crate::cloud::OpenStackCloud;
use crate::nova::version::BASE;
use crate::nova::wire::{FlavorShape, KeypairEnvelope, QuotaEnvelope, ZoneList};
use crate::page::ListKeys;
use crate::service::Service;
use protector_domain::ports::compute::{ComputeQuota, Flavor};
use protector_domain::ports::{Acting, PortResult};

const FLAVORS: ListKeys = ListKeys {
    items: "flavors",
    links: "flavors_links",
};

/// By id. Private ones of other projects only for the service itself (S14).
pub(super) async fn list(cloud: &OpenStackCloud, acting: &Acting) -> PortResult<Vec<Flavor>> {
    let mut ask = Ask::get(Service::Compute, "flavor_list", "/flavors/detail").version(BASE);
    if *acting == Acting::Service {
        ask = ask.query("is_public", "None");
    }
    let shapes: Vec<FlavorShape> = cloud.client.list(acting, &ask, FLAVORS).await?;
    let mut flavors: Vec<Flavor> = shapes.into_iter().map(FlavorShape::into_flavor).collect();
    flavors.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(flavors)
}

pub(super) async fn zones(cloud: &OpenStackCloud, acting: &Acting) -> PortResult<Vec<String>> {
    let path = "/os-availability-zone".to_owned();
    let ask = Ask::get(Service::Compute, "zone_list", path).version(BASE);
    let list: ZoneList = cloud.client.send(acting, &ask).await?.json(&ask)?;
    Ok(list.into_available())
}

pub(super) async fn keypair_exists(
    cloud: &OpenStackCloud,
    acting: &Acting,
    name: &str,
) -> PortResult<bool> {
    let path = format!("/os-keypairs/{}", segment("keypair_exists", name)?);
    let ask = Ask::get(Service::Compute, "keypair_exists", path)
        .on(name)
        .version(BASE);
    let Some(answer) = optional(cloud.client.send(acting, &ask).await)? else {
        return Ok(false);
    };
    let found: KeypairEnvelope = answer.json(&ask)?;
    same(&ask, "keypair", name, &found.keypair.name)?;
    Ok(true)
}

pub(super) async fn quota(cloud: &OpenStackCloud, acting: &Acting) -> PortResult<ComputeQuota> {
    let project = cloud.client.project_of(acting).await?;
    let path = format!(
        "/os-quota-sets/{}/detail",
        segment("compute_quota", &project)?
    );
    let ask = Ask::get(Service::Compute, "compute_quota", path)
        .on(project)
        .version(BASE);
    let answer = cloud.client.send(acting, &ask).await?;
    Ok(answer.json::<QuotaEnvelope>(&ask)?.into_quota())
}
