//! Sites, arrays, tenant mappings.

use super::Conn;
use crate::codec::{json, word};
use crate::error::StoreError;
use crate::model::{Array, Site, SiteStatus, TenantMapping};
use crate::rows::site::{ArrayRow, SiteRow, TenantMappingRow};
use crate::schema::{arrays, sites, tenant_mappings};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use protector_domain::ids::{ArrayId, ProjectId, SiteId, TenantMappingId};
use serde_json::Value;

/// Most rows a list without pages returns: registrations by administrators, two sites each.
const REGISTERED_MAX: i64 = 1_000;
/// Most tenant mappings of one site.
const MAPPINGS_MAX: i64 = 100_000;

fn taken(error: StoreError, what: &'static str, name: &str) -> StoreError {
    match error {
        StoreError::AlreadyThere { .. } => StoreError::AlreadyThere {
            what,
            id: Some(name.to_owned()),
        },
        other => other,
    }
}

fn one(changed: usize) -> Result<(), StoreError> {
    if changed == 0 {
        Err(StoreError::Missing)
    } else {
        Ok(())
    }
}

pub(crate) async fn site_insert(
    c: &mut Conn,
    site: &Site,
    credential: Option<&[u8]>,
    now_us: i64,
) -> Result<(), StoreError> {
    let row = SiteRow::new(site, now_us)?;
    let added = diesel::insert_into(sites::table)
        .values(row)
        .execute(c)
        .await;
    added.map_err(|e| taken(e.into(), "site", &site.name))?;
    match credential {
        Some(sealed) => site_credential_put(c, site.id, sealed, now_us).await,
        None => Ok(()),
    }
}

/// All but status, keys and credential.
pub(crate) async fn site_update(c: &mut Conn, site: &Site, now_us: i64) -> Result<(), StoreError> {
    let row = SiteRow::new(site, now_us)?;
    let changed = diesel::update(sites::table.find(row.id))
        .set((
            sites::name.eq(row.name),
            sites::description.eq(row.description),
            sites::site_type.eq(row.site_type),
            sites::auth_url.eq(row.auth_url),
            sites::region_name.eq(row.region_name),
            sites::updated_us.eq(now_us),
        ))
        .execute(c)
        .await;
    one(changed.map_err(|e| taken(e.into(), "site", &site.name))?)
}

pub(crate) async fn site_status_set(
    c: &mut Conn,
    id: SiteId,
    status: SiteStatus,
    now_us: i64,
) -> Result<(), StoreError> {
    let changed = diesel::update(sites::table.find(id.to_string()))
        .set((
            sites::status.eq(word(&status)?),
            sites::checked_us.eq(Some(now_us)),
        ))
        .execute(c)
        .await?;
    one(changed)
}

pub(crate) async fn site_peer_keys_set(
    c: &mut Conn,
    id: SiteId,
    keys: &Value,
    now_us: i64,
) -> Result<(), StoreError> {
    let changed = diesel::update(sites::table.find(id.to_string()))
        .set((
            sites::peer_keys.eq(json(keys)?),
            sites::updated_us.eq(now_us),
        ))
        .execute(c)
        .await?;
    one(changed)
}

pub(crate) async fn site_credential_put(
    c: &mut Conn,
    id: SiteId,
    sealed: &[u8],
    now_us: i64,
) -> Result<(), StoreError> {
    let changed = diesel::update(sites::table.find(id.to_string()))
        .set((
            sites::credential.eq(Some(sealed)),
            sites::updated_us.eq(now_us),
        ))
        .execute(c)
        .await?;
    one(changed)
}

pub(crate) async fn site_delete(c: &mut Conn, id: SiteId) -> Result<(), StoreError> {
    one(diesel::delete(sites::table.find(id.to_string()))
        .execute(c)
        .await?)
}

pub(crate) async fn site_fetch(c: &mut Conn, id: SiteId) -> Result<Option<Site>, StoreError> {
    let query = sites::table
        .find(id.to_string())
        .select(SiteRow::as_select());
    query
        .first(c)
        .await
        .optional()?
        .map(Site::try_from)
        .transpose()
}

pub(crate) async fn site_find(c: &mut Conn, name: &str) -> Result<Option<Site>, StoreError> {
    let query = sites::table
        .filter(sites::name.eq(name))
        .select(SiteRow::as_select());
    query
        .first(c)
        .await
        .optional()?
        .map(Site::try_from)
        .transpose()
}

pub(crate) async fn site_list(c: &mut Conn) -> Result<Vec<Site>, StoreError> {
    let query = sites::table.order(sites::name).limit(REGISTERED_MAX);
    let rows: Vec<SiteRow> = query.select(SiteRow::as_select()).load(c).await?;
    rows.into_iter().map(Site::try_from).collect()
}

pub(crate) async fn site_credential_fetch(
    c: &mut Conn,
    id: SiteId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let query = sites::table.find(id.to_string()).select(sites::credential);
    Ok(query
        .first::<Option<Vec<u8>>>(c)
        .await
        .optional()?
        .flatten())
}

