//! `commit_new_primary`: the record that says where everything is now (R5, FO-06). The point of no
//! return: our own store, one transaction with the step's own row, because a planned move leaves the
//! epoch that the row is written under.

use super::{Job, nothing_made, only_key};
use crate::journal::Made;
use crate::protection_group::finish;
use protector_domain::effect::EffectState;
use protector_domain::ports::{ErrorKind, PortError, PortResult};
use protector_store::{EffectSettle, Write};

pub(super) async fn make(job: &Job) -> PortResult<Vec<Made>> {
    let made = nothing_made(job);
    let settles = made.iter().map(|m| EffectSettle {
        key: m.key.clone(),
        state: EffectState::Done,
        object_id: Some(m.id.clone()),
        detail: None,
        error: None,
    });
    let row = Write::EffectsSettle {
        group: job.plan.group,
        fence: job.plan.fence,
        settles: settles.collect(),
    };
    let written = finish::finish_move(&job.site, &job.plan, &job.journal, vec![row]).await?;
    if written || is_done(job).await? {
        return Ok(made);
    }
    let what = "the group has a higher epoch: this operation is not its own any more";
    Err(PortError::new(ErrorKind::Refused, what))
}

/// An earlier try wrote it, and did not hear so.
async fn is_done(job: &Job) -> PortResult<bool> {
    let row = job.site.store().effect_fetch(&only_key(job)).await;
    let row = row.map_err(|e| PortError::new(ErrorKind::Unreachable, e.to_string()))?;
    Ok(row.is_some_and(|row| row.state == EffectState::Done))
}
