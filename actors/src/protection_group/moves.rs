//! Operations begin: facts gathered aside, one pure decision, then the frozen plan and what the
//! rules say of it in one transaction, before anything outside is touched. Unplanned moves mint
//! their epoch here (R4), planned ones become a request that waits for its lock (R2), the others
//! take the group for themselves (`local`).

use super::actor::{ProtectionGroupActor, State, unavailable};
use super::apply::{Standing, ask_rules, not_found, put, reply_in};
use super::body_check::BodyFacts;
use super::changes::changed_meanwhile;
use super::local;
use super::messages::{Answer, Goal, GroupMsg, OperationAsk};
use crate::gather;
use crate::gather::failover::Prepared;
use crate::overtaken;
use crate::site::Site;
use protector_domain::ids::{GroupId, OperationId, SiteId};
use protector_domain::operation::failover::{FailoverAsk, FailoverFacts, body_at_start, decide};
use protector_domain::operation::{EventKind, Operation, OperationMode, OperationStatus};
use protector_domain::plan::Plan;
use protector_domain::ports::engine::{EngineError, MoveKind, Reply};
use protector_domain::refusal::{Refusal, Refusals};
use protector_domain::sync::OperationMode::{Forced, Requested};
use protector_domain::sync::{Content, Digest, Input, LockOffer, REQUEST_LIFE_MS, Step, Verified};
use protector_runtime::mailbox::Mailbox;
use protector_store::{Begun, NewEvent, OperationUpdate, StoreError, StoredGroup, Write};
use std::time::Duration;

/// Reads the world in a task of its own; the facts come back as `Gathered`.
pub(super) fn gather(
    group: &ProtectionGroupActor,
    me: &Mailbox<GroupMsg>,
    state: &mut State,
    ask: OperationAsk,
    answer: Answer,
) {
    if state
        .preparing
        .as_ref()
        .is_some_and(|task| !task.is_finished())
    {
        let why = "another request is being checked".to_owned();
        answer.send(Err(EngineError::Unavailable { why }));
        return;
    }
    let (site, id, me) = (group.site.clone(), group.group, me.clone());
    let task = state.tasks.spawn(async move {
        let msg = match prepared(&site, id, &ask).await {
            Ok(Early::Answered(before)) => {
                answer.send(Ok(*before));
                GroupMsg::Idle
            }
            Ok(Early::Prepared(prepared)) => GroupMsg::Gathered {
                ask: Box::new(ask),
                prepared,
                answer,
            },
            Err(why) => {
                answer.send(Err(why));
                GroupMsg::Idle
            }
        };
        let _ = me.send("gathered", msg).await;
    });
    state.preparing = Some(task);
}

enum Early {
    Answered(Box<Reply>),
    Prepared(Box<Prepared>),
}

async fn prepared(site: &Site, id: GroupId, ask: &OperationAsk) -> Result<Early, EngineError> {
    if let Some(before) = answered_before(site, id, ask).await? {
        return Ok(Early::Answered(Box::new(before)));
    }
    let prepared = gather::failover::prepare(site, id, ask).await?;
    Ok(Early::Prepared(Box::new(prepared)))
}

/// I3: the same key gets the same operation, whatever the world looks like by now. A key that stands
/// for something else is refused.
async fn answered_before(
    site: &Site,
    group: GroupId,
    ask: &OperationAsk,
) -> Result<Option<Reply>, EngineError> {
    let Some(key) = &ask.idempotency_key else {
        return Ok(None);
    };
    let stored = site.store().group_fetch(group).await;
    let stored = stored.map_err(|e| unavailable(&e))?;
    let stored = stored.ok_or_else(|| not_found(group))?;
    let found = site
        .store()
        .operation_by_idempotency_key(&stored.project, key)
        .await
        .map_err(|e| unavailable(&e))?;
    match found {
        None => Ok(None),
        // A request that waits for its lock is answered with its reservation once more.
        Some(operation)
            if operation.group == group && operation.status == OperationStatus::Pending =>
        {
            Ok(None)
        }
        Some(operation) if operation.group == group => {
            let operation = Box::new(operation);
            Ok(Some(Reply::Accepted { operation }))
        }
        Some(other) => {
            let operation = other.id.to_string();
            Err(Refusals::from(Refusal::IdempotencyKeyUsed { operation }).into())
        }
    }
}

