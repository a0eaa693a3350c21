//! What an administrator tells a site once: the other sites, the arrays, which projects belong
//! together. In process today; serde, so that a broker may carry it.
//!
//! Absent: roles and tokens (`http` judges them), and the rules (`admin`).

use super::engine::Caller;
use crate::admin::{AdminRefusal, PairAsk, SiteCheck, SiteCredential};
use crate::ids::{ArrayId, ProjectId, SiteId, TenantMappingId};
use crate::record::Mappings;
use crate::sync::PairOffer;
use crate::volume_type::Eligibility;
use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// SITE-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteType {
    Primary,
    Secondary,
}

/// SITE-02: the last known state of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteStatus {
    Active,
    Unreachable,
    Error,
}

/// A registered site as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteView {
    /// Provisional until the site is paired; then its own.
    pub id: SiteId,
    pub name: String,
    pub description: String,
    pub site_type: SiteType,
    pub auth_url: String,
    pub region_name: String,
    pub status: SiteStatus,
    /// Unix microseconds; `None`: nobody looked.
    pub checked_us: Option<i64>,
    /// Of what is pinned; `None`: not paired.
    pub fingerprint: Option<String>,
    /// A login at its OpenStack is sealed here (SEC-05).
    pub has_credential: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteCreate {
    pub name: String,
    pub description: String,
    pub site_type: SiteType,
    pub auth_url: String,
    pub region_name: String,
}

/// What is to be changed; what is `None` stays. Not serialisable: a broker would have to carry the login
/// sealed.
#[derive(Debug, Clone, Default)]
pub struct SiteUpdate {
    pub name: Option<String>,
    pub description: Option<String>,
    pub site_type: Option<SiteType>,
    pub auth_url: Option<String>,
    pub region_name: Option<String>,
    /// Needed with another `auth_url` when a login is sealed.
    pub credential: Option<SiteCredential>,
}

/// A site, and what a look at it has found (SITE-05).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteValidation {
    pub name: String,
    /// After the look; `None`: nobody could look, it stays as it was.
    pub status: Option<SiteStatus>,
    pub checks: Vec<SiteCheck>,
}

/// This site's offer, with what people compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferView {
    pub offer: PairOffer,
    pub fingerprint: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrayView {
    pub id: ArrayId,
    pub name: String,
    pub url: String,
    /// `None`: every project may name it in a policy.
    pub allowed_projects: Option<BTreeSet<ProjectId>>,
}

/// An array to be registered. Not serialisable: a broker would have to carry the token sealed.
#[derive(Debug, Clone)]
pub struct ArrayCreate {
    pub view: ArrayView,
    /// The certificate to pin, PEM; `None`: the machine's roots judge.
    pub certificate: Option<String>,
    /// Used where a policy brings no token of its own (CFG-03).
    pub token: Option<SecretString>,
}

/// What is to be changed; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ArrayUpdate {
    pub name: Option<String>,
    pub url: Option<String>,
    /// `Some(None)`: every project.
    pub allowed_projects: Option<Option<BTreeSet<ProjectId>>>,
    /// `Some(None)`: the machine's roots judge.
    pub certificate: Option<Option<String>>,
    /// Needed with another `url` when one is sealed.
    pub token: Option<SecretString>,
}

/// TEN-01.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantMappingView {
    pub id: TenantMappingId,
    pub local_project: ProjectId,
    pub remote_site: SiteId,
    pub remote_project: ProjectId,
    pub description: String,
    /// What a new group of these projects starts with, from the local to the remote cloud.
    pub mappings: Mappings,
}

/// TEN-02.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantMappingCreate {
    pub local_project: ProjectId,
    /// Name or id.
    pub remote_site: String,
    pub remote_project: ProjectId,
    pub description: String,
}

/// What is to be changed; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantMappingUpdate {
    /// Refused while a group joins the two projects.
    pub remote_project: Option<ProjectId>,
    pub description: Option<String>,
    /// In place of all that were there. Groups that exist keep theirs.
    pub mappings: Option<Mappings>,
}

