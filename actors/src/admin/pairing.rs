//! Pinning another site's keys: the row, its id, the mappings that name it, and who did it, in one
//! transaction; then the keys that messages are checked against.
//!
//! Absent: whether it may be done (`domain::admin::decide_pair`).

use super::{ActorAdmin, Row, unavailable};
use crate::site::Peers;
use protector_domain::admin::{PairAsk, PairFacts, Pinning, decide_pair};
use protector_domain::ids::SiteId;
use protector_domain::ports::admin::AdminError;
use protector_domain::ports::engine::Caller;
use protector_domain::sync::{PairOffer, fingerprint, peer_of};
use protector_store::{SiteStatus, Store, StoreError, TenantMapping, Write};
use serde_json::json;

/// What is pinned of a registered site; `None` if nothing readable is.
pub(super) fn pinned(row: &Row) -> Option<PairOffer> {
    serde_json::from_value(row.peer_keys.clone()).ok()
}

/// Every registered site that has pinned keys, but this one.
///
/// # Errors
/// The store.
pub async fn peers_fetch(store: &Store, me: SiteId) -> Result<Peers, StoreError> {
    let rows = store.site_list().await?;
    // A row speaks for the site that it is, whatever is in its keys.
    let offers = rows
        .iter()
        .filter_map(|row| pinned(row).filter(|o| o.site == row.id && o.site != me));
    let peers = offers.map(|offer| (offer.site, peer_of(&offer)));
    Ok(peers.filter(|(_, peer)| !peer.keys.is_empty()).collect())
}

impl ActorAdmin {
    /// Pins an offer. The caller holds the lock on changes.
    pub(super) async fn pin(
        &self,
        caller: &Caller,
        site: &str,
        ask: PairAsk,
    ) -> Result<Row, AdminError> {
        let row = self.site_row(site).await?;
        let facts = self.pair_facts(&row, &ask).await?;
        let pinning = decide_pair(&ask, &facts)?;
        let paired = paired_row(&row, &ask)?;
        let changes = match pinning {
            Pinning::Unchanged => Vec::new(),
            Pinning::First | Pinning::Replaced => self.changes(&row, &paired).await?,
        };
        let detail = json!({
            "pinning": format!("{pinning:?}").to_lowercase(),
            "site": ask.offer.site,
            "installation": ask.offer.installation,
            "fingerprint": fingerprint(&ask.offer),
            "before": facts.pinned.as_ref().map(fingerprint),
        });
        self.write(caller, changes, ("site_pair", &row.name), detail)
            .await?;
        self.peers_refresh().await?;
        if row.id != paired.id {
            self.site.peer_cloud_forget(row.id);
        }
        Ok(if pinning == Pinning::Unchanged {
            row
        } else {
            paired
        })
    }

    async fn pair_facts(&self, row: &Row, ask: &PairAsk) -> Result<PairFacts, AdminError> {
        let store = self.site.store();
        let other = store.site_fetch(ask.offer.site).await;
        let other = other.map_err(|e| unavailable(&e))?;
        let groups = store.group_list_active().await;
        let groups = groups.map_err(|e| unavailable(&e))?;
        let names = |body: &protector_domain::record::GroupBody| {
            [body.sides.home.site, body.sides.other.site].contains(&row.id)
        };
        let naming = groups.iter().filter(|g| g.body.as_ref().is_some_and(names));
        Ok(PairFacts {
            me: self.site.id(),
            name: row.name.clone(),
            id: row.id,
            pinned: pinned(row),
            other: other.filter(|o| o.id != row.id).map(|o| o.name),
            groups: naming.count(),
        })
    }

    async fn changes(&self, before: &Row, after: &Row) -> Result<Vec<Write>, AdminError> {
        if before.id == after.id {
            let (id, keys) = (after.id, after.peer_keys.clone());
            let status = after.status;
            return Ok(vec![
                Write::SitePeerKeysSet { id, keys },
                Write::SiteStatusSet { id, status },
            ]);
        }
        // A login was meant for the site that was there: it goes with its row, and is given again.
        let mut changes = vec![
            Write::SiteDelete(before.id),
            Write::SiteCreate {
                site: Box::new(after.clone()),
                credential: None,
            },
        ];
        let mappings = self.site.store().tenant_mapping_list(None).await;
        for mapping in mappings.map_err(|e| unavailable(&e))? {
            if mapping.remote_site == before.id {
                changes.push(Write::TenantMappingDelete(mapping.id));
                changes.push(Write::TenantMappingCreate(Box::new(TenantMapping {
                    remote_site: after.id,
                    ..mapping
                })));
            }
        }
        Ok(changes)
    }

    pub(super) async fn peers_refresh(&self) -> Result<(), AdminError> {
        let peers = peers_fetch(self.site.store(), self.site.id()).await;
        self.site.peers_set(peers.map_err(|e| unavailable(&e))?);
        Ok(())
    }
}

fn paired_row(row: &Row, ask: &PairAsk) -> Result<Row, AdminError> {
    Ok(Row {
        id: ask.offer.site,
        peer_keys: serde_json::to_value(&ask.offer).map_err(|e| unavailable(&e))?,
        // An administrator has just brought its word; whether it can be reached is another question.
        status: SiteStatus::Active,
        ..row.clone()
    })
}