/// Decides, and begins. `Accepted` and `Requested` mean it is written down.
pub(super) async fn begin(
    group: &ProtectionGroupActor,
    me: &Mailbox<GroupMsg>,
    state: &mut State,
    ask: &OperationAsk,
    prepared: &Prepared,
) -> Result<Reply, EngineError> {
    let site = &group.site;
    let stored = site.store().group_fetch(group.group).await;
    let stored = stored.map_err(|e| unavailable(&e))?;
    let stored = stored.ok_or_else(|| not_found(group.group))?;
    if let Some(running) = stored.sync.operation() {
        if let (
            Goal::Move {
                ticket: Some(ticket),
                ..
            },
            Requested,
        ) = (&ask.goal, running.mode)
        {
            return request_again(group, state, stored.clone(), ticket).await;
        }
        // A move by force overtakes whatever runs here but another one (R4): the peer may be gone in the
        // middle of it (L3).
        if !ask.goal.is_forced() || running.mode == Forced {
            let operation = running.id.to_string();
            return Err(Refusals::from(Refusal::OperationInProgress { operation }).into());
        }
    }
    overtaken::refuse(site, group.group, stored.sync.epoch())?;
    // Decided on an older record, a member that came since would be lost (S9).
    if stored.sync.fence().as_ref() != Some(prepared.base()) {
        return Err(changed_meanwhile());
    }
    let now = Standing {
        sync: stored.sync.clone(),
        stored: Some(stored),
    };
    match (&ask.goal, prepared) {
        (
            Goal::Move {
                kind,
                ask: wanted,
                ticket,
            },
            Prepared::Facts(facts),
        ) => {
            let wanted = Wanted {
                kind: *kind,
                ask: wanted,
                ticket: ticket.as_deref(),
            };
            begin_move(group, me, state, ask, &now, facts, &wanted).await
        }
        (Goal::Test(wanted), Prepared::Facts(facts)) => {
            local::begin_test(group, state, ask, &now, facts, wanted).await
        }
        (Goal::Retry(_), Prepared::Retry(retry)) => {
            local::begin_retry(group, state, ask, &now, retry).await
        }
        (Goal::Cleanup, Prepared::Cleanup(drill)) => {
            local::begin_cleanup(group, state, ask, &now, drill).await
        }
        _ => Err(unavailable(&"the facts do not fit the request")),
    }
}

/// R2: the request that is there is used; only its attestation is made again.
async fn request_again(
    group: &ProtectionGroupActor,
    state: &State,
    stored: StoredGroup,
    ticket: &Verified,
) -> Result<Reply, EngineError> {
    let now = Standing {
        sync: stored.sync.clone(),
        stored: Some(stored),
    };
    let input = Input::Ticket {
        ticket: ticket.clone(),
        offer: None,
    };
    let next = ask(group, state, &now, input).await?;
    let reservation = reply_in(&next.outputs).cloned();
    let id = now.sync.operation().map(|own| own.id);
    let (Some(reservation), Some(id)) = (reservation, id) else {
        return Err(changed_meanwhile());
    };
    let found = group.site.store().operation_fetch(id).await;
    let found = found.map_err(|e| unavailable(&e))?;
    let operation = Box::new(found.ok_or_else(changed_meanwhile)?);
    Ok(Reply::Requested {
        operation,
        reservation,
    })
}

struct Wanted<'a> {
    kind: MoveKind,
    ask: &'a FailoverAsk,
    ticket: Option<&'a Verified>,
}

