//! The site itself, the sites and arrays it knows, and the projects paired with a peer's.

use protector_domain::ids::{ArrayId, ProjectId, SiteId, TenantMappingId};
use protector_domain::record::Mappings;
use protector_domain::sync::KeyId;
use secrecy::SecretSlice;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Who this site is. Made once, at the first `db sync`.
#[derive(Debug, Clone)]
pub struct Identity {
    pub site: SiteId,
    /// Tells two installations apart that were restored from one backup.
    pub installation: Uuid,
    pub key_id: KeyId,
    /// The 32 secret bytes of the Ed25519 key; sealed at rest.
    pub secret: SecretSlice<u8>,
}

/// SITE-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteType {
    Primary,
    Secondary,
}

/// SITE-02: the last known state of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteStatus {
    Active,
    Unreachable,
    Error,
}

/// A registered site (SITE-01). Its credential is asked for separately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    pub id: SiteId,
    /// One of a kind.
    pub name: String,
    pub description: String,
    pub site_type: SiteType,
    pub auth_url: String,
    pub region_name: String,
    pub status: SiteStatus,
    /// Pinned public keys, as pairing left them.
    pub peer_keys: serde_json::Value,
    /// When `status` was last found out; Unix microseconds.
    pub checked_us: Option<i64>,
}

/// A registered array, by the id it reports of itself (F15). Its token is asked for separately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    pub id: ArrayId,
    /// One of a kind.
    pub name: String,
    pub url: String,
    /// The pinned certificate, PEM.
    pub certificate: Option<String>,
    /// Who may name it in a policy; `None`: every project.
    pub allowed_projects: Option<BTreeSet<ProjectId>>,
}

/// TEN-01: two projects that belong together. One per local project and remote site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantMapping {
    pub id: TenantMappingId,
    pub local_project: ProjectId,
    pub remote_site: SiteId,
    pub remote_project: ProjectId,
    pub description: String,
    /// What a new group starts with, from the local to the remote cloud.
    pub mappings: Mappings,
}