pub(crate) async fn array_insert(
    c: &mut Conn,
    array: &Array,
    token: Option<&[u8]>,
    now_us: i64,
) -> Result<(), StoreError> {
    let row = ArrayRow::new(array, now_us)?;
    let added = diesel::insert_into(arrays::table)
        .values(row)
        .execute(c)
        .await;
    added.map_err(|e| taken(e.into(), "array", &array.name))?;
    match token {
        Some(sealed) => array_token_put(c, &array.id, sealed, now_us).await,
        None => Ok(()),
    }
}

/// All but the token.
pub(crate) async fn array_update(
    c: &mut Conn,
    array: &Array,
    now_us: i64,
) -> Result<(), StoreError> {
    let row = ArrayRow::new(array, now_us)?;
    let changed = diesel::update(arrays::table.find(row.id))
        .set((
            arrays::name.eq(row.name),
            arrays::url.eq(row.url),
            arrays::certificate.eq(row.certificate),
            arrays::allowed_projects.eq(row.allowed_projects),
            arrays::updated_us.eq(now_us),
        ))
        .execute(c)
        .await;
    one(changed.map_err(|e| taken(e.into(), "array", &array.name))?)
}

pub(crate) async fn array_token_put(
    c: &mut Conn,
    id: &ArrayId,
    sealed: &[u8],
    now_us: i64,
) -> Result<(), StoreError> {
    let changed = diesel::update(arrays::table.find(id.as_str()))
        .set((
            arrays::token.eq(Some(sealed)),
            arrays::updated_us.eq(now_us),
        ))
        .execute(c)
        .await?;
    one(changed)
}

pub(crate) async fn array_delete(c: &mut Conn, id: &ArrayId) -> Result<(), StoreError> {
    one(diesel::delete(arrays::table.find(id.as_str()))
        .execute(c)
        .await?)
}

pub(crate) async fn array_fetch(c: &mut Conn, id: &ArrayId) -> Result<Option<Array>, StoreError> {
    let query = arrays::table
        .find(id.as_str())
        .select(ArrayRow::as_select());
    query
        .first(c)
        .await
        .optional()?
        .map(Array::try_from)
        .transpose()
}

pub(crate) async fn array_find(c: &mut Conn, name: &str) -> Result<Option<Array>, StoreError> {
    let query = arrays::table
        .filter(arrays::name.eq(name))
        .select(ArrayRow::as_select());
    query
        .first(c)
        .await
        .optional()?
        .map(Array::try_from)
        .transpose()
}

pub(crate) async fn array_list(c: &mut Conn) -> Result<Vec<Array>, StoreError> {
    let query = arrays::table.order(arrays::name).limit(REGISTERED_MAX);
    let rows: Vec<ArrayRow> = query.select(ArrayRow::as_select()).load(c).await?;
    rows.into_iter().map(Array::try_from).collect()
}

pub(crate) async fn array_token_fetch(
    c: &mut Conn,
    id: &ArrayId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let query = arrays::table.find(id.as_str()).select(arrays::token);
    Ok(query
        .first::<Option<Vec<u8>>>(c)
        .await
        .optional()?
        .flatten())
}

pub(crate) async fn tenant_mapping_insert(
    c: &mut Conn,
    mapping: &TenantMapping,
    now_us: i64,
) -> Result<(), StoreError> {
    let row = TenantMappingRow::new(mapping, now_us)?;
    let added = diesel::insert_into(tenant_mappings::table)
        .values(row)
        .execute(c)
        .await;
    let pair = format!("{} at {}", mapping.local_project, mapping.remote_site);
    added.map_err(|e| taken(e.into(), "tenant mapping", &pair))?;
    Ok(())
}

pub(crate) async fn tenant_mapping_delete(
    c: &mut Conn,
    id: TenantMappingId,
) -> Result<(), StoreError> {
    one(diesel::delete(tenant_mappings::table.find(id.to_string()))
        .execute(c)
        .await?)
}

pub(crate) async fn tenant_mapping_fetch(
    c: &mut Conn,
    id: TenantMappingId,
) -> Result<Option<TenantMapping>, StoreError> {
    let query = tenant_mappings::table.find(id.to_string());
    let row = query
        .select(TenantMappingRow::as_select())
        .first(c)
        .await
        .optional()?;
    row.map(TenantMapping::try_from).transpose()
}

pub(crate) async fn tenant_mapping_find(
    c: &mut Conn,
    local: &ProjectId,
    remote: SiteId,
) -> Result<Option<TenantMapping>, StoreError> {
    let query = tenant_mappings::table
        .filter(tenant_mappings::local_project.eq(local.as_str()))
        .filter(tenant_mappings::remote_site.eq(remote.to_string()));
    let row = query
        .select(TenantMappingRow::as_select())
        .first(c)
        .await
        .optional()?;
    row.map(TenantMapping::try_from).transpose()
}

pub(crate) async fn tenant_mapping_list(
    c: &mut Conn,
    local: Option<&ProjectId>,
) -> Result<Vec<TenantMapping>, StoreError> {
    let mut query = tenant_mappings::table
        .order(tenant_mappings::id)
        .limit(MAPPINGS_MAX)
        .select(TenantMappingRow::as_select())
        .into_boxed();
    if let Some(local) = local {
        query = query.filter(tenant_mappings::local_project.eq(local.as_str()));
    }
    let rows: Vec<TenantMappingRow> = query.load(c).await?;
    rows.into_iter().map(TenantMapping::try_from).collect()
}
