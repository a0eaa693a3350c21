//! Logins at other sites' OpenStack (SEC-05, C26): sealed with their audit entry, then in use.
//!
//! Absent: trying them out; the first call does, and says so.

use super::{ActorAdmin, Row, pairing, unavailable};
use crate::site::PeerClouds;
use protector_domain::admin::{AdminRefusal, SiteCredential};
use protector_domain::ids::SiteId;
use protector_domain::ports::admin::AdminError;
use protector_domain::ports::engine::Caller;
use protector_domain::ports::{PeerAddress, PeerDial};
use protector_store::{Store, StoreError};
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
        let made = SiteCredential::parse(&sealed)
            .ok_or_else(|| "its stored login is damaged; give it again".to_owned())
            .and_then(|credential| dial.dial(&address(&row), &credential));
        match made {
            Ok(cloud) => {
                clouds.insert(row.id, cloud);
            }
            Err(why) => tracing::warn!(site = row.name, why, "its OpenStack is not used"),
        }
    }
    Ok(clouds)
}

impl ActorAdmin {
    /// Seals a login and takes it into use. The caller holds the lock on changes.
    pub(super) async fn credential_put(
        &self,
        caller: &Caller,
        row: &Row,
        credential: &SiteCredential,
    ) -> Result<(), AdminError> {
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
        let write = write.map_err(|e| unavailable(&e))?;
        let detail = json!({ "site": row.id, "who": credential.who() });
        let named = ("site_credential_set", row.name.as_str());
        self.write(caller, vec![write], named, detail).await?;
        self.site.peer_cloud_set(row.id, cloud);
        Ok(())
    }
}
