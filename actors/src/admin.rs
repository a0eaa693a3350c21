//! The admin port over the store: what is judged by `domain::admin` is written with its audit entry
//! in one transaction.
//!
//! Absent: the rules, roles, and any word with the world but a look that somebody asked for (`looks`).

mod changes;
mod credentials;
mod looks;
mod pairing;
mod views;

use crate::site::Site;
use async_trait::async_trait;
use protector_domain::admin::{
    AdminRefusal, PairAsk, SiteCredential, UrlRules, check_name, check_secret, check_text,
    check_url,
};
use protector_domain::ids::{ArrayId, SiteId, TenantMappingId};
use protector_domain::ports::Admin;
use protector_domain::ports::admin::{
    AdminError, ArrayCreate, ArrayUpdate, ArrayView, OfferView, SiteCreate, SiteUpdate,
    SiteValidation, SiteView, TenantMappingCreate, TenantMappingUpdate, TenantMappingView,
};
use protector_domain::ports::engine::Caller;
use protector_domain::record::Mappings;
use protector_domain::sync::{PairOffer, fingerprint};
use protector_domain::volume_type::Eligibility;
use protector_store::{AuditEntry, SiteStatus, StoreError, Write};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Mutex;
use uuid::Uuid;

pub use credentials::peer_clouds_fetch;
pub use pairing::peers_fetch;
use views::{array_row, array_view, mapping_row, mapping_view, site_type, site_view};

/// What the site's configuration says about administration.
#[derive(Debug, Clone, Copy, Default)]
pub struct AdminOptions {
    pub urls: UrlRules,
}

/// Longest certificate that is kept, bytes.
const PEM_BYTES_MAX: usize = 32_768;

/// Looks like certificates; whether they fit is seen when somebody connects.
fn is_pem(text: &str) -> bool {
    text.len() <= PEM_BYTES_MAX
        && text.trim_start().starts_with("-----BEGIN CERTIFICATE-----")
        && text.contains("-----END CERTIFICATE-----")
}

/// All of an array but its token.
fn array_fields_check(
    array: &ArrayView,
    certificate: Option<&str>,
    urls: UrlRules,
) -> Result<(), AdminRefusal> {
    check_name("name", &array.name)?;
    check_text("array_id", array.id.as_str(), true)?;
    check_url("url", &array.url, urls)?;
    for project in array.allowed_projects.iter().flatten() {
        check_text("allowed_projects", project.as_str(), true)?;
    }
    if certificate.is_some_and(|pem| !is_pem(pem)) {
        let field = "certificate".to_owned();
        return Err(AdminRefusal::BadName { field });
    }
    Ok(())
}

/// Clones are equal.
#[derive(Clone)]
pub struct ActorAdmin {
    site: Site,
    options: AdminOptions,
    /// Changes are rare and look before they write: one at a time.
    changing: Arc<Mutex<()>>,
}

type Row = protector_store::Site;

fn unavailable(error: &dyn std::fmt::Display) -> AdminError {
    AdminError::Unavailable {
        why: error.to_string(),
    }
}

/// A failed write: the table's own unique keys have the last word on what is taken.
fn write_failed(error: &StoreError, name: &str) -> AdminError {
    match error {
        StoreError::AlreadyThere { what, .. } => AdminRefusal::Taken {
            what: (*what).to_owned(),
            name: name.to_owned(),
        }
        .into(),
        other => unavailable(other),
    }
}

impl ActorAdmin {
    pub fn new(site: Site, options: AdminOptions) -> Self {
        Self {
            site,
            options,
            changing: Arc::default(),
        }
    }

    /// By id, else by name.
    async fn site_row(&self, wanted: &str) -> Result<Row, AdminError> {
        let store = self.site.store();
        let found = match wanted.parse::<SiteId>() {
            Ok(id) => store.site_fetch(id).await,
            Err(_) => store.site_find(wanted).await,
        };
        let missing = || AdminError::NotFound {
            what: format!("site {wanted}"),
        };
        found.map_err(|e| unavailable(&e))?.ok_or_else(missing)
    }

