//! The store itself: opening, migrating, closing. Its calls are in `api`.

use crate::backend::{mariadb, sqlite};
use crate::config::{Address, KeySource, StoreConfig};
use crate::connect::{MariaDbTarget, SqliteTarget, memory_url};
use crate::error::{SealError, StoreError};
use crate::exec::Exec;
use crate::inbox::{self, Outbox, StoreStats};
use crate::keeper::MemKeeper;
use crate::pool::Pool;
use crate::seal::{Place, Sealed, SealingKey};
use crate::write::{Write, Written};
use protector_runtime::Ctx;
use secrecy::ExposeSecret;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::task::JoinHandle;

/// Reading connections to MariaDB.
const MARIADB_READERS: usize = 8;
/// Reading connections to a SQLite file (WAL: they do not wait for the writer).
const SQLITE_READERS: usize = 4;
/// Name of the value that proves that the key is the right one.
const KEY_PROOF: &str = "key_proof";
/// What it says.
const KEY_PROOF_TEXT: &[u8] = b"protector";

/// Everything one site remembers. Cheap to clone; all clones share one writer.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub db: Db,
    pub outbox: Outbox,
    pub ctx: Ctx,
    key: OnceLock<SealingKey>,
    key_source: KeySource,
    writer: Mutex<Option<JoinHandle<()>>>,
    _keeper: Option<MemKeeper>,
}

/// The way to read.
pub(crate) enum Db {
    Sqlite(Pool<SqliteTarget>),
    MariaDb(Pool<MariaDbTarget>),
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The last clone is gone: the writer finishes what is queued and ends by itself.
        self.outbox.close();
    }
}

/// Reads through the pool of whichever database it is: `read!(store, sites::site_fetch(id))`.
/// Arguments are evaluated once per try.
macro_rules! read {
    ($store:expr, $file:ident :: $query:ident ( $($argument:expr),* $(,)? )) => {{
        let inner = &$store.inner;
        inner.outbox.check_open()?;
        let mut tried = 0;
        match &inner.db {
            $crate::store::Db::Sqlite(pool) => loop {
                tried += 1;
                let mut lease = pool.lease().await?;
                let reading = $crate::backend::sqlite::q::$file::$query(&mut lease.conn, $($argument),*);
                let answer = pool.drive($crate::pool::bounded(reading)).await;
                if let std::ops::ControlFlow::Break(answer) = lease.settle(tried, answer).await {
                    break answer;
                }
            },
            $crate::store::Db::MariaDb(pool) => loop {
                tried += 1;
                let mut lease = pool.lease().await?;
                let reading = $crate::backend::mariadb::q::$file::$query(&mut lease.conn, $($argument),*);
                let answer = pool.drive($crate::pool::bounded(reading)).await;
                if let std::ops::ControlFlow::Break(answer) = lease.settle(tried, answer).await {
                    break answer;
                }
            },
        }
    }};
}
pub(crate) use read;

impl Store {
    /// Opens the store and starts its writer on the current runtime. Touches no table.
    ///
    /// Errors: `Illegal` for an address that is none, `Sealed` for a key file that is there but
    /// unusable, `Down` if the database cannot be reached.
    pub async fn open(config: StoreConfig, ctx: Ctx) -> Result<Self, StoreError> {
        let address = Address::parse(&config.url)?;
        let key_source = key_source(config.key.clone(), &address);
        let (db, outbox, writer, keeper) = start(address, &config, &ctx)?;
        let inner = Inner {
            db,
            outbox,
            ctx,
            key: OnceLock::new(),
            key_source,
            writer: Mutex::new(Some(writer)),
            _keeper: keeper,
        };
        let store = Self {
            inner: Arc::new(inner),
        };
        match store.load_key() {
            Ok(()) | Err(SealError::NoKey { .. } | SealError::NoPath) => {}
            Err(unusable) => return Err(unusable.into()),
        }
        store.reach().await?;
        Ok(store)
    }

