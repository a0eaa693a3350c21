//! Drafting changes to a group (R1): each is answered with a ticket for the peer site.
//!
//! Absent: committing them, which is a courier's errand (`couriers`).

use super::body_of;
use super::couriers::written;
use crate::answer::Answer;
use crate::body::read_nothing;
use crate::cx::{Cx, unexpected};
use crate::error::ApiError;
use crate::request::BodyStream;
use crate::wire::changes::{
    GroupCreateRequest, GroupUpdateRequest, MappingsSetRequest, MemberAddRequest, PolicySetRequest,
};
use crate::wire::group::etag;
use crate::wire::sync::{GroupKey, TicketAnswer};
use http::StatusCode;
use protector_domain::ids::GroupId;
use protector_domain::ports::engine::{Change, Command, Reply};
use protector_domain::sync::{Pair, RecordRef, Signed};
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub(super) async fn create(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let change = body_of::<GroupCreateRequest>(cx, body).await?.into();
    let (group, ticket) = draft(cx, None, change).await?;
    Ok(ticket_answer(group, ticket))
}

pub(super) async fn member_add(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    edit_of::<MemberAddRequest>(cx, body).await
}

pub(super) async fn policy_set(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    edit_of::<PolicySetRequest>(cx, body).await
}

pub(super) async fn mappings_set(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    edit_of::<MappingsSetRequest>(cx, body).await
}

pub(super) async fn update(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    edit_of::<GroupUpdateRequest>(cx, body).await
}

/// Drafts the end of the group; or, for an administrator who says that the peer is gone for good, writes
/// it at once.
pub(super) async fn delete(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    read_nothing(body).await?;
    match cx.query("abandon_peer") {
        None | Some("false") => edit(cx, Change::Delete {}).await,
        Some("true") if !cx.bearer()?.caller.is_admin => Err(ApiError::Forbidden),
        Some("true") => {
            let wanted = IfMatch::of(cx)?;
            let group = cx.group().await?;
            wanted.check(Some(group.pair))?;
            written(cx, Command::AbandonPeer { group: group.id }).await
        }
        Some(_) => Err(ApiError::bad("abandon_peer is true or false")),
    }
}

async fn edit_of<T: DeserializeOwned + Into<Change>>(
    cx: &Cx,
    body: BodyStream,
) -> Result<Answer, ApiError> {
    let change = body_of::<T>(cx, body).await?.into();
    edit(cx, change).await
}

/// Drafts a change of the group in the path, if it stands where `If-Match` says.
pub(super) async fn edit(cx: &Cx, change: Change) -> Result<Answer, ApiError> {
    let wanted = IfMatch::of(cx)?;
    let group = cx.group().await?;
    wanted.check(Some(group.pair))?;
    let (group, ticket) = draft(cx, Some(group.id), change).await?;
    if !wanted.is_any() {
        // The group may have moved since it was looked at; the ticket is bound to its base.
        wanted.check(base_of(&ticket))?;
    }
    Ok(ticket_answer(group, ticket))
}

async fn draft(
    cx: &Cx,
    group: Option<GroupId>,
    change: Change,
) -> Result<(GroupId, Signed), ApiError> {
    match cx.tell(Command::Ticket { group, change }).await? {
        Reply::Ticket { group, ticket } => Ok((group, ticket)),
        other => Err(unexpected(&other)),
    }
}

fn ticket_answer(id: GroupId, ticket: Signed) -> Answer {
    Answer::json(
        StatusCode::ACCEPTED,
        &TicketAnswer {
            ticket,
            protection_group: GroupKey { id },
        },
    )
}

/// The versions that a client accepts the group to have.
struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// No header and `*` accept any.
    fn of(cx: &Cx) -> Result<Self, ApiError> {
        let header = cx.header("if-match")?.filter(|text| *text != "*");
        Ok(Self(header.map(|text| {
            text.split(',').map(|tag| tag.trim().to_owned()).collect()
        })))
    }

    fn is_any(&self) -> bool {
        self.0.is_none()
    }

    fn check(&self, current: Option<Pair>) -> Result<(), ApiError> {
        let Some(tags) = &self.0 else { return Ok(()) };
        let fits = current.is_some_and(|pair| tags.contains(&etag(&pair)));
        if fits {
            Ok(())
        } else {
            Err(ApiError::StaleVersion { current })
        }
    }
}

#[derive(Deserialize)]
struct TicketPayload {
    content: TicketContent,
}

#[derive(Deserialize)]
struct TicketContent {
    #[serde(default)]
    base: Option<RecordRef>,
}

/// What the ticket says the change is made to. Our own signature: nothing to verify.
fn base_of(ticket: &Signed) -> Option<Pair> {
    let payload: TicketPayload = serde_json::from_str(&ticket.payload).ok()?;
    payload.content.base.map(|base| base.pair())
}
