//! What the sites tell each other through couriers: M1 to M7. Absent: their frame and signature
//! (`frame`), and what they cause (`rules`).

use super::digest::Digest;
use super::order::Epoch;
use super::record::{Content, Lock, Record, RecordRef};
use crate::ids::{GroupId, OperationId, SiteId};
use serde::{Deserialize, Serialize};

/// 128 random bits in hex, made by the asker: ties an answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nonce(pub String);

impl Nonce {
    /// From random bytes that the caller drew.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(hex::encode(bytes))
    }
}

/// What a ticket asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Intent {
    Create,
    Change,
    Delete,
    /// A planned move: hand the right to start VMs to an operation of the peer.
    Lock,
    /// After a restore: where does the peer stand?
    Head,
}

/// M1. The site that wants to author asks its peer once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    pub nonce: Nonce,
    pub intent: Intent,
    /// Where the asker stands; none for a create.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<RecordRef>,
    /// Digest of the record that would be committed; none for `lock` and `head`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_digest: Option<Digest>,
    /// What it would say; of `create` and `change` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Content>,
}

/// The operation that will hold the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockOffer {
    pub operation: OperationId,
    pub plan_digest: Digest,
}

/// M2. The peer attests: I stand exactly at `base` and would store this. It promises nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reservation {
    pub nonce: Nonce,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<RecordRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_digest: Option<Digest>,
    /// Of a lock: who will hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockOffer>,
}

/// M4. The peer has stored exactly this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    pub at: RecordRef,
}

/// Whether the VMs at the source of an aborted move are known to run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceVms {
    /// They are home and as they were.
    Home,
    /// The holder could not reach the cloud: the leader starts what is missing.
    Unknown,
}

/// M5. The holder of the lock is done without a mint. Good in one epoch only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    pub operation: OperationId,
    pub epoch: Epoch,
    pub source_vms: SourceVms,
}

/// M6. The peer will never store this, for these reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    pub at: RecordRef,
    pub reasons: Vec<String>,
}

/// The mode of a site's one mutating operation on a group (K3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationMode {
    /// Accepted, waits for its lock; has no right yet and dies at its deadline or a restart.
    Requested,
    /// Holds the planned lock.
    Planned,
    /// Holds the right by an epoch of its own.
    Forced,
    /// Does not move leadership (drill, reprotect, member work); needs no lock.
    Local,
}

/// An operation as the peer and the courier see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationView {
    pub id: OperationId,
    pub mode: OperationMode,
}

/// Where a site stands: everything a courier has to know (sync-status, sync-force).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The current record; none: this site has never heard of the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<RecordRef>,
    /// The record came from the peer, or the peer's receipt is here (K2).
    pub synced: bool,
    pub deleted: bool,
    /// This site's memory may be incomplete (K7).
    pub suspect: bool,
    /// This site leads the epoch of its current record.
    pub leads: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationView>,
    /// Records of the peer above the current one that were refused for good (K5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<RecordRef>,
}

/// M7. A signed head; with a nonce it answers one `head` ticket (R13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadReport {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Nonce>,
    pub head: Head,
}

/// The type of a message: part of what is signed, so that none passes for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageType {
    Ticket,
    Reservation,
    Envelope,
    Receipt,
    Release,
    Rejection,
    Head,
}

impl MessageType {
    /// Its name inside the signed frame.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Reservation => "reservation",
            Self::Envelope => "envelope",
            Self::Receipt => "receipt",
            Self::Release => "release",
            Self::Rejection => "rejection",
            Self::Head => "head",
        }
    }
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageContent {
    Ticket(Ticket),
    Reservation(Reservation),
    /// M3: the whole record.
    Envelope(Box<Record>),
    Receipt(Receipt),
    Release(Release),
    Rejection(Rejection),
    Head(HeadReport),
}

impl MessageContent {
    pub fn message_type(&self) -> MessageType {
        match self {
            Self::Ticket(_) => MessageType::Ticket,
            Self::Reservation(_) => MessageType::Reservation,
            Self::Envelope(_) => MessageType::Envelope,
            Self::Receipt(_) => MessageType::Receipt,
            Self::Release(_) => MessageType::Release,
            Self::Rejection(_) => MessageType::Rejection,
            Self::Head(_) => MessageType::Head,
        }
    }
}

/// A message with its addresses, before it is signed or after it was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub group: GroupId,
    pub from: SiteId,
    pub to: SiteId,
    pub content: MessageContent,
}