async fn begin_move(
    group: &ProtectionGroupActor,
    me: &Mailbox<GroupMsg>,
    state: &mut State,
    ask: &OperationAsk,
    now: &Standing,
    facts: &FailoverFacts,
    wanted: &Wanted<'_>,
) -> Result<Reply, EngineError> {
    let plan = decide(wanted.kind, wanted.ask, facts)?;
    let planned = wanted.ask.mode == OperationMode::Planned;
    if ask.dry_run {
        if !planned {
            // The rules would have a say, too.
            mint(group, state, now, facts, &plan).await?;
        }
        let plan = Box::new(plan);
        return Ok(Reply::Planned { plan });
    }
    let next = match (planned, wanted.ticket) {
        (false, _) => mint(group, state, now, facts, &plan).await?,
        (true, Some(ticket)) => request(group, state, now, ticket, &plan).await?,
        (true, None) => return Err(Refusals::from(Refusal::TicketNeeded).into()),
    };
    let status = if planned {
        OperationStatus::Pending
    } else {
        OperationStatus::Running
    };
    let operation = row(group, ask, plan, wanted.ask.mode, status);
    let begun = write_down(group, state, now, &next, operation).await?;
    let Some(reservation) = reply_in(&next.outputs).filter(|_| planned).cloned() else {
        start(group, state, begun.id);
        let operation = Box::new(begun);
        return Ok(Reply::Accepted { operation });
    };
    expire_later(me, state, begun.id);
    let operation = Box::new(begun);
    Ok(Reply::Requested {
        operation,
        reservation,
    })
}

/// R4.
async fn mint(
    group: &ProtectionGroupActor,
    state: &State,
    now: &Standing,
    facts: &FailoverFacts,
    plan: &Plan,
) -> Result<Step, EngineError> {
    let body = serde_json::to_value(body_at_start(&facts.body)).map_err(|e| unavailable(&e))?;
    let current = now.sync.current();
    let sealed = current
        .map(|c| c.record().sealed.clone())
        .unwrap_or_default();
    let input = Input::ForcedMove {
        operation: plan.operation,
        plan_digest: Digest::of_json(plan)?,
        content: Content { body, sealed },
        reclaim: false,
    };
    let next = ask(group, state, now, input).await?;
    if next.state.epoch() != Some(plan.fence) {
        return Err(changed_meanwhile());
    }
    Ok(next)
}

/// R2 for a lock: we stand where the leader stands, and would run this plan.
async fn request(
    group: &ProtectionGroupActor,
    state: &State,
    now: &Standing,
    ticket: &Verified,
    plan: &Plan,
) -> Result<Step, EngineError> {
    let input = Input::Ticket {
        ticket: ticket.clone(),
        offer: Some(LockOffer {
            operation: plan.operation,
            plan_digest: Digest::of_json(plan)?,
        }),
    };
    ask(group, state, now, input).await
}

/// The rules, with what the group's own body is checked against.
pub(super) async fn ask(
    group: &ProtectionGroupActor,
    state: &State,
    now: &Standing,
    input: Input,
) -> Result<Step, EngineError> {
    let site = &group.site;
    let body = now.stored.as_ref().and_then(|s| s.body.as_ref());
    let checks = BodyFacts::gather(site, body).await;
    let checks = checks.map_err(|e| unavailable(&e))?;
    let monotonic_ms = state.monotonic_ms();
    Ok(ask_rules(
        site,
        &now.sync,
        &state.tickets,
        monotonic_ms,
        &checks,
        input,
    )?)
}

/// The operation as it is written down.
pub(super) fn row(
    group: &ProtectionGroupActor,
    ask: &OperationAsk,
    plan: Plan,
    mode: OperationMode,
    status: OperationStatus,
) -> Operation {
    let (source_site, target_site): (SiteId, SiteId) = (plan.peer, plan.site);
    Operation {
        id: plan.operation,
        group: group.group,
        project: plan.project.clone(),
        kind: plan.kind,
        mode,
        status,
        outcome: None,
        epoch: plan.fence,
        source_site,
        target_site,
        progress_pct: 0,
        steps_completed: 0,
        steps_failed: 0,
        instances_failed: 0,
        error_message: None,
        started_at_us: group.site.ctx().now_us(),
        completed_at_us: None,
        requested_by: ask.caller.user.clone(),
        request_id: ask.caller.request_id.clone(),
        idempotency_key: ask.idempotency_key.clone(),
        plan,
    }
}

/// One transaction: the group's new state, the operation with its frozen plan, its first event.
pub(super) async fn write_down(
    group: &ProtectionGroupActor,
    state: &mut State,
    now: &Standing,
    next: &Step,
    operation: Operation,
) -> Result<Operation, EngineError> {
    let accepted = NewEvent {
        at_us: operation.started_at_us,
        kind: EventKind::Accepted,
        lane: None,
        step: None,
        text: format!(
            "{} {} accepted under epoch {}",
            operation.mode, operation.kind, operation.epoch
        ),
    };
    let put = put(now, operation.project.clone(), next);
    let begun = group
        .site
        .store()
        .begin_move(put, operation.clone(), vec![accepted])
        .await;
    match begun {
        Ok(Begun::Started { .. }) => {
            state.tickets = next.tickets.clone();
            group.site.after_deaths(&next.outputs).await;
            Ok(operation)
        }
        Ok(Begun::Existing(existing)) => Ok(*existing),
        Err(StoreError::Conflict) => Err(changed_meanwhile()),
        Err(error) => Err(unavailable(&error)),
    }
}

