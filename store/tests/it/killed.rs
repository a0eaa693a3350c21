//! A process that is killed, and a process without room: what was acknowledged is there (S9), what
//! was not is there whole or not at all, and nothing is damaged (J6).
//!
//! The victim is this program again, started with another wish.
use crate::common::facts::{event, id, operation};
use crate::common::world::{Kind, START_US, World};
use protector_domain::ids::{GroupId, OperationId};
use protector_runtime::Ctx;
use protector_store::{Store, StoreError, Write};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const URL: &str = "PROTECTOR_STORE_VICTIM_URL";
const WRITERS: u128 = 8;
/// Acknowledged writes before the kill.
const ACKNOWLEDGED_MIN: usize = 60;
/// Lines of story per operation, in its one transaction.
const EVENTS: usize = 3;
/// Writes that a victim makes at most.
const WRITES_MAX: u128 = 100_000;

fn group() -> GroupId {
    GroupId(id(0x1001))
}

fn whole(number: u128, text: &str) -> (OperationId, Write) {
    let op = operation(number, group());
    let id = op.id;
    let events = Write::EventsAppend {
        operation: id,
        events: vec![event(text); EVENTS],
    };
    (
        id,
        Write::Batch(vec![Write::OperationInsert(Box::new(op)), events]),
    )
}

fn kind(url: &str) -> Kind {
    if url.starts_with("sqlite") {
        Kind::File
    } else {
        Kind::MariaDb
    }
}

async fn open(url: &str) -> Store {
    let ctx = Ctx::seeded("victim", 5, START_US);
    Store::open(World::config(kind(url), url), ctx)
        .await
        .unwrap()
}

/// Not a test by itself: writes until it is killed, and tells what was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victim_writes_for_ever() {
    let Ok(url) = std::env::var(URL) else { return };
    let store = open(&url).await;
    let writers = (0..WRITERS).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 0..WRITES_MAX {
                let (id, write) = whole(WRITERS * n + writer, "x");
                store.write(write).await.unwrap();
                println!("ack {id}");
            }
        })
    });
    futures::future::join_all(writers).await;
}

fn acknowledged(line: &str) -> Option<OperationId> {
    line.strip_prefix("ack ")?.trim().parse().ok()
}

async fn check(store: &Store, acknowledged: &[OperationId]) {
    store.schema_check().await.unwrap();
    let there = store.operation_list_unfinished().await.unwrap();
    for id in acknowledged {
        assert!(there.iter().any(|op| op.id == *id), "{id} was acknowledged");
    }
    for op in there {
        let events = store.event_list(op.id, 0, 9).await.unwrap();
        assert_eq!(events.len(), EVENTS, "{} is there by half", op.id);
    }
}

async fn kill_and_look(kind: Kind) {
    let Some(w) = World::new(kind).await else {
        return;
    };
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::victim_writes_for_ever", "--nocapture"])
        .env(URL, &w.url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let mut acks = Vec::new();
    while acks.len() < ACKNOWLEDGED_MIN {
        let line = lines.next().expect("the victim ended by itself").unwrap();
        acks.extend(acknowledged(&line));
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
    acks.extend(
        lines
            .map_while(Result::ok)
            .filter_map(|line| acknowledged(&line)),
    );
    check(&w.store, &acks).await;
    let (_, write) = whole(WRITES_MAX * WRITERS, "after");
    w.store.write(write).await.expect("the survivors go on");
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_nothing_acknowledged_in_a_file() {
    kill_and_look(Kind::File).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_nothing_acknowledged_in_mariadb() {
    kill_and_look(Kind::MariaDb).await;
}

/// Not a test by itself: writes until there is no room, then shows that reading still works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victim_runs_out_of_room() {
    let Ok(url) = std::env::var(URL) else { return };
    let store = open(&url).await;
    let wide = "x".repeat(20_000);
    for n in 0..WRITES_MAX {
        let (id, write) = whole(n, &wide);
        match store.write(write).await {
            Ok(_) => println!("ack {id}"),
            Err(StoreError::Down(_) | StoreError::Unknown) => break,
            Err(other) => panic!("{other:?} is not clear"),
        }
    }
    let read = store.operation_list_unfinished().await.unwrap();
    println!("read {}", read.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_room_is_said_and_damages_nothing() {
    let Some(w) = World::new(Kind::File).await else {
        return;
    };
    // A limit on file sizes stands for a full disk; the signal that comes with it is ignored.
    let script = "trap '' XFSZ; ulimit -f 2000; exec \"$0\" --exact killed::victim_runs_out_of_room --nocapture";
    let ended = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .env(URL, &w.url)
        .output()
        .unwrap();
    let text = String::from_utf8(ended.stdout).unwrap();
    assert!(
        ended.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    let acks: Vec<OperationId> = text.lines().filter_map(acknowledged).collect();
    assert!(acks.len() > 5, "there was room at first: {text}");
    assert!((acks.len() as u128) < WRITES_MAX, "it ran out");
    assert!(text.contains("read "), "reading goes on: {text}");
    check(&w.store, &acks).await;
    let (_, write) = whole(WRITES_MAX, "after");
    w.store
        .write(write)
        .await
        .expect("with room again, writing goes on");
    w.end().await;
}
