//! Rows of operations and their events, and what an update may do to one.

use crate::codec::{count, json, parse_count, parse_id, parse_json, parse_word, word};
use crate::error::StoreError;
use crate::model::{NewEvent, OperationUpdate};
use crate::schema::{dr_operation_events, dr_operations};
use diesel::prelude::*;
use protector_domain::ids::{OperationId, ProjectId, UserId};
use protector_domain::operation::{Operation, OperationEvent};
use protector_domain::sync::Epoch;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = dr_operations)]
pub(crate) struct OperationRow {
    pub id: String,
    pub protection_group_id: String,
    pub project: String,
    pub operation_type: String,
    pub mode: String,
    pub epoch: i64,
    pub source_site: String,
    pub target_site: String,
    pub plan: String,
    pub started_at_us: i64,
    pub requested_by: String,
    pub request_id: String,
    pub idempotency_key: Option<String>,
    #[diesel(embed)]
    pub moving: MovingColumns,
}

/// What changes while an operation runs; the plan never does.
#[derive(Queryable, Selectable, Insertable, AsChangeset, PartialEq, Clone)]
#[diesel(table_name = dr_operations)]
#[diesel(treat_none_as_null = true)]
pub(crate) struct MovingColumns {
    pub status: String,
    pub outcome: Option<String>,
    pub progress: i32,
    pub steps_completed: i64,
    pub steps_failed: i64,
    pub instances_failed: i64,
    pub error_message: Option<String>,
    pub completed_at_us: Option<i64>,
}

#[derive(Queryable, Selectable, Insertable, Debug, Clone, PartialEq, Eq)]
#[diesel(table_name = dr_operation_events)]
// Many rows go into one statement only if each names all its columns.
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct EventRow {
    pub operation_id: String,
    pub seq: i64,
    pub at_us: i64,
    pub kind: String,
    pub lane: Option<String>,
    pub step: Option<String>,
    pub text: String,
}

impl MovingColumns {
    pub fn new(operation: &Operation) -> Result<Self, StoreError> {
        if operation.progress_pct > 100 {
            return Err(StoreError::Illegal("progress is above 100".to_owned()));
        }
        Ok(Self {
            status: word(&operation.status)?,
            outcome: operation
                .outcome
                .map(|outcome| word(&outcome))
                .transpose()?,
            progress: i32::from(operation.progress_pct),
            steps_completed: i64::from(operation.steps_completed),
            steps_failed: i64::from(operation.steps_failed),
            instances_failed: i64::from(operation.instances_failed),
            error_message: operation.error_message.clone(),
            completed_at_us: operation.completed_at_us,
        })
    }
}

impl OperationRow {
    pub fn new(operation: &Operation) -> Result<Self, StoreError> {
        Ok(Self {
            id: operation.id.to_string(),
            protection_group_id: operation.group.to_string(),
            project: operation.project.to_string(),
            operation_type: word(&operation.kind)?,
            mode: word(&operation.mode)?,
            epoch: count("epoch", operation.epoch.0)?,
            source_site: operation.source_site.to_string(),
            target_site: operation.target_site.to_string(),
            plan: json(&operation.plan)?,
            started_at_us: operation.started_at_us,
            requested_by: operation.requested_by.to_string(),
            request_id: operation.request_id.clone(),
            idempotency_key: operation.idempotency_key.clone(),
            moving: MovingColumns::new(operation)?,
        })
    }
}

/// The operation after the update: legal moves only, progress never back (S10, L5). Repeating what
/// is there already changes nothing and is allowed, also at the end.
pub(crate) fn updated(
    before: &Operation,
    update: &OperationUpdate,
) -> Result<Operation, StoreError> {
    let mut after = before.clone();
    after.status = update.status.unwrap_or(before.status);
    after.outcome = update.outcome.or(before.outcome);
    after.progress_pct = update
        .progress_pct
        .map_or(before.progress_pct, |p| p.max(before.progress_pct));
    after.steps_completed = update.steps_completed.unwrap_or(before.steps_completed);
    after.steps_failed = update.steps_failed.unwrap_or(before.steps_failed);
    after.instances_failed = update.instances_failed.unwrap_or(before.instances_failed);
    if update.error_message.is_some() {
        after.error_message.clone_from(&update.error_message);
    }
    after.completed_at_us = update.completed_at_us.or(before.completed_at_us);
    if after != *before {
        let legal = if before.status == after.status {
            !before.status.is_terminal()
        } else {
            before.status.may_become(after.status)
        };
        if !legal {
            let (from, to) = (before.status, after.status);
            return Err(StoreError::Illegal(format!(
                "an operation goes from {from} to {to}"
            )));
        }
    }
    Ok(after)
}

impl TryFrom<OperationRow> for Operation {
    type Error = StoreError;
    fn try_from(row: OperationRow) -> Result<Self, StoreError> {
        let moving = row.moving;
        Ok(Self {
            id: parse_id("dr_operations.id", &row.id)?,
            group: parse_id(
                "dr_operations.protection_group_id",
                &row.protection_group_id,
            )?,
            project: ProjectId(row.project),
            kind: parse_word("dr_operations.operation_type", row.operation_type)?,
            mode: parse_word("dr_operations.mode", row.mode)?,
            status: parse_word("dr_operations.status", moving.status)?,
            outcome: moving
                .outcome
                .map(|outcome| parse_word("dr_operations.outcome", outcome))
                .transpose()?,
            epoch: Epoch(parse_count("dr_operations.epoch", row.epoch)?),
            source_site: parse_id("dr_operations.source_site", &row.source_site)?,
            target_site: parse_id("dr_operations.target_site", &row.target_site)?,
            plan: parse_json("dr_operations.plan", &row.plan)?,
            progress_pct: parse_count("dr_operations.progress", i64::from(moving.progress))?,
            steps_completed: parse_count("dr_operations.steps_completed", moving.steps_completed)?,
            steps_failed: parse_count("dr_operations.steps_failed", moving.steps_failed)?,
            instances_failed: parse_count(
                "dr_operations.instances_failed",
                moving.instances_failed,
            )?,
            error_message: moving.error_message,
            started_at_us: row.started_at_us,
            completed_at_us: moving.completed_at_us,
            requested_by: UserId(row.requested_by),
            request_id: row.request_id,
            idempotency_key: row.idempotency_key,
        })
    }
}

impl EventRow {
    pub fn new(operation: OperationId, seq: i64, event: &NewEvent) -> Result<Self, StoreError> {
        Ok(Self {
            operation_id: operation.to_string(),
            seq,
            at_us: event.at_us,
            kind: word(&event.kind)?,
            lane: event.lane.clone(),
            step: event.step.clone(),
            text: event.text.clone(),
        })
    }
}

impl TryFrom<EventRow> for OperationEvent {
    type Error = StoreError;
    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        Ok(Self {
            operation: parse_id("dr_operation_events.operation_id", &row.operation_id)?,
            seq: parse_count("dr_operation_events.seq", row.seq)?,
            at_us: row.at_us,
            kind: parse_word("dr_operation_events.kind", row.kind)?,
            lane: row.lane,
            step: row.step,
            text: row.text,
        })
    }
}
