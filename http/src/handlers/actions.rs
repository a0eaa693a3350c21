//! Starting operations on a group. Absent: looking at them (`operations`).

use super::{body_of, changes};
use crate::answer::Answer;
use crate::cx::{Cx, unexpected};
use crate::error::ApiError;
use crate::limits::IDEMPOTENCY_KEY_BYTES_MAX;
use crate::request::{BodyStream, percent_encode};
use crate::wire::actions::{Action, ActionRequest};
use crate::wire::operation::{
    OperationInfo, PlanAnswer, SnapshotAnswer, SnapshotInfo, StartedAnswer, plan_shown,
};
use http::StatusCode;
use protector_domain::ids::GroupId;
use protector_domain::operation::Operation;
use protector_domain::ports::engine::{Command, Reply};
use protector_domain::sync::Signed;

pub(super) async fn action(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let key = idempotency_key(cx)?;
    let action = body_of::<ActionRequest>(cx, body).await?.action()?;
    match action {
        Action::Move(kind, asked) => start(cx, |group| asked.command(kind, group, key)).await,
        Action::TestFailover(asked) => start(cx, |group| asked.command(group, key)).await,
        Action::TestCleanup => {
            let command = |group| Command::TestCleanup {
                group,
                idempotency_key: key,
            };
            start(cx, command).await
        }
        Action::SyncVolumes => start(cx, |group| Command::SyncVolumes { group }).await,
        Action::Edit(change) => changes::edit(cx, change).await,
    }
}

async fn start(cx: &Cx, command: impl FnOnce(GroupId) -> Command) -> Result<Answer, ApiError> {
    let group = cx.group().await?.id;
    let reply = cx.tell(command(group)).await?;
    answer(cx, reply)
}

fn answer(cx: &Cx, reply: Reply) -> Result<Answer, ApiError> {
    match reply {
        Reply::Accepted { operation } => Ok(started(cx, &operation, None)),
        Reply::Requested {
            operation,
            reservation,
        } => Ok(started(cx, &operation, Some(reservation))),
        Reply::Planned { plan } => {
            let plan = plan_shown(&plan);
            Ok(Answer::json(StatusCode::OK, &PlanAnswer { plan }))
        }
        Reply::SnapshotTaken { suffix } => {
            let snapshot = SnapshotInfo { suffix };
            Ok(Answer::json(StatusCode::OK, &SnapshotAnswer { snapshot }))
        }
        other => Err(unexpected(&other)),
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

fn started(cx: &Cx, operation: &Operation, reservation: Option<Signed>) -> Answer {
    let tenant = percent_encode(cx.params.get("tenant").unwrap_or_default());
    let place = cx.href(&format!("/v1/{tenant}/operations/{}", operation.id));
    let answer = StartedAnswer {
        operation: OperationInfo::from(operation),
        reservation,
    };
    Answer::json(StatusCode::ACCEPTED, &answer).location(place)
}