/// Why it was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum AdminError {
    #[error("{what} does not exist")]
    NotFound { what: String },
    #[error(transparent)]
    Refused { refusal: AdminRefusal },
    /// It may have been done: look before repeating.
    #[error("the site cannot answer now: {why}")]
    Unavailable { why: String },
}

impl From<AdminRefusal> for AdminError {
    fn from(refusal: AdminRefusal) -> Self {
        Self::Refused { refusal }
    }
}

/// Each accepted change leaves one audit entry (invariant `S18`). `site` arguments are names or ids.
#[async_trait]
pub trait Admin: Send + Sync {
    /// All registered sites, by name.
    async fn site_list(&self) -> Result<Vec<SiteView>, AdminError>;
    async fn site_show(&self, site: &str) -> Result<SiteView, AdminError>;
    /// SITE-04. The id is provisional until the site is paired.
    async fn site_create(&self, caller: &Caller, site: SiteCreate) -> Result<SiteView, AdminError>;
    /// Refused with another `auth_url` and the old login: a secret goes where it was given for.
    async fn site_update(
        &self,
        caller: &Caller,
        site: &str,
        update: SiteUpdate,
    ) -> Result<SiteView, AdminError>;
    /// Refused while groups or tenant mappings name it.
    async fn site_delete(&self, caller: &Caller, site: &str) -> Result<(), AdminError>;
    /// Looks at the site's cloud and keeps the status that follows; this site's own id: at its own.
    /// Sends one import by a host that does not exist, which changes nothing.
    async fn site_validate(
        &self,
        caller: &Caller,
        site: &str,
    ) -> Result<SiteValidation, AdminError>;
    /// The volume types of the site, each with why its volumes cannot be protected (VT-03).
    /// `Unavailable`: its Cinder could not be asked; `Refused`: no login at it is sealed here.
    async fn site_volume_types(&self, site: &str) -> Result<Vec<Eligibility>, AdminError>;
    /// What this site shows of itself.
    async fn pair_offer(&self) -> Result<OfferView, AdminError>;
    /// Pins another site's keys; believed from the answer on, without a restart.
    async fn pair(&self, caller: &Caller, site: &str, ask: PairAsk)
    -> Result<SiteView, AdminError>;
    /// Seals a login at another site's OpenStack (C26); used from the answer on, without a restart.
    /// Refused unless the site is paired: a secret is kept for somebody we know.
    async fn site_credential_set(
        &self,
        caller: &Caller,
        site: &str,
        credential: SiteCredential,
    ) -> Result<SiteView, AdminError>;
    async fn array_list(&self) -> Result<Vec<ArrayView>, AdminError>;
    async fn array_create(
        &self,
        caller: &Caller,
        array: ArrayCreate,
    ) -> Result<ArrayView, AdminError>;
    /// Refused with another `url` and the old token. `array` is a name or id.
    async fn array_update(
        &self,
        caller: &Caller,
        array: &str,
        update: ArrayUpdate,
    ) -> Result<ArrayView, AdminError>;
    /// Refused while policies name it.
    async fn array_delete(&self, caller: &Caller, array: &str) -> Result<(), AdminError>;
    async fn tenant_mapping_list(&self) -> Result<Vec<TenantMappingView>, AdminError>;
    /// Refused unless the remote site is paired: its id is not known before.
    async fn tenant_mapping_create(
        &self,
        caller: &Caller,
        mapping: TenantMappingCreate,
    ) -> Result<TenantMappingView, AdminError>;
    async fn tenant_mapping_update(
        &self,
        caller: &Caller,
        mapping: TenantMappingId,
        update: TenantMappingUpdate,
    ) -> Result<TenantMappingView, AdminError>;
    /// Refused while a group joins the two projects.
    async fn tenant_mapping_delete(
        &self,
        caller: &Caller,
        mapping: TenantMappingId,
    ) -> Result<(), AdminError>;
}
