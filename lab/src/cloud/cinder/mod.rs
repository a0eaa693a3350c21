//! Cinder: volumes, their types, groups, snapshots, attachments and transfers.
//!
//! Deliberately absent: backups, encryption keys, migration, QoS, group snapshots, more than one
//! back end. What is on the array lies behind `VolumeBackend`.

mod actions;
mod attachments;
mod group_http;
mod groups;
mod http;
mod manage;
mod metadata;
mod operator;
mod quotas;
mod snapshots;
mod transfers;
mod types;
mod views;
mod volumes;

use protector_domain::effect::{EffectKey, METADATA_KEY};
use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use serde::Serialize;

use super::Cloud;
use super::policy::Who;
use super::wire::Fault;

/// Bytes in a GiB, Cinder's unit of size.
pub(super) const GIB: u64 = 1 << 30;

/// A volume type.
#[derive(Debug, Clone, Serialize)]
pub struct VolumeType {
    /// UUID.
    pub id: String,
    /// Unique.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Whether every project may use it.
    pub is_public: bool,
    /// Volumes of the type are encrypted; manage refuses it.
    pub encrypted: bool,
    /// Extra specs. Only three of them are shown to non-admins.
    pub extra_specs: BTreeMap<String, String>,
}

/// A volume.
#[derive(Debug, Clone, Serialize)]
pub struct Volume {
    /// UUID.
    pub id: String,
    /// Display name, not unique.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// GiB; 0 while a manage has not looked at the array yet.
    pub size_gb: i64,
    /// Cinder's inner status; `managing`, `error_managing` and `error_managing_deleting` are shown
    /// as `creating`, `error` and `deleting`.
    pub status: String,
    /// Owner.
    pub project_id: String,
    /// Who made it.
    pub user_id: String,
    /// `host@backend#pool`, once scheduled.
    pub host: Option<String>,
    /// Type id.
    pub volume_type_id: String,
    /// Whether a server may boot from it.
    pub bootable: bool,
    /// Metadata.
    pub metadata: BTreeMap<String, String>,
    /// `volume_image_metadata`.
    pub image_metadata: BTreeMap<String, String>,
    /// Generic volume group.
    pub group_id: Option<String>,
    /// Made from this snapshot.
    pub snapshot_id: Option<String>,
    /// Made from this volume.
    pub source_volid: Option<String>,
    /// Zone.
    pub availability_zone: String,
    /// Whether several servers may use it at once.
    pub multiattach: bool,
    /// Whether its type encrypts.
    pub encrypted: bool,
    /// It came by manage, so it has no service uuid.
    pub managed: bool,
    /// Name on the array, once it is there.
    pub array_name: Option<String>,
    /// Serial on the array, once known.
    pub serial: Option<String>,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds.
    pub updated_ms: Option<i64>,
}

impl Volume {
    /// The product's key, from where a volume can carry it: its metadata, or its description while it is
    /// being imported. Empty: none.
    pub fn key(&self) -> String {
        let described = self.description.clone();
        let described = described.filter(|text| EffectKey::is_key(text));
        let key = self.metadata.get(METADATA_KEY).cloned();
        key.or(described).unwrap_or_default()
    }
}

/// The tie between a volume and a server.
#[derive(Debug, Clone, Serialize)]
pub struct Attachment {
    /// UUID.
    pub id: String,
    /// Volume.
    pub volume_id: String,
    /// Server.
    pub server_id: String,
    /// `reserved` or `attached`.
    pub status: String,
    /// Host it is connected to.
    pub host: Option<String>,
    /// Device name.
    pub device: Option<String>,
    /// Unix milliseconds.
    pub attached_ms: Option<i64>,
}

/// A snapshot record. The array's side of it is not modelled.
#[derive(Debug, Clone, Serialize)]
pub struct Snapshot {
    /// UUID.
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Of this volume.
    pub volume_id: String,
    /// GiB.
    pub size_gb: i64,
    /// `creating`, `available`, `deleting`.
    pub status: String,
    /// Owner.
    pub project_id: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Metadata.
    pub metadata: BTreeMap<String, String>,
}

/// A generic volume group.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    /// UUID.
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// `creating`, `available`, `updating`, `deleting`, `error`.
    pub status: String,
    /// Owner.
    pub project_id: String,
    /// Group type id.
    pub group_type_id: String,
    /// Types it takes, fixed at creation.
    pub volume_type_ids: Vec<String>,
    /// Zone.
    pub availability_zone: String,
    /// Unix milliseconds.
    pub created_ms: i64,
}

