//! A world of arrays in a SQLite file: it survives restarts, and several processes may share it
//! (`MOCK-03`). Each call is one transaction: load, apply, save.
//!
//! Absent: a thread of its own. Calls are short and run inline; a process that has to wait for
//! another one's transaction gives up after `BUSY_MS`.

use std::cell::Cell;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::Text;
use protector_runtime::clock::Clock;

use super::{ArrayLink, LinkError};
use crate::model::{Answer, ArrayError, ArrayWorld, Command, Control, GroundTruth};

/// How long a call waits for another process, ms.
const BUSY_MS: u32 = 2_000;
const US_PER_MS: i64 = 1_000;

const SETUP: &str = "CREATE TABLE IF NOT EXISTS array_world (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    state TEXT NOT NULL
)";

/// Arrays in a file.
pub struct FileWorld {
    connection: Mutex<SqliteConnection>,
    clock: Arc<dyn Clock>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    state: String,
}

/// Why a transaction was given up.
enum Failure {
    Array(ArrayError),
    File(String),
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::File(error.to_string())
    }
}

impl FileWorld {
    /// Opens the world in the file at `path`, or begins one there with `seed`.
    ///
    /// Errors: `NotSent` when the file cannot be opened or holds something else.
    pub fn open(path: &Path, seed: u64, clock: Arc<dyn Clock>) -> Result<Self, LinkError> {
        let url = path
            .to_str()
            .ok_or_else(|| LinkError::NotSent("the path is not UTF-8".to_owned()))?;
        let connection = connect(url, seed).map_err(LinkError::NotSent)?;
        Ok(Self {
            connection: Mutex::new(connection),
            clock,
        })
    }

    /// Turns a knob of the simulation now.
    ///
    /// Errors: `NotSent` when the knob or the file says no; nothing changed then.
    pub fn control(&self, control: Control) -> Result<(), LinkError> {
        self.transact(true, |world, now_ms| {
            let done = world.control(control, now_ms);
            done.map_err(|error| Failure::File(error.to_string()))
        })
    }

    /// Everything there is now, for tests.
    pub fn ground_truth(&self) -> Result<GroundTruth, LinkError> {
        self.transact(false, |world, now_ms| {
            world.advance(now_ms);
            Ok(world.ground_truth())
        })
    }

    /// Time that passes is worked out anew by every reader, so only changes are saved.
    fn transact<T>(
        &self,
        save: bool,
        work: impl FnOnce(&mut ArrayWorld, i64) -> Result<T, Failure>,
    ) -> Result<T, LinkError> {
        let saved = Cell::new(false);
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let done = connection.immediate_transaction(|connection| {
            let mut world = world_load(connection)?;
            // Read after the lock was won: time must not seem to stand still while waiting.
            let value = work(&mut world, self.clock.now_us() / US_PER_MS)?;
            if save {
                world_save(connection, &world)?;
                saved.set(true);
            }
            Ok(value)
        });
        done.map_err(|failure| match failure {
            Failure::Array(error) => error.into(),
            // Only the commit itself was left to do: nobody knows.
            Failure::File(why) if saved.get() => LinkError::Unknown(why),
            Failure::File(why) => LinkError::NotSent(why),
        })
    }
}

fn connect(url: &str, seed: u64) -> Result<SqliteConnection, String> {
    let mut connection = SqliteConnection::establish(url).map_err(|e| e.to_string())?;
    let pragmas = [
        format!("PRAGMA busy_timeout = {BUSY_MS}"),
        "PRAGMA journal_mode = WAL".to_owned(),
        "PRAGMA synchronous = FULL".to_owned(),
        SETUP.to_owned(),
    ];
    for pragma in pragmas {
        diesel::sql_query(pragma)
            .execute(&mut connection)
            .map_err(|e| e.to_string())?;
    }
    let begin = serde_json::to_string(&ArrayWorld::new(seed)).map_err(|e| e.to_string())?;
    diesel::sql_query("INSERT OR IGNORE INTO array_world (id, state) VALUES (1, ?)")
        .bind::<Text, _>(begin)
        .execute(&mut connection)
        .map_err(|e| e.to_string())?;
    Ok(connection)
}

fn world_load(connection: &mut SqliteConnection) -> Result<ArrayWorld, Failure> {
    let row: Row =
        diesel::sql_query("SELECT state FROM array_world WHERE id = 1").get_result(connection)?;
    serde_json::from_str(&row.state).map_err(|error| Failure::File(error.to_string()))
}

fn world_save(connection: &mut SqliteConnection, world: &ArrayWorld) -> Result<(), Failure> {
    let state = serde_json::to_string(world).map_err(|error| Failure::File(error.to_string()))?;
    diesel::sql_query("UPDATE array_world SET state = ? WHERE id = 1")
        .bind::<Text, _>(state)
        .execute(connection)?;
    Ok(())
}

#[async_trait]
impl ArrayLink for FileWorld {
    async fn call(&self, array: &str, command: Command) -> Result<Answer, LinkError> {
        let save = !command.is_read();
        self.transact(save, |world, now_ms| {
            world.apply(array, command, now_ms).map_err(Failure::Array)
        })
    }
}
