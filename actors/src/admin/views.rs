//! Rows of the store as the port shows them, and back. Absent: everything else.

use super::{Row, pairing};
use protector_domain::ports::admin as port;
use protector_domain::ports::admin::{ArrayView, SiteView, TenantMappingView};
use protector_domain::sync::fingerprint;
use protector_store::{Array, SiteStatus, SiteType, TenantMapping};

pub(super) fn site_type(site_type: port::SiteType) -> SiteType {
    match site_type {
        port::SiteType::Primary => SiteType::Primary,
        port::SiteType::Secondary => SiteType::Secondary,
    }
}

pub(super) fn site_view(row: Row, has_credential: bool) -> SiteView {
    SiteView {
        fingerprint: pairing::pinned(&row).map(|offer| fingerprint(&offer)),
        id: row.id,
        name: row.name,
        description: row.description,
        site_type: match row.site_type {
            SiteType::Primary => port::SiteType::Primary,
            SiteType::Secondary => port::SiteType::Secondary,
        },
        auth_url: row.auth_url,
        region_name: row.region_name,
        status: match row.status {
            SiteStatus::Active => port::SiteStatus::Active,
            SiteStatus::Unreachable => port::SiteStatus::Unreachable,
            SiteStatus::Error => port::SiteStatus::Error,
        },
        checked_us: row.checked_us,
        has_credential,
    }
}

pub(super) fn array_view(row: Array) -> ArrayView {
    ArrayView {
        id: row.id,
        name: row.name,
        url: row.url,
        allowed_projects: row.allowed_projects,
    }
}

pub(super) fn array_row(view: ArrayView, certificate: Option<String>) -> Array {
    Array {
        id: view.id,
        name: view.name,
        url: view.url,
        certificate,
        allowed_projects: view.allowed_projects,
    }
}

pub(super) fn mapping_view(row: TenantMapping) -> TenantMappingView {
    TenantMappingView {
        id: row.id,
        local_project: row.local_project,
        remote_site: row.remote_site,
        remote_project: row.remote_project,
        description: row.description,
        mappings: row.mappings,
    }
}

pub(super) fn mapping_row(view: TenantMappingView) -> TenantMapping {
    TenantMapping {
        id: view.id,
        local_project: view.local_project,
        remote_site: view.remote_site,
        remote_project: view.remote_project,
        description: view.description,
        mappings: view.mappings,
    }
}
