//! Looking at operations. Absent: starting them (`actions`) and their events (`events`).

use super::body_of;
use crate::answer::Answer;
use crate::cx::{Cx, unexpected};
use crate::error::ApiError;
use crate::paging::{next_links, page};
use crate::request::{BodyStream, is_name};
use crate::wire::operation::{OperationAnswer, OperationInfo, OperationsAnswer};
use crate::wire::orders::OperationActionRequest;
use http::StatusCode;
use protector_domain::ids::GroupId;
use protector_domain::ports::engine::{Command, GroupRef, Query, Reply, View};

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

/// I13. Some are for administrators.
pub(super) async fn action(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let order = body_of::<OperationActionRequest>(cx, body).await?.order()?;
    if order.is_for_admins() && !cx.bearer()?.caller.is_admin {
        return Err(ApiError::Forbidden);
    }
    let operation = cx.operation_id()?;
    match cx.tell(Command::Operation { operation, order }).await? {
        Reply::Accepted { operation } => {
            let operation = OperationInfo::from(&*operation);
            Ok(Answer::json(
                StatusCode::ACCEPTED,
                &OperationAnswer { operation },
            ))
        }
        other => Err(unexpected(&other)),
    }
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
