//! What ports hang on: networks, subnets, security groups. Every list by id.

use crate::ask::Ask;
use crate::cloud::OpenStackCloud;
use crate::neutron::wire::{NetworkShape, SecurityGroupShape, SubnetShape};
use crate::page::{ListKeys, Listed};
use crate::service::Service;
use protector_domain::ports::network::{NetworkInfo, SecurityGroup, Subnet};
use protector_domain::ports::{Acting, PortResult};

const NETWORKS: ListKeys = ListKeys {
    items: "networks",
    links: "networks_links",
};
const SUBNETS: ListKeys = ListKeys {
    items: "subnets",
    links: "subnets_links",
};
const SECURITY_GROUPS: ListKeys = ListKeys {
    items: "security_groups",
    links: "security_groups_links",
};

/// Own ones and shared ones for a tenant; an administrator's token sees more, so every entry names
/// its owner for the caller to look at.
pub(super) async fn networks(
    cloud: &OpenStackCloud,
    acting: &Acting,
) -> PortResult<Vec<NetworkInfo>> {
    let ask = Ask::get(Service::Network, "network_list", "/networks");
    all::<NetworkShape, _>(cloud, acting, &ask, NETWORKS).await
}

pub(super) async fn subnets(cloud: &OpenStackCloud, acting: &Acting) -> PortResult<Vec<Subnet>> {
    let ask = Ask::get(Service::Network, "subnet_list", "/subnets");
    all::<SubnetShape, _>(cloud, acting, &ask, SUBNETS).await
}

pub(super) async fn security_groups(
    cloud: &OpenStackCloud,
    acting: &Acting,
) -> PortResult<Vec<SecurityGroup>> {
    let ask = Ask::get(Service::Network, "security_group_list", "/security-groups");
    all::<SecurityGroupShape, _>(cloud, acting, &ask, SECURITY_GROUPS).await
}

async fn all<S: Listed, T: From<S>>(
    cloud: &OpenStackCloud,
    acting: &Acting,
    ask: &Ask,
    keys: ListKeys,
) -> PortResult<Vec<T>> {
    let mut shapes: Vec<S> = cloud.client.list(acting, ask, keys).await?;
    shapes.sort_by(|a, b| a.id().cmp(b.id()));
    Ok(shapes.into_iter().map(T::from).collect())
}
