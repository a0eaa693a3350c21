//! What SQLite says in its own words.

use super::Conn;
use crate::error::StoreError;
use crate::history::Dialect;
use crate::rows::group::GroupHeadRow;
use crate::rows::operation::OperationRow;
use crate::schema::{dr_operations, protection_groups};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use protector_domain::ids::OperationId;
use std::collections::BTreeMap;

pub(crate) const DIALECT: Dialect = Dialect::Sqlite;

/// Takes the write lock at once: a deferred transaction that reads first fails with "locked" in
/// spite of the busy timeout when another process writes.
pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE";

/// The write lock of the transaction guards the row already.
pub(crate) async fn group_head_locked(
    c: &mut Conn,
    id: &str,
) -> Result<Option<GroupHeadRow>, StoreError> {
    let query = protection_groups::table
        .find(id)
        .select(GroupHeadRow::as_select());
    Ok(query.first(c).await.optional()?)
}

pub(crate) async fn operation_locked(
    c: &mut Conn,
    id: &str,
) -> Result<Option<OperationRow>, StoreError> {
    let query = dr_operations::table
        .find(id)
        .select(OperationRow::as_select());
    Ok(query.first(c).await.optional()?)
}

/// Rows one by one: nothing is a round trip here. `$into`: an insert or a replace.
macro_rules! write_rows {
    ($c:expr, $into:expr, $rows:expr) => {{
        let mut written = Ok(0);
        for row in $rows {
            written = $into.values(row).execute($c).await;
            if written.is_err() {
                break;
            }
        }
        written
    }};
}
pub(crate) use write_rows;

/// The number of the last line of each story that has one. One look for each: grouping would read them whole.
pub(crate) async fn last_events(
    c: &mut Conn,
    operations: &[OperationId],
) -> Result<BTreeMap<OperationId, i64>, StoreError> {
    let mut last = BTreeMap::new();
    for operation in operations {
        if let Some(seq) = super::q::operations::last_event(c, *operation).await? {
            last.insert(*operation, seq);
        }
    }
    Ok(last)
}

/// Nothing to take: the migration's transaction holds the write lock.
pub(crate) async fn migration_lock(_c: &mut Conn) -> Result<(), StoreError> {
    Ok(())
}

pub(crate) async fn migration_unlock(_c: &mut Conn) -> Result<(), StoreError> {
    Ok(())
}

/// One migration in one transaction: all of it or nothing. Errors: `AlreadyThere` if another process
/// has done it meanwhile, which its record, written first, tells.
pub(crate) async fn migration_run(c: &mut Conn, sql: &str, record: &str) -> Result<(), StoreError> {
    let script = format!("BEGIN IMMEDIATE;\n{record};\n{sql}\nCOMMIT;");
    match c.batch_execute(&script).await {
        Ok(()) => Ok(()),
        Err(why) => {
            // It may have failed before it began; then there is nothing to roll back.
            let _ = c.batch_execute("ROLLBACK").await;
            Err(why.into())
        }
    }
}

#[derive(QueryableByName)]
struct Said {
    #[diesel(sql_type = Text)]
    quick_check: String,
}

/// J7: looks at every page. Errors: `Corrupt` with what SQLite found first.
pub(crate) async fn integrity_check(c: &mut Conn) -> Result<(), StoreError> {
    let said: Vec<Said> = diesel::sql_query("PRAGMA quick_check(1)").load(c).await?;
    match said.as_slice() {
        [said, ..] if said.quick_check == "ok" => Ok(()),
        [said, ..] => Err(StoreError::Corrupt(said.quick_check.clone())),
        [] => Err(StoreError::Corrupt(
            "the database says nothing about itself".to_owned(),
        )),
    }
}

/// Whether the table that lists the applied migrations is there.
pub(crate) const HISTORY_EXISTS: &str =
    "SELECT COUNT(*) AS n FROM sqlite_master WHERE type = 'table' AND name = 'schema_history'";