/// The operation is in the store; if this fails, the recovery sweep starts it.
pub(super) fn start(group: &ProtectionGroupActor, state: &mut State, operation: OperationId) {
    let site = group.site.clone();
    state.tasks.spawn(async move {
        if let Err(error) = site.groups().run(&site, operation).await {
            tracing::warn!(%operation, %error, "the operation will be started by the next sweep");
        }
    });
}

/// The lock came (R6): the request becomes an operation that runs.
pub(super) async fn lock_came(
    group: &ProtectionGroupActor,
    state: &mut State,
    operation: OperationId,
) {
    let update = OperationUpdate {
        status: Some(OperationStatus::Running),
        ..OperationUpdate::new(operation)
    };
    if let Err(error) = group.site.store().operation_update(update).await {
        tracing::warn!(%operation, %error, "the operation will be started by the next sweep");
        return;
    }
    start(group, state, operation);
}

fn expire_later(me: &Mailbox<GroupMsg>, state: &mut State, operation: OperationId) {
    let me = me.clone();
    state.tasks.spawn(async move {
        tokio::time::sleep(Duration::from_millis(REQUEST_LIFE_MS)).await;
        let msg = GroupMsg::RequestDeadline(operation);
        let _ = me.send("request_deadline", msg).await;
    });
}

/// R10: a request whose lock did not come is over. Nothing was touched.
pub(super) async fn expire(
    group: &ProtectionGroupActor,
    state: &mut State,
    operation: OperationId,
) {
    let why = "the leader's lock did not come in time";
    if let Err(error) = try_expire(group, state, operation, why).await {
        tracing::warn!(%operation, %error, "the request is over at the next start");
    }
}

/// R10: somebody cancelled a request that waits for its lock. Nothing was touched.
pub(super) async fn withdraw(
    group: &ProtectionGroupActor,
    state: &mut State,
    operation: OperationId,
) -> Result<Reply, EngineError> {
    try_expire(group, state, operation, "cancelled by request").await?;
    let found = group.site.store().operation_fetch(operation).await;
    let found = found.map_err(|e| unavailable(&e))?;
    let operation = Box::new(found.ok_or_else(changed_meanwhile)?);
    // The lock came at the same moment: then it runs, and is cancelled as what it is now.
    if !operation.status.is_terminal() {
        return Err(changed_meanwhile());
    }
    Ok(Reply::Accepted { operation })
}

async fn try_expire(
    group: &ProtectionGroupActor,
    state: &mut State,
    operation: OperationId,
    why: &str,
) -> Result<(), EngineError> {
    let store = group.site.store();
    let stored = store.group_fetch(group.group).await;
    let Some(stored) = stored.map_err(|e| unavailable(&e))? else {
        return Ok(());
    };
    let waits =
        |own: &protector_domain::sync::Operation| own.id == operation && own.mode == Requested;
    if !stored.sync.operation().is_some_and(waits) {
        return Ok(());
    }
    let now = Standing {
        sync: stored.sync.clone(),
        stored: Some(stored),
    };
    let next = ask(group, state, &now, Input::Abort { operation }).await?;
    let project = now.stored.as_ref().map(|s| s.project.clone());
    let Some(project) = project else {
        return Ok(());
    };
    let ended = OperationUpdate {
        status: Some(OperationStatus::Failed),
        outcome: Some(protector_domain::operation::Outcome::Cancelled),
        error_message: Some(why.to_owned()),
        completed_at_us: Some(group.site.ctx().now_us()),
        ..OperationUpdate::new(operation)
    };
    let writes = vec![
        Write::GroupPut(Box::new(put(&now, project, &next))),
        Write::OperationUpdate(ended),
    ];
    let written = store.write(Write::Batch(writes)).await;
    written.map(|_| ()).map_err(|e| unavailable(&e))
}
