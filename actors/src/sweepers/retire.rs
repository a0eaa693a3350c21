//! A deleted group leaves its arrays: this site's own group, marks and safety snapshots there, once both
//! sites have the tombstone, and the group's secrets with them. The tombstone is the intent and stays; what
//! is done is written down last, so that a kill at any place means that it is looked at again.
//!
//! Absent: when and what (`domain::retire`); servers and volumes, which stay as they are.

use crate::delegation;
use crate::site::Site;
use protector_domain::ids::{GroupId, Serial};
use protector_domain::plan::Step;
use protector_domain::ports::{ErrorKind, PortError, PortResult};
use protector_domain::retire::{Retirement, retirement};
use protector_store::{StoreError, StoredGroup};

/// Operations of a group among which safety snapshots are looked for.
const RECENT_MAX: u32 = 100;

fn store_failed(error: &StoreError) -> PortError {
    PortError::new(ErrorKind::Unreachable, error.to_string())
}

/// One turn for one group; nothing of a group that lives.
pub(super) async fn group(site: &Site, id: GroupId) -> PortResult<()> {
    let stored = site.store().group_fetch(id).await;
    let stored = stored.map_err(|e| store_failed(&e))?;
    let Some(stored) = stored.filter(|stored| !stored.sync.is_suspect()) else {
        return Ok(());
    };
    delegation::retire(site, &stored).await?;
    let Some(going) = going(&stored) else {
        return Ok(());
    };
    site.ctx().crash.at(&format!("before_retire:{id}")).await;
    marks(site, &going).await?;
    safety(site, &stored, &going).await?;
    site.ctx().crash.at(&format!("between_retire:{id}")).await;
    match site.storage().retire_group(&going.spec).await {
        // Not as we make them: told, left alone, and not asked for again (S4).
        Err(error) if error.kind == ErrorKind::Refused => {
            tracing::warn!(group = %id, %error, "an array group of a deleted group stays");
        }
        other => other?,
    }
    site.ctx().crash.at(&format!("after_retire:{id}")).await;
    let store = site.store();
    let forgotten = store.group_secrets_delete(id).await;
    forgotten.map_err(|e| store_failed(&e))?;
    let retired = store.group_retired(id).await;
    retired.map_err(|e| store_failed(&e))
}

fn going(stored: &StoredGroup) -> Option<Retirement> {
    let record = stored.sync.current()?.record();
    retirement(record, stored.sync.role(), stored.sync.is_synced())
}

/// What its failbacks kept here as their way back: there is no way back any more.
async fn safety(site: &Site, stored: &StoredGroup, going: &Retirement) -> PortResult<()> {
    let recent = site
        .store()
        .operation_list(&stored.project, Some(stored.id), None, RECENT_MAX)
        .await
        .map_err(|e| store_failed(&e))?;
    for (_, _, step) in recent.iter().flat_map(|o| o.plan.steps()) {
        let Step::SafetySnapshot {
            array,
            serials,
            suffix,
        } = step
        else {
            continue;
        };
        if array == going.array() {
            let storage = site.storage();
            storage.release_safety(array, serials, suffix).await?;
        }
    }
    Ok(())
}

/// Epoch marks: nobody leads a deleted group.
async fn marks(site: &Site, going: &Retirement) -> PortResult<()> {
    let (storage, array) = (site.storage(), going.array());
    let found = storage.find_by_key(array, &going.mark_prefix).await?;
    let serials: Vec<Serial> = found.into_iter().map(|volume| volume.serial).collect();
    if serials.is_empty() {
        return Ok(());
    }
    let ours = [going.mark_prefix.clone()];
    storage.release(array, &serials, &ours).await.map(drop)
}
