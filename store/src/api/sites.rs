//! The site's identity, registered sites and arrays, tenant mappings.

use crate::codec::parse_id;
use crate::error::StoreError;
use crate::model::{Array, Identity, Site, SiteStatus, TenantMapping};
use crate::seal::{Place, Sealed};
use crate::store::{Store, read};
use crate::write::Write;
use protector_domain::ids::{ArrayId, ProjectId, SiteId, TenantMappingId};
use protector_domain::sync::KeyId;
use secrecy::{ExposeSecret, SecretString};

const IDENTITY: Place<'static> = Place {
    table: "site_identity",
    row: "1",
    column: "secret",
};

fn credential_place(row: &str) -> Place<'_> {
    Place {
        table: "sites",
        row,
        column: "credential",
    }
}

fn token_place(row: &str) -> Place<'_> {
    Place {
        table: "arrays",
        row,
        column: "token",
    }
}

impl Store {
    fn seal_text(
        &self,
        place: Place<'_>,
        secret: Option<&SecretString>,
    ) -> Result<Option<Sealed>, StoreError> {
        secret
            .map(|secret| self.seal(place, secret.expose_secret().as_bytes()))
            .transpose()
    }

    fn open_text(
        &self,
        place: Place<'_>,
        sealed: Option<Vec<u8>>,
    ) -> Result<Option<SecretString>, StoreError> {
        match sealed {
            Some(sealed) => Ok(Some(self.key()?.open_text(place, &Sealed(sealed))?)),
            None => Ok(None),
        }
    }

    /// Stores who this site is, once. Errors: `AlreadyThere`; the peer has pinned the old one.
    pub async fn identity_put(&self, identity: Identity) -> Result<(), StoreError> {
        let secret = self.seal(IDENTITY, identity.secret.expose_secret())?;
        let Identity {
            site,
            installation,
            key_id,
            ..
        } = identity;
        self.write_done(Write::IdentityPut {
            site,
            installation,
            key_id,
            secret,
        })
        .await
    }

    /// Who this site is; `None` before the first `db sync`.
    pub async fn identity_fetch(&self) -> Result<Option<Identity>, StoreError> {
        let Some(row) = read!(self, meta::identity_fetch())? else {
            return Ok(None);
        };
        Ok(Some(Identity {
            site: parse_id("site_identity.site_id", &row.site_id)?,
            installation: parse_id("site_identity.installation_id", &row.installation_id)?,
            key_id: KeyId(row.key_id),
            secret: self.key()?.open(IDENTITY, &Sealed(row.secret))?,
        }))
    }

    /// The restore mark that every group of this database has been brought under (R13); 0 before
    /// the first.
    pub async fn restore_mark_fetch(&self) -> Result<u64, StoreError> {
        let Some(value) = read!(self, meta::restore_mark_fetch())? else {
            return Ok(0);
        };
        let text = std::str::from_utf8(&value).ok();
        let mark = text.and_then(|text| text.parse().ok());
        mark.ok_or_else(|| StoreError::Corrupt("store_meta.restore_mark".to_owned()))
    }

    pub async fn restore_mark_put(&self, mark: u64) -> Result<(), StoreError> {
        self.write_done(Write::RestoreMarkPut(mark)).await
    }

    /// Registers a site (SITE-01). Errors: `AlreadyThere` for its name or id.
    pub async fn site_create(
        &self,
        site: Site,
        credential: Option<SecretString>,
    ) -> Result<(), StoreError> {
        let place = site.id.to_string();
        let credential = self.seal_text(credential_place(&place), credential.as_ref())?;
        self.write_done(Write::SiteCreate {
            site: Box::new(site),
            credential,
        })
        .await
    }

    /// Changes all but status, keys and credential. Errors: `Missing`, `AlreadyThere`.
    pub async fn site_update(&self, site: Site) -> Result<(), StoreError> {
        self.write_done(Write::SiteUpdate(Box::new(site))).await
    }

    /// SITE-02, with the time of the finding.
    pub async fn site_status_set(&self, id: SiteId, status: SiteStatus) -> Result<(), StoreError> {
        self.write_done(Write::SiteStatusSet { id, status }).await
    }

    /// Pins the public keys of a site.
    pub async fn site_peer_keys_set(
        &self,
        id: SiteId,
        keys: serde_json::Value,
    ) -> Result<(), StoreError> {
        self.write_done(Write::SitePeerKeysSet { id, keys }).await
    }

    /// Errors: `Missing`.
    pub async fn site_credential_put(
        &self,
        id: SiteId,
        credential: SecretString,
    ) -> Result<(), StoreError> {
        let write = self.site_credential_write(id, &credential)?;
        self.write_done(write).await
    }

    /// The write of `site_credential_put`, sealed, to stand in a batch. Errors: `Sealed`.
    pub fn site_credential_write(
        &self,
        id: SiteId,
        credential: &SecretString,
    ) -> Result<Write, StoreError> {
        let row = id.to_string();
        let plain = credential.expose_secret().as_bytes();
        let credential = self.seal(credential_place(&row), plain)?;
        Ok(Write::SiteCredentialPut { id, credential })
    }

