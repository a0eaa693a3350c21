//! The `Network` port: a switchboard.

use crate::cloud::OpenStackCloud;
use crate::neutron::{ports, surroundings};
use async_trait::async_trait;
use protector_domain::ids::PortId;
use protector_domain::ports::compute::QuotaUse;
use protector_domain::ports::network::{
    Network, NetworkInfo, Port, PortCreate, PortFilter, SecurityGroup, Subnet,
};
use protector_domain::ports::{Acting, PortResult};

#[async_trait]
impl Network for OpenStackCloud {
    async fn port_fetch(&self, acting: &Acting, id: &PortId) -> PortResult<Option<Port>> {
        ports::fetch(self, acting, id).await
    }

    async fn port_list(&self, acting: &Acting, filter: &PortFilter) -> PortResult<Vec<Port>> {
        ports::list(self, acting, filter).await
    }

    async fn port_create(&self, acting: &Acting, asks: &[PortCreate]) -> PortResult<Vec<Port>> {
        ports::create(self, acting, asks).await
    }

    async fn port_delete(&self, acting: &Acting, id: &PortId) -> PortResult<()> {
        ports::delete(self, acting, id).await
    }

    async fn network_list(&self, acting: &Acting) -> PortResult<Vec<NetworkInfo>> {
        surroundings::networks(self, acting).await
    }

    async fn subnet_list(&self, acting: &Acting) -> PortResult<Vec<Subnet>> {
        surroundings::subnets(self, acting).await
    }

    async fn security_group_list(&self, acting: &Acting) -> PortResult<Vec<SecurityGroup>> {
        surroundings::security_groups(self, acting).await
    }

    async fn port_quota(&self, acting: &Acting) -> PortResult<QuotaUse> {
        ports::quota(self, acting).await
    }
}
