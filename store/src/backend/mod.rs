//! The two databases: the same query files mounted once over each connection type.
//!
//! Generic functions over both would need page-long bounds; mounting twice keeps the messages of the
//! compiler readable. What the dialects do differently is in `dialect_*.rs` and nowhere else.

use crate::exec::Exec;

#[path = "."]
pub(crate) mod sqlite {
    //! SQLite: one writer, and readers that do not wait for it.
    use super::Exec;
    use diesel::SqliteConnection;
    use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

    pub(crate) type Conn = SyncConnectionWrapper<SqliteConnection, Exec>;
    pub(crate) use crate::connect::SqliteTarget as Target;

    #[path = "dialect_sqlite.rs"]
    pub(crate) mod dialect;
    #[path = "q/mod.rs"]
    pub(crate) mod q;
}

#[path = "."]
#[allow(clippy::duplicate_mod)]
pub(crate) mod mariadb {
    //! MariaDB: the same, with row locks where SQLite has its one write lock.
    use diesel_async::AsyncMysqlConnection;

    pub(crate) type Conn = AsyncMysqlConnection;
    pub(crate) use crate::connect::MariaDbTarget as Target;

    #[path = "dialect_mariadb.rs"]
    pub(crate) mod dialect;
    #[path = "q/mod.rs"]
    pub(crate) mod q;
}
