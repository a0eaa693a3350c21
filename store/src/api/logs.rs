//! Sync log, audit trail, idempotency keys.

use super::{odd, page};
use crate::error::StoreError;
use crate::model::{AuditEntry, Claimed, IdempotencyClaim, SyncLogEntry};
use crate::store::{Store, read};
use crate::write::{Write, Written};
use protector_domain::ids::{GroupId, ProjectId};
use serde_json::Value;
use uuid::Uuid;

impl Store {
    /// Appends an overtaken, withdrawn or refused record (K4, K5), once per record and kind.
    pub async fn sync_log_append(&self, entry: SyncLogEntry) -> Result<(), StoreError> {
        self.write_done(Write::SyncLogAppend(entry)).await
    }

    /// In order, after entry `after` (0: from the first); at most 1,000 at once.
    pub async fn sync_log_list(
        &self,
        group: GroupId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<SyncLogEntry>, StoreError> {
        read!(self, logs::sync_log_list(group, after, page(limit)))
    }

    /// An operator has seen it. Errors: `Missing`.
    pub async fn sync_log_delete(&self, group: GroupId, seq: i64) -> Result<(), StoreError> {
        self.write_done(Write::SyncLogDelete { group, seq }).await
    }

    /// S18. Errors: `AlreadyThere` for the id.
    pub async fn audit_append(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.write_done(Write::AuditAppend(Box::new(entry))).await
    }

    /// Of one project, or all; newest first, older than `marker`; at most 1,000 at once.
    pub async fn audit_list(
        &self,
        project: Option<&ProjectId>,
        marker: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        read!(self, logs::audit_list(project, marker, page(limit)))
    }

    /// I3: of equal requests exactly one is told `New`.
    pub async fn idempotency_claim(&self, claim: IdempotencyClaim) -> Result<Claimed, StoreError> {
        match self.write(Write::IdempotencyClaim(claim)).await? {
            Written::Claimed(claimed) => Ok(claimed),
            other => Err(odd(&other)),
        }
    }

    /// Keeps the answer for repeats. Errors: `Missing` if the key was never claimed.
    pub async fn idempotency_settle(
        &self,
        project: &ProjectId,
        key: &str,
        status: u16,
        body: Value,
    ) -> Result<(), StoreError> {
        let (project, key) = (project.clone(), key.to_owned());
        self.write_done(Write::IdempotencySettle {
            project,
            key,
            status,
            body,
        })
        .await
    }

    /// The request did nothing: its key is free again.
    pub async fn idempotency_forget(
        &self,
        project: &ProjectId,
        key: &str,
    ) -> Result<(), StoreError> {
        let (project, key) = (project.clone(), key.to_owned());
        self.write_done(Write::IdempotencyForget { project, key })
            .await
    }

    /// Forgets keys made before this Unix microsecond; returns how many.
    pub async fn idempotency_sweep(&self, before_us: i64) -> Result<u64, StoreError> {
        self.write_count(Write::IdempotencySweep { before_us })
            .await
    }
}
