//! Groups: compare and set, fence, search. The tables read out of the body are in `projections`.

use super::{Conn, dialect, logs, projections};
use crate::error::StoreError;
use crate::model::{GroupPut, StoredGroup, SyncLogEntry, SyncLogKind};
use crate::rows::group::{
    GroupColumns, GroupRow, GroupSecretRow, NewGroupRow, body_of, policy_left,
};
use crate::schema::{
    delegations, group_secrets, protection_group_members, protection_groups, replication_policies,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use protector_domain::ids::{GroupId, ProjectId, ServerId};
use protector_domain::sync::{Kept, KeptReason};

/// Most groups of one site that the engine takes up at its start.
const ACTIVE_MAX: i64 = 100_000;
/// A group's first revision.
const FIRST_REVISION: i64 = 1;

/// Errors: `Conflict` if the revision is not the expected one, `Illegal` if the pair falls (S8),
/// `AlreadyThere` for a name that is taken in the project.
pub(crate) async fn group_put(
    c: &mut Conn,
    put: &GroupPut,
    now_us: i64,
) -> Result<i64, StoreError> {
    let id = put.sync.group();
    let body = body_of(&put.sync);
    let columns = GroupColumns::new(put, body.as_ref(), now_us)?;
    let head = dialect::group_head_locked(c, &id.to_string()).await?;
    let written = match (&head, put.expect_revision) {
        (None, None) => insert(c, id, columns, now_us).await,
        (Some(head), Some(expect)) if head.revision == expect => {
            head.check_order(&columns)?;
            update(c, id, expect, columns).await
        }
        _ => return Err(StoreError::Conflict),
    };
    let revision = written.map_err(|error| name_taken(error, &put.sync))?;
    let left = policy_left(&put.sync);
    projections::replace(c, id, body.as_ref(), left.as_ref()).await?;
    for kept in &put.kept {
        logs::sync_log_append(c, &log_entry(id, kept, now_us)?).await?;
    }
    Ok(revision)
}

/// The whole record as it was signed: either site can still say what it said.
fn log_entry(group: GroupId, kept: &Kept, now_us: i64) -> Result<SyncLogEntry, StoreError> {
    Ok(SyncLogEntry {
        group,
        seq: 0,
        kind: match kept.reason {
            KeptReason::Orphan => SyncLogKind::Orphan,
            KeptReason::Withdrawn => SyncLogKind::Withdrawn,
        },
        at: kept.stored.at(),
        content: serde_json::to_value(kept.stored.signed())
            .map_err(|e| StoreError::Illegal(e.to_string()))?,
        at_us: now_us,
    })
}

/// The only unique columns besides the id are project and name.
fn name_taken(error: StoreError, sync: &protector_domain::sync::GroupSync) -> StoreError {
    let name = || {
        let body = &sync.current()?.record().body;
        Some(body.get("name")?.as_str()?.to_owned())
    };
    match error {
        StoreError::AlreadyThere { .. } => StoreError::AlreadyThere {
            what: "group",
            id: name(),
        },
        other => other,
    }
}

async fn insert(
    c: &mut Conn,
    id: GroupId,
    columns: GroupColumns,
    now_us: i64,
) -> Result<i64, StoreError> {
    let row = NewGroupRow {
        id: id.to_string(),
        revision: FIRST_REVISION,
        created_us: now_us,
        columns,
    };
    diesel::insert_into(protection_groups::table)
        .values(row)
        .execute(c)
        .await?;
    Ok(FIRST_REVISION)
}

async fn update(
    c: &mut Conn,
    id: GroupId,
    expect: i64,
    columns: GroupColumns,
) -> Result<i64, StoreError> {
    let next = expect.saturating_add(1);
    let row = protection_groups::table
        .find(id.to_string())
        .filter(protection_groups::revision.eq(expect));
    let changed = diesel::update(row)
        .set((columns, protection_groups::revision.eq(next)))
        .execute(c)
        .await?;
    if changed == 0 {
        Err(StoreError::Conflict)
    } else {
        Ok(next)
    }
}

pub(crate) async fn group_fetch(
    c: &mut Conn,
    id: GroupId,
) -> Result<Option<StoredGroup>, StoreError> {
    let query = protection_groups::table
        .find(id.to_string())
        .select(GroupRow::as_select());
    query
        .first(c)
        .await
        .optional()?
        .map(StoredGroup::try_from)
        .transpose()
}

pub(crate) async fn group_find(
    c: &mut Conn,
    project: &ProjectId,
    name: &str,
) -> Result<Option<StoredGroup>, StoreError> {
    let query = protection_groups::table
        .filter(protection_groups::project.eq(project.as_str()))
        .filter(protection_groups::live_name.eq(name));
    let row = query
        .select(GroupRow::as_select())
        .first(c)
        .await
        .optional()?;
    row.map(StoredGroup::try_from).transpose()
}

pub(crate) async fn group_list(
    c: &mut Conn,
    project: &ProjectId,
    marker: Option<GroupId>,
    limit: i64,
) -> Result<Vec<StoredGroup>, StoreError> {
    let mut query = protection_groups::table
        .filter(protection_groups::project.eq(project.as_str()))
        .filter(protection_groups::live_name.is_not_null())
        .order(protection_groups::id)
        .limit(limit)
        .select(GroupRow::as_select())
        .into_boxed();
    if let Some(marker) = marker {
        query = query.filter(protection_groups::id.gt(marker.to_string()));
    }
    let rows: Vec<GroupRow> = query.load(c).await?;
    rows.into_iter().map(StoredGroup::try_from).collect()
}

pub(crate) async fn group_list_active(c: &mut Conn) -> Result<Vec<StoredGroup>, StoreError> {
    let query = protection_groups::table
        .filter(protection_groups::deleted.eq(false))
        .order(protection_groups::id)
        .limit(ACTIVE_MAX);
    let rows: Vec<GroupRow> = query.select(GroupRow::as_select()).load(c).await?;
    let read = rows.into_iter().map(StoredGroup::try_from);
    Ok(read.filter_map(|row| readable("group", row)).collect())
}

/// The row, or a line in the log about what is wrong with it.
pub(crate) fn readable<T>(what: &'static str, row: Result<T, StoreError>) -> Option<T> {
    match row {
        Ok(row) => Some(row),
        Err(error) => {
            tracing::error!(what, %error, "a stored row cannot be read and is left out");
            None
        }
    }
}

/// The live group of this project that has the server as a member.
pub(crate) async fn group_of_server(
    c: &mut Conn,
    project: &ProjectId,
    server: &ServerId,
) -> Result<Option<GroupId>, StoreError> {
    let members = protection_group_members::table
        .filter(
            protection_group_members::home_server_id
                .eq(server.as_str())
                .or(protection_group_members::other_server_id.eq(server.as_str())),
        )
        .select(protection_group_members::protection_group_id);
    let query = protection_groups::table
        .filter(protection_groups::project.eq(project.as_str()))
        .filter(protection_groups::id.eq_any(members))
        .order(protection_groups::id)
        .select(protection_groups::id);
    let found: Option<String> = query.first(c).await.optional()?;
    found
        .map(|id| crate::codec::parse_id("protection_groups.id", &id))
        .transpose()
}

/// Reads the stored record and writes its projections anew.
pub(crate) async fn group_rebuild(c: &mut Conn, id: GroupId) -> Result<(), StoreError> {
    let group = group_fetch(c, id).await?.ok_or(StoreError::Missing)?;
    let left = policy_left(&group.sync);
    projections::replace(c, id, group.body.as_ref(), left.as_ref()).await
}

/// Deleted groups of which array objects may be left, or a tenant's trust.
pub(crate) async fn group_list_retiring(c: &mut Conn) -> Result<Vec<StoredGroup>, StoreError> {
    let left = replication_policies::table.select(replication_policies::protection_group_id);
    let lent = delegations::table.select(delegations::protection_group_id);
    let query = protection_groups::table
        .filter(protection_groups::deleted.eq(true))
        .filter(
            protection_groups::id
                .eq_any(left)
                .or(protection_groups::id.eq_any(lent)),
        )
        .order(protection_groups::id)
        .limit(ACTIVE_MAX);
    let rows: Vec<GroupRow> = query.select(GroupRow::as_select()).load(c).await?;
    let read = rows.into_iter().map(StoredGroup::try_from);
    Ok(read.filter_map(|row| readable("group", row)).collect())
}

/// A group that lives keeps its policy: `Illegal`.
pub(crate) async fn group_retired(c: &mut Conn, id: GroupId) -> Result<(), StoreError> {
    let group = group_fetch(c, id).await?.ok_or(StoreError::Missing)?;
    if !group.sync.is_deleted() {
        return Err(StoreError::Illegal(format!("group {id} is not deleted")));
    }
    projections::policy_forget(c, id).await
}

pub(crate) async fn group_secret_put(
    c: &mut Conn,
    group: GroupId,
    name: &str,
    sealed: &[u8],
    now_us: i64,
) -> Result<(), StoreError> {
    let row = GroupSecretRow {
        protection_group_id: group.to_string(),
        name: name.to_owned(),
        value: sealed.to_vec(),
        updated_us: now_us,
    };
    diesel::replace_into(group_secrets::table)
        .values(row)
        .execute(c)
        .await?;
    Ok(())
}

pub(crate) async fn group_secret_fetch(
    c: &mut Conn,
    group: GroupId,
    name: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let query = group_secrets::table
        .find((group.to_string(), name))
        .select(group_secrets::value);
    Ok(query.first(c).await.optional()?)
}

pub(crate) async fn group_secrets_delete(c: &mut Conn, group: GroupId) -> Result<u64, StoreError> {
    let rows =
        group_secrets::table.filter(group_secrets::protection_group_id.eq(group.to_string()));
    let gone = diesel::delete(rows).execute(c).await?;
    Ok(u64::try_from(gone).unwrap_or(u64::MAX))
}
