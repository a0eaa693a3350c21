//! What administrators change of what is registered: what is left out stays.
//!
//! Absent: the first registration (`admin`).

use super::admin::SiteCredentialSchema;
use super::changes::MappingsSet;
use crate::wire::object::{maybe_object, object};
use protector_domain::admin::SiteCredential;
use protector_domain::ids::ProjectId;
use protector_domain::ports::admin::{ArrayUpdate, SiteType, SiteUpdate, TenantMappingUpdate};
use protector_domain::record::Mappings;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeSet;
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SitePatch {
    pub name: Option<String>,
    pub description: Option<String>,
    /// `primary` or `secondary`.
    #[serde(rename = "type")]
    #[schema(value_type = Option<String>)]
    pub site_type: Option<SiteType>,
    pub auth_url: Option<String>,
    pub region_name: Option<String>,
    /// Needed with another `auth_url` when a login is sealed: a secret goes where it was given for.
    #[schema(value_type = Option<SiteCredentialSchema>)]
    pub credential: Option<SiteCredential>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteUpdateRequest {
    #[serde(deserialize_with = "object")]
    pub site: SitePatch,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrayPatch {
    pub name: Option<String>,
    pub url: Option<String>,
    /// Null: every project.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    pub allowed_projects: Option<Option<BTreeSet<ProjectId>>>,
    /// Null: the machine's roots judge.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub certificate: Option<Option<String>>,
    /// Needed with another `url` when one is sealed. Never shown again.
    #[schema(value_type = Option<String>)]
    pub api_token: Option<SecretString>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrayUpdateRequest {
    #[serde(deserialize_with = "object")]
    pub array: ArrayPatch,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantMappingPatch {
    #[schema(value_type = Option<String>)]
    pub remote_project: Option<ProjectId>,
    pub description: Option<String>,
    /// What new groups of the two projects start with; in place of all that was there.
    #[serde(default, deserialize_with = "maybe_object")]
    pub mappings: Option<MappingsSet>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantMappingUpdateRequest {
    #[serde(deserialize_with = "object")]
    pub tenant_mapping: TenantMappingPatch,
}

/// A field that is there, with `null` as a value of its own.
fn given<'de, T, D>(from: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(from).map(Some)
}

impl From<SiteUpdateRequest> for SiteUpdate {
    fn from(SiteUpdateRequest { site }: SiteUpdateRequest) -> Self {
        Self {
            name: site.name,
            description: site.description,
            site_type: site.site_type,
            auth_url: site.auth_url,
            region_name: site.region_name,
            credential: site.credential,
        }
    }
}

impl From<ArrayUpdateRequest> for ArrayUpdate {
    fn from(ArrayUpdateRequest { array }: ArrayUpdateRequest) -> Self {
        Self {
            name: array.name,
            url: array.url,
            allowed_projects: array.allowed_projects,
            certificate: array.certificate,
            token: array.api_token,
        }
    }
}

impl From<TenantMappingUpdateRequest> for TenantMappingUpdate {
    fn from(request: TenantMappingUpdateRequest) -> Self {
        let mapping = request.tenant_mapping;
        Self {
            remote_project: mapping.remote_project,
            description: mapping.description,
            mappings: mapping.mappings.map(Mappings::from),
        }
    }
}
