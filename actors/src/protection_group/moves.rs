//! Failover: facts gathered aside, one pure decision, then operation, frozen plan and new epoch in
//! one transaction (R4), before anything outside is touched.

use super::actor::{ProtectionGroupActor, State, unavailable};
use super::apply::{Standing, ask_rules, not_found, put};
use super::body_check::BodyFacts;
use super::messages::{Answer, GroupMsg, MoveAsk};
use crate::gather;
use protector_domain::operation::failover::{FailoverFacts, body_at_start, decide};
use protector_domain::operation::{EventKind, Operation, OperationStatus};
use protector_domain::plan::Plan;
use protector_domain::ports::engine::{EngineError, Reply};
use protector_domain::refusal::{Refusal, Refusals};
use protector_domain::sync::{Content, Digest, Input, Step};
use protector_runtime::mailbox::Mailbox;
use protector_store::{Begun, NewEvent, StoreError};

/// Reads the world in a task of its own; the facts come back as `Gathered`.
pub(super) fn gather(
    group: &ProtectionGroupActor,
    me: &Mailbox<GroupMsg>,
    state: &mut State,
    ask: MoveAsk,
    answer: Answer,
) {
    if state.preparing {
        let why = "another request is being checked".to_owned();
        answer.send(Err(EngineError::Unavailable { why }));
        return;
    }
    state.preparing = true;
    let (site, id, me) = (group.site.clone(), group.group, me.clone());
    state.tasks.spawn(async move {
        if let Some(before) = answered_before(&site, &ask).await {
            let why = EngineError::Unavailable { why: String::new() };
            answer.send(Ok(before));
            let (answer, _nobody) = protector_runtime::mailbox::Reply::pair();
            let _ = me
                .send("gather_failed", GroupMsg::GatherFailed { why, answer })
                .await;
            return;
        }
        let msg = match gather::failover::facts(&site, id, &ask.caller).await {
            Ok(facts) => GroupMsg::Gathered {
                ask: Box::new(ask),
                facts: Box::new(facts),
                answer,
            },
            Err(why) => GroupMsg::GatherFailed { why, answer },
        };
        let _ = me.send("gathered", msg).await;
    });
}

/// I3: the same key gets the same operation, whatever the world looks like by now.
async fn answered_before(site: &crate::site::Site, ask: &MoveAsk) -> Option<Reply> {
    let key = ask.idempotency_key.as_ref()?;
    let found = site
        .store()
        .operation_by_idempotency_key(&ask.caller.project, key)
        .await;
    let operation = found.ok().flatten()?;
    Some(Reply::Accepted {
        operation: Box::new(operation),
    })
}

/// Decides, and begins the move. `Accepted` means it is written down.
pub(super) async fn begin(
    group: &ProtectionGroupActor,
    state: &mut State,
    ask: &MoveAsk,
    facts: &FailoverFacts,
) -> Result<Reply, EngineError> {
    let site = &group.site;
    let stored = site
        .store()
        .group_fetch(group.group)
        .await
        .map_err(|e| unavailable(&e))?;
    let stored = stored.ok_or_else(|| not_found(group.group))?;
    if let Some(running) = stored.sync.operation() {
        let operation = running.id.to_string();
        return Err(Refusals::from(Refusal::OperationInProgress { operation }).into());
    }
    let plan = decide(&ask.ask, facts)?;
    if ask.dry_run {
        return Ok(Reply::Planned {
            plan: Box::new(plan),
        });
    }
    let now = Standing {
        sync: stored.sync.clone(),
        stored: Some(stored),
    };
    let next = mint(group, state, &now, facts, &plan).await?;
    let operation = operation_row(group, ask, facts, plan);
    let accepted = NewEvent {
        at_us: operation.started_at_us,
        kind: EventKind::Accepted,
        lane: None,
        step: None,
        text: format!(
            "{} failover accepted under epoch {}",
            operation.mode, operation.epoch
        ),
    };
    let project = operation.project.clone();
    let begun =
        site.store()
            .begin_move(put(&now, project, &next), operation.clone(), vec![accepted]);
    match begun.await {
        Ok(Begun::Started { .. }) => {}
        Ok(Begun::Existing(operation)) => return Ok(Reply::Accepted { operation }),
        Err(StoreError::Conflict) => {
            return Err(EngineError::Unavailable {
                why: "the group changed meanwhile; repeat".to_owned(),
            });
        }
        Err(error) => return Err(unavailable(&error)),
    }
    state.tickets = next.tickets;
    start(group, state, operation.id);
    Ok(Reply::Accepted {
        operation: Box::new(operation),
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
    let site = &group.site;
    let body = serde_json::to_value(body_at_start(&facts.body)).map_err(|e| unavailable(&e))?;
    let sealed = now
        .sync
        .current()
        .map(|c| c.record().sealed.clone())
        .unwrap_or_default();
    let input = Input::ForcedMove {
        operation: plan.operation,
        plan_digest: Digest::of_json(plan)?,
        content: Content { body, sealed },
        reclaim: false,
    };
    let checks = BodyFacts::gather(site, Some(&facts.body))
        .await
        .map_err(|e| unavailable(&e))?;
    let next = ask_rules(
        site,
        &now.sync,
        &state.tickets,
        state.monotonic_ms(),
        &checks,
        input,
    )?;
    if next.state.epoch() != Some(plan.fence) {
        return Err(EngineError::Unavailable {
            why: "the group's epoch moved meanwhile; repeat".to_owned(),
        });
    }
    Ok(next)
}

fn operation_row(
    group: &ProtectionGroupActor,
    ask: &MoveAsk,
    facts: &FailoverFacts,
    plan: Plan,
) -> Operation {
    Operation {
        id: plan.operation,
        group: group.group,
        project: plan.project.clone(),
        kind: plan.kind,
        mode: ask.ask.mode,
        status: OperationStatus::Running,
        outcome: None,
        epoch: plan.fence,
        source_site: facts.body.sides.of(facts.here.peer()).site,
        target_site: facts.site,
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

/// The operation is in the store; if this fails, the recovery sweep starts it.
fn start(
    group: &ProtectionGroupActor,
    state: &mut State,
    operation: protector_domain::ids::OperationId,
) {
    let site = group.site.clone();
    state.tasks.spawn(async move {
        if let Err(error) = site.groups().run(&site, operation).await {
            tracing::warn!(%operation, %error, "the operation will be started by the next sweep");
        }
    });
}
