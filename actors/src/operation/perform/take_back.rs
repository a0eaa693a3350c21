//! `take_back`: one step of an earlier operation (a drill's) is undone by that step's own undo, with
//! its own keys and journal.

use super::{Job, nothing_made};
use crate::journal::Made;
use protector_domain::effect::EffectState;
use protector_domain::ids::OperationId;
use protector_domain::plan::Step;
use protector_domain::ports::{ErrorKind, PortError, PortResult};
use protector_store::{EffectSettle, StoreError};
use std::sync::Arc;

fn store_failed(error: &StoreError) -> PortError {
    PortError::new(ErrorKind::Unreachable, format!("the store: {error}"))
}

/// The job as the earlier operation would have it.
async fn job_of(job: &Job, of: OperationId, step: &Step) -> PortResult<Job> {
    let store = job.site.store();
    let earlier = store.operation_fetch(of).await;
    let earlier = earlier.map_err(|e| store_failed(&e))?.ok_or_else(|| {
        let what = format!("operation {of} is not in the store");
        PortError::new(ErrorKind::Refused, what)
    })?;
    let effects = store.effects_by_operation(of).await;
    let effects = effects.map_err(|e| store_failed(&e))?;
    let journal = effects.into_iter().map(|e| (e.key.to_string(), e));
    Ok(Job {
        site: job.site.clone(),
        plan: Arc::new(earlier.plan),
        step: step.clone(),
        journal: Arc::new(journal.collect()),
    })
}

/// Undoes the step, then writes into its own rows that it is undone.
pub(super) async fn make(job: &Job, of: OperationId, step: &Step) -> PortResult<Vec<Made>> {
    let earlier = job_of(job, of, step).await?;
    let state = match super::unmake(&earlier).await? {
        super::Unmade::Gone => EffectState::Undone,
        super::Unmade::Left => EffectState::LeftBehind,
    };
    let targets = step.targets(of).into_iter();
    let known = targets.filter(|t| earlier.journal.contains_key(t.key.as_str()));
    let settles = known.map(|t| EffectSettle {
        key: t.key,
        state,
        object_id: None,
        detail: None,
        error: None,
    });
    let store = job.site.store();
    store
        .effects_settle(job.plan.group, job.plan.fence, settles.collect())
        .await
        .map_err(|e| store_failed(&e))?;
    Ok(nothing_made(job))
}
