//! Sync log, audit trail, idempotency keys.

use super::Conn;
use super::operations::number_taken;
use crate::codec::{json, parse_json, word};
use crate::error::StoreError;
use crate::model::{AuditEntry, Claimed, IdempotencyClaim, SyncLogEntry};
use crate::rows::log::{AuditRow, IdempotencyRow, SyncLogRow};
use crate::schema::{audit, idempotency_keys, sync_log};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use protector_domain::ids::{GroupId, ProjectId};
use serde_json::Value;
use uuid::Uuid;

/// Appends once per record and kind; repeating it changes nothing.
pub(crate) async fn sync_log_append(c: &mut Conn, entry: &SyncLogEntry) -> Result<(), StoreError> {
    let group = entry.group.to_string();
    let there: Option<i64> = sync_log::table
        .filter(sync_log::protection_group_id.eq(&group))
        .filter(sync_log::kind.eq(word(&entry.kind)?))
        .filter(sync_log::digest.eq(entry.at.digest.as_str()))
        .select(sync_log::seq)
        .first(c)
        .await
        .optional()?;
    if there.is_some() {
        return Ok(());
    }
    let last: Option<i64> = sync_log::table
        .filter(sync_log::protection_group_id.eq(&group))
        .order(sync_log::seq.desc())
        .select(sync_log::seq)
        .first(c)
        .await
        .optional()?;
    let row = SyncLogRow::new(entry, last.unwrap_or(0).saturating_add(1))?;
    let added = diesel::insert_into(sync_log::table)
        .values(row)
        .execute(c)
        .await;
    added.map_err(|error| number_taken(error.into()))?;
    Ok(())
}

pub(crate) async fn sync_log_list(
    c: &mut Conn,
    group: GroupId,
    after: i64,
    limit: i64,
) -> Result<Vec<SyncLogEntry>, StoreError> {
    let query = sync_log::table
        .filter(sync_log::protection_group_id.eq(group.to_string()))
        .filter(sync_log::seq.gt(after))
        .order(sync_log::seq)
        .limit(limit);
    let rows: Vec<SyncLogRow> = query.select(SyncLogRow::as_select()).load(c).await?;
    rows.into_iter().map(SyncLogEntry::try_from).collect()
}

pub(crate) async fn sync_log_delete(
    c: &mut Conn,
    group: GroupId,
    seq: i64,
) -> Result<(), StoreError> {
    let gone = diesel::delete(sync_log::table.find((group.to_string(), seq)))
        .execute(c)
        .await?;
    if gone == 0 {
        Err(StoreError::Missing)
    } else {
        Ok(())
    }
}

pub(crate) async fn audit_append(c: &mut Conn, entry: &AuditEntry) -> Result<(), StoreError> {
    let row = AuditRow::new(entry)?;
    diesel::insert_into(audit::table)
        .values(row)
        .execute(c)
        .await?;
    Ok(())
}

/// Newest first.
pub(crate) async fn audit_list(
    c: &mut Conn,
    project: Option<&ProjectId>,
    marker: Option<Uuid>,
    limit: i64,
) -> Result<Vec<AuditEntry>, StoreError> {
    let mut query = audit::table
        .order(audit::id.desc())
        .limit(limit)
        .select(AuditRow::as_select())
        .into_boxed();
    if let Some(project) = project {
        query = query.filter(audit::project.eq(project.as_str()));
    }
    if let Some(marker) = marker {
        query = query.filter(audit::id.lt(marker.to_string()));
    }
    let rows: Vec<AuditRow> = query.load(c).await?;
    rows.into_iter().map(AuditEntry::try_from).collect()
}

pub(crate) async fn idempotency_claim(
    c: &mut Conn,
    claim: &IdempotencyClaim,
    now_us: i64,
) -> Result<Claimed, StoreError> {
    let row = IdempotencyRow {
        project: claim.project.to_string(),
        idem_key: claim.key.clone(),
        request_digest: claim.request_digest.clone(),
        response_status: None,
        response_body: None,
        created_us: now_us,
    };
    // Insert first: of two equal requests at the same moment exactly one gets `New`. Not `INSERT
    // IGNORE`, which would also cut a key that is too long.
    let added = diesel::insert_into(idempotency_keys::table)
        .values(row)
        .execute(c)
        .await;
    match added.map_err(StoreError::from) {
        Ok(_) => return Ok(Claimed::New),
        Err(StoreError::AlreadyThere { .. }) => {}
        Err(error) => return Err(error),
    }
    let there = idempotency_keys::table.find((claim.project.as_str(), claim.key.as_str()));
    let there: Option<IdempotencyRow> = there
        .select(IdempotencyRow::as_select())
        .first(c)
        .await
        .optional()?;
    standing(there.ok_or(StoreError::Busy)?, claim)
}

fn standing(row: IdempotencyRow, claim: &IdempotencyClaim) -> Result<Claimed, StoreError> {
    if row.request_digest != claim.request_digest {
        return Ok(Claimed::Mismatch);
    }
    match (row.response_status, row.response_body) {
        (Some(status), Some(body)) => Ok(Claimed::Done {
            status: u16::try_from(status)
                .map_err(|_| StoreError::Corrupt("idempotency_keys.response_status".to_owned()))?,
            body: parse_json("idempotency_keys.response_body", &body)?,
        }),
        _ => Ok(Claimed::InFlight),
    }
}

pub(crate) async fn idempotency_settle(
    c: &mut Conn,
    project: &ProjectId,
    key: &str,
    status: u16,
    body: &Value,
) -> Result<(), StoreError> {
    let changed = diesel::update(idempotency_keys::table.find((project.as_str(), key)))
        .set((
            idempotency_keys::response_status.eq(Some(i32::from(status))),
            idempotency_keys::response_body.eq(Some(json(body)?)),
        ))
        .execute(c)
        .await?;
    if changed == 0 {
        Err(StoreError::Missing)
    } else {
        Ok(())
    }
}

/// The request did nothing: the key may be used again.
pub(crate) async fn idempotency_forget(
    c: &mut Conn,
    project: &ProjectId,
    key: &str,
) -> Result<(), StoreError> {
    diesel::delete(idempotency_keys::table.find((project.as_str(), key)))
        .execute(c)
        .await?;
    Ok(())
}

pub(crate) async fn idempotency_sweep(c: &mut Conn, before_us: i64) -> Result<u64, StoreError> {
    let old = idempotency_keys::table.filter(idempotency_keys::created_us.lt(before_us));
    let gone = diesel::delete(old).execute(c).await?;
    Ok(u64::try_from(gone).unwrap_or(u64::MAX))
}
