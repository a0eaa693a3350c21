//! Changing and removing what is registered: refused while somebody needs it, and never with an old
//! secret at a new place.
//!
//! Absent: the first registration (`admin`) and pairing.

use super::views::{array_view, mapping_row, mapping_view, site_type};
use super::{ActorAdmin, Row, array_fields_check, credentials, unavailable};
use protector_domain::admin::{
    AdminRefusal, SiteCredential, check_name, check_secret, check_text, check_url, groups_of_array,
    groups_of_mapping, groups_of_site, users,
};
use protector_domain::ids::TenantMappingId;
use protector_domain::ports::admin::{
    AdminError, ArrayUpdate, ArrayView, SiteUpdate, TenantMappingUpdate, TenantMappingView,
};
use protector_domain::ports::engine::Caller;
use protector_domain::record::GroupBody;
use protector_store::{Array, TenantMapping, Write};
use serde_json::json;

const GROUPS: &str = "protection groups";

fn in_use(what: &str, name: &str, by: String) -> AdminError {
    let (what, name) = (what.to_owned(), name.to_owned());
    AdminRefusal::InUse { what, name, by }.into()
}

/// Refused if there are any.
fn refuse_used(what: &str, name: &str, by: &str, names: &[&str]) -> Result<(), AdminError> {
    if names.is_empty() {
        return Ok(());
    }
    Err(in_use(what, name, users(by, names)))
}

impl ActorAdmin {
    async fn bodies(&self) -> Result<Vec<GroupBody>, AdminError> {
        let groups = self.site.store().group_list_active().await;
        let groups = groups.map_err(|e| unavailable(&e))?;
        Ok(groups.into_iter().filter_map(|group| group.body).collect())
    }

    /// The caller holds the lock on changes.
    pub(super) async fn site_put(
        &self,
        caller: &Caller,
        before: Row,
        update: SiteUpdate,
    ) -> Result<Row, AdminError> {
        let mut row = before.clone();
        row.name = update.name.unwrap_or(row.name);
        row.description = update.description.unwrap_or(row.description);
        row.site_type = update.site_type.map_or(row.site_type, site_type);
        row.auth_url = update.auth_url.unwrap_or(row.auth_url);
        row.region_name = update.region_name.unwrap_or(row.region_name);
        check_name("name", &row.name)?;
        check_text("description", &row.description, false)?;
        check_text("region_name", &row.region_name, true)?;
        check_url("auth_url", &row.auth_url, self.options.urls)?;
        let store = self.site.store();
        let sealed = store.site_credential_fetch(row.id).await;
        let sealed = sealed.map_err(|e| unavailable(&e))?.is_some();
        let moved = (&row.auth_url, &row.region_name) != (&before.auth_url, &before.region_name);
        if row.auth_url != before.auth_url && sealed && update.credential.is_none() {
            let (what, name) = ("site".to_owned(), before.name);
            return Err(AdminRefusal::SecretNeeded { what, name }.into());
        }
        let detail = json!({ "id": row.id, "name": row.name, "auth_url": row.auth_url,
            "region_name": row.region_name, "login": update.credential.is_some() });
        let mut changes = vec![Write::SiteUpdate(Box::new(row.clone()))];
        // In one transaction: the old login never stands beside the new URL.
        let login = update.credential.as_ref();
        let login = login.map(|login| self.credential_change(&row, login));
        let mut fresh = None;
        if let Some((write, cloud)) = login.transpose()? {
            changes.push(write);
            fresh = Some(cloud);
        }
        let named = ("site_update", before.name.as_str());
        self.write(caller, changes, named, detail).await?;
        match fresh {
            Some(cloud) => self.site.peer_cloud_set(row.id, cloud),
            None if moved && sealed => self.dial_again(&row).await?,
            None => {}
        }
        Ok(row)
    }

    /// The login is the same, the region another one.
    async fn dial_again(&self, row: &Row) -> Result<(), AdminError> {
        let sealed = self.site.store().site_credential_fetch(row.id).await;
        let sealed = sealed.map_err(|e| unavailable(&e))?;
        let credential = sealed.as_ref().and_then(SiteCredential::parse);
        match credentials::cloud_of(row, credential.as_ref(), self.site.dial()) {
            Ok(cloud) => self.site.peer_cloud_set(row.id, cloud),
            Err(why) => {
                tracing::warn!(site = row.name, why, "its OpenStack is not used");
                self.site.peer_cloud_forget(row.id);
            }
        }
        Ok(())
    }

    /// The caller holds the lock on changes.
    pub(super) async fn site_remove(&self, caller: &Caller, row: Row) -> Result<(), AdminError> {
        let bodies = self.bodies().await?;
        refuse_used("site", &row.name, GROUPS, &groups_of_site(&bodies, row.id))?;
        let mappings = self.site.store().tenant_mapping_list(None).await;
        let mappings = mappings.map_err(|e| unavailable(&e))?;
        let naming = mappings.iter().filter(|m| m.remote_site == row.id);
        let naming: Vec<String> = naming.map(|m| m.id.to_string()).collect();
        let naming: Vec<&str> = naming.iter().map(String::as_str).collect();
        refuse_used("site", &row.name, "tenant mappings", &naming)?;
        let detail = json!({ "id": row.id, "auth_url": row.auth_url });
        let named = ("site_delete", row.name.as_str());
        self.write(caller, vec![Write::SiteDelete(row.id)], named, detail)
            .await?;
        self.site.peer_cloud_forget(row.id);
        self.peers_refresh().await
    }

