//! What couriers fetch and bring (sync-protocol, section 7). Nothing here is believed: messages
//! speak by their signatures, tokens only open the door to the project.
//!
//! Absent: the rules.

use super::body_of;
use crate::answer::Answer;
use crate::cx::{Cx, unexpected};
use crate::error::ApiError;
use crate::request::BodyStream;
use crate::wire::actions::Empty;
use crate::wire::sync::{
    AskReleaseRequest, CommitRequest, CompareHeadRequest, EnvelopeAnswer, GroupKey, HeadAnswer,
    LockTicketAnswer, OwnRecordAnswer, ReceiptRequest, RejectionAnswer, ReleaseAnswer,
    ReleaseRequest, ReservationAnswer, ReserveRequest, StoreRequest, StoredAnswer, SyncAnswer,
    SyncInfo, SyncedAnswer, TrustedAnswer, WithdrawRequest,
};
use http::StatusCode;
use protector_domain::ids::GroupId;
use protector_domain::ports::engine::{Command, Query, Reply, View};
use protector_domain::sync::Signed;

pub(super) async fn sync_show(cx: &Cx) -> Result<Answer, ApiError> {
    // A tombstone is carried like any other record.
    let group = cx.group_ref()?;
    match cx.ask(Query::Sync { group }).await? {
        View::Sync { sync } => {
            let sync = SyncInfo {
                head: sync.head,
                envelope: sync.envelope,
                synced: sync.synced,
            };
            Ok(Answer::json(StatusCode::OK, &SyncAnswer { sync }))
        }
        other => Err(unexpected(&other)),
    }
}

pub(super) async fn lock_ticket(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let Empty {} = body_of(cx, body).await?;
    let group = cx.group().await?.id;
    bare_ticket(cx, Command::LockTicket { group }).await
}

pub(super) async fn head_ticket(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let Empty {} = body_of(cx, body).await?;
    let group = cx.group().await?.id;
    bare_ticket(cx, Command::HeadTicket { group }).await
}

async fn bare_ticket(cx: &Cx, command: Command) -> Result<Answer, ApiError> {
    match cx.tell(command).await? {
        Reply::Ticket { group: _, ticket } => Ok(Answer::json(
            StatusCode::ACCEPTED,
            &LockTicketAnswer { ticket },
        )),
        other => Err(unexpected(&other)),
    }
}

pub(super) async fn sign_head(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let ReserveRequest { ticket } = body_of(cx, body).await?;
    // It may be a group that this site has never heard of: that is an answer, too.
    let group = cx.group_ref()?;
    match cx.tell(Command::SignHead { group, ticket }).await? {
        Reply::Head { head } => Ok(Answer::json(StatusCode::OK, &HeadAnswer { head })),
        other => Err(unexpected(&other)),
    }
}

pub(super) async fn compare_head(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let CompareHeadRequest { head, envelope } = body_of(cx, body).await?;
    match cx.tell(Command::CompareHead { head, envelope }).await? {
        Reply::Trusted { group } => {
            let answer = TrustedAnswer {
                protection_group: GroupKey { id: group },
                trusted: true,
            };
            Ok(Answer::json(StatusCode::OK, &answer))
        }
        Reply::Rejected { rejection } => {
            Ok(Answer::json(StatusCode::OK, &RejectionAnswer { rejection }))
        }
        Reply::Committed {
            group, envelope, ..
        } => Ok(committed(group, envelope)),
        other => Err(unexpected(&other)),
    }
}

pub(super) async fn ask_release(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let AskReleaseRequest { operation } = body_of(cx, body).await?;
    let group = cx.group().await?.id;
    match cx.tell(Command::AskRelease { group, operation }).await? {
        Reply::Release { release } => Ok(Answer::json(StatusCode::OK, &ReleaseAnswer { release })),
        other => Err(unexpected(&other)),
    }
}

pub(super) async fn release(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let ReleaseRequest { release } = body_of(cx, body).await?;
    written(cx, Command::Release { release }).await
}

pub(super) async fn withdraw(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let WithdrawRequest { rejection } = body_of(cx, body).await?;
    written(cx, Command::Withdraw { rejection }).await
}

/// A record was written that the peer has to hear of.
pub(super) async fn written(cx: &Cx, command: Command) -> Result<Answer, ApiError> {
    match cx.tell(command).await? {
        Reply::Committed {
            group, envelope, ..
        } => Ok(committed(group, envelope)),
        other => Err(unexpected(&other)),
    }
}

fn committed(group: GroupId, envelope: Signed) -> Answer {
    let answer = EnvelopeAnswer {
        envelope,
        protection_group: GroupKey { id: group },
    };
    Answer::json(StatusCode::ACCEPTED, &answer)
}

pub(super) async fn reserve(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let ReserveRequest { ticket } = body_of(cx, body).await?;
    match cx.tell(Command::Reserve { ticket }).await? {
        Reply::Reservation { reservation } => Ok(Answer::json(
            StatusCode::OK,
            &ReservationAnswer { reservation },
        )),
        Reply::Rejected { rejection } => {
            Ok(Answer::json(StatusCode::OK, &RejectionAnswer { rejection }))
        }
        other => Err(unexpected(&other)),
    }
}

pub(super) async fn commit(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let CommitRequest {
        ticket: _,
        reservation,
    } = body_of(cx, body).await?;
    written(cx, Command::Commit { reservation }).await
}

pub(super) async fn store(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let StoreRequest { envelope } = body_of(cx, body).await?;
    match cx.tell(Command::Store { envelope }).await? {
        Reply::Stored { receipt } => Ok(Answer::json(StatusCode::OK, &StoredAnswer { receipt })),
        Reply::Rejected { rejection } => {
            Ok(Answer::json(StatusCode::OK, &RejectionAnswer { rejection }))
        }
        // R6, last line: a record of our own came back, and it is the one in force.
        Reply::Synced { group } => {
            let answer = OwnRecordAnswer {
                protection_group: GroupKey { id: group },
                written_here: true,
            };
            Ok(Answer::json(StatusCode::OK, &answer))
        }
        other => Err(unexpected(&other)),
    }
}

pub(super) async fn receipt(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let ReceiptRequest { receipt } = body_of(cx, body).await?;
    match cx.tell(Command::Receipt { receipt }).await? {
        Reply::Synced { group } => {
            let answer = SyncedAnswer {
                protection_group: GroupKey { id: group },
                synced: true,
            };
            Ok(Answer::json(StatusCode::OK, &answer))
        }
        other => Err(unexpected(&other)),
    }
}
