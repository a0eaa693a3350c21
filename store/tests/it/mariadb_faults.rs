//! What a database server does to its clients: kills their connections, picks them as a deadlock's
//! victim, and vanishes in the middle of a commit (J2, J3).
use crate::common::facts::{event, id, operation};
use crate::common::maria;
use crate::common::pair::Pair;
use crate::common::world::{Kind, START_US, World};
use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncConnection, AsyncMysqlConnection, RunQueryDsl, SimpleAsyncConnection};
use protector_domain::ids::GroupId;
use protector_runtime::Ctx;
use protector_store::{Inserted, Store, StoreError, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Questions to the server until what we wait for is there.
const POLLS_MAX: u32 = 30;

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

async fn numbers(c: &mut AsyncMysqlConnection, sql: &str) -> Vec<i64> {
    let rows: Vec<Number> = diesel::sql_query(sql).load(c).await.unwrap();
    rows.into_iter().map(|row| row.n).collect()
}

fn group() -> GroupId {
    GroupId(id(0x1001))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_connections_are_replaced() {
    let Some(w) = World::new(Kind::MariaDb).await else {
        return;
    };
    w.store
        .operation_insert(operation(1, group()))
        .await
        .unwrap();
    assert!(
        w.store
            .operation_fetch(operation(1, group()).id)
            .await
            .unwrap()
            .is_some()
    );
    let mut c = AsyncMysqlConnection::establish(&maria::plain(&w.url))
        .await
        .unwrap();
    let others = "SELECT CAST(id AS SIGNED) AS n FROM information_schema.processlist \
                  WHERE db = DATABASE() AND id <> CONNECTION_ID()";
    let victims = numbers(&mut c, others).await;
    assert!(victims.len() >= 2, "a writer and a reader");
    for victim in victims {
        c.batch_execute(&format!("KILL {victim}")).await.unwrap();
    }
    let again = w.store.operation_insert(operation(2, group())).await;
    assert_eq!(again, Ok(Inserted::New), "begun again on a new connection");
    assert!(w.store.stats().retries > 0, "it was noticed");
    assert_eq!(w.store.operation_list_unfinished().await.unwrap().len(), 2);
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_victim_of_a_deadlock_is_done_again() {
    let Some(w) = World::new(Kind::MariaDb).await else {
        return;
    };
    let (one, two) = (Pair::new(1, "g1"), Pair::new(2, "g2"));
    for pair in [&one, &two] {
        w.store.group_put(pair.put(None)).await.unwrap();
    }
    let mut c = AsyncMysqlConnection::establish(&maria::plain(&w.url))
        .await
        .unwrap();
    let lock = |pair: &Pair| {
        format!(
            "UPDATE protection_groups SET updated_us = updated_us + 1 WHERE id = '{}'",
            pair.group
        )
    };
    // The one that has changed more is not the victim.
    c.batch_execute("START TRANSACTION").await.unwrap();
    c.batch_execute("UPDATE cg_volumes SET place = place + 1")
        .await
        .unwrap();
    c.batch_execute(&lock(&one)).await.unwrap();
    let fence = |pair: &Pair| Write::Fence {
        group: pair.group,
        epoch: pair.sync().epoch().unwrap(),
    };
    let op = operation(1, group()).id;
    let events = Write::EventsAppend {
        operation: op,
        events: vec![event("once")],
    };
    let batch = Write::Batch(vec![fence(&two), events, fence(&one)]);
    let store = w.store.clone();
    let writing = tokio::spawn(async move { store.write(batch).await });
    // The server shows its waits anew only if nobody has asked for a tenth of a second.
    let waiting = "SELECT CAST(SLEEP(0.15) + COUNT(*) AS SIGNED) AS n FROM information_schema.innodb_trx t \
        JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id \
        WHERE t.trx_state = 'LOCK WAIT' AND p.db = DATABASE()";
    let mut polls = 0;
    while numbers(&mut c, waiting).await != [1] {
        polls += 1;
        assert!(polls < POLLS_MAX, "the store never waited");
    }
    c.batch_execute(&lock(&two))
        .await
        .expect("we are not the victim");
    c.batch_execute("COMMIT").await.unwrap();
    writing
        .await
        .unwrap()
        .expect("the transaction was repeated");
    assert!(w.store.stats().retries > 0, "it was the victim");
    assert_eq!(
        w.store.event_list(op, 0, 9).await.unwrap().len(),
        1,
        "done once"
    );
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn controllers_that_start_at_once_migrate_once() {
    let Some(w) = World::bare(Kind::MariaDb).await else {
        return;
    };
    let mut beside = Vec::new();
    for seed in 2..6 {
        beside.push(w.another(seed).await);
    }
    let migrated = futures::future::join_all(beside.iter().map(Store::migrate)).await;
    assert_eq!(migrated, vec![Ok(()); 4]);
    assert_eq!(w.store.schema_check().await, Ok(()));
    w.end().await;
}

const PASS: u8 = 0;
/// The connection breaks when the client asks to commit; the server never hears of it.
const CUT_BEFORE: u8 = 1;
/// The server commits, and its answer is lost.
const CUT_AFTER: u8 = 2;

/// A way to the server that breaks at commits. Returns its address.
async fn broken_way(server: String, mode: Arc<AtomicU8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let upstream = TcpStream::connect(&server).await.unwrap();
            tokio::spawn(carry(client, upstream, Arc::clone(&mode)));
        }
    });
    address
}

async fn carry(mut client: TcpStream, mut server: TcpStream, mode: Arc<AtomicU8>) {
    let (mut asked, mut said) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            biased;
            read = client.read(&mut asked) => {
                let Ok(n @ 1..) = read else { return };
                let commit = asked[..n].windows(7).any(|part| part == b"\x03COMMIT");
                match AtomicU8::load(&mode, Ordering::SeqCst) {
                    CUT_BEFORE if commit => return,
                    CUT_AFTER if commit => {
                        server.write_all(&asked[..n]).await.unwrap();
                        let _ = server.read(&mut said).await;
                        return;
                    }
                    _ => server.write_all(&asked[..n]).await.unwrap(),
                }
            }
            read = server.read(&mut said) => {
                let Ok(n @ 1..) = read else { return };
                if client.write_all(&said[..n]).await.is_err() { return }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_commit_is_unknown_and_a_look_tells() {
    let Some(w) = World::new(Kind::MariaDb).await else {
        return;
    };
    let mode = Arc::new(AtomicU8::new(PASS));
    let (login, rest) = w.url.rsplit_once('@').unwrap();
    let (host, database) = rest.split_once('/').unwrap();
    let host = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:3306")
    };
    let way = broken_way(host, Arc::clone(&mode)).await;
    let config = World::config(
        Kind::MariaDb,
        &format!("{login}@{way}/{database}?prefer_socket=false"),
    );
    let store = Store::open(config, Ctx::seeded("test", 3, START_US))
        .await
        .unwrap();
    for (number, cut, is_there) in [(1, CUT_BEFORE, false), (2, CUT_AFTER, true)] {
        let op = operation(number, group());
        mode.store(cut, Ordering::SeqCst);
        assert_eq!(
            store.operation_insert(op.clone()).await,
            Err(StoreError::Unknown)
        );
        mode.store(PASS, Ordering::SeqCst);
        let found = store.operation_fetch(op.id).await.unwrap();
        assert_eq!(found.is_some(), is_there, "operation {number}");
        let again = store.operation_insert(op.clone()).await;
        assert_eq!(
            again.is_ok(),
            !is_there,
            "{again:?}: the same store goes on"
        );
    }
    assert_eq!(
        store.stats().retries,
        0,
        "a commit is never repeated blindly"
    );
    store.close().await;
    w.end().await;
}
