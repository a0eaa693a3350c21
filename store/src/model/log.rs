//! What is kept for people: overtaken records, the audit trail, answers to repeated requests.

use protector_domain::ids::{GroupId, ProjectId, UserId};
use protector_domain::sync::RecordRef;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Why a record is in the sync log (K4, K5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncLogKind {
    /// A higher epoch was not built on it.
    Orphan,
    /// The peer refused it, and it was taken back.
    Withdrawn,
    /// This site refused it.
    Rejected,
}

/// One entry of a group's sync log. The same record is there once per kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncLogEntry {
    pub group: GroupId,
    /// Counts from 1 within the group; given by the store, ignored when appending.
    pub seq: i64,
    pub kind: SyncLogKind,
    pub at: RecordRef,
    /// The record, or the reasons.
    pub content: Value,
    pub at_us: i64,
}

/// S18: one accepted mutating request. No secret may be in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Version 7, so that entries sort by age.
    pub id: Uuid,
    pub at_us: i64,
    pub project: ProjectId,
    pub user: UserId,
    pub action: String,
    pub target: String,
    pub outcome: String,
    pub request_id: String,
    pub detail: Value,
}

/// A request that carries an `Idempotency-Key` (I3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyClaim {
    pub project: ProjectId,
    pub key: String,
    /// Digest of method, path, caller and body: the same key with another request is refused.
    pub request_digest: String,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// The key is new and now ours.
    New,
    /// The same request runs, or its answer was lost with its process.
    InFlight,
    /// The same request was answered like this.
    Done { status: u16, body: Value },
    /// The key belongs to another request.
    Mismatch,
}
