//! The live tree of actors in the middle of the failover of a hundred VMs, as an administrator sees it: as data,
//! and as text that a person can read. The failover is held by its cloud, where no boot ever ends.

use http::Method;
use protector_lab::story::{protect, take_point};
use protector_lab::world::{Which, World, WorldOptions, lock};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const VMS: usize = 100;
/// Steps that an operation does at once.
const AT_ONCE: usize = 100;
/// A tree that fits on a screen or two, lines; a line that fits on a wide one, letters.
const LINES_MAX: usize = 40;
const LETTERS_MAX: usize = 320;
/// Looks at the tree until the lanes stand where they are held, and the pause between, milliseconds.
const LOOKS_MAX: u32 = 2_000;
const LOOK_MS: u64 = 100;

async fn tree(world: &World, query: &str) -> Value {
    let at = world.admin_endpoint(Which::B).await.unwrap();
    let path = format!("/v1/admin/actors{query}");
    at.send(Method::GET, &path, None).await.unwrap()
}

fn by_path(tree: &Value) -> BTreeMap<String, Value> {
    let actors = tree["actors"].as_array().unwrap().iter();
    actors
        .map(|a| (a["path"].as_str().unwrap().to_owned(), a.clone()))
        .collect()
}

fn operation_in(actors: &BTreeMap<String, Value>) -> Option<(&String, &Value)> {
    actors.iter().find(|(_, a)| a["kind"] == "operation")
}

/// Waits until every lane that runs waits for its server.
async fn held(world: &World) -> BTreeMap<String, Value> {
    for _ in 0..LOOKS_MAX {
        let actors = by_path(&tree(world, "").await);
        let steps = operation_in(&actors).map(|(_, a)| a["state"]["steps"].clone());
        if steps == Some(json!({ "await_server": AT_ONCE })) {
            return actors;
        }
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
    }
    panic!("the lanes never stood at their servers");
}

async fn in_the_middle() -> World {
    let options = WorldOptions {
        members: VMS,
        volumes: VMS,
        ..WorldOptions::seeded("tree", 100)
    };
    let mut world = World::build(options).await.unwrap();
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, 7).await.unwrap();
    lock(&world.b.cloud).knobs.boots_stuck = true;
    world.lose(Which::A);
    let asked = json!({ "failover": { "type": "unplanned" } });
    let at = world.endpoint(Which::B).await.unwrap();
    at.act(&group.group, &asked, "tree").await.unwrap();
    world
}

fn assert_is_whole(actors: &BTreeMap<String, Value>) {
    let kinds = actors.values().map(|a| a["kind"].as_str().unwrap());
    let kinds: BTreeSet<&str> = kinds.collect();
    for kind in [
        "supervisor",
        "protection_group",
        "operation",
        "array_session",
        "sweeper",
    ] {
        assert!(kinds.contains(kind), "{kind} of {kinds:?}");
    }
    for (path, actor) in actors {
        assert_eq!(actor["phase"], "up", "{path}");
        assert_eq!(actor["restarts"], 0, "{path}");
        let figure = |name: &str| actor[name].as_u64().unwrap();
        let (depth, cap) = (figure("depth"), figure("cap"));
        assert!(depth <= cap, "{path}: {depth} of {cap}");
        let parent = path.rsplit_once('/').map(|(parent, _)| parent);
        let known = parent.is_none_or(|p| actors.contains_key(p));
        assert!(known, "{path} hangs below somebody");
    }
}

/// The operation with its lanes; how far it is, percent.
async fn assert_tells_the_operation(world: &World, actors: &BTreeMap<String, Value>) -> u64 {
    let (path, operation) = operation_in(actors).unwrap();
    let at = world.endpoint(Which::B).await.unwrap();
    let shown = at.call(Method::GET, "/operations", None).await.unwrap();
    let id = shown["operations"][0]["id"].as_str().unwrap();
    assert!(path.ends_with(id), "{path}");
    let lanes = operation["state"]["running"].as_array().unwrap();
    assert_eq!(lanes.len(), AT_ONCE);
    for lane in lanes {
        let lane = lane.as_str().unwrap();
        assert!(
            lane.starts_with("web-") && lane.contains("await_server"),
            "{lane}"
        );
    }
    let pct = operation["state"]["progress_pct"].as_u64().unwrap();
    assert!((1..100).contains(&pct), "in the middle: {pct} %");
    assert!(
        operation["cap"].as_u64().unwrap() > 0,
        "its mailbox is bounded"
    );
    assert!(operation["handled"].as_u64().unwrap() > 0);
    pct
}

#[tokio::test(start_paused = true)]
async fn a_failover_of_a_hundred_vms_is_a_tree_that_a_person_can_read() {
    let world = in_the_middle().await;
    let actors = held(&world).await;
    assert_is_whole(&actors);
    let pct = assert_tells_the_operation(&world, &actors).await;

    let text = tree(&world, "?format=text").await;
    let text = text.as_str().unwrap();
    println!("{text}");
    assert_eq!(text.lines().count(), actors.len(), "a line each");
    assert!(actors.len() <= LINES_MAX, "{} lines", actors.len());
    for line in text.lines() {
        assert!(line.chars().count() <= LETTERS_MAX, "too long: {line}");
    }
    let line = text.lines().find(|l| l.contains("[operation]")).unwrap();
    assert!(
        line.contains("steps (await_server 100)"),
        "lanes in one word: {line}"
    );
    assert!(line.contains(&format!("progress_pct {pct}")), "{line}");

    let below = by_path(&tree(&world, "?kind=operation").await);
    assert_eq!(below.len(), 1, "one kind alone");
    let top = by_path(&tree(&world, "?depth=0").await);
    assert!(top.keys().all(|path| !path.contains('/')), "{top:?}");
}
