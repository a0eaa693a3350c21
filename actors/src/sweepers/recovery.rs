//! After a crash, and now and then: every operation that has not ended gets its actor back (L2, A5),
//! every operation that ended lately its look for strays, and every group its turn at the array.

use super::strays;
use crate::protection_group::GroupMsg;
use crate::site::Site;
use protector_domain::ids::{GroupId, OperationId};
use protector_domain::sync::OperationMode;
use protector_store::{StoreError, StoredGroup};

/// Groups that want their turn.
///
/// `at_start`: requests that waited for their lock when the engine died are over (section 8 of the
/// protocol); nothing was touched for them.
pub(super) async fn sweep(site: &Site, at_start: bool) -> Vec<GroupId> {
    match everything(site, at_start).await {
        Ok(groups) => groups,
        Err(error) => {
            tracing::warn!(%error, "the sweep will be repeated");
            Vec::new()
        }
    }
}

/// The group's request that waits for its lock.
fn requested(group: &StoredGroup) -> Option<OperationId> {
    let own = group.sync.operation()?;
    (own.mode == OperationMode::Requested).then_some(own.id)
}

async fn everything(site: &Site, at_start: bool) -> Result<Vec<GroupId>, StoreError> {
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
        if let (true, Some(request)) = (at_start, requested(&group)) {
            let msg = GroupMsg::RequestDeadline(request);
            match site.groups().wake(site, group.id).await {
                Ok(mailbox) => drop(mailbox.try_send("request_deadline", msg)),
                Err(error) => tracing::warn!(group = %group.id, %error, "not woken"),
            }
        }
        strays::resume(site, group.id).await?;
        groups.push(group.id);
    }
    Ok(groups)
}
