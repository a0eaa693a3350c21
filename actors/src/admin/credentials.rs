//! Logins at other sites' OpenStack (SEC-05, C26): sealed with their audit entry, then in use.
//!
//! Absent: trying them out; the first call does, and says so.

use super::{ActorAdmin, Row, pairing, unavailable};
use crate::site::PeerClouds;
use protector_domain::admin::{AdminRefusal, SiteCredential};
use protector_domain::ids::SiteId;
use protector_domain::ports::admin::AdminError;
use protector_domain::ports::engine::Caller;
use protector_domain::ports::{Cloud, PeerAddress, PeerDial};
use protector_store::{Store, StoreError, Write};
use serde_json::json;

fn address(row: &Row) -> PeerAddress {
    PeerAddress {
        auth_url: row.auth_url.clone(),
        region_name: row.region_name.clone(),
    }
}

/// A client for every other site of which a login is sealed here. One that cannot be made is left out
/// with a warning: the site itself comes up without it.
///
/// # Errors
/// The store cannot be read.
pub async fn peer_clouds_fetch(
    store: &Store,
    me: SiteId,
    dial: &dyn PeerDial,
) -> Result<PeerClouds, StoreError> {
    let mut clouds = PeerClouds::new();
    for row in store.site_list().await?.into_iter().filter(|r| r.id != me) {
        let sealed = match store.site_credential_fetch(row.id).await {
            Ok(Some(sealed)) => sealed,
            Ok(None) => continue,
            Err(error @ StoreError::Sealed(_)) => {
                tracing::warn!(site = row.name, %error, "its login cannot be opened; give it again");
                continue;
            }
            Err(error) => return Err(error),
        };
        match cloud_of(&row, SiteCredential::parse(&sealed).as_ref(), dial) {
            Ok(cloud) => {
                clouds.insert(row.id, cloud);
            }
            Err(why) => tracing::warn!(site = row.name, why, "its OpenStack is not used"),
        }
    }
    Ok(clouds)
}

/// A client for what is sealed of a site. Errors: none can be made of it; in words.
pub(super) fn cloud_of(
    row: &Row,
    credential: Option<&SiteCredential>,
    dial: &dyn PeerDial,
) -> Result<Cloud, String> {
    let credential = credential.ok_or("its stored login is damaged; give it again")?;
    dial.dial(&address(row), credential)
}

impl ActorAdmin {
    /// The login sealed, as a write, and a client made with it. Nothing is written yet.
    pub(super) fn credential_change(
        &self,
        row: &Row,
        credential: &SiteCredential,
    ) -> Result<(Write, Cloud), AdminError> {
        if pairing::pinned(row).is_none() {
            let site = row.name.clone();
            return Err(AdminRefusal::NotPaired { site }.into());
        }
        // Before it is written: what no client can be made of is not kept.
        let cloud = self.site.dial().dial(&address(row), credential);
        let cloud = cloud.map_err(|why| {
            tracing::warn!(site = row.name, why, "no client can be made of this login");
            let field = "credential".to_owned();
            AdminRefusal::BadName { field }
        })?;
        let store = self.site.store();
        let write = store.site_credential_write(row.id, &credential.to_text());
        Ok((write.map_err(|e| unavailable(&e))?, cloud))
    }

    /// Seals a login and takes it into use. The caller holds the lock on changes.
    pub(super) async fn credential_put(
        &self,
        caller: &Caller,
        row: &Row,
        credential: &SiteCredential,
    ) -> Result<(), AdminError> {
        let (write, cloud) = self.credential_change(row, credential)?;
        let detail = json!({ "site": row.id, "who": credential.who() });
        let named = ("site_credential_set", row.name.as_str());
        self.write(caller, vec![write], named, detail).await?;
        self.site.peer_cloud_set(row.id, cloud);
        Ok(())
    }
}