    /// `None`: no such site, or none was given. Errors: `Sealed`.
    pub async fn site_credential_fetch(
        &self,
        id: SiteId,
    ) -> Result<Option<SecretString>, StoreError> {
        let sealed = read!(self, sites::site_credential_fetch(id))?;
        self.open_text(credential_place(&id.to_string()), sealed)
    }

    /// Errors: `Missing`. Whether groups still need it is the caller's question.
    pub async fn site_delete(&self, id: SiteId) -> Result<(), StoreError> {
        self.write_done(Write::SiteDelete(id)).await
    }

    pub async fn site_fetch(&self, id: SiteId) -> Result<Option<Site>, StoreError> {
        read!(self, sites::site_fetch(id))
    }

    pub async fn site_find(&self, name: &str) -> Result<Option<Site>, StoreError> {
        read!(self, sites::site_find(name))
    }

    /// By name.
    pub async fn site_list(&self) -> Result<Vec<Site>, StoreError> {
        read!(self, sites::site_list())
    }

    /// Registers an array. Errors: `AlreadyThere` for its name or id.
    pub async fn array_create(
        &self,
        array: Array,
        token: Option<SecretString>,
    ) -> Result<(), StoreError> {
        let write = self.array_create_write(array, token.as_ref())?;
        self.write_done(write).await
    }

    /// The write of `array_create`, sealed, to stand in a batch. Errors: `Sealed`.
    pub fn array_create_write(
        &self,
        array: Array,
        token: Option<&SecretString>,
    ) -> Result<Write, StoreError> {
        let token = self.seal_text(token_place(array.id.as_str()), token)?;
        Ok(Write::ArrayCreate {
            array: Box::new(array),
            token,
        })
    }

    /// Changes all but the token. Errors: `Missing`, `AlreadyThere`.
    pub async fn array_update(&self, array: Array) -> Result<(), StoreError> {
        self.write_done(Write::ArrayUpdate(Box::new(array))).await
    }

    /// Errors: `Missing`.
    pub async fn array_token_put(
        &self,
        id: &ArrayId,
        token: SecretString,
    ) -> Result<(), StoreError> {
        let write = self.array_token_write(id, &token)?;
        self.write_done(write).await
    }

    /// The write of `array_token_put`, sealed, to stand in a batch. Errors: `Sealed`.
    pub fn array_token_write(
        &self,
        id: &ArrayId,
        token: &SecretString,
    ) -> Result<Write, StoreError> {
        let token = self.seal(token_place(id.as_str()), token.expose_secret().as_bytes())?;
        Ok(Write::ArrayTokenPut {
            id: id.clone(),
            token,
        })
    }

    /// `None`: no such array, or no token was given. Errors: `Sealed`.
    pub async fn array_token_fetch(
        &self,
        id: &ArrayId,
    ) -> Result<Option<SecretString>, StoreError> {
        let sealed = read!(self, sites::array_token_fetch(id))?;
        self.open_text(token_place(id.as_str()), sealed)
    }

    /// Errors: `Missing`.
    pub async fn array_delete(&self, id: &ArrayId) -> Result<(), StoreError> {
        self.write_done(Write::ArrayDelete(id.clone())).await
    }

    pub async fn array_fetch(&self, id: &ArrayId) -> Result<Option<Array>, StoreError> {
        read!(self, sites::array_fetch(id))
    }

    pub async fn array_find(&self, name: &str) -> Result<Option<Array>, StoreError> {
        read!(self, sites::array_find(name))
    }

    /// By name.
    pub async fn array_list(&self) -> Result<Vec<Array>, StoreError> {
        read!(self, sites::array_list())
    }

    /// TEN-01. Errors: `AlreadyThere` for the local project and remote site.
    pub async fn tenant_mapping_create(&self, mapping: TenantMapping) -> Result<(), StoreError> {
        self.write_done(Write::TenantMappingCreate(Box::new(mapping)))
            .await
    }

    /// Errors: `Missing`.
    pub async fn tenant_mapping_delete(&self, id: TenantMappingId) -> Result<(), StoreError> {
        self.write_done(Write::TenantMappingDelete(id)).await
    }

    pub async fn tenant_mapping_fetch(
        &self,
        id: TenantMappingId,
    ) -> Result<Option<TenantMapping>, StoreError> {
        read!(self, sites::tenant_mapping_fetch(id))
    }

    /// The mapping of a local project to a remote site.
    pub async fn tenant_mapping_find(
        &self,
        local: &ProjectId,
        remote: SiteId,
    ) -> Result<Option<TenantMapping>, StoreError> {
        read!(self, sites::tenant_mapping_find(local, remote))
    }

    /// Of one local project, or all; by id.
    pub async fn tenant_mapping_list(
        &self,
        local: Option<&ProjectId>,
    ) -> Result<Vec<TenantMapping>, StoreError> {
        read!(self, sites::tenant_mapping_list(local))
    }
}
