//! Operations and their events.

use super::{Conn, dialect};
use crate::codec::word;
use crate::error::StoreError;
use crate::model::OperationUpdate;
use crate::rows::operation::{EventRow, MovingColumns, OperationRow, updated};
use crate::schema::{dr_operation_events, dr_operations, effects};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use protector_domain::effect::EffectState;
use protector_domain::ids::{GroupId, OperationId, ProjectId};
use protector_domain::operation::{
    Operation, OperationEvent, OperationKind, OperationMode, OperationStatus,
};
use protector_domain::sync::Epoch;

/// Most operations that can be unfinished at one site.
const UNFINISHED_MAX: i64 = 100_000;
/// Most operations of a group under one epoch that have done something each. A try that brings up nobody
/// is none of these, so that this is far above the members of any group.
const DID_MAX: i64 = 1_000;

/// Errors: `AlreadyThere` with `what` = `idempotency_key` and the id of the operation that has the
/// key, or `operation` if the id itself is taken.
pub(crate) async fn operation_insert(
    c: &mut Conn,
    operation: &Operation,
) -> Result<(), StoreError> {
    if let Some(there) = keyed(c, operation).await? {
        return Err(there);
    }
    let row = OperationRow::new(operation)?;
    match diesel::insert_into(dr_operations::table)
        .values(row)
        .execute(c)
        .await
    {
        Ok(_) => Ok(()),
        Err(error) => Err(insert_failed(c, operation, error.into()).await?),
    }
}

async fn keyed(c: &mut Conn, operation: &Operation) -> Result<Option<StoreError>, StoreError> {
    let Some(key) = &operation.idempotency_key else {
        return Ok(None);
    };
    let there = operation_by_key(c, &operation.project, key).await?;
    Ok(there.map(|there| StoreError::AlreadyThere {
        what: "idempotency_key",
        id: Some(there.id.to_string()),
    }))
}

/// Two writers may have brought the same key at once: then the loser looks again.
async fn insert_failed(
    c: &mut Conn,
    operation: &Operation,
    error: StoreError,
) -> Result<StoreError, StoreError> {
    if !matches!(error, StoreError::AlreadyThere { .. }) {
        return Ok(error);
    }
    let id = operation.id.to_string();
    let taken = StoreError::AlreadyThere {
        what: "operation",
        id: Some(id),
    };
    Ok(keyed(c, operation).await?.unwrap_or(taken))
}

/// Errors: `Missing`, `Illegal` for a move that is none (S10).
pub(crate) async fn operation_update(
    c: &mut Conn,
    update: &OperationUpdate,
) -> Result<Operation, StoreError> {
    let id = update.id.to_string();
    let row = dialect::operation_locked(c, &id)
        .await?
        .ok_or(StoreError::Missing)?;
    let before = Operation::try_from(row)?;
    let after = updated(&before, update)?;
    if after != before {
        let columns = MovingColumns::new(&after)?;
        diesel::update(dr_operations::table.find(id))
            .set(columns)
            .execute(c)
            .await?;
    }
    Ok(after)
}

pub(crate) async fn operation_fetch(
    c: &mut Conn,
    id: OperationId,
) -> Result<Option<Operation>, StoreError> {
    let query = dr_operations::table
        .find(id.to_string())
        .select(OperationRow::as_select());
    query
        .first(c)
        .await
        .optional()?
        .map(Operation::try_from)
        .transpose()
}

pub(crate) async fn operation_by_key(
    c: &mut Conn,
    project: &ProjectId,
    key: &str,
) -> Result<Option<Operation>, StoreError> {
    let query = dr_operations::table
        .filter(dr_operations::project.eq(project.as_str()))
        .filter(dr_operations::idempotency_key.eq(key));
    let row = query
        .select(OperationRow::as_select())
        .first(c)
        .await
        .optional()?;
    row.map(Operation::try_from).transpose()
}

/// Newest first.
pub(crate) async fn operation_list(
    c: &mut Conn,
    project: &ProjectId,
    group: Option<GroupId>,
    marker: Option<OperationId>,
    limit: i64,
) -> Result<Vec<Operation>, StoreError> {
    let mut query = dr_operations::table
        .filter(dr_operations::project.eq(project.as_str()))
        .order(dr_operations::id.desc())
        .limit(limit)
        .select(OperationRow::as_select())
        .into_boxed();
    if let Some(group) = group {
        query = query.filter(dr_operations::protection_group_id.eq(group.to_string()));
    }
    if let Some(marker) = marker {
        query = query.filter(dr_operations::id.lt(marker.to_string()));
    }
    let rows: Vec<OperationRow> = query.load(c).await?;
    rows.into_iter().map(Operation::try_from).collect()
}

