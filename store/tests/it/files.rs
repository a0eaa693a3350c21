//! SQLite files and key files as an operator meets them: made, damaged, lost, exposed (J7, J11).
use crate::common::facts::id;
use crate::common::pair::Pair;
use crate::common::world::{Kind, START_US, World};
use diesel::RunQueryDsl;
use protector_domain::ids::GroupId;
use protector_runtime::Ctx;
use protector_store::{SealError, Store, StoreConfig, StoreError};
use secrecy::{ExposeSecret, SecretString};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

async fn beside(dir: &Path, seed: u64) -> Result<Store, StoreError> {
    let url = format!("sqlite://{}", dir.join("site.db").display());
    Store::open(StoreConfig::new(url), Ctx::seeded("test", seed, START_US)).await
}

#[tokio::test]
async fn the_first_migration_makes_the_key_beside_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let store = beside(dir.path(), 1).await.unwrap();
    let key = dir.path().join("site.db.key");
    assert!(!key.exists(), "opening makes nothing");
    store.migrate().await.unwrap();
    assert_eq!(
        std::fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let group = GroupId(id(1));
    store
        .group_secret_put(group, "token", SecretString::from("t"))
        .await
        .unwrap();
    store.close().await;
    let store = beside(dir.path(), 2).await.unwrap();
    store.schema_check().await.unwrap();
    let token = store
        .group_secret_fetch(group, "token")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(token.expose_secret(), "t");
}

#[tokio::test]
async fn a_lost_key_is_said_and_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let store = beside(dir.path(), 1).await.unwrap();
    store.migrate().await.unwrap();
    store.close().await;
    let key = dir.path().join("site.db.key");
    std::fs::remove_file(&key).unwrap();
    let store = beside(dir.path(), 2).await.unwrap();
    let lost = StoreError::Sealed(SealError::NoKey { path: key.clone() });
    assert_eq!(store.schema_check().await, Err(lost.clone()));
    assert_eq!(store.migrate().await, Err(lost.clone()));
    let put = store
        .group_secret_put(GroupId(id(1)), "token", SecretString::from("t"))
        .await;
    assert_eq!(put, Err(lost), "no secret is stored in clear instead");
    assert!(
        !key.exists(),
        "a new key would hide that the old one is gone"
    );
}

#[tokio::test]
async fn an_exposed_key_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    beside(dir.path(), 1)
        .await
        .unwrap()
        .migrate()
        .await
        .unwrap();
    let key = dir.path().join("site.db.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = beside(dir.path(), 2).await.map(|_| ());
    assert!(
        matches!(said, Err(StoreError::Sealed(SealError::BadKeyFile { .. }))),
        "{said:?}"
    );
}

/// A store with something in it, closed, its log folded into its file.
async fn full() -> World {
    let w = World::new(Kind::File).await.unwrap();
    for number in 1..=20 {
        let pair = Pair::new(number, &format!("group {number}"));
        w.store.group_put(pair.put(None)).await.unwrap();
    }
    w.sql("PRAGMA wal_checkpoint(TRUNCATE)").await;
    w.store.close().await;
    w.sql("PRAGMA journal_mode = DELETE").await;
    w
}

#[derive(diesel::QueryableByName)]
struct Page {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    page: i64,
}

/// Where the tree of a table begins in the file; pages count from 1.
fn root_page(w: &World, table: &str) -> usize {
    let ask = format!("SELECT rootpage AS page FROM sqlite_master WHERE name = '{table}'");
    let pages: Vec<Page> = diesel::sql_query(ask).load(&mut w.sqlite()).unwrap();
    usize::try_from(pages[0].page).unwrap()
}

/// Opening or checking must refuse; `schema_check` is what daemons ask before they work.
async fn refusal(w: &World) -> StoreError {
    let opened = Store::open(
        World::config(Kind::File, &w.url),
        Ctx::seeded("test", 3, START_US),
    );
    match opened.await {
        Ok(store) => store
            .schema_check()
            .await
            .expect_err("half data was taken for whole"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused_with_its_cause() {
    for damage in ["truncated", "flipped", "one table", "overwritten"] {
        let w = full().await;
        let table = root_page(&w, "cg_volumes");
        let mut bytes = std::fs::read(w.file()).unwrap();
        let size = bytes.len();
        match damage {
            "truncated" => bytes.truncate(size / 2),
            // The head of every page after the first: cell counts and offsets.
            "flipped" => (4_096..size).step_by(4_096).for_each(|at| {
                bytes[at] ^= 0xFF;
                bytes[at + 4] ^= 0xFF;
            }),
            // A table that nothing reads on the way up.
            "one table" => bytes[(table - 1) * 4_096..][..8].fill(0xFF),
            _ => bytes[..16].copy_from_slice(b"not a database.."),
        }
        std::fs::write(w.file(), bytes).unwrap();
        let said = refusal(&w).await;
        assert!(
            matches!(&said, StoreError::Corrupt(why) if !why.is_empty()),
            "{damage}: {said:?}"
        );
    }
}

#[tokio::test]
async fn an_unmigrated_database_is_refused() {
    let w = World::bare(Kind::File).await.unwrap();
    let said = w.store.schema_check().await;
    let none = matches!(&said, Err(StoreError::SchemaMismatch { found, newer: false, .. }) if found == "none");
    assert!(none, "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn controllers_that_start_at_once_migrate_once() {
    let dir = tempfile::tempdir().unwrap();
    let starts = (1..=6).map(|seed| {
        let dir = dir.path().to_owned();
        tokio::spawn(async move {
            let store = beside(&dir, seed).await.unwrap();
            store.migrate().await.unwrap();
            store.schema_check().await.unwrap();
            let name = format!("token-{seed}");
            let secret = SecretString::from(name.clone());
            store
                .group_secret_put(GroupId(id(1)), &name, secret)
                .await
                .unwrap();
        })
    });
    for start in futures::future::join_all(starts).await {
        start.unwrap();
    }
    let store = beside(dir.path(), 9).await.unwrap();
    for seed in 1..=6 {
        let name = format!("token-{seed}");
        let token = store
            .group_secret_fetch(GroupId(id(1)), &name)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(token.expose_secret(), name, "all seal with one key");
    }
    let left: Vec<String> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".new-"))
        .collect();
    assert_eq!(left, Vec::<String>::new(), "no draft of a key stays behind");
}

#[tokio::test]
async fn what_cannot_be_opened_is_down() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!(
        "sqlite://{}",
        dir.path().join("no/such/folder/site.db").display()
    );
    let config = World::config(Kind::File, &url);
    let said = Store::open(config, Ctx::seeded("test", 1, START_US))
        .await
        .map(|_| ());
    assert!(matches!(said, Err(StoreError::Down(_))), "{said:?}");
}
