//! Rows of sync log, audit trail and idempotency keys.

use crate::codec::{count, json, parse_count, parse_id, parse_json, parse_word, word};
use crate::error::StoreError;
use crate::model::{AuditEntry, SyncLogEntry};
use crate::schema::{audit, idempotency_keys, sync_log};
use diesel::prelude::*;
use protector_domain::ids::{ProjectId, UserId};
use protector_domain::sync::{Digest, Epoch, RecordRef, Version};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sync_log)]
pub(crate) struct SyncLogRow {
    pub protection_group_id: String,
    pub seq: i64,
    pub kind: String,
    pub epoch: i64,
    pub version: i64,
    pub digest: String,
    pub content: String,
    pub at_us: i64,
}

impl SyncLogRow {
    pub fn new(entry: &SyncLogEntry, seq: i64) -> Result<Self, StoreError> {
        Ok(Self {
            protection_group_id: entry.group.to_string(),
            seq,
            kind: word(&entry.kind)?,
            epoch: count("epoch", entry.at.epoch.0)?,
            version: count("version", entry.at.version.0)?,
            digest: entry.at.digest.to_string(),
            content: json(&entry.content)?,
            at_us: entry.at_us,
        })
    }
}

impl TryFrom<SyncLogRow> for SyncLogEntry {
    type Error = StoreError;
    fn try_from(row: SyncLogRow) -> Result<Self, StoreError> {
        let digest: Digest = parse_word("sync_log.digest", row.digest)?;
        Ok(Self {
            group: parse_id("sync_log.protection_group_id", &row.protection_group_id)?,
            seq: row.seq,
            kind: parse_word("sync_log.kind", row.kind)?,
            at: RecordRef {
                epoch: Epoch(parse_count("sync_log.epoch", row.epoch)?),
                version: Version(parse_count("sync_log.version", row.version)?),
                digest,
            },
            content: parse_json("sync_log.content", &row.content)?,
            at_us: row.at_us,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit)]
pub(crate) struct AuditRow {
    pub id: String,
    pub at_us: i64,
    pub project: String,
    pub user_id: String,
    pub action: String,
    pub target: String,
    pub outcome: String,
    pub request_id: String,
    pub detail: String,
}

impl AuditRow {
    pub fn new(entry: &AuditEntry) -> Result<Self, StoreError> {
        Ok(Self {
            id: entry.id.to_string(),
            at_us: entry.at_us,
            project: entry.project.to_string(),
            user_id: entry.user.to_string(),
            action: entry.action.clone(),
            target: entry.target.clone(),
            outcome: entry.outcome.clone(),
            request_id: entry.request_id.clone(),
            detail: json(&entry.detail)?,
        })
    }
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = StoreError;
    fn try_from(row: AuditRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: parse_id("audit.id", &row.id)?,
            at_us: row.at_us,
            project: ProjectId(row.project),
            user: UserId(row.user_id),
            action: row.action,
            target: row.target,
            outcome: row.outcome,
            request_id: row.request_id,
            detail: parse_json("audit.detail", &row.detail)?,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency_keys)]
pub(crate) struct IdempotencyRow {
    pub project: String,
    pub idem_key: String,
    pub request_digest: String,
    pub response_status: Option<i32>,
    pub response_body: Option<String>,
    pub created_us: i64,
}
