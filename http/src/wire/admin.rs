//! What administrators read and write: sites, pairing, arrays, tenant mappings.
//!
//! Absent: what tenants see of sites beyond a name and a status. Secrets are read and never shown.

use super::group::MappingsInfo;
use crate::time::iso;
use crate::wire::object::object;
use protector_domain::admin::{PairAsk, SiteCredential};
use protector_domain::ids::{ArrayId, ProjectId, SiteId, TenantMappingId};
use protector_domain::ports::admin::{
    ArrayCreate, ArrayView, OfferView, SiteCreate, SiteStatus, SiteType, SiteView,
    TenantMappingCreate, TenantMappingView,
};
use protector_domain::sync::PairOffer;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// SITE-01.
#[derive(Debug, Serialize, ToSchema)]
pub struct SiteInfo {
    /// Provisional until the site is paired.
    #[schema(value_type = String)]
    pub id: SiteId,
    pub name: String,
    pub description: String,
    /// `primary` or `secondary`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub site_type: SiteType,
    pub auth_url: String,
    pub region_name: String,
    /// `active`, `unreachable` or `error`.
    #[schema(value_type = String)]
    pub status: SiteStatus,
    pub checked_at: Option<String>,
    pub paired: bool,
    /// Of the keys that are pinned.
    pub fingerprint: Option<String>,
    /// A login at its OpenStack is sealed here.
    pub has_credential: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SitesAnswer {
    pub sites: Vec<SiteInfo>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SiteAnswer {
    pub site: SiteInfo,
}

/// What a tenant sees of a site.
#[derive(Debug, Serialize, ToSchema)]
pub struct TenantSite {
    pub name: String,
    #[schema(value_type = String)]
    pub status: SiteStatus,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TenantSitesAnswer {
    pub sites: Vec<TenantSite>,
}

/// SITE-04.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteDraft {
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// `primary` or `secondary`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub site_type: SiteType,
    /// The site's Keystone.
    pub auth_url: String,
    pub region_name: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteCreateRequest {
    #[serde(deserialize_with = "object")]
    pub site: SiteDraft,
}

/// A public key of a site.
#[derive(ToSchema)]
#[schema(as = PublicKey)]
#[allow(dead_code)] // only its schema is used
pub struct PublicKeySchema {
    key_id: String,
    /// Hex.
    ed25519: String,
    retired: bool,
}

/// Who a site is; to be carried to the other site as it is.
#[derive(ToSchema)]
#[schema(as = PairOffer)]
#[allow(dead_code)] // only its schema is used
pub struct PairOfferSchema {
    site: String,
    installation: String,
    keys: Vec<PublicKeySchema>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct OfferInfo {
    #[schema(value_type = PairOfferSchema)]
    pub offer: PairOffer,
    /// To be compared by people, at both sites.
    pub fingerprint: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct OfferAnswer {
    pub pair: OfferInfo,
}

/// The other site's offer, and its fingerprint as its administrator reads it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PairDraft {
    #[serde(deserialize_with = "object")]
    #[schema(value_type = PairOfferSchema)]
    pub offer: PairOffer,
    pub fingerprint: String,
    /// Pin even if other keys or another installation are pinned.
    #[serde(default)]
    pub replace: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PairRequest {
    #[serde(deserialize_with = "object")]
    pub pair: PairDraft,
}

/// A login at another site's OpenStack: `type` is `password` (`username`, `user_domain_name`,
/// `password`, `project_name`, `project_domain_name`) or `application_credential` (`id`, `secret`).
#[derive(ToSchema)]
#[schema(as = SiteCredential)]
#[allow(dead_code)] // only its schema is used
pub struct SiteCredentialSchema {
    r#type: String,
    username: Option<String>,
    /// Default: `Default`.
    user_domain_name: Option<String>,
    password: Option<String>,
    project_name: Option<String>,
    /// Default: `Default`.
    project_domain_name: Option<String>,
    id: Option<String>,
    secret: Option<String>,
}

/// C26. Sealed at rest, and never shown again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteCredentialRequest {
    #[schema(value_type = SiteCredentialSchema)]
    pub credential: SiteCredential,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ArrayInfo {
    /// As the array reports it of itself.
    #[schema(value_type = String)]
    pub id: ArrayId,
    pub name: String,
    pub url: String,
    /// Who may name it in a policy; null: every project.
    #[schema(value_type = Option<Vec<String>>)]
    pub allowed_projects: Option<BTreeSet<ProjectId>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ArraysAnswer {
    pub arrays: Vec<ArrayInfo>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ArrayAnswer {
    pub array: ArrayInfo,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrayDraft {
    pub name: String,
    pub url: String,
    #[schema(value_type = String)]
    pub array_id: ArrayId,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub allowed_projects: Option<BTreeSet<ProjectId>>,
    /// The array's certificate, or its issuer's, PEM: trusted instead of the machine's roots.
    #[serde(default)]
    pub certificate: Option<String>,
    /// Of the array's user for us. Sealed at rest, and never shown again.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub api_token: Option<SecretString>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrayCreateRequest {
    #[serde(deserialize_with = "object")]
    pub array: ArrayDraft,
}

/// TEN-01.
#[derive(Debug, Serialize, ToSchema)]
pub struct TenantMappingInfo {
    #[schema(value_type = String)]
    pub id: TenantMappingId,
    #[schema(value_type = String)]
    pub local_project: ProjectId,
    #[schema(value_type = String)]
    pub remote_site: SiteId,
    #[schema(value_type = String)]
    pub remote_project: ProjectId,
    pub description: String,
    /// What new groups of the two projects start with.
    pub mappings: MappingsInfo,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TenantMappingsAnswer {
    pub tenant_mappings: Vec<TenantMappingInfo>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TenantMappingAnswer {
    pub tenant_mapping: TenantMappingInfo,
}

/// TEN-02.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantMappingDraft {
    #[schema(value_type = String)]
    pub local_project: ProjectId,
    /// Name or id.
    pub remote_site: String,
    #[schema(value_type = String)]
    pub remote_project: ProjectId,
    #[serde(default)]
    pub description: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantMappingCreateRequest {
    #[serde(deserialize_with = "object")]
    pub tenant_mapping: TenantMappingDraft,
}

impl From<SiteView> for SiteInfo {
    fn from(site: SiteView) -> Self {
        Self {
            id: site.id,
            name: site.name,
            description: site.description,
            site_type: site.site_type,
            auth_url: site.auth_url,
            region_name: site.region_name,
            status: site.status,
            checked_at: site.checked_us.map(iso),
            paired: site.fingerprint.is_some(),
            fingerprint: site.fingerprint,
            has_credential: site.has_credential,
        }
    }
}

impl From<SiteView> for TenantSite {
    fn from(site: SiteView) -> Self {
        Self {
            name: site.name,
            status: site.status,
        }
    }
}

impl From<OfferView> for OfferInfo {
    fn from(view: OfferView) -> Self {
        Self {
            offer: view.offer,
            fingerprint: view.fingerprint,
        }
    }
}

impl From<ArrayView> for ArrayInfo {
    fn from(array: ArrayView) -> Self {
        Self {
            id: array.id,
            name: array.name,
            url: array.url,
            allowed_projects: array.allowed_projects,
        }
    }
}

impl From<TenantMappingView> for TenantMappingInfo {
    fn from(mapping: TenantMappingView) -> Self {
        Self {
            id: mapping.id,
            local_project: mapping.local_project,
            remote_site: mapping.remote_site,
            remote_project: mapping.remote_project,
            description: mapping.description,
            mappings: mapping.mappings.into(),
        }
    }
}

impl From<SiteCreateRequest> for SiteCreate {
    fn from(SiteCreateRequest { site }: SiteCreateRequest) -> Self {
        Self {
            name: site.name,
            description: site.description,
            site_type: site.site_type,
            auth_url: site.auth_url,
            region_name: site.region_name,
        }
    }
}

impl From<PairRequest> for PairAsk {
    fn from(PairRequest { pair }: PairRequest) -> Self {
        Self {
            offer: pair.offer,
            fingerprint: pair.fingerprint,
            replace: pair.replace,
        }
    }
}

impl From<ArrayCreateRequest> for ArrayCreate {
    fn from(ArrayCreateRequest { array }: ArrayCreateRequest) -> Self {
        Self {
            view: ArrayView {
                id: array.array_id,
                name: array.name,
                url: array.url,
                allowed_projects: array.allowed_projects,
            },
            certificate: array.certificate,
            token: array.api_token,
        }
    }
}

impl From<TenantMappingCreateRequest> for TenantMappingCreate {
    fn from(request: TenantMappingCreateRequest) -> Self {
        let mapping = request.tenant_mapping;
        Self {
            local_project: mapping.local_project,
            remote_site: mapping.remote_site,
            remote_project: mapping.remote_project,
            description: mapping.description,
        }
    }
}
