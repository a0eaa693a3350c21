//! What couriers carry and bring (section 7 of the protocol). Absent: looking into messages.

use crate::wire::object::{maybe_object, object};
use protector_domain::ids::{GroupId, OperationId};
use protector_domain::sync::{Head, Signed};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A signed message of a site; opaque to whoever carries it.
#[derive(ToSchema)]
#[schema(as = Signed)]
#[allow(dead_code)] // only its schema is used
pub struct SignedSchema {
    /// `ticket`, `reservation`, `envelope`, `receipt`, `release`, `rejection` or `head`.
    #[schema(rename = "type")]
    message_type: String,
    /// Canonical JSON, byte for byte as it was signed.
    payload: String,
    key_id: String,
    signature: String,
}

/// Names a group and nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct GroupKey {
    #[schema(value_type = String)]
    pub id: GroupId,
}

/// M1 to the peer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReserveRequest {
    #[serde(deserialize_with = "object")]
    #[schema(value_type = SignedSchema)]
    pub ticket: Signed,
}

/// M2 back to where the ticket was made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitRequest {
    /// May come along; the reservation names its ticket by the nonce.
    #[serde(default, deserialize_with = "maybe_object")]
    #[schema(value_type = Option<SignedSchema>)]
    pub ticket: Option<Signed>,
    #[serde(deserialize_with = "object")]
    #[schema(value_type = SignedSchema)]
    pub reservation: Signed,
}

/// M3 to the peer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreRequest {
    #[serde(deserialize_with = "object")]
    #[schema(value_type = SignedSchema)]
    pub envelope: Signed,
}

/// M4 to the author.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptRequest {
    #[serde(deserialize_with = "object")]
    #[schema(value_type = SignedSchema)]
    pub receipt: Signed,
}

/// M7 home to the site that asked for it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareHeadRequest {
    #[serde(deserialize_with = "object")]
    #[schema(value_type = SignedSchema)]
    pub head: Signed,
    /// The peer's record, where that is newer than the one here.
    #[serde(default, deserialize_with = "maybe_object")]
    #[schema(value_type = Option<SignedSchema>)]
    pub envelope: Option<Signed>,
}

/// Which planned move is over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskReleaseRequest {
    #[schema(value_type = String)]
    pub operation: OperationId,
}

/// What the peer signed about a move of its own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    #[serde(deserialize_with = "object")]
    #[schema(value_type = SignedSchema)]
    pub release: Signed,
}

/// What the peer refused for good.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawRequest {
    #[serde(deserialize_with = "object")]
    #[schema(value_type = SignedSchema)]
    pub rejection: Signed,
}

/// The move is over: carry the release to the leader's `/sync/releases`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleaseAnswer {
    #[schema(value_type = SignedSchema)]
    pub release: Signed,
}

/// A draft was accepted: carry the ticket to the peer's `/sync/reservations`.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketAnswer {
    #[schema(value_type = SignedSchema)]
    pub ticket: Signed,
    pub protection_group: GroupKey,
}

/// A lock ticket: the right to start VMs may go to an operation of the peer: ask there for the move, with
/// this. A head ticket: carry it to the peer's `.../sync/heads` of the group.
#[derive(Debug, Serialize, ToSchema)]
pub struct LockTicketAnswer {
    #[schema(value_type = SignedSchema)]
    pub ticket: Signed,
}

/// Where this site stands: carry it to the site that asked, to its `/sync/heads`.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeadAnswer {
    #[schema(value_type = SignedSchema)]
    pub head: Signed,
}

/// The doubt of this site about the group is over.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrustedAnswer {
    pub protection_group: GroupKey,
    pub trusted: bool,
}

/// The peer attests; or it refuses for good, and `rejection` says why.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReservationAnswer {
    #[schema(value_type = SignedSchema)]
    pub reservation: Signed,
}

/// Committed and pending: carry the envelope to the peer's `/sync/envelopes`.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnvelopeAnswer {
    #[schema(value_type = SignedSchema)]
    pub envelope: Signed,
    pub protection_group: GroupKey,
}

/// Stored: carry the receipt to the author's `/sync/receipts`.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoredAnswer {
    #[schema(value_type = SignedSchema)]
    pub receipt: Signed,
}

/// Never to be stored: carry the rejection to the author.
#[derive(Debug, Serialize, ToSchema)]
pub struct RejectionAnswer {
    #[schema(value_type = SignedSchema)]
    pub rejection: Signed,
}

/// The record is this site's own, and in force here: nothing was to be done.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnRecordAnswer {
    pub protection_group: GroupKey,
    pub written_here: bool,
}

/// The author knows that the peer has it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncedAnswer {
    pub protection_group: GroupKey,
    pub synced: bool,
}

/// M7 and M3 of this site.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncInfo {
    #[schema(value_type = Object)]
    pub head: Head,
    #[schema(value_type = SignedSchema)]
    pub envelope: Signed,
    pub synced: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SyncAnswer {
    pub sync: SyncInfo,
}