/// A group type.
#[derive(Debug, Clone, Serialize)]
pub struct GroupType {
    /// UUID.
    pub id: String,
    /// Unique.
    pub name: String,
    /// Group specs.
    pub group_specs: BTreeMap<String, String>,
}

/// An offered volume.
#[derive(Debug, Clone, Serialize)]
pub struct Transfer {
    /// UUID.
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// The volume.
    pub volume_id: String,
    /// Who offers it.
    pub source_project_id: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    #[serde(skip)]
    pub(super) auth_key: SecretString,
}

/// All of Cinder's state.
#[derive(Default)]
pub(super) struct Cinder {
    pub(super) types: BTreeMap<String, VolumeType>,
    pub(super) default_type: Option<String>,
    pub(super) group_types: BTreeMap<String, GroupType>,
    pub(super) volumes: BTreeMap<String, Volume>,
    pub(super) attachments: BTreeMap<String, Attachment>,
    pub(super) snapshots: BTreeMap<String, Snapshot>,
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) transfers: BTreeMap<String, Transfer>,
    /// Limits by project, then by resource; -1 and absent mean none.
    pub(super) quotas: BTreeMap<String, BTreeMap<String, i64>>,
}

/// The name Cinder's Pure driver gives a volume on the array.
pub(super) fn array_name(volume_id: &str) -> String {
    format!("volume-{volume_id}-cinder")
}

pub(super) fn invalid_volume(reason: impl std::fmt::Display) -> Fault {
    Fault::bad_request(format!("Invalid volume: {reason}"))
}

fn volume_missing(id: &str) -> Fault {
    Fault::not_found(format!("Volume {id} could not be found."))
}

impl Cinder {
    /// The volume, unless it belongs to a project that `who` cannot see.
    pub(super) fn volume(&self, id: &str, who: &Who) -> Result<&Volume, Fault> {
        let found = self.volumes.get(id);
        found
            .filter(|volume| who.sees(&volume.project_id))
            .ok_or_else(|| volume_missing(id))
    }

    pub(super) fn volume_mut(&mut self, id: &str, who: &Who) -> Result<&mut Volume, Fault> {
        let found = self.volumes.get_mut(id);
        found
            .filter(|volume| who.sees(&volume.project_id))
            .ok_or_else(|| volume_missing(id))
    }

    /// A type by id or name.
    pub(super) fn type_of(&self, id_or_name: &str) -> Option<&VolumeType> {
        let by_id = self.types.get(id_or_name);
        by_id.or_else(|| self.types.values().find(|one| one.name == id_or_name))
    }

    pub(super) fn attachments_of(&self, volume_id: &str) -> impl Iterator<Item = &Attachment> {
        let all = self.attachments.values();
        all.filter(move |attachment| attachment.volume_id == volume_id)
    }

    pub(super) fn set_status(&mut self, volume_id: &str, status: &str, at_ms: i64) {
        if let Some(volume) = self.volumes.get_mut(volume_id) {
            status.clone_into(&mut volume.status);
            volume.updated_ms = Some(at_ms);
        }
    }

    fn has_snapshots(&self, volume_id: &str) -> bool {
        let mut all = self.snapshots.values();
        all.any(|snapshot| snapshot.volume_id == volume_id)
    }

    /// The volumes of a group, by id.
    fn group_volumes(&self, group_id: &str) -> BTreeSet<String> {
        let all = self.volumes.values();
        all.filter(|volume| volume.group_id.as_deref() == Some(group_id))
            .map(|volume| volume.id.clone())
            .collect()
    }
}

impl Cloud {
    /// Whether the only back end can take a volume of this type.
    fn backend_takes(&self, volume_type_id: &str) -> bool {
        let named = self
            .cinder
            .types
            .get(volume_type_id)
            .and_then(|kind| kind.extra_specs.get("volume_backend_name"));
        self.knobs.cinder_volume_up
            && named.is_none_or(|name| *name == self.config.volume_backend_name)
    }

    fn type_name(&self, volume_type_id: &str) -> String {
        let kind = self.cinder.types.get(volume_type_id);
        kind.map(|kind| kind.name.clone()).unwrap_or_default()
    }
}
