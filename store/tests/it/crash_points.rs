//! The site dies at the two places around a commit, under simulated time and inline statements.
use crate::common::facts::{id, operation};
use crate::common::world::{Kind, START_US, World};
use futures::future::BoxFuture;
use protector_domain::ids::GroupId;
use protector_runtime::Ctx;
use protector_runtime::crash::CrashPoints;
use protector_store::{Inserted, MemKeeper, Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Hangs at one place once it is armed, as a killed process does.
struct DieAt {
    place: &'static str,
    armed: AtomicBool,
}

impl CrashPoints for DieAt {
    fn at<'a>(&'a self, place: &'a str) -> BoxFuture<'a, ()> {
        if place == self.place && self.armed.load(Ordering::SeqCst) {
            Box::pin(std::future::pending())
        } else {
            Box::pin(std::future::ready(()))
        }
    }
}

/// What became of a write whose site died at `place`.
async fn die_at(place: &'static str) -> bool {
    let keeper = MemKeeper::open(&format!("die-at-{place}")).unwrap();
    let crash = Arc::new(DieAt {
        place,
        armed: AtomicBool::new(false),
    });
    let mut ctx = Ctx::seeded("test", 1, START_US);
    ctx.crash = crash.clone();
    let config = || World::config(Kind::Memory, &keeper.url());
    let store = Store::open(config(), ctx).await.unwrap();
    store.migrate().await.unwrap();
    let op = |number| operation(number, GroupId(id(1)));
    store.operation_insert(op(1)).await.unwrap();
    crash.armed.store(true, Ordering::SeqCst);
    let dying = store.clone();
    let writing = tokio::spawn(async move { dying.operation_insert(op(2)).await });
    // Time moves on only when everything waits: then the writer hangs at its place.
    tokio::time::sleep(std::time::Duration::from_secs(3_600)).await;
    assert!(
        !writing.is_finished(),
        "nothing is answered before its commit is behind it"
    );
    store.cut();
    assert_eq!(writing.await.unwrap(), Err(StoreError::Unknown));
    assert!(matches!(
        store.operation_fetch(op(1).id).await,
        Err(StoreError::Down(_))
    ));

    let store = Store::open(config(), Ctx::seeded("test", 2, START_US))
        .await
        .unwrap();
    store.schema_check().await.unwrap();
    let is_there = store.operation_fetch(op(2).id).await.unwrap().is_some();
    assert!(
        store.operation_fetch(op(1).id).await.unwrap().is_some(),
        "acknowledged"
    );
    assert_eq!(
        store.operation_insert(op(3)).await,
        Ok(Inserted::New),
        "no lock is left behind"
    );
    is_there
}

#[tokio::test(start_paused = true)]
async fn before_the_commit_nothing_is_there() {
    assert!(!die_at("store.before_commit").await);
}

#[tokio::test(start_paused = true)]
async fn after_the_commit_it_is_there_unanswered() {
    assert!(die_at("store.after_commit").await);
}
