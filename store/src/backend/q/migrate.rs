//! Brings the schema to this program's history, and says how the two stand (J9).

use super::{Conn, dialect};
use crate::error::StoreError;
use crate::history::{HISTORY, Standing, standing};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};

const MAKE_HISTORY: &str = "CREATE TABLE IF NOT EXISTS schema_history (\
     id VARCHAR(100) NOT NULL PRIMARY KEY, applied_us BIGINT NOT NULL)";

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    id: String,
}

/// Applied migrations, oldest first; none for an empty database.
pub(crate) async fn applied(c: &mut Conn) -> Result<Vec<String>, StoreError> {
    let there: Count = diesel::sql_query(dialect::HISTORY_EXISTS)
        .get_result(c)
        .await?;
    if there.n == 0 {
        return Ok(Vec::new());
    }
    let rows: Vec<Applied> = diesel::sql_query("SELECT id FROM schema_history ORDER BY id")
        .load(c)
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Errors: `SchemaMismatch`, which says which of the two is newer.
pub(crate) async fn schema_check(c: &mut Conn) -> Result<(), StoreError> {
    let applied = applied(c).await?;
    match standing(&applied) {
        Standing::Same => Ok(()),
        other => Err(mismatch(&applied, other == Standing::Newer)),
    }
}

fn mismatch(applied: &[String], newer: bool) -> StoreError {
    StoreError::SchemaMismatch {
        found: applied.last().cloned().unwrap_or_else(|| "none".to_owned()),
        wanted: HISTORY.last().map_or("none", |m| m.id).to_owned(),
        newer,
    }
}

/// Applies what is missing, in order. Errors: `SchemaMismatch` for a newer database, which is left
/// alone.
pub(crate) async fn migrate(c: &mut Conn, now_us: i64) -> Result<(), StoreError> {
    dialect::migration_lock(c).await?;
    let done = migrate_locked(c, now_us).await;
    let unlocked = dialect::migration_unlock(c).await;
    done.and(unlocked)
}

async fn migrate_locked(c: &mut Conn, now_us: i64) -> Result<(), StoreError> {
    let applied = applied(c).await?;
    if standing(&applied) == Standing::Newer {
        return Err(mismatch(&applied, true));
    }
    c.batch_execute(MAKE_HISTORY).await?;
    for migration in HISTORY {
        if applied.iter().any(|id| id == migration.id) {
            continue;
        }
        let record = format!(
            "INSERT INTO schema_history (id, applied_us) VALUES ('{}', {now_us})",
            migration.id
        );
        match dialect::migration_run(c, migration.sql(dialect::DIALECT), &record).await {
            Err(StoreError::AlreadyThere { .. }) => continue,
            done => done?,
        }
        tracing::info!(migration = migration.id, "schema changed");
    }
    Ok(())
}
