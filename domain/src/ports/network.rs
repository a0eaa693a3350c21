//! Neutron, as far as we need it. Absent: routers and floating IPs, which are a reported deviation
//! for now (H10).

use super::compute::QuotaUse;
use super::{Acting, PortResult};
use crate::ids::{NetworkId, PortId, SecurityGroupId, ServerId, SubnetId};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedIp {
    pub subnet: SubnetId,
    pub address: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressPair {
    pub ip_address: String,
    pub mac_address: Option<String>,
}

/// A port as Neutron tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    pub id: PortId,
    pub project_id: String,
    pub name: String,
    /// Carries our key on ports that we make.
    pub description: String,
    pub network: NetworkId,
    pub mac_address: String,
    pub fixed_ips: Vec<FixedIp>,
    pub security_groups: Vec<SecurityGroupId>,
    pub port_security_enabled: bool,
    pub allowed_address_pairs: Vec<AddressPair>,
    pub device: Option<ServerId>,
    pub device_owner: String,
    pub vnic_type: Option<String>,
    /// Only to order twins.
    pub created_at: Option<String>,
}

/// A port to make. Fields left `None` are Neutron's choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortCreate {
    pub name: String,
    pub description: String,
    pub network: NetworkId,
    /// Empty: any address. An entry with an empty address: any of that subnet.
    pub fixed_ips: Vec<FixedIp>,
    pub mac_address: Option<String>,
    pub security_groups: Vec<SecurityGroupId>,
    pub port_security_enabled: bool,
    pub allowed_address_pairs: Vec<AddressPair>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortFilter {
    pub device: Option<ServerId>,
    pub network: Option<NetworkId>,
    /// Only those whose description starts so.
    pub description_prefix: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    pub id: SubnetId,
    pub name: String,
    pub network: NetworkId,
    pub cidr: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInfo {
    pub id: NetworkId,
    pub name: String,
    pub project_id: String,
    pub shared: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    pub id: SecurityGroupId,
    pub name: String,
    pub project_id: String,
}

#[async_trait]
pub trait Network: Send + Sync {
    async fn port_fetch(&self, acting: &Acting, id: &PortId) -> PortResult<Option<Port>>;
    /// All pages, each port once, in creation order, then by id.
    async fn port_list(&self, acting: &Acting, filter: &PortFilter) -> PortResult<Vec<Port>>;
    /// One bulk request; all or none. Not idempotent: after `Unknown` look for the key.
    /// `AlreadyThere`: an address or MAC is taken (H6, H7).
    async fn port_create(&self, acting: &Acting, asks: &[PortCreate]) -> PortResult<Vec<Port>>;
    /// Already gone is `Ok`.
    async fn port_delete(&self, acting: &Acting, id: &PortId) -> PortResult<()>;
    async fn network_list(&self, acting: &Acting) -> PortResult<Vec<NetworkInfo>>;
    async fn subnet_list(&self, acting: &Acting) -> PortResult<Vec<Subnet>>;
    async fn security_group_list(&self, acting: &Acting) -> PortResult<Vec<SecurityGroup>>;
    async fn port_quota(&self, acting: &Acting) -> PortResult<QuotaUse>;
}
