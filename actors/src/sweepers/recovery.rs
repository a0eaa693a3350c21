//! After a crash: every operation that has not ended gets its actor back, every group its array
//! state, and every operation that ended lately its watch for strays (L2, A5).

use super::{protect, strays};
use crate::site::Site;
use protector_store::StoreError;

pub(super) async fn sweep(site: &Site) {
    if let Err(error) = everything(site).await {
        tracing::warn!(%error, "the sweep will be repeated");
    }
}

async fn everything(site: &Site) -> Result<(), StoreError> {
    for operation in site.store().operation_list_unfinished().await? {
        if operation.target_site != site.id() {
            continue;
        }
        if let Err(error) = site.groups().run(site, operation.id).await {
            tracing::warn!(operation = %operation.id, %error, "not started");
        }
    }
    for group in site.store().group_list_active().await? {
        if let Err(error) = protect::stored(site, &group).await {
            tracing::warn!(group = %group.id, %error, "the array group does not match its record yet");
        }
        strays::resume(site, group.id).await?;
    }
    Ok(())
}
