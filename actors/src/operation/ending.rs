//! The last words of an operation: its outcome, counters and the members that are not up.

use crate::protection_group::finish;
use crate::site::Site;
use protector_domain::effect::{Effect, EffectState};
use protector_domain::operation::{EventKind, OperationStatus, Outcome};
use protector_domain::plan::Plan;
use protector_domain::ports::PortError;
use protector_domain::saga::{Journal, LaneEnd, lane_outcomes, left_by_overtaken};
use protector_domain::sync::Epoch;
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
    let events = Write::EventsAppend {
        operation: plan.operation,
        events: vec![ended(site, text)],
    };
    let ended = site
        .store()
        .write(Write::Batch(vec![Write::OperationUpdate(update), events]))
        .await;
    ended?;
    site.after_operation(plan.operation);
    Ok(())
}

/// A higher epoch leads: its record is the group's, so nothing is written to it. The operation says what
/// it took back and what stays (I5, S3).
pub(crate) async fn overtaken(
    site: &Site,
    plan: &Plan,
    journal: &Journal,
    epoch: Epoch,
    outcome: Outcome,
) -> Result<(), EndError> {
    let text = overtaken_message(plan, journal, epoch);
    let update = OperationUpdate {
        error_message: Some(text.clone()),
        ..summary(plan, journal, outcome, site.ctx().now_us())
    };
    let events = Write::EventsAppend {
        operation: plan.operation,
        events: vec![ended(site, text)],
    };
    let writes = Write::Batch(vec![Write::OperationUpdate(update), events]);
    match site.store().write(writes).await {
        // Ended before: then that is how it ended.
        Ok(_) | Err(StoreError::Illegal(_)) => {}
        Err(error) => return Err(error.into()),
    }
    site.after_operation(plan.operation);
    Ok(())
}

/// Objects named in a message at most; the ledger has them all.
const NAMED_MAX: usize = 20;

fn overtaken_message(plan: &Plan, journal: &Journal, epoch: Epoch) -> String {
    let left = left_by_overtaken(plan, journal);
    let mut lines = vec![format!(
        "epoch {epoch} leads; this operation stopped, and took back what was its own alone"
    )];
    let names = left.iter().take(NAMED_MAX).map(|effect| {
        let object = effect.object_id.as_deref().unwrap_or("not known");
        format!("left as it is: {}: {}: {object}", effect.lane, effect.step)
    });
    lines.extend(names);
    if left.len() > NAMED_MAX {
        lines.push(format!("and {} more", left.len() - NAMED_MAX));
    }
    lines.join("\n")
}

fn ended(site: &Site, text: String) -> NewEvent {
    NewEvent {
        at_us: site.ctx().now_us(),
        kind: EventKind::Ended,
        lane: None,
        step: None,
        text,
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
