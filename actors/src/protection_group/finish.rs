//! R5: the record that ends a move, written by the operation when all lanes have ended. Running it
//! twice changes nothing: the second time the operation is no longer the group's.

use super::apply::{Standing, ask_rules, put};
use super::body_check::BodyFacts;
use crate::site::Site;
use protector_domain::operation::failover::body_at_end;
use protector_domain::plan::Plan;
use protector_domain::ports::{ErrorKind, PortError, PortResult};
use protector_domain::record::GroupBody;
use protector_domain::saga::Journal;
use protector_domain::sync::{Content, Input, Tickets};
use protector_store::StoreError;

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

/// Where every member is now goes into the record; the lock and the operation leave it.
pub(crate) async fn finish_move(site: &Site, plan: &Plan, journal: &Journal) -> PortResult<()> {
    for _ in 0..CONFLICTS_MAX {
        let stored = site
            .store()
            .group_fetch(plan.group)
            .await
            .map_err(|e| store_failed(&e))?;
        let Some(stored) = stored else {
            return Err(failed(ErrorKind::Refused, &"the group is gone"));
        };
        if stored
            .sync
            .operation()
            .is_none_or(|own| own.id != plan.operation)
        {
            return Ok(());
        }
        let Some(body) = stored.body.clone() else {
            return Err(failed(ErrorKind::Refused, &"its body cannot be read"));
        };
        let now = Standing {
            sync: stored.sync.clone(),
            stored: Some(stored),
        };
        match write(site, plan, journal, &now, &body).await {
            Err(StoreError::Conflict) => continue,
            other => return other.map_err(|e| store_failed(&e)),
        }
    }
    Err(failed(
        ErrorKind::Unreachable,
        &"the group changes all the time",
    ))
}

async fn write(
    site: &Site,
    plan: &Plan,
    journal: &Journal,
    now: &Standing,
    body: &GroupBody,
) -> Result<(), StoreError> {
    let illegal = |e: &dyn std::fmt::Display| StoreError::Illegal(e.to_string());
    let ended = body_at_end(body, plan, journal, now.sync.role(), site.ctx().now_us());
    let body = serde_json::to_value(&ended).map_err(|e| illegal(&e))?;
    let sealed = now
        .sync
        .current()
        .map(|c| c.record().sealed.clone())
        .unwrap_or_default();
    let input = Input::Finish {
        operation: plan.operation,
        content: Content { body, sealed },
    };
    let facts = BodyFacts::gather(site, Some(&ended)).await?;
    // A finish opens and uses no ticket.
    let next =
        ask_rules(site, &now.sync, &Tickets::new(), 0, &facts, input).map_err(|e| illegal(&e))?;
    site.store()
        .group_put(put(now, plan.project.clone(), &next))
        .await?;
    site.after_record(plan.group, &next.outputs);
    Ok(())
}