    /// Writes the change and who made it, or neither (S18).
    async fn write(
        &self,
        caller: &Caller,
        mut changes: Vec<Write>,
        (action, target): (&str, &str),
        detail: Value,
    ) -> Result<(), AdminError> {
        let ctx = self.site.ctx();
        changes.push(Write::AuditAppend(Box::new(AuditEntry {
            id: ctx.uuid(),
            at_us: ctx.now_us(),
            project: caller.project.clone(),
            user: caller.user.clone(),
            action: action.to_owned(),
            target: target.to_owned(),
            outcome: "accepted".to_owned(),
            request_id: caller.request_id.clone(),
            detail,
        })));
        let written = self.site.store().write(Write::Batch(changes)).await;
        written.map(drop).map_err(|e| write_failed(&e, target))
    }

    async fn view(&self, row: Row) -> Result<SiteView, AdminError> {
        let known = self.site.store().site_credential_fetch(row.id).await;
        let known = known.map_err(|e| unavailable(&e))?;
        Ok(site_view(row, known.is_some()))
    }

    /// Policies name arrays by name or id: none may answer to another's. `own`: the one that is changed.
    async fn array_name_check(
        &self,
        array: &ArrayView,
        own: Option<&ArrayId>,
    ) -> Result<(), AdminError> {
        let clashes = |a: &ArrayView| {
            [a.id.as_str(), &a.name].contains(&array.name.as_str())
                || [a.id.as_str(), &a.name].contains(&array.id.as_str())
        };
        let registered = self.array_list().await?;
        let others = registered.into_iter().filter(|a| own != Some(&a.id));
        match others.into_iter().find(clashes) {
            Some(taken) => {
                let (what, name) = ("array".to_owned(), taken.name);
                Err(AdminRefusal::Taken { what, name }.into())
            }
            None => Ok(()),
        }
    }

    fn fresh_id(&self) -> Uuid {
        self.site.ctx().uuid()
    }
}

#[async_trait]
impl Admin for ActorAdmin {
    async fn site_list(&self) -> Result<Vec<SiteView>, AdminError> {
        let rows = self.site.store().site_list().await;
        let mut views = Vec::new();
        for row in rows.map_err(|e| unavailable(&e))? {
            views.push(self.view(row).await?);
        }
        Ok(views)
    }

    async fn site_show(&self, site: &str) -> Result<SiteView, AdminError> {
        let row = self.site_row(site).await?;
        self.view(row).await
    }

    async fn site_create(&self, caller: &Caller, site: SiteCreate) -> Result<SiteView, AdminError> {
        check_name("name", &site.name)?;
        check_text("description", &site.description, false)?;
        check_text("region_name", &site.region_name, true)?;
        check_url("auth_url", &site.auth_url, self.options.urls)?;
        let row = Row {
            id: SiteId(self.fresh_id()),
            name: site.name,
            description: site.description,
            site_type: site_type(site.site_type),
            auth_url: site.auth_url,
            region_name: site.region_name,
            // Nothing was heard of it yet; pairing brings its word.
            status: SiteStatus::Unreachable,
            peer_keys: json!([]),
            checked_us: None,
        };
        let _one = self.changing.lock().await;
        let create = Write::SiteCreate {
            site: Box::new(row.clone()),
            credential: None,
        };
        let detail = json!({ "id": row.id, "auth_url": row.auth_url });
        self.write(caller, vec![create], ("site_create", &row.name), detail)
            .await?;
        Ok(site_view(row, false))
    }

    async fn site_update(
        &self,
        caller: &Caller,
        site: &str,
        update: SiteUpdate,
    ) -> Result<SiteView, AdminError> {
        if let Some(credential) = &update.credential {
            credential.check()?;
        }
        let _one = self.changing.lock().await;
        let row = self.site_row(site).await?;
        let row = self.site_put(caller, row, update).await?;
        self.view(row).await
    }

    async fn site_delete(&self, caller: &Caller, site: &str) -> Result<(), AdminError> {
        let _one = self.changing.lock().await;
        let row = self.site_row(site).await?;
        self.site_remove(caller, row).await
    }

    async fn site_validate(
        &self,
        caller: &Caller,
        site: &str,
    ) -> Result<SiteValidation, AdminError> {
        self.look(caller, site).await
    }

    async fn site_volume_types(&self, site: &str) -> Result<Vec<Eligibility>, AdminError> {
        self.types_of(site).await
    }

    async fn pair_offer(&self) -> Result<OfferView, AdminError> {
        let known = self.site.store().identity_fetch().await;
        let known = known.map_err(|e| unavailable(&e))?;
        let known = known.ok_or_else(|| unavailable(&"this site has no identity yet"))?;
        let offer = PairOffer::of(self.site.identity(), known.installation);
        Ok(OfferView {
            fingerprint: fingerprint(&offer),
            offer,
        })
    }