    /// By id, else by name.
    async fn array_row(&self, wanted: &str) -> Result<Array, AdminError> {
        let rows = self.site.store().array_list().await;
        let rows = rows.map_err(|e| unavailable(&e))?;
        let at = rows.iter().position(|row| row.id.as_str() == wanted);
        let at = at.or_else(|| rows.iter().position(|row| row.name == wanted));
        at.and_then(|at| rows.into_iter().nth(at))
            .ok_or_else(|| AdminError::NotFound {
                what: format!("array {wanted}"),
            })
    }

    /// The caller holds the lock on changes.
    pub(super) async fn array_put(
        &self,
        caller: &Caller,
        wanted: &str,
        update: ArrayUpdate,
    ) -> Result<ArrayView, AdminError> {
        let before = self.array_row(wanted).await?;
        let mut row = before.clone();
        row.name = update.name.unwrap_or(row.name);
        row.url = update.url.unwrap_or(row.url);
        row.allowed_projects = update.allowed_projects.unwrap_or(row.allowed_projects);
        row.certificate = update.certificate.unwrap_or(row.certificate);
        let view = array_view(row.clone());
        array_fields_check(&view, row.certificate.as_deref(), self.options.urls)?;
        if let Some(token) = &update.token {
            check_secret("token", token)?;
        }
        self.array_name_check(&view, Some(&before.id)).await?;
        let store = self.site.store();
        let sealed = store.array_token_fetch(&row.id).await;
        let sealed = sealed.map_err(|e| unavailable(&e))?.is_some();
        if row.url != before.url && sealed && update.token.is_none() {
            let (what, name) = ("array".to_owned(), before.name);
            return Err(AdminRefusal::SecretNeeded { what, name }.into());
        }
        let detail = json!({ "id": row.id, "name": row.name, "url": row.url,
            "allowed_projects": row.allowed_projects, "pinned": row.certificate.is_some(),
            "token": update.token.is_some() });
        let mut changes = Vec::new();
        if let Some(token) = &update.token {
            let write = store.array_token_write(&row.id, token);
            changes.push(write.map_err(|e| unavailable(&e))?);
        }
        changes.push(Write::ArrayUpdate(Box::new(row)));
        let named = ("array_update", before.name.as_str());
        self.write(caller, changes, named, detail).await?;
        Ok(view)
    }

    /// The caller holds the lock on changes.
    pub(super) async fn array_remove(
        &self,
        caller: &Caller,
        wanted: &str,
    ) -> Result<(), AdminError> {
        let row = self.array_row(wanted).await?;
        let bodies = self.bodies().await?;
        refuse_used(
            "array",
            &row.name,
            GROUPS,
            &groups_of_array(&bodies, &row.id),
        )?;
        let detail = json!({ "id": row.id, "url": row.url });
        let named = ("array_delete", row.name.as_str());
        let change = Write::ArrayDelete(row.id.clone());
        self.write(caller, vec![change], named, detail).await
    }

    async fn mapping(&self, id: TenantMappingId) -> Result<TenantMapping, AdminError> {
        let found = self.site.store().tenant_mapping_fetch(id).await;
        found
            .map_err(|e| unavailable(&e))?
            .ok_or_else(|| AdminError::NotFound {
                what: format!("tenant mapping {id}"),
            })
    }

    async fn refuse_joined(&self, mapping: &TenantMapping) -> Result<(), AdminError> {
        let bodies = self.bodies().await?;
        let here = (self.site.id(), &mapping.local_project);
        let joined = groups_of_mapping(&bodies, here, mapping.remote_site);
        refuse_used("tenant mapping", &mapping.id.to_string(), GROUPS, &joined)
    }

    /// The caller holds the lock on changes.
    pub(super) async fn mapping_put(
        &self,
        caller: &Caller,
        id: TenantMappingId,
        update: TenantMappingUpdate,
    ) -> Result<TenantMappingView, AdminError> {
        let before = self.mapping(id).await?;
        let mut view = mapping_view(before.clone());
        view.description = update.description.unwrap_or(view.description);
        view.mappings = update.mappings.unwrap_or(view.mappings);
        view.remote_project = update.remote_project.unwrap_or(view.remote_project);
        check_text("remote_project", view.remote_project.as_str(), true)?;
        check_text("description", &view.description, false)?;
        if view.remote_project != before.remote_project {
            self.refuse_joined(&before).await?;
        }
        let changes = vec![
            Write::TenantMappingDelete(id),
            Write::TenantMappingCreate(Box::new(mapping_row(view.clone()))),
        ];
        let detail = json!({ "id": id, "remote_project": view.remote_project });
        let named = ("tenant_mapping_update", view.local_project.as_str());
        self.write(caller, changes, named, detail).await?;
        Ok(view)
    }

    /// The caller holds the lock on changes.
    pub(super) async fn mapping_remove(
        &self,
        caller: &Caller,
        id: TenantMappingId,
    ) -> Result<(), AdminError> {
        let mapping = self.mapping(id).await?;
        self.refuse_joined(&mapping).await?;
        let detail = json!({ "id": id, "remote_site": mapping.remote_site,
            "remote_project": mapping.remote_project });
        let named = ("tenant_mapping_delete", mapping.local_project.as_str());
        let change = Write::TenantMappingDelete(id);
        self.write(caller, vec![change], named, detail).await
    }
}
