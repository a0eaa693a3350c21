//! After a crash, and now and then: every operation that has not ended gets its actor back (L2, A5),
//! every operation that ended lately its look for strays, and every group its turn at the array.

use super::strays;
use crate::site::Site;
use protector_domain::ids::GroupId;
use protector_store::StoreError;

/// Groups that want their turn.
pub(super) async fn sweep(site: &Site) -> Vec<GroupId> {
    match everything(site).await {
        Ok(groups) => groups,
        Err(error) => {
            tracing::warn!(%error, "the sweep will be repeated");
            Vec::new()
        }
    }
}

async fn everything(site: &Site) -> Result<Vec<GroupId>, StoreError> {
    use protector_domain::operation::OperationStatus::Pending;
    for operation in site.store().operation_list_unfinished().await? {
        // A pending one waits for its lock: its group starts it.
        if operation.target_site != site.id() || operation.status == Pending {
            continue;
        }
        if let Err(error) = site.groups().run(site, operation.id).await {
            tracing::warn!(operation = %operation.id, %error, "not started");
        }
    }
    let mut groups = Vec::new();
    for group in site.store().group_list_active().await? {
        strays::resume(site, group.id).await?;
        groups.push(group.id);
    }
    Ok(groups)
}
