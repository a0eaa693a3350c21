//! Keeps a database in memory alive while nobody else has it open: it lives outside the site, as a
//! disk does, and survives the site's crashes.

use crate::config::Address;
use crate::connect::memory_url;
use crate::error::StoreError;
use diesel::{Connection, SqliteConnection};
use secrecy::SecretString;
use std::sync::Mutex;

/// While one of these lives, `sqlite::memory:NAME` keeps its content.
pub struct MemKeeper {
    name: String,
    _connection: Mutex<SqliteConnection>,
}

impl MemKeeper {
    /// Opens (or joins) the database `name` of this process.
    ///
    /// Errors: `Illegal` for a bad name, `Down` if SQLite cannot open it.
    pub fn open(name: &str) -> Result<Self, StoreError> {
        Address::parse(&SecretString::from(format!("sqlite::memory:{name}")))?;
        let connection = SqliteConnection::establish(&memory_url(name))
            .map_err(|e| crate::classify::classify_connection(&e))?;
        Ok(Self {
            name: name.to_owned(),
            _connection: Mutex::new(connection),
        })
    }

    /// The URL to open a store on it.
    pub fn url(&self) -> String {
        format!("sqlite::memory:{}", self.name)
    }
}

impl std::fmt::Debug for MemKeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemKeeper")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
