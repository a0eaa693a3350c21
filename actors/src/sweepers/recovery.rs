//! After a crash, and now and then: every operation that has not ended gets its actor back (L2, A5),
//! every operation that ended lately its look for strays, and every group its turn at the array.

use super::strays;
use crate::overtaken;
use crate::protection_group::GroupMsg;
use crate::site::Site;
use futures::StreamExt;
use protector_domain::ids::{GroupId, OperationId};
use protector_domain::record::GroupBody;
use protector_domain::sync::OperationMode;
use protector_store::{StoreError, StoredGroup};

/// Groups whose arrays are asked at the same time.
const LOOKS_AT_ONCE: usize = 16;

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

async fn marks_of(site: Site, group: GroupId, body: GroupBody) {
    if let Err(error) = overtaken::look(&site, group, &body).await {
        tracing::warn!(%group, %error, "not every array said whether the peer leads by now");
    }
}

async fn everything(site: &Site, at_start: bool) -> Result<Vec<GroupId>, StoreError> {
    use protector_domain::operation::OperationStatus::Pending;
    let active = site.store().group_list_active().await?;
    // First of all: whether this site was overtaken while it was away (I5).
    let mut looks = Vec::new();
    for group in &active {
        if let (true, Some(body)) = (group.sync.leads(), &group.body) {
            looks.push(marks_of(site.clone(), group.id, body.clone()));
        }
    }
    let looks = futures::stream::iter(looks).buffer_unordered(LOOKS_AT_ONCE);
    looks.collect::<Vec<()>>().await;
    for operation in site.store().operation_list_unfinished().await? {
        let here = active.iter().find(|group| group.id == operation.group);
        if here.is_some_and(|group| group.sync.is_suspect()) {
            let operation = operation.id;
            tracing::warn!(%operation, "this site is in doubt of its group: not resumed");
            continue;
        }
        let here = here.and_then(|group| group.sync.epoch());
        let epoch = here.unwrap_or(operation.epoch);
        if let Some(epoch) = site.overtaken().by(operation.group, Some(epoch)) {
            let operation = operation.id;
            tracing::warn!(%operation, %epoch, "the peer leads by now: not resumed");
            continue;
        }
        // A pending one waits for its lock: its group starts it, or a higher epoch has ended it.
        let waits = operation.status == Pending && epoch <= operation.epoch;
        if operation.target_site != site.id() || waits {
            continue;
        }
        if let Err(error) = site.groups().run(site, operation.id).await {
            tracing::warn!(operation = %operation.id, %error, "not started");
        }
    }
    let mut groups = Vec::new();
    for group in active {
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
    let deleted = site.store().group_list_retiring().await?;
    groups.extend(deleted.into_iter().map(|group| group.id));
    Ok(groups)
}
