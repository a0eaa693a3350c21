//! One database of one kind, with a store on it that can be thrown away and opened again.

use super::maria;
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use protector_runtime::Ctx;
use protector_store::{KeySource, MemKeeper, SealingKey, Store, StoreConfig};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

static NEXT: AtomicU32 = AtomicU32::new(1);
/// Noon of 2026-11-20, in Unix microseconds.
pub const START_US: i64 = 1_795_176_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Memory,
    File,
    MariaDb,
}

pub struct World {
    pub kind: Kind,
    pub store: Store,
    pub url: String,
    pub dir: TempDir,
    _keeper: Option<MemKeeper>,
    maria: Option<(String, String)>,
}

pub fn key() -> SealingKey {
    SealingKey::new(7, [42; 32])
}

impl World {
    /// An empty database with a migrated store on it; `None`: no MariaDB to be had.
    pub async fn new(kind: Kind) -> Option<Self> {
        let world = Self::bare(kind).await?;
        world.store.migrate().await.unwrap();
        Some(world)
    }

    /// The same, not migrated.
    pub async fn bare(kind: Kind) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let (mut _keeper, mut maria) = (None, None);
        let url = match kind {
            Kind::Memory => {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let kept = MemKeeper::open(&format!("test-{number}")).unwrap();
                let url = kept.url();
                _keeper = Some(kept);
                url
            }
            Kind::File => format!("sqlite://{}", dir.path().join("site.db").display()),
            Kind::MariaDb => {
                let server = maria::server()?;
                let (url, name) = maria::create(&server).await;
                maria = Some((server, name));
                url
            }
        };
        let store = Self::open(kind, &url, 1).await;
        Some(Self {
            kind,
            store,
            url,
            dir,
            _keeper,
            maria,
        })
    }

    pub fn config(kind: Kind, url: &str) -> StoreConfig {
        StoreConfig::new(url)
            .inline(kind == Kind::Memory)
            .key(KeySource::Given(key()))
    }

    async fn open(kind: Kind, url: &str, seed: u64) -> Store {
        let ctx = Ctx::seeded("test", seed, START_US);
        Store::open(Self::config(kind, url), ctx).await.unwrap()
    }

    /// A second store on the same database, as of another process.
    pub async fn another(&self, seed: u64) -> Store {
        Self::open(self.kind, &self.url, seed).await
    }

    /// The process dies without a word and comes back.
    pub async fn crash(&mut self) {
        self.store.cut();
        self.store = self.another(2).await;
    }

    /// The path of a SQLite file.
    pub fn file(&self) -> std::path::PathBuf {
        self.dir.path().join("site.db")
    }

    /// Runs SQL behind the store's back.
    pub async fn sql(&self, sql: &str) {
        match self.kind {
            Kind::MariaDb => maria::run(&self.url, sql).await,
            _ => self.sqlite().batch_execute(sql).unwrap(),
        }
    }

    /// A connection behind the store's back, to SQLite.
    pub fn sqlite(&self) -> SqliteConnection {
        let url = match self.url.strip_prefix("sqlite::memory:") {
            Some(name) => format!("file:/{name}?vfs=memdb"),
            None => self.file().display().to_string(),
        };
        let mut c = SqliteConnection::establish(&url).unwrap();
        c.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
        c
    }

    pub async fn end(self) {
        self.store.close().await;
        if let Some((server, name)) = self.maria {
            maria::drop(&server, &name).await;
        }
    }
}