    async fn reach(&self) -> Result<(), StoreError> {
        match &self.inner.db {
            Db::Sqlite(pool) => pool.lease().await?.settle(u32::MAX, Ok(())).await,
            Db::MariaDb(pool) => pool.lease().await?.settle(u32::MAX, Ok(())).await,
        }
        .break_value()
        .unwrap_or(Ok(()))
    }

    /// Brings the schema up to date (`protector-manage db sync`), and makes the key for secrets at
    /// rest if this is the first time.
    ///
    /// Errors: `SchemaMismatch` for a newer database, `Busy` if another migration runs for a minute,
    /// `Sealed` if the database was sealed with a key that is not there.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let now_us = self.inner.ctx.now_us();
        self.inner.outbox.check_open()?;
        match &self.inner.db {
            Db::Sqlite(pool) => {
                let mut lease = pool.lease().await?;
                sqlite::q::migrate::migrate(&mut lease.conn, now_us).await?;
            }
            Db::MariaDb(pool) => {
                let mut lease = pool.lease().await?;
                let migrating = mariadb::q::migrate::migrate(&mut lease.conn, now_us);
                pool.drive(migrating).await?;
            }
        }
        self.prove_key(true).await
    }

    /// Whether this program can work with this database: intact (J7), of the same schema (J9),
    /// sealed with the key at hand (J11).
    ///
    /// Errors: `Corrupt`, `SchemaMismatch`, `Sealed`.
    pub async fn schema_check(&self) -> Result<(), StoreError> {
        match &self.inner.db {
            Db::Sqlite(pool) => {
                let mut lease = pool.lease().await?;
                sqlite::dialect::integrity_check(&mut lease.conn).await?;
            }
            Db::MariaDb(pool) => {
                let mut lease = pool.lease().await?;
                mariadb::dialect::integrity_check(&mut lease.conn).await?;
            }
        }
        read!(self, migrate::schema_check())?;
        self.prove_key(false).await
    }

    /// The newest migration of the database, if it has any, and the newest of this program
    /// (`protector-manage db version`).
    pub async fn schema_version(&self) -> Result<(Option<String>, &'static str), StoreError> {
        let applied = read!(self, migrate::applied())?;
        let wanted = crate::history::HISTORY.last().map_or("none", |m| m.id);
        Ok((applied.last().cloned(), wanted))
    }

    /// Does everything queued, then refuses. Errors are those of the writes themselves.
    pub async fn close(&self) {
        self.inner.outbox.close();
        let writer = self
            .inner
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            // It ends when the queue is empty; a panic in it has been reported already.
            let _ = writer.await;
        }
        self.cut();
    }

    /// As if the process had died now: what is queued or not committed is lost, nothing more is
    /// read. For simulation; a database in memory lives on in its [`MemKeeper`].
    pub fn cut(&self) {
        self.inner.outbox.cut();
        let writer = self
            .inner
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            writer.abort();
        }
        match &self.inner.db {
            Db::Sqlite(pool) => pool.close(),
            Db::MariaDb(pool) => pool.close(),
        }
    }

    /// What the writer has done so far, and how much waits for it.
    pub fn stats(&self) -> StoreStats {
        self.inner.outbox.stats()
    }

    /// Queues one write and waits for its answer, which comes after its commit.
    ///
    /// A caller that stops waiting has not withdrawn the write. Errors: those of the write;
    /// `Busy`, `Down` (not written), `Unknown` (look before you go on).
    pub async fn write(&self, write: Write) -> Result<Written, StoreError> {
        self.inner.outbox.write(write).await
    }

    fn load_key(&self) -> Result<(), SealError> {
        if self.inner.key.get().is_some() {
            return Ok(());
        }
        let key = match &self.inner.key_source {
            KeySource::Given(key) => key.clone(),
            KeySource::File(path) => SealingKey::load(path)?,
            KeySource::BesideDatabase => return Err(SealError::NoPath),
        };
        // Somebody else may have set it meanwhile, to the same.
        let _ = self.inner.key.set(key);
        Ok(())
    }

    pub(crate) fn key(&self) -> Result<&SealingKey, StoreError> {
        self.load_key()?;
        self.inner
            .key
            .get()
            .ok_or(StoreError::Sealed(SealError::NoPath))
    }

    pub(crate) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Sealed, StoreError> {
        Ok(self.key()?.seal(&*self.inner.ctx.entropy, place, plain)?)
    }

    /// A value sealed by the key at hand is in the database: it must open. `make`: on the first
    /// migration, key and value are made.
    async fn prove_key(&self, make: bool) -> Result<(), StoreError> {
        let place = Place {
            table: "store_meta",
            row: KEY_PROOF,
            column: "value",
        };
        if let Some(sealed) = read!(self, meta::meta_fetch(KEY_PROOF))? {
            let said = self.key()?.open(place, &Sealed(sealed))?;
            let same = said.expose_secret() == KEY_PROOF_TEXT;
            return if same { Ok(()) } else { Err(damaged_proof()) };
        }
        if !make {
            return Err(damaged_proof());
        }
        self.make_key()?;
        let proof = self.seal(place, KEY_PROOF_TEXT)?;
        let written = match &self.inner.db {
            Db::Sqlite(pool) => {
                let mut lease = pool.lease().await?;
                sqlite::q::meta::meta_insert(&mut lease.conn, KEY_PROOF, &proof.0).await
            }
            Db::MariaDb(pool) => {
                let mut lease = pool.lease().await?;
                let inserting = mariadb::q::meta::meta_insert(&mut lease.conn, KEY_PROOF, &proof.0);
                pool.drive(inserting).await
            }
        };
        match written {
            // A second controller was quicker: then its key must be ours.
            Err(StoreError::AlreadyThere { .. }) => Box::pin(self.prove_key(false)).await,
            other => other,
        }
    }

    fn make_key(&self) -> Result<(), StoreError> {
        match (self.load_key(), &self.inner.key_source) {
            (Ok(()), _) => Ok(()),
            (Err(SealError::NoKey { .. }), KeySource::File(path)) => {
                let made = SealingKey::create(path, &*self.inner.ctx.entropy);
                // Another process may have been quicker; then its key is the key.
                self.load_key().or_else(|_| made.map(|_| ()))?;
                Ok(())
            }
            (Err(other), _) => Err(other.into()),
        }
    }
}

