//! Every record that was signed in this world: what went over the wire, and what a site that runs holds back. A site
//! forgets what it held back when it hears a receipt or a greater record, so it is looked at before.
//!
//! Absent: what a dead site wrote and never told; nothing was built on that.

use super::{Which, World};
use crate::net::{Witness, records_in};
use anyhow::Result;
use bytes::Bytes;
use protector_domain::ids::GroupId;
use protector_domain::sync::Signed;
use protector_runtime::remote::HttpService;
use protector_store::Store;
use serde_json::Value;
use std::collections::BTreeMap;
use tower::ServiceExt;

/// Where a site hears what makes it forget.
const FORGETS: [&str; 2] = ["/sync/receipts", "/sync/envelopes"];

/// A site's API, with a witness that sees what the site holds before it may forget it.
pub(super) fn witnessed(api: HttpService, store: Store, witness: Witness) -> HttpService {
    HttpService::new(tower::service_fn(move |request: http::Request<Bytes>| {
        let (api, store, witness) = (api.clone(), store.clone(), witness.clone());
        async move {
            let path = request.uri().path();
            if FORGETS.iter().any(|end| path.ends_with(end)) {
                for group in groups_in(request.body()) {
                    // A store that does not answer will not forget either.
                    let held = held_by(&store, group).await.unwrap_or_default();
                    witness.remember(held);
                }
            }
            api.oneshot(request).await
        }
    }))
}

/// The groups that the messages in a body are about.
fn groups_in(body: &[u8]) -> Vec<GroupId> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let messages = body
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.values());
    let signed = messages.filter_map(|message| serde_json::from_value(message.clone()).ok());
    signed.filter_map(|signed| group_of(&signed).ok()).collect()
}

/// What a site keeps of a group: in force, waiting for a receipt, or in its log.
async fn held_by(store: &Store, group: GroupId) -> Result<Vec<Signed>> {
    let stored = store.group_fetch(group).await?;
    let state = stored.map(|stored| serde_json::to_value(&stored.sync));
    Ok(records_in(&state.transpose()?.unwrap_or_default()))
}

impl World {
    /// All records, by the group that they are of. The same one may be there more than once.
    ///
    /// # Errors
    /// A store of a site that runs cannot be read; a record that cannot.
    pub async fn records(&self) -> Result<BTreeMap<GroupId, Vec<Signed>>> {
        let mut all: BTreeMap<GroupId, Vec<Signed>> = BTreeMap::new();
        for signed in self.fabric.witness().records() {
            all.entry(group_of(&signed)?).or_default().push(signed);
        }
        for (group, records) in &mut all {
            for which in [Which::A, Which::B] {
                if let Some(running) = &self.site(which).running {
                    records.extend(held_by(&running.store, *group).await?);
                }
            }
        }
        Ok(all)
    }
}

fn group_of(signed: &Signed) -> Result<GroupId> {
    let payload: Value = serde_json::from_str(&signed.payload)?;
    let group = payload.get("group").cloned().unwrap_or_default();
    Ok(serde_json::from_value(group)?)
}
