//! Opening connections: what is set on each, and how long we wait. Absent: keeping them (`pool`,
//! `q::writer`).

use crate::backend::{mariadb, sqlite};
use crate::classify::{classify, classify_connection};
use crate::error::StoreError;
use crate::exec::{self, Exec};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use diesel_async::{AsyncConnection, AsyncMysqlConnection, SimpleAsyncConnection};
use secrecy::{ExposeSecret, SecretString};
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

/// How long a connection may take to be made, in milliseconds.
const CONNECT_MAX_MS: u64 = 10_000;
/// How long SQLite waits for another process's lock, in milliseconds.
const SQLITE_BUSY_MS: u64 = 5_000;

/// What is set on every MariaDB connection.
const MARIADB_SESSION: &[&str] = &[
    // Every statement sees what is committed: a fence is never answered from an old snapshot, and
    // fewer gaps are locked.
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    // A value that does not fit is refused, not cut.
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
    // Shorter than the writer's limit for a transaction, so that the server answers first.
    "SET SESSION innodb_lock_wait_timeout = 5",
    "SET SESSION wait_timeout = 28800",
];

/// The URI of a database in memory that all connections of the process share.
pub(crate) fn memory_url(name: &str) -> String {
    format!("file:/{name}?vfs=memdb")
}

/// One thing to connect to.
pub(crate) trait Target: Clone + Send + Sync + 'static {
    type Conn: Send;
    /// A fresh connection, ready for use. Errors: `Down`, `Busy`, `Corrupt`.
    fn connect(&self) -> impl Future<Output = Result<Self::Conn, StoreError>> + Send;

    /// Waits for something on a connection of this target, where such waiting belongs. `doing` must
    /// bound itself.
    fn drive<T: Send>(
        &self,
        doing: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> impl Future<Output = Result<T, StoreError>> + Send {
        doing
    }

    /// A fresh connection for [`Target::perform`].
    fn connect_to_perform(&self) -> impl Future<Output = Result<Self::Conn, StoreError>> + Send {
        self.connect()
    }

    /// Does many calls on one connection in one go, in at most `limit_ms`.
    ///
    /// Errors: `Down` when the time is over; the connection is lost then, and it may still be at it.
    fn perform<T: Send + 'static>(
        &self,
        limit_ms: u64,
        doing: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;
}

/// Bounds something in time. Errors: `Down`.
pub(crate) async fn within<T>(
    limit_ms: u64,
    doing: impl Future<Output = T>,
) -> Result<T, StoreError> {
    let limit = Duration::from_millis(limit_ms);
    let done = tokio::time::timeout(limit, doing).await;
    done.map_err(|_| StoreError::Down(format!("no answer within {limit_ms} ms")))
}

/// A SQLite file or memory, and how it is used.
#[derive(Debug, Clone)]
pub(crate) struct SqliteTarget {
    pub url: String,
    /// `None`: in memory.
    pub file: Option<PathBuf>,
    pub exec: Exec,
    pub synchronous_full: bool,
}

impl SqliteTarget {
    fn pragmas(&self) -> String {
        let journal = if self.file.is_some() { "WAL" } else { "MEMORY" };
        let synchronous = match (self.file.is_some(), self.synchronous_full) {
            (false, _) => "OFF",
            (true, true) => "FULL",
            (true, false) => "NORMAL",
        };
        // Inline calls on a database in memory never overlap; waiting would block the one thread.
        let alone = self.file.is_none() && self.exec == Exec::Inline;
        let wait = if alone { 0 } else { SQLITE_BUSY_MS };
        format!(
            "PRAGMA busy_timeout = {wait}; PRAGMA journal_mode = {journal}; \
             PRAGMA synchronous = {synchronous}; PRAGMA cell_size_check = ON;"
        )
    }
}

impl Target for SqliteTarget {
    type Conn = sqlite::Conn;

    async fn connect(&self) -> Result<sqlite::Conn, StoreError> {
        self.open(self.exec).await
    }

    async fn connect_to_perform(&self) -> Result<sqlite::Conn, StoreError> {
        self.open(Exec::Inline).await
    }

    async fn perform<T: Send + 'static>(
        &self,
        limit_ms: u64,
        doing: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, StoreError> {
        within(limit_ms, self.exec.aside(doing)).await?
    }
}

impl SqliteTarget {
    /// `waited`: where calls of the connection are waited for.
    async fn open(&self, waited: Exec) -> Result<sqlite::Conn, StoreError> {
        let (url, pragmas, mut exec) = (self.url.clone(), self.pragmas(), self.exec);
        let opened = exec
            .spawn_blocking(move || {
                let mut c =
                    SqliteConnection::establish(&url).map_err(|e| classify_connection(&e))?;
                c.batch_execute(&pragmas).map_err(|e| classify(&e))?;
                Ok::<_, StoreError>(c)
            })
            .await
            .map_err(|e| StoreError::Down(e.to_string()))??;
        Ok(SyncConnectionWrapper::with_runtime(opened, waited))
    }
}

/// A MariaDB database.
#[derive(Debug, Clone)]
pub(crate) struct MariaDbTarget {
    pub url: SecretString,
    pub exec: Exec,
}

impl Target for MariaDbTarget {
    type Conn = mariadb::Conn;

    async fn connect(&self) -> Result<mariadb::Conn, StoreError> {
        self.drive(self.open()).await
    }

    async fn drive<T: Send>(
        &self,
        doing: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match self.exec {
            Exec::Inline => exec::to_its_end(doing),
            Exec::Threads => doing.await,
        }
    }

    async fn perform<T: Send + 'static>(
        &self,
        limit_ms: u64,
        doing: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.drive(within(limit_ms, doing)).await
    }
}

impl MariaDbTarget {
    async fn open(&self) -> Result<mariadb::Conn, StoreError> {
        let opening = async {
            let mut c = AsyncMysqlConnection::establish(self.url.expose_secret())
                .await
                .map_err(|e| classify_connection(&e))?;
            for setting in MARIADB_SESSION {
                c.batch_execute(setting).await?;
            }
            Ok(c)
        };
        within(CONNECT_MAX_MS, opening).await?
    }
}
