//! R11 at the holder of a lock: its operation is over without a move, and the leader may have the lock back.
//! What a restore has ended, or forgotten, is released only when nothing of it runs in our cloud.
//!
//! Absent: starting what the leader's servers need then (they are told to be unknown).

use super::actor::{ProtectionGroupActor, State, unavailable};
use super::apply::not_found;
use super::changes::attest;
use super::messages::{Answer, GroupMsg};
use crate::gather::patiently;
use crate::restored::was_ended;
use crate::site::Site;
use protector_domain::effect::{EffectKey, METADATA_KEY};
use protector_domain::ids::{GroupId, OperationId, ProjectId};
use protector_domain::ports::compute::{ServerFilter, ServerStatus};
use protector_domain::ports::engine::{Caller, EngineError, Reply};
use protector_domain::ports::{Acting, PortResult};
use protector_domain::sync::{Input, SourceVms, SyncRefusal};
use protector_runtime::mailbox::Mailbox;

/// Signs it at once, or when the cloud has been searched.
pub(super) async fn ask(
    group: &ProtectionGroupActor,
    me: &Mailbox<GroupMsg>,
    state: &mut State,
    caller: Caller,
    operation: OperationId,
    answer: Answer,
) {
    match whose_doubt(&group.site, group.group, operation).await {
        Ok(None) => drop(answer.send(sign(group, state, &caller, operation, false).await)),
        Ok(Some(project)) => search(group, me, state, project, caller, operation, answer),
        Err(why) => drop(answer.send(Err(why))),
    }
}

/// The project to search in, if the lock's operation was ended by a restore or is not known here.
async fn whose_doubt(
    site: &Site,
    group: GroupId,
    operation: OperationId,
) -> Result<Option<ProjectId>, EngineError> {
    let stored = site.store().group_fetch(group).await;
    let stored = stored.map_err(|e| unavailable(&e))?;
    let stored = stored.ok_or_else(|| not_found(group))?;
    let current = stored.sync.current();
    let lock = current.and_then(|current| current.record().header.lock.as_ref());
    if lock.is_none_or(|lock| lock.operation != operation) {
        return Ok(None);
    }
    let known = site.store().operation_fetch(operation).await;
    let known = known.map_err(|e| unavailable(&e))?;
    let doubtful = known.is_none_or(|known| was_ended(&known));
    Ok(doubtful.then_some(stored.project))
}

fn search(
    group: &ProtectionGroupActor,
    me: &Mailbox<GroupMsg>,
    state: &mut State,
    project: ProjectId,
    caller: Caller,
    operation: OperationId,
    answer: Answer,
) {
    let (site, me) = (group.site.clone(), me.clone());
    state.tasks.spawn(async move {
        let found = runs_of(&site, project, operation).await;
        let found = found.map_err(|e| unavailable(&e));
        let msg = GroupMsg::Searched {
            caller,
            operation,
            found,
            answer,
        };
        let _ = me.send("searched", msg).await;
    });
}

/// How many servers in our cloud carry a key of the operation.
async fn runs_of(site: &Site, project: ProjectId, operation: OperationId) -> PortResult<usize> {
    let acting = Acting::ServiceIn(project);
    let filter = ServerFilter {
        metadata_prefix: Some((
            METADATA_KEY.to_owned(),
            EffectKey::operation_prefix(operation),
        )),
        ..ServerFilter::default()
    };
    let servers = patiently(|| site.cloud().compute.server_list(&acting, &filter)).await?;
    let there = servers.iter();
    Ok(there.filter(|s| s.status != ServerStatus::Deleted).count())
}

/// The search is over.
pub(super) async fn searched(
    group: &ProtectionGroupActor,
    state: &mut State,
    caller: &Caller,
    operation: OperationId,
    found: Result<usize, EngineError>,
) -> Result<Reply, EngineError> {
    if found? == 0 {
        return sign(group, state, caller, operation, true).await;
    }
    let stored = group.site.store().group_fetch(group.group).await;
    let stored = stored.map_err(|e| unavailable(&e))?;
    let stored = stored.ok_or_else(|| not_found(group.group))?;
    let site = stored.sync.role();
    Err(SyncRefusal::OperationInProgress { operation, site }.into())
}

/// The undo of an operation has brought the source VMs home before it died; of one that a restore has ended
/// nobody knows.
async fn sign(
    group: &ProtectionGroupActor,
    state: &mut State,
    caller: &Caller,
    operation: OperationId,
    searched: bool,
) -> Result<Reply, EngineError> {
    let source_vms = if searched {
        SourceVms::Unknown
    } else {
        SourceVms::Home
    };
    let input = Input::AskRelease {
        operation,
        source_vms,
        searched,
    };
    let release = attest(group, state, caller, input).await?;
    Ok(Reply::Release { release })
}