    async fn pair(
        &self,
        caller: &Caller,
        site: &str,
        ask: PairAsk,
    ) -> Result<SiteView, AdminError> {
        let _one = self.changing.lock().await;
        let row = self.pin(caller, site, ask).await?;
        self.view(row).await
    }

    async fn site_credential_set(
        &self,
        caller: &Caller,
        site: &str,
        credential: SiteCredential,
    ) -> Result<SiteView, AdminError> {
        credential.check()?;
        let _one = self.changing.lock().await;
        let row = self.site_row(site).await?;
        self.credential_put(caller, &row, &credential).await?;
        self.view(row).await
    }

    async fn array_list(&self) -> Result<Vec<ArrayView>, AdminError> {
        let rows = self.site.store().array_list().await;
        Ok(rows
            .map_err(|e| unavailable(&e))?
            .into_iter()
            .map(array_view)
            .collect())
    }

    async fn array_create(
        &self,
        caller: &Caller,
        asked: ArrayCreate,
    ) -> Result<ArrayView, AdminError> {
        let array = asked.view;
        array_fields_check(&array, asked.certificate.as_deref(), self.options.urls)?;
        if let Some(token) = &asked.token {
            check_secret("token", token)?;
        }
        let _one = self.changing.lock().await;
        self.array_name_check(&array, None).await?;
        let row = array_row(array.clone(), asked.certificate);
        let detail = json!({ "id": array.id, "url": array.url, "allowed_projects": array.allowed_projects,
            "pinned": row.certificate.is_some(), "token": asked.token.is_some() });
        let create = self
            .site
            .store()
            .array_create_write(row, asked.token.as_ref());
        let create = create.map_err(|e| unavailable(&e))?;
        self.write(caller, vec![create], ("array_create", &array.name), detail)
            .await?;
        Ok(array)
    }

    async fn array_update(
        &self,
        caller: &Caller,
        array: &str,
        update: ArrayUpdate,
    ) -> Result<ArrayView, AdminError> {
        let _one = self.changing.lock().await;
        self.array_put(caller, array, update).await
    }

    async fn array_delete(&self, caller: &Caller, array: &str) -> Result<(), AdminError> {
        let _one = self.changing.lock().await;
        self.array_remove(caller, array).await
    }

    async fn tenant_mapping_list(&self) -> Result<Vec<TenantMappingView>, AdminError> {
        let rows = self.site.store().tenant_mapping_list(None).await;
        Ok(rows
            .map_err(|e| unavailable(&e))?
            .into_iter()
            .map(mapping_view)
            .collect())
    }

    async fn tenant_mapping_create(
        &self,
        caller: &Caller,
        mapping: TenantMappingCreate,
    ) -> Result<TenantMappingView, AdminError> {
        check_text("local_project", mapping.local_project.as_str(), true)?;
        check_text("remote_project", mapping.remote_project.as_str(), true)?;
        check_text("description", &mapping.description, false)?;
        let _one = self.changing.lock().await;
        let remote = self.site_row(&mapping.remote_site).await?;
        if pairing::pinned(&remote).is_none() {
            return Err(AdminRefusal::NotPaired { site: remote.name }.into());
        }
        let view = TenantMappingView {
            id: TenantMappingId(self.fresh_id()),
            local_project: mapping.local_project,
            remote_site: remote.id,
            remote_project: mapping.remote_project,
            description: mapping.description,
            mappings: Mappings::default(),
        };
        let create = Write::TenantMappingCreate(Box::new(mapping_row(view.clone())));
        let target = view.local_project.clone();
        let detail = json!({ "id": view.id, "remote_site": view.remote_site, "remote_project": view.remote_project });
        let named = ("tenant_mapping_create", target.as_str());
        self.write(caller, vec![create], named, detail).await?;
        Ok(view)
    }

    async fn tenant_mapping_update(
        &self,
        caller: &Caller,
        mapping: TenantMappingId,
        update: TenantMappingUpdate,
    ) -> Result<TenantMappingView, AdminError> {
        let _one = self.changing.lock().await;
        self.mapping_put(caller, mapping, update).await
    }

    async fn tenant_mapping_delete(
        &self,
        caller: &Caller,
        mapping: TenantMappingId,
    ) -> Result<(), AdminError> {
        let _one = self.changing.lock().await;
        self.mapping_remove(caller, mapping).await
    }
}
