//! What MariaDB says in its own words.

use super::Conn;
use crate::codec::parse_id;
use crate::error::StoreError;
use crate::history::{Dialect, statements};
use crate::rows::group::GroupHeadRow;
use crate::rows::operation::OperationRow;
use crate::schema::{dr_operations, protection_groups};
use diesel::dsl::max;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use protector_domain::ids::OperationId;
use std::collections::BTreeMap;

pub(crate) const DIALECT: Dialect = Dialect::MariaDb;

pub(crate) const BEGIN: &str = "START TRANSACTION";

/// Locks the row, so that the epoch cannot move between the fence and the commit.
pub(crate) async fn group_head_locked(
    c: &mut Conn,
    id: &str,
) -> Result<Option<GroupHeadRow>, StoreError> {
    let query = protection_groups::table
        .find(id)
        .select(GroupHeadRow::as_select())
        .for_update();
    Ok(query.first(c).await.optional()?)
}

pub(crate) async fn operation_locked(
    c: &mut Conn,
    id: &str,
) -> Result<Option<OperationRow>, StoreError> {
    let query = dr_operations::table
        .find(id)
        .select(OperationRow::as_select())
        .for_update();
    Ok(query.first(c).await.optional()?)
}

/// Rows in one statement, which is prepared once only when it is of one row. `$into`: an insert or a replace.
macro_rules! write_rows {
    ($c:expr, $into:expr, $rows:expr) => {
        match $rows {
            [row] => $into.values(row).execute($c).await,
            rows => $into.values(rows).execute($c).await,
        }
    };
}
pub(crate) use write_rows;

/// The number of the last line of each story that has one. Each look is a round trip, so there is one for all;
/// the server reads only the last entry of each in the index.
pub(crate) async fn last_events(
    c: &mut Conn,
    operations: &[OperationId],
) -> Result<BTreeMap<OperationId, i64>, StoreError> {
    use crate::schema::dr_operation_events as e;
    if let [one] = operations {
        let last = super::q::operations::last_event(c, *one).await?;
        return Ok(last.map(|seq| (*one, seq)).into_iter().collect());
    }
    let ids: Vec<String> = operations.iter().map(ToString::to_string).collect();
    let query = e::table
        .filter(e::operation_id.eq_any(ids))
        .group_by(e::operation_id)
        .select((e::operation_id, max(e::seq)));
    let found: Vec<(String, Option<i64>)> = query.load(c).await?;
    let found = found.into_iter().filter_map(|(id, seq)| Some((id, seq?)));
    found
        .map(|(id, seq)| Ok((parse_id("dr_operation_events.operation_id", &id)?, seq)))
        .collect()
}

#[derive(QueryableByName)]
struct Got {
    #[diesel(sql_type = Nullable<BigInt>)]
    got: Option<i64>,
}

/// Several controllers may start at once: one migrates, the others wait, at most a minute. The lock
/// is the server's, so its name carries the database's.
pub(crate) async fn migration_lock(c: &mut Conn) -> Result<(), StoreError> {
    let ask =
        "SELECT CAST(GET_LOCK(CONCAT('protector_migrate_', DATABASE()), 60) AS SIGNED) AS got";
    let got: Got = diesel::sql_query(ask).get_result(c).await?;
    if got.got == Some(1) {
        Ok(())
    } else {
        Err(StoreError::Busy)
    }
}

pub(crate) async fn migration_unlock(c: &mut Conn) -> Result<(), StoreError> {
    let ask =
        "SELECT CAST(RELEASE_LOCK(CONCAT('protector_migrate_', DATABASE())) AS SIGNED) AS got";
    let _: Got = diesel::sql_query(ask).get_result(c).await?;
    Ok(())
}

/// DDL commits by itself here: every statement can be repeated (`IF NOT EXISTS`), and the migration
/// is recorded last.
pub(crate) async fn migration_run(c: &mut Conn, sql: &str, record: &str) -> Result<(), StoreError> {
    for statement in statements(sql) {
        c.batch_execute(statement).await?;
    }
    Ok(c.batch_execute(record).await?)
}

/// InnoDB checks its pages when it reads them.
pub(crate) async fn integrity_check(_c: &mut Conn) -> Result<(), StoreError> {
    Ok(())
}

/// Whether the table that lists the applied migrations is there.
pub(crate) const HISTORY_EXISTS: &str = "SELECT COUNT(*) AS n FROM information_schema.tables \
     WHERE table_schema = DATABASE() AND table_name = 'schema_history'";
