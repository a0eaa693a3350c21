//! What a rule that ends in doubt, or acts in it, asks for besides its record (R13): the mark beside the key
//! before anything is written, the last word on operations whose end is not known here, and, when an unknown
//! record of our own has come back, the same doubt for all other groups: they are of the same database.
//!
//! Absent: the rules; `db restored` and the look at start (`restored`).

use super::actor::{ProtectionGroupActor, State, unavailable};
use crate::restored::{RestoreError, ending};
use crate::site::Site;
use protector_domain::ports::engine::EngineError;
use protector_domain::sync::{GroupSync, Output, Step};
use protector_store::Write;

fn mark_in(outputs: &[Output]) -> Option<u64> {
    outputs.iter().find_map(|output| match output {
        Output::Suspected { restore_mark } => Some(*restore_mark),
        _ => None,
    })
}

/// Raises the mark beside the key, and says what belongs into the transaction of the new state.
pub(super) async fn before(
    site: &Site,
    now: &GroupSync,
    next: &Step,
) -> Result<Vec<Write>, EngineError> {
    if let Some(mark) = mark_in(&next.outputs) {
        site.raise_mark(mark).map_err(|e| unavailable(&e))?;
    }
    if !now.is_suspect() && !next.state.is_suspect() {
        return Ok(Vec::new());
    }
    let mut writes = Vec::new();
    for output in &next.outputs {
        let Output::OperationDied { operation, .. } = output else {
            continue;
        };
        let row = site.store().operation_fetch(*operation).await;
        let row = row.map_err(|e| unavailable(&e))?;
        if row.is_some_and(|row| !row.status.is_terminal()) {
            writes.push(ending(site.ctx(), *operation));
        }
    }
    Ok(writes)
}

/// The rest of the site, in a task of its own; if it fails, the next start finds the mark ahead.
pub(super) fn after(group: &ProtectionGroupActor, state: &mut State, outputs: &[Output]) {
    let Some(mark) = mark_in(outputs) else {
        return;
    };
    let site = group.site.clone();
    tracing::error!(group = %group.group, mark, "a record of this site came back that it does not know: its \
        database is an older one; no group here is trusted until it has been compared with its peer");
    state.tasks.spawn(async move {
        if let Err(error) = spread(&site, mark).await {
            tracing::error!(%error, "not every group is in doubt: run protector-manage db restored");
        }
    });
}

async fn spread(site: &Site, mark: u64) -> Result<(), RestoreError> {
    let running = site.store().operation_list_unfinished().await?;
    let groups = site.store().group_list_active().await?;
    site.memory().doubt_below(mark, groups).await?;
    for operation in running {
        site.groups().look_again(operation.id).await;
    }
    Ok(())
}
