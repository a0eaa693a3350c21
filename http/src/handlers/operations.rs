//! Starting operations and looking at them. Absent: their events (`events`).

use super::body_of;
use crate::answer::Answer;
use crate::cx::{Cx, unexpected};
use crate::error::ApiError;
use crate::limits::IDEMPOTENCY_KEY_BYTES_MAX;
use crate::paging::{next_links, page};
use crate::request::{BodyStream, is_name, percent_encode};
use crate::wire::changes::{Action, ActionRequest, FailoverAction};
use crate::wire::operation::{
    OperationAnswer, OperationInfo, OperationsAnswer, PlanAnswer, SnapshotAnswer, SnapshotInfo,
    plan_shown,
};
use http::StatusCode;
use protector_domain::ids::GroupId;
use protector_domain::operation::Operation;
use protector_domain::ports::engine::{Command, GroupRef, Query, Reply, View};

pub(super) async fn action(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let idempotency_key = idempotency_key(cx)?;
    let action = body_of::<ActionRequest>(cx, body).await?.action()?;
    let group = cx.group().await?.id;
    let command = match action {
        Action::Failover(failover) => failover_command(group, failover, idempotency_key),
        Action::SyncVolumes => Command::SyncVolumes { group },
    };
    match cx.tell(command).await? {
        Reply::Accepted { operation } => Ok(accepted(cx, &operation)),
        Reply::Planned { plan } => Ok(Answer::json(
            StatusCode::OK,
            &PlanAnswer {
                plan: plan_shown(&plan),
            },
        )),
        Reply::SnapshotTaken { suffix } => {
            let answer = SnapshotAnswer {
                snapshot: SnapshotInfo { suffix },
            };
            Ok(Answer::json(StatusCode::OK, &answer))
        }
        other => Err(unexpected(&other)),
    }
}

fn failover_command(
    group: GroupId,
    action: FailoverAction,
    idempotency_key: Option<String>,
) -> Command {
    let dry_run = action.dry_run;
    Command::Failover {
        group,
        ask: action.ask(),
        dry_run,
        idempotency_key,
    }
}

/// Errors: `BadRequest` for an empty or endless key, or one that is not plain text.
fn idempotency_key(cx: &Cx) -> Result<Option<String>, ApiError> {
    let Some(key) = cx.header("idempotency-key")? else {
        return Ok(None);
    };
    if key.is_empty() || key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
        let why = format!("Idempotency-Key has 1 to {IDEMPOTENCY_KEY_BYTES_MAX} characters");
        return Err(ApiError::bad(why));
    }
    Ok(Some(key.to_owned()))
}

fn accepted(cx: &Cx, operation: &Operation) -> Answer {
    let tenant = percent_encode(cx.params.get("tenant").unwrap_or_default());
    let place = cx.href(&format!("/v1/{tenant}/operations/{}", operation.id));
    let answer = OperationAnswer {
        operation: OperationInfo::from(operation),
    };
    Answer::json(StatusCode::ACCEPTED, &answer).location(place)
}

pub(super) async fn list(cx: &Cx) -> Result<Answer, ApiError> {
    let page = page(cx)?;
    let group = group_filter(cx).await?;
    let query = Query::OperationList {
        group,
        marker: page.marker.clone(),
        limit: page.limit,
    };
    let operations = match cx.ask(query).await? {
        View::Operations { operations } => operations,
        other => return Err(unexpected(&other)),
    };
    let last = operations.last().map(|operation| operation.id.to_string());
    let answer = OperationsAnswer {
        operations_links: next_links(cx, &page, operations.len(), last),
        operations: operations.iter().map(OperationInfo::from).collect(),
    };
    Ok(Answer::json(StatusCode::OK, &answer))
}

async fn group_filter(cx: &Cx) -> Result<Option<GroupId>, ApiError> {
    let Some(text) = cx.query("group") else {
        return Ok(None);
    };
    if !is_name(text) {
        return Err(ApiError::bad(
            "group is the name or id of a protection group",
        ));
    }
    Ok(Some(cx.group_fetch(GroupRef(text.to_owned())).await?.id))
}

pub(super) async fn show(cx: &Cx) -> Result<Answer, ApiError> {
    let operation = cx.operation_id()?;
    match cx.ask(Query::Operation { operation }).await? {
        View::Operation { operation } => {
            let answer = OperationAnswer {
                operation: OperationInfo::with_plan(&operation),
            };
            Ok(Answer::json(StatusCode::OK, &answer))
        }
        other => Err(unexpected(&other)),
    }
}
