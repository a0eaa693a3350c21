//! Rows of identity, sites, arrays and tenant mappings.

use crate::codec::{json, parse_id, parse_json, parse_word, word};
use crate::error::StoreError;
use crate::model::{Array, Site, TenantMapping};
use crate::schema::{arrays, site_identity, sites, tenant_mappings};
use diesel::prelude::*;
use protector_domain::ids::{ArrayId, ProjectId};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = site_identity)]
pub(crate) struct IdentityRow {
    pub slot: i32,
    pub site_id: String,
    pub installation_id: String,
    pub key_id: String,
    pub secret: Vec<u8>,
    pub created_us: i64,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sites)]
pub(crate) struct SiteRow {
    pub id: String,
    pub name: String,
    pub description: String,
    pub site_type: String,
    pub auth_url: String,
    pub region_name: String,
    pub status: String,
    pub peer_keys: String,
    pub checked_us: Option<i64>,
    pub created_us: i64,
    pub updated_us: i64,
}

impl SiteRow {
    pub fn new(site: &Site, now_us: i64) -> Result<Self, StoreError> {
        Ok(Self {
            id: site.id.to_string(),
            name: site.name.clone(),
            description: site.description.clone(),
            site_type: word(&site.site_type)?,
            auth_url: site.auth_url.clone(),
            region_name: site.region_name.clone(),
            status: word(&site.status)?,
            peer_keys: json(&site.peer_keys)?,
            checked_us: site.checked_us,
            created_us: now_us,
            updated_us: now_us,
        })
    }
}

impl TryFrom<SiteRow> for Site {
    type Error = StoreError;
    fn try_from(row: SiteRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: parse_id("sites.id", &row.id)?,
            name: row.name,
            description: row.description,
            site_type: parse_word("sites.site_type", row.site_type)?,
            auth_url: row.auth_url,
            region_name: row.region_name,
            status: parse_word("sites.status", row.status)?,
            peer_keys: parse_json("sites.peer_keys", &row.peer_keys)?,
            checked_us: row.checked_us,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = arrays)]
pub(crate) struct ArrayRow {
    pub id: String,
    pub name: String,
    pub url: String,
    pub certificate: Option<String>,
    pub allowed_projects: String,
    pub created_us: i64,
    pub updated_us: i64,
}

impl ArrayRow {
    pub fn new(array: &Array, now_us: i64) -> Result<Self, StoreError> {
        Ok(Self {
            id: array.id.to_string(),
            name: array.name.clone(),
            url: array.url.clone(),
            certificate: array.certificate.clone(),
            allowed_projects: json(&array.allowed_projects)?,
            created_us: now_us,
            updated_us: now_us,
        })
    }
}

impl TryFrom<ArrayRow> for Array {
    type Error = StoreError;
    fn try_from(row: ArrayRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ArrayId(row.id),
            name: row.name,
            url: row.url,
            certificate: row.certificate,
            allowed_projects: parse_json("arrays.allowed_projects", &row.allowed_projects)?,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = tenant_mappings)]
pub(crate) struct TenantMappingRow {
    pub id: String,
    pub local_project: String,
    pub remote_site: String,
    pub remote_project: String,
    pub description: String,
    pub created_us: i64,
    pub mappings: String,
}

impl TenantMappingRow {
    /// Errors: [`StoreError`] if the mappings have no JSON.
    pub fn new(mapping: &TenantMapping, now_us: i64) -> Result<Self, StoreError> {
        Ok(Self {
            id: mapping.id.to_string(),
            local_project: mapping.local_project.to_string(),
            remote_site: mapping.remote_site.to_string(),
            remote_project: mapping.remote_project.to_string(),
            description: mapping.description.clone(),
            created_us: now_us,
            mappings: json(&mapping.mappings)?,
        })
    }
}

impl TryFrom<TenantMappingRow> for TenantMapping {
    type Error = StoreError;
    fn try_from(row: TenantMappingRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: parse_id("tenant_mappings.id", &row.id)?,
            local_project: ProjectId(row.local_project),
            remote_site: parse_id("tenant_mappings.remote_site", &row.remote_site)?,
            remote_project: ProjectId(row.remote_project),
            description: row.description,
            mappings: parse_json("tenant_mappings.mappings", &row.mappings)?,
        })
    }
}
