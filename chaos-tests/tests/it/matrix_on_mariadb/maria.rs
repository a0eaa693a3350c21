//! Databases on the test server for worlds: lent in pairs, one a site, emptied between two cases, dropped at
//! the end. Making tables anew for every case would take longer than the case.
//!
//! Absent: the server itself, which `cargo xtask test` starts (`cargo xtask mariadb up` starts one that stays).

use anyhow::{Context, Result};
use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncConnection, AsyncMysqlConnection, RunQueryDsl, SimpleAsyncConnection};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Where the server is, with user and password.
const URL: &str = "PROTECTOR_TEST_MARIADB_URL";
/// `1`: a test without the server it needs is red.
const ALL: &str = "PROTECTOR_TEST_ALL";

static NEXT: AtomicU64 = AtomicU64::new(1);

/// All databases of one test.
pub struct Databases {
    server: String,
    names: Mutex<Vec<String>>,
    idle: Mutex<Vec<[String; 2]>>,
}

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The tables that a site fills; the history of the schema stays.
const TABLES: &str = "SELECT CAST(table_name AS CHAR) AS name FROM information_schema.tables \
     WHERE table_schema = DATABASE() AND table_name <> 'schema_history'";

impl Databases {
    /// `None` where there is no server and none is asked for.
    ///
    /// # Errors
    /// There is none, and it is asked for.
    pub fn on_the_test_server() -> Result<Option<Self>> {
        let Ok(url) = std::env::var(URL) else {
            let must = std::env::var(ALL).is_ok_and(|all| all == "1");
            anyhow::ensure!(!must, "{ALL}=1 asks for MariaDB, but {URL} is not set");
            println!("left out: {URL} is not set");
            return Ok(None);
        };
        Ok(Some(Self {
            server: url.trim_end_matches('/').to_owned(),
            names: Mutex::default(),
            idle: Mutex::default(),
        }))
    }

    /// Runs a case on a pair that nobody else uses, and empty.
    ///
    /// # Errors
    /// Those of the case; the server refuses to make or empty a database.
    pub fn with_pair<T>(&self, case: impl FnOnce([String; 2]) -> Result<T>) -> Result<T> {
        let kept = locked(&self.idle).pop();
        let pair = match kept {
            Some(kept) => kept,
            None => [self.make()?, self.make()?],
        };
        for url in &pair {
            outside(empty(url)).with_context(|| "emptying a database")?;
        }
        let done = case(pair.clone());
        locked(&self.idle).push(pair);
        done
    }

    fn make(&self) -> Result<String> {
        let number = AtomicU64::fetch_add(&NEXT, 1, Ordering::Relaxed);
        let name = format!("protector_world_{}_{number}", std::process::id());
        let make = format!("CREATE OR REPLACE DATABASE {name} CHARACTER SET latin1");
        outside(run(&format!("{}/mysql", self.server), &make))?;
        locked(&self.names).push(name.clone());
        Ok(format!("{}/{name}", self.server))
    }
}

impl Drop for Databases {
    fn drop(&mut self) {
        for name in locked(&self.names).drain(..) {
            let gone = format!("DROP DATABASE IF EXISTS {name}");
            if let Err(error) = outside(run(&format!("{}/mysql", self.server), &gone)) {
                println!("{name} is left: {error:#}");
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// In real time, outside of any world.
fn outside<T>(doing: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(doing)
}

async fn connect(url: &str) -> Result<AsyncMysqlConnection> {
    let url = url.replacen("mysql+pymysql://", "mysql://", 1);
    // The error of a refused login must not carry the password along.
    let connected = AsyncMysqlConnection::establish(&url).await;
    connected.map_err(|_| anyhow::anyhow!("the MariaDB server cannot be reached"))
}

async fn run(url: &str, sql: &str) -> Result<()> {
    Ok(connect(url).await?.batch_execute(sql).await?)
}

async fn empty(url: &str) -> Result<()> {
    let mut c = connect(url).await?;
    let tables: Vec<Table> = diesel::sql_query(TABLES).load(&mut c).await?;
    c.batch_execute("START TRANSACTION").await?;
    for table in tables {
        c.batch_execute(&format!("DELETE FROM `{}`", table.name))
            .await?;
    }
    Ok(c.batch_execute("COMMIT").await?)
}