/// The newest operation by which the group was moved by force under `epoch`.
pub(crate) async fn operation_forced(
    c: &mut Conn,
    group: GroupId,
    epoch: Epoch,
) -> Result<Option<Operation>, StoreError> {
    use OperationKind::{Failback, Failover};
    let moves = [word(&Failover)?, word(&Failback)?];
    let query = dr_operations::table
        .filter(dr_operations::protection_group_id.eq(group.to_string()))
        .filter(dr_operations::epoch.eq(column(epoch)?))
        .filter(dr_operations::mode.eq(word(&OperationMode::Unplanned)?))
        .filter(dr_operations::operation_type.eq_any(moves))
        .order(dr_operations::id.desc())
        .select(OperationRow::as_select());
    let row = query.first(c).await.optional()?;
    row.map(Operation::try_from).transpose()
}

/// Oldest first. One of which the ledger knows no such step as done is left out.
pub(crate) async fn operations_that_did(
    c: &mut Conn,
    group: GroupId,
    epoch: Epoch,
    kind: OperationKind,
    steps: &[&str],
) -> Result<Vec<Operation>, StoreError> {
    let did = effects::table
        .filter(effects::protection_group_id.eq(group.to_string()))
        .filter(effects::step.eq_any(steps))
        .filter(effects::state.eq(word(&EffectState::Done)?))
        .select(effects::operation_id);
    let query = dr_operations::table
        .filter(dr_operations::protection_group_id.eq(group.to_string()))
        .filter(dr_operations::epoch.eq(column(epoch)?))
        .filter(dr_operations::operation_type.eq(word(&kind)?))
        .filter(dr_operations::id.eq_any(did))
        .order(dr_operations::id)
        .limit(DID_MAX.saturating_add(1));
    let rows: Vec<OperationRow> = query.select(OperationRow::as_select()).load(c).await?;
    // One that is forgotten would be done twice (S2).
    if i64::try_from(rows.len()).is_ok_and(|found| found > DID_MAX) {
        return Err(StoreError::Illegal(format!(
            "more than {DID_MAX} operations"
        )));
    }
    rows.into_iter().map(Operation::try_from).collect()
}

fn column(epoch: Epoch) -> Result<i64, StoreError> {
    i64::try_from(epoch.0).map_err(|_| StoreError::Illegal("epoch too large".to_owned()))
}

/// Oldest first: what a starting engine takes up (L2).
pub(crate) async fn operation_list_unfinished(c: &mut Conn) -> Result<Vec<Operation>, StoreError> {
    use OperationStatus::{Pending, RollingBack, Running};
    let open = [word(&Pending)?, word(&Running)?, word(&RollingBack)?];
    let query = dr_operations::table
        .filter(dr_operations::status.eq_any(open))
        .order(dr_operations::id)
        .limit(UNFINISHED_MAX);
    let rows: Vec<OperationRow> = query.select(OperationRow::as_select()).load(c).await?;
    // One row that cannot be read (A14, J7) must not keep the others from going on.
    let read = rows.into_iter().map(Operation::try_from);
    Ok(read
        .filter_map(|row| super::groups::readable("operation", row))
        .collect())
}

/// A number that was free a moment ago: the whole transaction is to be done again.
pub(crate) fn number_taken(error: StoreError) -> StoreError {
    match error {
        StoreError::AlreadyThere { .. } => StoreError::Busy,
        other => other,
    }
}

pub(crate) async fn last_event(
    c: &mut Conn,
    operation: OperationId,
) -> Result<Option<i64>, StoreError> {
    use dr_operation_events as e;
    let query = e::table
        .filter(e::operation_id.eq(operation.to_string()))
        .order(e::seq.desc())
        .select(e::seq);
    Ok(query.first::<i64>(c).await.optional()?)
}

pub(crate) async fn event_list(
    c: &mut Conn,
    operation: OperationId,
    after_seq: i64,
    limit: i64,
) -> Result<Vec<OperationEvent>, StoreError> {
    use dr_operation_events as e;
    let query = e::table
        .filter(e::operation_id.eq(operation.to_string()))
        .filter(e::seq.gt(after_seq))
        .order(e::seq)
        .limit(limit);
    let rows: Vec<EventRow> = query.select(EventRow::as_select()).load(c).await?;
    rows.into_iter().map(OperationEvent::try_from).collect()
}
