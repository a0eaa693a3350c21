//! Operations, their events and plans as shown (OP-02).
//!
//! Absent: user data, a secret in practice (H15): plans carry it, nobody is shown it.

use crate::time::iso;
use crate::wire::sync::SignedSchema;
use crate::wire::system::Link;
use protector_domain::operation::{
    EventKind, Operation, OperationEvent, OperationKind, OperationMode, OperationStatus, Outcome,
};
use protector_domain::plan::Plan;
use protector_domain::refusal::Refusal;
use protector_domain::sync::Signed;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Keys of a plan whose values are never shown.
const HIDDEN: &[&str] = &["user_data"];
const HIDDEN_TEXT: &str = "(hidden)";

/// OP-02.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OperationInfo {
    pub id: String,
    #[schema(value_type = String)]
    pub operation_type: OperationKind,
    /// `planned` or `unplanned`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub mode: OperationMode,
    #[schema(value_type = String)]
    pub status: OperationStatus,
    #[schema(value_type = Option<String>)]
    pub outcome: Option<Outcome>,
    /// 0 to 100, never goes back.
    pub progress: u8,
    pub protection_group_id: String,
    pub project_id: String,
    pub source_site: String,
    pub target_site: String,
    pub epoch: u64,
    pub started_at: String,
    pub completed_at: Option<String>,
    pub steps_completed: u32,
    pub steps_failed: u32,
    pub instances_failed: u32,
    pub error_message: Option<String>,
    pub requested_by: String,
    pub request_id: String,
    /// Left out of lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub plan: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OperationAnswer {
    pub operation: OperationInfo,
}

/// Written down, before anything outside was touched.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StartedAnswer {
    pub operation: OperationInfo,
    /// Of a planned move only, which waits for its lock: carry it to the leading site's
    /// `/sync/commits`, and bring the envelope back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<SignedSchema>)]
    pub reservation: Option<Signed>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OperationsAnswer {
    pub operations: Vec<OperationInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations_links: Option<Vec<Link>>,
}

/// One line of an operation's story.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EventInfo {
    pub operation_id: String,
    /// Counts from 1 within the operation.
    pub seq: u64,
    pub at: String,
    #[schema(value_type = String)]
    pub kind: EventKind,
    pub lane: Option<String>,
    pub step: Option<String>,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EventsAnswer {
    pub events: Vec<EventInfo>,
}

/// What would be done, with all findings.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlanAnswer {
    #[schema(value_type = Object)]
    pub plan: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SnapshotInfo {
    pub suffix: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SnapshotAnswer {
    pub snapshot: SnapshotInfo,
}

impl From<&Operation> for OperationInfo {
    /// Without the plan.
    fn from(operation: &Operation) -> Self {
        Self {
            id: operation.id.to_string(),
            operation_type: operation.kind,
            mode: operation.mode,
            status: operation.status,
            outcome: operation.outcome,
            progress: operation.progress_pct,
            protection_group_id: operation.group.to_string(),
            project_id: operation.project.to_string(),
            source_site: operation.source_site.to_string(),
            target_site: operation.target_site.to_string(),
            epoch: operation.epoch.0,
            started_at: iso(operation.started_at_us),
            completed_at: operation.completed_at_us.map(iso),
            steps_completed: operation.steps_completed,
            steps_failed: operation.steps_failed,
            instances_failed: operation.instances_failed,
            error_message: operation.error_message.clone(),
            requested_by: operation.requested_by.to_string(),
            request_id: operation.request_id.clone(),
            plan: None,
        }
    }
}

impl OperationInfo {
    pub(crate) fn with_plan(operation: &Operation) -> Self {
        Self {
            plan: Some(plan_shown(&operation.plan)),
            ..Self::from(operation)
        }
    }
}

impl From<&OperationEvent> for EventInfo {
    fn from(event: &OperationEvent) -> Self {
        Self {
            operation_id: event.operation.to_string(),
            seq: event.seq,
            at: iso(event.at_us),
            kind: event.kind,
            lane: event.lane.clone(),
            step: event.step.clone(),
            text: event.text.clone(),
        }
    }
}

/// A plan as JSON, with what may be a secret taken out, and with each finding as an error would say it.
pub(crate) fn plan_shown(plan: &Plan) -> Value {
    let mut shown = serde_json::to_value(plan).unwrap_or_default();
    hide(&mut shown);
    let warnings = plan.warnings.iter().enumerate();
    for (at, finding) in warnings {
        say(
            &mut shown,
            &format!("/warnings/{at}/refusal"),
            &finding.refusal,
        );
    }
    for (member, left) in plan.left_out.iter().enumerate() {
        for (at, reason) in left.reasons.iter().enumerate() {
            say(
                &mut shown,
                &format!("/left_out/{member}/reasons/{at}"),
                reason,
            );
        }
    }
    shown
}

/// `message` and `remedy` beside the code and the facts.
fn say(shown: &mut Value, place: &str, refusal: &Refusal) {
    if let Some(Value::Object(entries)) = shown.pointer_mut(place) {
        entries.insert("message".to_owned(), refusal.to_string().into());
        entries.insert("remedy".to_owned(), refusal.remedy().into());
    }
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            for (key, inner) in entries.iter_mut() {
                if HIDDEN.contains(&key.as_str()) && !inner.is_null() {
                    *inner = HIDDEN_TEXT.into();
                } else {
                    hide(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
