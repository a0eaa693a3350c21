//! Nova, as far as we need it. Absent: everything a recovered server does not carry over.

use super::{Acting, PortResult};
use crate::ids::{FlavorId, PortId, ServerId, VolumeId};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Nova's `status`, as far as we branch on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ServerStatus {
    Active,
    Shutoff,
    Build,
    Error,
    Deleted,
    /// Any other, verbatim.
    #[serde(untagged)]
    Other(String),
}

/// A flavor with what decides whether a VM can be protected and rebuilt (H5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flavor {
    pub id: FlavorId,
    pub name: String,
    pub vcpus: u32,
    pub ram_mib: u64,
    pub disk_gib: u64,
    pub ephemeral_gib: u64,
    pub swap_mib: u64,
    #[serde(default)]
    pub extra_specs: BTreeMap<String, String>,
}

/// A volume attached to a server, in device order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachedVolume {
    pub volume: VolumeId,
    /// `/dev/vda`; `None` when Nova does not say.
    pub device: Option<String>,
    pub tag: Option<String>,
    pub delete_on_termination: bool,
}

/// A server as Nova tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    pub id: ServerId,
    pub project_id: String,
    pub user_id: String,
    pub name: String,
    pub description: Option<String>,
    pub hostname: Option<String>,
    pub status: ServerStatus,
    /// What Nova is about to do with it, verbatim: `powering-off`, `deleting`, ... (B4).
    pub task: Option<String>,
    pub locked: bool,
    /// Nova's fault text when `status` is ERROR (H2).
    pub fault: Option<String>,
    /// As embedded since microversion 2.47: by name, not id.
    pub flavor_name: String,
    /// `None`: booted from volume.
    pub image_id: Option<String>,
    pub key_name: Option<String>,
    /// Base64, a secret in practice (H15); `None` when absent or not asked for.
    pub user_data: Option<String>,
    pub config_drive: bool,
    /// The zone that was asked for. Before microversion 2.96 Nova shows only where the server is: then that, unless it
    /// is the zone of hosts that are in none.
    pub availability_zone: Option<String>,
    pub metadata: BTreeMap<String, String>,
    pub tags: Vec<String>,
    pub volumes: Vec<AttachedVolume>,
    pub server_groups: Vec<String>,
    /// In Nova's order, which is that of the interfaces; see [`ServerAddress`].
    pub addresses: Vec<ServerAddress>,
}

/// One address of a server. Nova lists networks by the first interface on each, and the addresses of a network by
/// its interfaces. So their order is the order in which interfaces were plugged, unless a network comes twice with
/// another between. Neutron's list of ports has no such order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerAddress {
    /// Of the interface, also for a floating address.
    pub mac_address: String,
    pub address: String,
    pub floating: bool,
}

/// One entry of `block_device_mapping_v2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootVolume {
    pub volume: VolumeId,
    /// 0 boots, -1 is data.
    pub boot_index: i32,
    pub device: Option<String>,
    pub tag: Option<String>,
}

/// All that a create request may say: an allow-list (H15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerCreate {
    pub name: String,
    pub description: Option<String>,
    pub hostname: Option<String>,
    pub flavor: FlavorId,
    pub key_name: Option<String>,
    pub user_data: Option<String>,
    pub config_drive: bool,
    pub availability_zone: Option<String>,
    pub metadata: BTreeMap<String, String>,
    pub tags: Vec<String>,
    /// In device order; `delete_on_termination` is always false on servers we make.
    pub volumes: Vec<BootVolume>,
    pub ports: Vec<PortId>,
}

/// Which servers to list. All pages are read; names are compared exactly (H14).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerFilter {
    /// Only those whose metadata carries this key with a value that starts so.
    pub metadata_prefix: Option<(String, String)>,
    /// Over all projects; needs service rights.
    pub all_projects: bool,
    /// Changed since (ISO 8601), to poll many at once; deleted ones are then listed too.
    pub changes_since: Option<String>,
}

/// What is used and allowed in a project. `-1` is "no limit".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaUse {
    pub used: i64,
    pub limit: i64,
}

impl QuotaUse {
    /// True when `wanted` more fit.
    pub fn fits(&self, wanted: i64) -> bool {
        self.limit < 0 || self.used.saturating_add(wanted) <= self.limit
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComputeQuota {
    pub instances: QuotaUse,
    pub cores: QuotaUse,
    pub ram_mib: QuotaUse,
}

#[async_trait]
pub trait Compute: Send + Sync {
    /// `Ok(None)`: Nova answered and has no such server for `acting`.
    async fn server_fetch(&self, acting: &Acting, id: &ServerId) -> PortResult<Option<Server>>;
    /// In creation order, then by id: all pages, each server once (B14).
    async fn server_list(&self, acting: &Acting, filter: &ServerFilter) -> PortResult<Vec<Server>>;
    /// Not idempotent: after `Unknown` look before repeating (B2).
    async fn server_create(&self, acting: &Acting, ask: &ServerCreate) -> PortResult<ServerId>;
    /// Asks for deletion and returns; the server is gone when `server_fetch` says so.
    /// A server that is already gone is `Ok`.
    async fn server_delete(&self, acting: &Acting, id: &ServerId) -> PortResult<()>;
    async fn server_stop(&self, acting: &Acting, id: &ServerId) -> PortResult<()>;
    async fn server_start(&self, acting: &Acting, id: &ServerId) -> PortResult<()>;
    /// Has Nova forget what it was about to do with a running server, after a host never heard of it
    /// (`os-resetState` to active). Needs an administrator's rights in the project.
    async fn server_forget_task(&self, acting: &Acting, id: &ServerId) -> PortResult<()>;
    async fn server_lock(&self, acting: &Acting, id: &ServerId, reason: &str) -> PortResult<()>;
    async fn server_unlock(&self, acting: &Acting, id: &ServerId) -> PortResult<()>;
    /// Whether Nova deletes the volume with the server (microversion 2.85).
    async fn attachment_set_delete(
        &self,
        acting: &Acting,
        server: &ServerId,
        volume: &VolumeId,
        delete_on_termination: bool,
    ) -> PortResult<()>;
    async fn flavor_list(&self, acting: &Acting) -> PortResult<Vec<Flavor>>;
    /// Names of the zones that servers can be made in now, sorted.
    async fn zone_list(&self, acting: &Acting) -> PortResult<Vec<String>>;
    /// True when the acting user has a keypair of this name (E10).
    async fn keypair_exists(&self, acting: &Acting, name: &str) -> PortResult<bool>;
    async fn compute_quota(&self, acting: &Acting) -> PortResult<ComputeQuota>;
}
