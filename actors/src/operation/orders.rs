//! What people's word to an operation writes down before anything happens (I13, S9). Also the wait for such a word.
//!
//! Absent: who may say it (`http`), what it changes (`domain::operation::order`), and what comes next
//! (`domain::saga`).

use super::actor::{Msg, State};
use super::found;
use crate::site::Site;
use protector_domain::effect::Effect;
use protector_domain::operation::order::{Change, judge};
use protector_domain::operation::{EventKind, OperationStatus, Outcome};
use protector_domain::plan::Plan;
use protector_domain::ports::engine::{EngineError, Order, Reply};
use protector_domain::refusal::Refusals;
use protector_domain::saga::{Journal, stuck};
use protector_domain::sync::Epoch;
use protector_runtime::mailbox::{Mailbox, Reply as ReplyTo};
use protector_store::{EffectSettle, NewEvent, OperationUpdate, StoreError, Write};
use std::sync::Arc;

/// What goes back to whoever gave the order.
pub(crate) type Answer = ReplyTo<Result<Reply, EngineError>>;

/// Judges an order and has it written down; the answer follows when it is.
pub(super) fn take(
    site: &Site,
    me: &Mailbox<Msg>,
    state: &mut State,
    order: &Order,
    answer: Answer,
) {
    if state.ordering {
        let why = "another order is being written down".to_owned();
        answer.send(Err(EngineError::Unavailable { why }));
        return;
    }
    let change = match judge(&state.plan, &state.journal, state.ending, order) {
        Ok(change) => change,
        Err(refusal) => {
            answer.send(Err(Refusals::from(refusal).into()));
            return;
        }
    };
    state.ordering = true;
    let (site, me, order) = (site.clone(), me.clone(), order.clone());
    let (plan, fence) = (state.plan.clone(), state.fence());
    let journal = Arc::new(state.journal.clone());
    state.tasks.spawn(async move {
        let done = carry_out(&site, &plan, journal, fence, &order, change).await;
        let msg = Msg::Ordered { done, answer };
        let _ = me.send("ordered", msg).await;
    });
}

/// Looks first where a look is needed, and writes it down.
async fn carry_out(
    site: &Site,
    plan: &Arc<Plan>,
    journal: Arc<Journal>,
    fence: Epoch,
    order: &Order,
    mut change: Change,
) -> Result<Change, EngineError> {
    if let (Order::Adopt { object_id, .. }, Change::Effects(rows)) = (order, &mut change)
        && let Some(row) = rows.first_mut()
    {
        *row = found::adopted(site, plan, journal, object_id, row).await?;
    }
    let writes = writes(site, plan, fence, order, &change);
    let written = site.store().write(Write::Batch(writes)).await;
    written.map_err(|e| unavailable(&e))?;
    Ok(change)
}

pub(super) fn unavailable(error: &StoreError) -> EngineError {
    let why = error.to_string();
    EngineError::Unavailable { why }
}

fn writes(site: &Site, plan: &Plan, fence: Epoch, order: &Order, change: &Change) -> Vec<Write> {
    let (operation, group) = (plan.operation, plan.group);
    let text = match order {
        Order::Cancel {} => "cancelled by request".to_owned(),
        Order::Resume {} => "the stuck steps are tried again".to_owned(),
        Order::RetryMembers {} => String::new(),
        Order::SkipStep { reason } => format!("stuck steps given up: {reason}"),
        Order::Adopt {
            step,
            object_id,
            reason,
        } => format!("{object_id} is taken over as what {step} has made: {reason}"),
    };
    let event = Write::EventsAppend {
        operation,
        events: vec![NewEvent {
            at_us: site.ctx().now_us(),
            kind: EventKind::Warning,
            lane: None,
            step: None,
            text,
        }],
    };
    let what = match change {
        Change::Cancel => Write::OperationUpdate(OperationUpdate {
            status: Some(OperationStatus::RollingBack),
            ..OperationUpdate::new(operation)
        }),
        Change::Effects(effects) => Write::EffectsSettle {
            group,
            fence,
            settles: effects.iter().map(settled).collect(),
        },
    };
    vec![what, event]
}

fn settled(effect: &Effect) -> EffectSettle {
    EffectSettle {
        key: effect.key.clone(),
        state: effect.state,
        object_id: effect.object_id.clone(),
        detail: Some(effect.detail.clone()),
        error: effect.error.clone(),
    }
}

/// The order is in the store, or nothing has changed.
pub(super) fn done(
    state: &mut State,
    done: Result<Change, EngineError>,
) -> Result<(), EngineError> {
    state.ordering = false;
    let change = done?;
    state.waits_for = None;
    match change {
        Change::Cancel => state.cancelled = true,
        Change::Effects(effects) => state.note(effects),
    }
    Ok(())
}

/// The operation as it is now.
pub(super) async fn reply(
    site: &Site,
    state: &State,
    done: Result<(), EngineError>,
) -> Result<Reply, EngineError> {
    done?;
    let found = site.store().operation_fetch(state.plan.operation).await;
    let missing = || EngineError::NotFound {
        what: format!("operation {}", state.plan.operation),
    };
    let found = found.map_err(|e| unavailable(&e))?;
    let operation = Box::new(found.ok_or_else(missing)?);
    Ok(Reply::Accepted { operation })
}

/// Nothing goes on without a word of people: that is said once, and what they can say. It keeps its lock
/// and its place; after a restart it waits again.
pub(super) fn wait(site: &Site, state: &mut State) {
    let stuck = stuck(&state.plan, &state.journal);
    let what = stuck.iter().map(|e| {
        let why = e.error.clone().unwrap_or_default();
        format!("{}: {}: {why}", e.lane, e.step)
    });
    let what = what.collect::<Vec<_>>().join("\n");
    if state.waits_for.as_ref() == Some(&what) {
        return;
    }
    state.waits_for = Some(what.clone());
    let operation = state.plan.operation;
    let help = format!("waits for the operator: openstack protector operation resume {operation}");
    let update = OperationUpdate {
        outcome: Some(Outcome::NeedsOperator),
        error_message: Some(format!("{help}\n{what}")),
        ..OperationUpdate::new(operation)
    };
    let site = site.clone();
    state.tasks.spawn(async move {
        if let Err(error) = site.store().operation_update(update).await {
            tracing::warn!(%operation, %error, "it waits for the operator, and its row does not say so");
        }
    });
}
