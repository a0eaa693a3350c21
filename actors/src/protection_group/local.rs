//! Operations that move nothing: a drill at the target, and its cleanup. They take the group for
//! themselves (K3) and need no lock; a forced move of the peer, or of this site, ends them.

use super::actor::{ProtectionGroupActor, State};
use super::apply::Standing;
use super::messages::OperationAsk;
use super::moves::{ask as ask_group, row, start, write_down};
use crate::gather::failover::{Drill, Retry};
use protector_domain::ids::OperationId;
use protector_domain::operation::failover::{
    FailoverFacts, TestAsk, cleanup_plan, decide_retry, decide_test,
};
use protector_domain::operation::{OperationMode, OperationStatus};
use protector_domain::plan::Plan;
use protector_domain::ports::engine::{EngineError, Reply};
use protector_domain::sync::Input;

/// TF-01.
pub(super) async fn begin_test(
    group: &ProtectionGroupActor,
    state: &mut State,
    ask: &OperationAsk,
    now: &Standing,
    facts: &FailoverFacts,
    wanted: &TestAsk,
) -> Result<Reply, EngineError> {
    let plan = decide_test(wanted, facts)?;
    begin(group, state, ask, now, plan).await
}

/// I14.
pub(super) async fn begin_retry(
    group: &ProtectionGroupActor,
    state: &mut State,
    ask: &OperationAsk,
    now: &Standing,
    retry: &Retry,
) -> Result<Reply, EngineError> {
    let plan = decide_retry(&retry.since, &retry.facts)?;
    begin(group, state, ask, now, plan).await
}

/// TF-04.
pub(super) async fn begin_cleanup(
    group: &ProtectionGroupActor,
    state: &mut State,
    ask: &OperationAsk,
    now: &Standing,
    drill: &Drill,
) -> Result<Reply, EngineError> {
    let id = OperationId(group.site.ctx().uuid());
    let fence = drill.base.epoch;
    let plan = cleanup_plan(id, &drill.operation, &drill.journal, fence);
    begin(group, state, ask, now, plan).await
}

async fn begin(
    group: &ProtectionGroupActor,
    state: &mut State,
    ask: &OperationAsk,
    now: &Standing,
    plan: Plan,
) -> Result<Reply, EngineError> {
    if ask.dry_run {
        let plan = Box::new(plan);
        return Ok(Reply::Planned { plan });
    }
    let operation = plan.operation;
    let next = ask_group(group, state, now, Input::TakeLocal { operation }).await?;
    let (mode, status) = (OperationMode::Unplanned, OperationStatus::Running);
    let row = row(group, ask, plan, mode, status);
    let begun = write_down(group, state, now, &next, row).await?;
    start(group, state, begun.id);
    let operation = Box::new(begun);
    Ok(Reply::Accepted { operation })
}
