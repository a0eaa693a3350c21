//! The last words of an operation: its outcome, counters and the members that are not up.

use crate::protection_group::finish;
use crate::site::Site;
use protector_domain::effect::{Effect, EffectState};
use protector_domain::operation::{EventKind, OperationStatus, Outcome};
use protector_domain::plan::Plan;
use protector_domain::ports::PortError;
use protector_domain::saga::{Journal, LaneEnd, lane_outcomes};
use protector_store::{NewEvent, OperationUpdate, StoreError, Write};

/// Why an operation could not be ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EndError {
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    #[error("the record: {0}")]
    Record(#[from] PortError),
}

/// Ends the move if nothing has (a move that went back also gives the lock back), then the
/// operation. Running it twice changes nothing.
pub(crate) async fn end(
    site: &Site,
    plan: &Plan,
    journal: &Journal,
    outcome: Outcome,
) -> Result<(), EndError> {
    if !plan.moves() {
        finish::end_local(site, plan).await?;
    } else if went_back(outcome) && finish::is_planned(site, plan).await? {
        finish::abort_move(site, plan).await?;
    } else {
        finish::finish_move(site, plan, journal, Vec::new()).await?;
    }
    let update = summary(plan, journal, outcome, site.ctx().now_us());
    let text = update
        .error_message
        .clone()
        .unwrap_or_else(|| outcome.to_string());
    let event = NewEvent {
        at_us: site.ctx().now_us(),
        kind: EventKind::Ended,
        lane: None,
        step: None,
        text,
    };
    let events = Write::EventsAppend {
        operation: plan.operation,
        events: vec![event],
    };
    let ended = site
        .store()
        .write(Write::Batch(vec![Write::OperationUpdate(update), events]))
        .await;
    ended?;
    site.after_operation(plan.operation);
    Ok(())
}

/// The group has a newer epoch: whatever this operation has made is listed under its keys, and
/// nothing more is started (S11).
pub(crate) async fn superseded(site: &Site, plan: &Plan) -> Result<(), EndError> {
    let update = OperationUpdate {
        status: Some(OperationStatus::Failed),
        outcome: Some(Outcome::NeedsOperator),
        error_message: Some("a newer epoch leads; this operation stopped where it was".to_owned()),
        completed_at_us: Some(site.ctx().now_us()),
        ..OperationUpdate::new(plan.operation)
    };
    match site.store().operation_update(update).await {
        // Ended before: then that is how it ended.
        Ok(_) | Err(StoreError::Illegal(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Everything of it is undone.
fn went_back(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::RolledBack | Outcome::Cancelled)
}

fn summary(plan: &Plan, journal: &Journal, outcome: Outcome, now_us: i64) -> OperationUpdate {
    let count = |state: EffectState| {
        let steps = journal.values().filter(|e| e.state == state);
        u32::try_from(steps.count()).unwrap_or(u32::MAX)
    };
    let down = lane_outcomes(plan, journal)
        .values()
        .filter(|end| **end != LaneEnd::Completed)
        .count();
    let status = match outcome {
        Outcome::Full => OperationStatus::Completed,
        _ => OperationStatus::Failed,
    };
    let failed: Vec<&Effect> = journal.values().filter(|e| e.error.is_some()).collect();
    OperationUpdate {
        status: Some(status),
        outcome: Some(outcome),
        progress_pct: Some(100),
        steps_completed: Some(count(EffectState::Done)),
        steps_failed: Some(u32::try_from(failed.len()).unwrap_or(u32::MAX)),
        instances_failed: Some(u32::try_from(down + plan.left_out.len()).unwrap_or(u32::MAX)),
        error_message: error_message(plan, &failed, outcome),
        completed_at_us: Some(now_us),
        ..OperationUpdate::new(plan.operation)
    }
}

/// Members that are not up, each with its cause (L6, OP-07).
fn error_message(plan: &Plan, failed: &[&Effect], outcome: Outcome) -> Option<String> {
    if outcome == Outcome::Full {
        return None;
    }
    let title = |lane: &str| {
        let lanes = plan.stages.iter().flat_map(|s| &s.lanes);
        let found = lanes.into_iter().find(|l| l.id == lane);
        found.map_or_else(|| lane.to_owned(), |l| l.title.clone())
    };
    let left_out = plan.left_out.iter().map(|left| {
        let reasons: Vec<String> = left.reasons.iter().map(ToString::to_string).collect();
        format!("{}: {}", left.name, reasons.join("; "))
    });
    let failures = failed.iter().map(|e| {
        format!(
            "{}: {}: {}",
            title(&e.lane),
            e.step,
            e.error.clone().unwrap_or_default()
        )
    });
    Some(left_out.chain(failures).collect::<Vec<_>>().join("\n"))
}
