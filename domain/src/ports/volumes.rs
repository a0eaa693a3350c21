//! Cinder, as far as we need it. Absent: data; arrays move it (ARC-14).

use super::compute::QuotaUse;
use super::{Acting, PortResult};
use crate::effect::{EffectKey, METADATA_KEY};
use crate::ids::{ServerId, VolumeGroupId, VolumeId};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A volume as Cinder tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    pub id: VolumeId,
    pub project_id: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    /// Verbatim: `available`, `in-use`, `creating`, `error`, ... (G1, G2).
    pub status: String,
    pub size_gib: u64,
    pub volume_type: Option<String>,
    pub bootable: bool,
    pub encrypted: bool,
    pub multiattach: bool,
    /// `host@backend#pool`; only with service rights.
    pub host: Option<String>,
    pub group_id: Option<VolumeGroupId>,
    pub attached_to: Vec<ServerId>,
    pub metadata: BTreeMap<String, String>,
    /// Firmware, bus, machine type (G10).
    pub image_metadata: BTreeMap<String, String>,
    /// Cinder's `created_at`, verbatim: only to order twins.
    pub created_at: Option<String>,
}

impl Volume {
    /// The key of ours that it carries. An import carries it as its description, since a back end may
    /// write metadata of its own over what was asked for (Cinder's Pure driver does), and in its
    /// metadata once it is described (`Volumes::volume_describe`).
    pub fn key(&self) -> Option<&str> {
        let in_metadata = self.metadata.get(METADATA_KEY);
        let described = self.description.as_ref().filter(|d| EffectKey::is_key(d));
        in_metadata.or(described).map(String::as_str)
    }
}

/// Import of an array volume by name (DD-10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeManage {
    /// `host@backend#pool` that serves the array (G4).
    pub host: String,
    /// The array volume's present name. Cinder renames it (G3).
    pub source_name: String,
    pub name: String,
    pub description: Option<String>,
    pub volume_type: String,
    pub bootable: bool,
    pub availability_zone: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeType {
    pub id: String,
    pub name: String,
    pub extra_specs: BTreeMap<String, String>,
    pub is_public: bool,
}

/// A cinder-volume back end (G4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeService {
    /// `host@backend`, without the pool.
    pub host: String,
    pub zone: String,
    pub enabled: bool,
    pub up: bool,
}

/// A place that volumes can be in, as the scheduler knows it (`scheduler-stats/get_pools`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumePool {
    /// `host@backend#pool`, what `VolumeManage::host` wants.
    pub name: String,
    pub volume_backend_name: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeQuota {
    pub volumes: QuotaUse,
    pub gigabytes: QuotaUse,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VolumeFilter {
    /// Only those with a key of ours (`Volume::key`) that starts so.
    pub key_prefix: Option<String>,
    /// Over all projects; needs service rights.
    pub all_projects: bool,
}

#[async_trait]
pub trait Volumes: Send + Sync {
    /// `Ok(None)`: Cinder answered and has no such volume for `acting`.
    async fn volume_fetch(&self, acting: &Acting, id: &VolumeId) -> PortResult<Option<Volume>>;
    /// All pages, each volume once, in creation order, then by id.
    async fn volume_list(&self, acting: &Acting, filter: &VolumeFilter) -> PortResult<Vec<Volume>>;
    /// Accepted, not done: the volume is `creating` until Cinder says `available` or `error`.
    /// Not idempotent: after `Unknown` look for the key (G3). The description is kept by every back end,
    /// metadata may be lost.
    async fn volume_manage(&self, acting: &Acting, ask: &VolumeManage) -> PortResult<VolumeId>;
    /// Forgets the volume, keeps its data on the array. Already gone is `Ok`.
    async fn volume_unmanage(&self, acting: &Acting, id: &VolumeId) -> PortResult<()>;
    async fn volume_delete(&self, acting: &Acting, id: &VolumeId) -> PortResult<()>;
    /// Accepted, not done: the volume is `extending` until Cinder says what it was before, or `error_extending`.
    /// Also one that is attached. `Refused`: it is that large already, or grows just now, or the quota is full.
    async fn volume_extend(&self, acting: &Acting, id: &VolumeId, size_gib: u64) -> PortResult<()>;
    /// Sets the description and all of the metadata, in one call: what is to stay is handed over, too.
    async fn volume_describe(
        &self,
        acting: &Acting,
        id: &VolumeId,
        description: Option<&str>,
        metadata: &BTreeMap<String, String>,
    ) -> PortResult<()>;
    async fn volume_set_image_metadata(
        &self,
        acting: &Acting,
        id: &VolumeId,
        metadata: &BTreeMap<String, String>,
    ) -> PortResult<()>;
    async fn volume_type_list(&self, acting: &Acting) -> PortResult<Vec<VolumeType>>;
    async fn volume_service_list(&self, acting: &Acting) -> PortResult<Vec<VolumeService>>;
    /// Needs service rights.
    async fn volume_pool_list(&self, acting: &Acting) -> PortResult<Vec<VolumePool>>;
    async fn volume_quota(&self, acting: &Acting) -> PortResult<VolumeQuota>;
}