fn damaged_proof() -> StoreError {
    StoreError::Corrupt("store_meta.key_proof".to_owned())
}

/// A path for the key file wherever there is one.
fn key_source(given: KeySource, address: &Address) -> KeySource {
    match (given, address) {
        (KeySource::BesideDatabase, Address::File(path)) => {
            let mut name = path.clone().into_os_string();
            name.push(".key");
            KeySource::File(PathBuf::from(name))
        }
        (given, _) => given,
    }
}

type Started = (Db, Outbox, JoinHandle<()>, Option<MemKeeper>);

fn start(address: Address, config: &StoreConfig, ctx: &Ctx) -> Result<Started, StoreError> {
    let (outbox, inbox) = inbox::open();
    let exec = if config.inline {
        Exec::Inline
    } else {
        Exec::Threads
    };
    let sqlite = |url, file: Option<PathBuf>| SqliteTarget {
        url,
        file,
        exec,
        synchronous_full: config.synchronous_full,
    };
    let (target, readers, keeper) = match address {
        Address::MariaDb(url) => {
            let target = MariaDbTarget { url, exec };
            let writer = tokio::spawn(mariadb::q::writer::run(target.clone(), inbox, ctx.clone()));
            return Ok((
                Db::MariaDb(Pool::new(target, MARIADB_READERS)),
                outbox,
                writer,
                None,
            ));
        }
        Address::File(path) => {
            let url = path.to_string_lossy().into_owned();
            (sqlite(url, Some(path)), SQLITE_READERS, None)
        }
        Address::Memory(name) => {
            let keeper = MemKeeper::open(&name)?;
            (sqlite(memory_url(&name), None), 1, Some(keeper))
        }
    };
    let writer = tokio::spawn(sqlite::q::writer::run(target.clone(), inbox, ctx.clone()));
    Ok((
        Db::Sqlite(Pool::new(target, readers)),
        outbox,
        writer,
        keeper,
    ))
}
