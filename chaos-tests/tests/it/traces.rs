//! The checker of traces over a real history: it takes what two whole sites wrote, and nothing that differs from it.

use protector_chaos_tests::traces::{counted, replay_one, replayed};
use protector_domain::sync::Signed;
use protector_lab::story::{
    Protected, fail_over, failback, planned_failover, protect, reprotect, sync_force, take_point,
    update,
};
use protector_lab::world::{Which, World, WorldOptions};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const GIVEN: u64 = 7;

/// A group that goes away and comes home, is lost and found, and gets another name at the end.
async fn lived() -> (World, Protected) {
    let options = WorldOptions::seeded("traces", 61);
    let mut world = World::build(options).await.unwrap();
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, GIVEN).await.unwrap();
    planned_failover(&mut world, &group).await.unwrap();
    reprotect(&world, &group, Which::B).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2 * 60)).await;
    failback(&mut world, &group).await.unwrap();
    tokio::time::sleep(Duration::from_secs(15 * 60)).await;
    take_point(&world, &group, GIVEN + 1).await.unwrap();
    world.lose(Which::A);
    let run = fail_over(&mut world, &group, |_| {}).await.unwrap();
    assert_eq!(run.operation["outcome"], "full", "{}", run.operation);
    world.come_back(Which::A).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3 * 60)).await;
    sync_force(&world, &group).await.unwrap();
    let words = json!({ "name": "store" });
    update(&world, &group, &words).await.unwrap();
    (world, group)
}

/// The history by pair, each record once.
async fn history(world: &World, group: &Protected) -> BTreeMap<(u64, u64), Signed> {
    let all = world.records().await.unwrap();
    let own = all[&group.group.parse().unwrap()].clone().into_iter();
    own.map(|signed| (pair(&signed), signed)).collect()
}

fn payload(signed: &Signed) -> Value {
    serde_json::from_str(&signed.payload).unwrap()
}

fn pair(signed: &Signed) -> (u64, u64) {
    let header = payload(signed)["content"]["header"].clone();
    let number = |name: &str| header[name].as_u64().unwrap();
    (number("epoch"), number("version"))
}

fn kind(signed: &Signed) -> String {
    let kind = payload(signed)["content"]["header"]["kind"].clone();
    kind.as_str().unwrap().to_owned()
}

fn altered(signed: &Signed, change: impl FnOnce(&mut Value)) -> Signed {
    let mut all = payload(signed);
    change(&mut all["content"]);
    Signed {
        payload: all.to_string(),
        ..signed.clone()
    }
}

fn said(history: &BTreeMap<(u64, u64), Signed>) -> Result<usize, String> {
    let all: Vec<Signed> = history.values().cloned().collect();
    replay_one(&all)
}

#[tokio::test(start_paused = true)]
async fn a_real_history_is_taken_and_each_planted_deviation_refused() {
    let (world, group) = lived().await;
    assert_eq!(replayed(&world).await.unwrap(), Vec::<String>::new());
    let real = history(&world, &group).await;
    let kinds: Vec<String> = real.values().map(kind).collect();
    assert_eq!(said(&real), Ok(real.len()), "{kinds:?}");
    for wanted in ["create", "edit", "lock", "mint", "finish"] {
        assert!(kinds.iter().any(|k| k == wanted), "{wanted}: {kinds:?}");
    }

    // One that later ones were built on is not there.
    let (last, newest) = real.last_key_value().unwrap();
    for at in real.keys().filter(|at| *at != last) {
        let mut without = real.clone();
        without.remove(at);
        assert!(said(&without).is_err(), "without {at:?}");
    }
    // A version that was skipped.
    let mut skipped = real.clone();
    let next = |content: &mut Value| content["header"]["version"] = json!(last.1 + 1);
    skipped.insert(*last, altered(newest, next));
    let why = said(&skipped).unwrap_err();
    assert!(why.contains("another record"), "{why}");
    // Twice at one pair.
    let all: Vec<Signed> = real.values().cloned().collect();
    let twin = altered(newest, |content| content["body"]["name"] = json!("twin"));
    let why = replay_one(&[all, vec![twin]].concat()).unwrap_err();
    assert!(why.contains("two records"), "{why}");
    // A lock changes the right to start VMs, and no word of the body.
    let (at, lock) = real.iter().find(|(_, s)| kind(s) == "lock").unwrap();
    let mut until: BTreeMap<(u64, u64), Signed> =
        real.range(..at).map(|(at, s)| (*at, s.clone())).collect();
    let renamed = |content: &mut Value| content["body"]["name"] = json!("renamed");
    until.insert(*at, altered(lock, renamed));
    let why = said(&until).unwrap_err();
    assert!(why.contains("another record"), "{why}");
    let (histories, records) = counted();
    println!("written again: {histories} histories, {records} records");
}
