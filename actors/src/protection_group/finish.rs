//! How an operation leaves its group: R5, the record that ends a move, written when all lanes have
//! ended; R10 for a planned one that went back; nothing for a drill. Running it
//! twice changes nothing: the second time the operation is no longer the group's.

use super::apply::{Standing, ask_rules, put};
use super::body_check::BodyFacts;
use crate::site::Site;
use protector_domain::operation::failover::body_at_end;
use protector_domain::plan::Plan;
use protector_domain::ports::{ErrorKind, PortError, PortResult};
use protector_domain::saga::Journal;
use protector_domain::sync::{Content, Input, OperationMode, Tickets};
use protector_store::{StoreError, Write};

/// Rereads after somebody else was quicker.
const CONFLICTS_MAX: u32 = 8;

fn failed(kind: ErrorKind, why: &impl std::fmt::Display) -> PortError {
    PortError::new(kind, format!("writing the group's record: {why}"))
}

fn store_failed(error: &StoreError) -> PortError {
    let kind = match error {
        StoreError::Busy | StoreError::Down(_) => ErrorKind::Unreachable,
        _ => ErrorKind::Unknown,
    };
    failed(kind, error)
}

/// Where every member is now goes into the record; the lock and the operation leave it. `also` is
/// written in the same transaction, before the record: under the epoch that the move acts under. False if
/// nothing was written: the operation is not the group's, because it was written before or because a higher
/// epoch has ended it.
pub(crate) async fn finish_move(
    site: &Site,
    plan: &Plan,
    journal: &Journal,
    also: Vec<Write>,
) -> PortResult<bool> {
    let finish = |now: &Standing| -> PortResult<Input> {
        let body = now.stored.as_ref().and_then(|s| s.body.as_ref());
        let body = body.ok_or_else(|| failed(ErrorKind::Refused, &"its body cannot be read"))?;
        let ended = body_at_end(body, plan, journal, now.sync.role(), site.ctx().now_us());
        let body = serde_json::to_value(&ended).map_err(|e| failed(ErrorKind::Refused, &e))?;
        let current = now.sync.current();
        let sealed = current
            .map(|c| c.record().sealed.clone())
            .unwrap_or_default();
        Ok(Input::Finish {
            operation: plan.operation,
            content: Content { body, sealed },
        })
    };
    leave(site, plan, also, finish).await
}

/// R10: a planned move that went back is over for ever; the lock goes with its release.
pub(crate) async fn abort_move(site: &Site, plan: &Plan) -> PortResult<()> {
    let operation = plan.operation;
    let left = leave(site, plan, Vec::new(), |_| Ok(Input::Abort { operation }));
    left.await.map(drop)
}

/// A drill or a cleanup gives the group back.
pub(crate) async fn end_local(site: &Site, plan: &Plan) -> PortResult<()> {
    let operation = plan.operation;
    leave(site, plan, Vec::new(), |_| {
        Ok(Input::EndLocal { operation })
    })
    .await
    .map(drop)
}

/// True while the group's state names the operation as a planned one.
pub(crate) async fn is_planned(site: &Site, plan: &Plan) -> PortResult<bool> {
    let stored = site.store().group_fetch(plan.group).await;
    let stored = stored.map_err(|e| store_failed(&e))?;
    let own = stored.and_then(|s| s.sync.operation().cloned());
    Ok(own.is_some_and(|own| own.id == plan.operation && own.mode == OperationMode::Planned))
}

async fn leave(
    site: &Site,
    plan: &Plan,
    also: Vec<Write>,
    input: impl Fn(&Standing) -> PortResult<Input>,
) -> PortResult<bool> {
    for _ in 0..CONFLICTS_MAX {
        let stored = site.store().group_fetch(plan.group).await;
        let Some(stored) = stored.map_err(|e| store_failed(&e))? else {
            return Err(failed(ErrorKind::Refused, &"the group is gone"));
        };
        let own = stored.sync.operation();
        if own.is_none_or(|own| own.id != plan.operation) {
            return Ok(false);
        }
        let now = Standing {
            sync: stored.sync.clone(),
            stored: Some(stored),
        };
        match write(site, plan, &now, input(&now)?, also.clone()).await {
            Err(StoreError::Conflict) => continue,
            other => return other.map(|()| true).map_err(|e| store_failed(&e)),
        }
    }
    let why = "the group changes all the time";
    Err(failed(ErrorKind::Unreachable, &why))
}

async fn write(
    site: &Site,
    plan: &Plan,
    now: &Standing,
    input: Input,
    also: Vec<Write>,
) -> Result<(), StoreError> {
    let body = now.stored.as_ref().and_then(|s| s.body.as_ref());
    let facts = BodyFacts::gather(site, body).await?;
    // These open and use no ticket.
    let next = ask_rules(site, &now.sync, &Tickets::new(), 0, &facts, input);
    let next = next.map_err(|e| StoreError::Illegal(e.to_string()))?;
    let mut writes = also;
    let put = put(now, plan.project.clone(), &next);
    writes.push(Write::GroupPut(Box::new(put)));
    site.store().write(Write::Batch(writes)).await?;
    site.after_record(plan.group, &next.outputs);
    Ok(())
}
