//! A late look at the power of a group's servers, after a move that went back: what arrived later than
//! anybody waited is put right (B3, I8), once for each server. A tenant who stops one later is left alone.
//!
//! Absent: which servers, and what is out of place (`domain::power`).

use crate::operation::perform::{self, Job, power};
use crate::site::Site;
use protector_domain::effect::Effect;
use protector_domain::ids::ServerId;
use protector_domain::operation::{EventKind, Operation};
use protector_domain::plan::Step;
use protector_domain::ports::{ErrorKind, PortError, PortResult};
use protector_domain::power::{is_out_of_place, server_of, taken_back};
use protector_domain::saga::Journal;
use protector_store::{NewEvent, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Newest operations among which a later move is looked for: one that has begun by now.
const RECENT_MAX: u32 = 4;

fn store_failed(error: &StoreError) -> PortError {
    PortError::new(ErrorKind::Unreachable, error.to_string())
}

/// One look. `mended`: servers that were put right already.
pub(super) async fn put_right(
    site: &Site,
    operation: &Operation,
    mended: &mut BTreeSet<ServerId>,
) -> PortResult<()> {
    let effects = site.store().effects_by_operation(operation.id).await;
    let effects: Vec<Effect> = effects.map_err(|e| store_failed(&e))?;
    let journal: Journal = effects
        .into_iter()
        .map(|e| (e.key.to_string(), e))
        .collect();
    let steps = taken_back(&operation.plan, &journal);
    if steps.is_empty() || !is_last_word(site, operation).await? {
        return Ok(());
    }
    let (plan, journal) = (Arc::new(operation.plan.clone()), Arc::new(journal));
    let mut worst = Ok(());
    for step in steps {
        let job = Job {
            site: site.clone(),
            plan: plan.clone(),
            step: step.clone(),
            journal: journal.clone(),
        };
        if let Err(error) = look(&job, mended).await {
            worst = Err(error);
        }
    }
    worst
}

/// Nobody has begun anything with the group since: what its servers are like is still this operation's doing.
async fn is_last_word(site: &Site, operation: &Operation) -> PortResult<bool> {
    let store = site.store();
    let stored = store.group_fetch(operation.group).await;
    let Some(stored) = stored.map_err(|e| store_failed(&e))? else {
        return Ok(false);
    };
    let as_before = stored.sync.epoch() == Some(operation.plan.fence);
    if !as_before || stored.sync.operation().is_some() || stored.sync.is_suspect() {
        return Ok(false);
    }
    let recent = store
        .operation_list(&stored.project, Some(stored.id), None, RECENT_MAX)
        .await
        .map_err(|e| store_failed(&e))?;
    let mut later = recent.iter().filter(|o| o.id > operation.id);
    Ok(!later.any(|o| o.plan.moves()))
}

async fn look(job: &Job, mended: &mut BTreeSet<ServerId>) -> PortResult<()> {
    let Some(server) = server_of(&job.step).filter(|id| !mended.contains(id)) else {
        return Ok(());
    };
    let found = power::seen(job, server).await?;
    if !found.is_some_and(|found| is_out_of_place(&job.step, &found)) {
        return Ok(());
    }
    perform::unmake(job).await?;
    mended.insert(server.clone());
    let event = NewEvent {
        at_us: job.site.ctx().now_us(),
        kind: EventKind::Warning,
        lane: None,
        step: Some(job.step.name().to_owned()),
        text: text(&job.step, server),
    };
    let told = job.site.store();
    let _ = told.events_append(job.plan.operation, vec![event]).await;
    Ok(())
}

fn text(step: &Step, server: &ServerId) -> String {
    let now = match step {
        Step::RestartServer { .. } => "is stopped and locked again",
        _ => "is as it was before again",
    };
    format!("a request arrived late: server {server} {now}")
}
