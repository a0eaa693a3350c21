//! Operations that a higher epoch overtakes in the middle (I5): the other site is gone, and one command
//! moves the group all the same (L3). The overtaken one takes back what is its own alone. Judged from the
//! ground truth of clouds and arrays, and from the ledger.

use http::Method;
use protector_domain::effect::{EffectKind, EffectState, METADATA_KEY};
use protector_lab::cloud::{GroundTruth, Volume};
use protector_lab::courier::{planned_move, sync};
use protector_lab::story::{
    Protected, fail_over, operation, planned_failover, poll_until_over, protect, reprotect,
    sync_force, take_point, write_volumes,
};
use protector_lab::world::{Strike, Which, World, WorldOptions, lock};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const GIVEN: u64 = 7;
const AT_HOME: u64 = 8;
/// Longer than any place is away, and than undo and stray sweeps take, seconds.
const PLACE_S: u64 = 3_600;
const AFTERMATH_S: u64 = 700;

async fn rest(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

fn truth(world: &World, which: Which) -> GroundTruth {
    lock(&world.site(which).cloud).ground_truth(world.now_ms())
}

/// Started once, long ago, and stopped at most once: nobody has started a source server since (S1).
fn assert_source_at_rest(world: &World, case: &str) {
    for server in truth(world, Which::A).servers {
        let power = server.power;
        assert!(power.len() <= 2, "S1: {case}: {power:?}");
    }
}

async fn ready(name: &str) -> (World, Protected) {
    let world = World::build(WorldOptions::seeded(name, 91)).await.unwrap();
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, GIVEN).await.unwrap();
    write_volumes(&world, Which::A, AT_HOME).unwrap();
    (world, group)
}

/// Waits until a site stands still at `place`.
async fn stands_still(world: &World, which: Which, place: &str) {
    let stands = world.site(which).crash.struck();
    let waited = tokio::time::timeout(Duration::from_secs(PLACE_S), stands).await;
    assert!(waited.is_ok(), "nobody came to {place}");
}

async fn stands_at(world: &World, place: &str) {
    stands_still(world, Which::B, place).await;
}

fn arm_at(world: &World, which: Which, place: &str) {
    world.site(which).crash.arm(Strike {
        place: place.to_owned(),
        skip: 0,
    });
}

fn arm(world: &World, place: &str) {
    arm_at(world, Which::B, place);
}

async fn shown_at(world: &World, which: Which, id: &str) -> Value {
    let at = world.endpoint(which).await.unwrap();
    operation(&at, id).await.unwrap()
}

async fn shown(world: &World, id: &str) -> Value {
    shown_at(world, Which::B, id).await
}

/// Everything at B belongs to the move, nothing of the overtaken operation is left, and the ledger agrees.
async fn assert_only_of(world: &World, moved: &str, overtaken: &str, case: &str) {
    let there = truth(world, Which::B);
    let live = there.servers.iter().filter(|s| s.vm_state != "deleted");
    let servers: Vec<_> = live.collect();
    assert_eq!(servers.len(), 3, "S1, S2: {case}");
    assert!(servers.iter().all(|s| s.running), "{case}");
    let keys = servers
        .iter()
        .map(|s| s.metadata.get(METADATA_KEY).cloned());
    let keys = keys.map(Option::unwrap_or_default);
    for key in keys.chain(there.volumes.iter().map(Volume::key)) {
        assert!(key.starts_with(moved), "S3: {case}: {key}");
    }
    assert_eq!(there.volumes.len(), 5, "S3: {case}");
    let ports = there.ports.iter().map(|p| &p.description);
    let theirs: Vec<_> = ports.filter(|d| d.starts_with(overtaken)).collect();
    assert!(theirs.is_empty(), "S3: {case}: {theirs:?}");

    let arrays = world.arrays.ground_truth();
    let volumes = arrays.arrays[Which::B.array()].volumes.iter();
    let live: Vec<_> = volumes.filter(|v| !v.destroyed).collect();
    let data: Vec<_> = live
        .iter()
        .filter(|v| !v.name.contains("-epoch-"))
        .collect();
    assert_eq!(data.len(), 5, "S3: {case}: {data:?}");
    let held: BTreeSet<u64> = data.iter().map(|v| v.counter).collect();
    assert!(
        held == BTreeSet::from([GIVEN]) || held == BTreeSet::from([AT_HOME]),
        "S6: {case}: {held:?}"
    );

    let store = &world.b.running.as_ref().unwrap().store;
    let effects = store.effects_by_operation(overtaken.parse().unwrap()).await;
    for effect in effects.unwrap() {
        let own = !matches!(effect.kind, EffectKind::None | EffectKind::ArraySnapshot);
        let gone = matches!(effect.state, EffectState::Undone | EffectState::Failed);
        assert!(!own || gone, "S3: {case}: {effect:?}");
    }
}

/// What becomes of B's engine meanwhile.
#[derive(Debug, Clone, Copy)]
enum Engine {
    Lives,
    /// It is killed where it stands, and starts before anybody asks for the move.
    DiesBefore,
    /// It is killed again and again, at this place of the undo.
    DiesAt(&'static str),
}

/// A is lost while B's planned failover stands at a place; B fails over by force.
async fn forced_at(place: &str, engine: Engine) {
    let case = format!("{place}, {engine:?}");
    let name = case.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let (mut world, group) = ready(&format!("overtaken-{name}")).await;
    let (a, b) = (
        world.endpoint(Which::A).await.unwrap(),
        world.endpoint(Which::B).await.unwrap(),
    );
    arm(&world, place);
    let body = json!({ "type": "planned" });
    let planned = planned_move(&a, &b, &group.group, "failover", &body).await;
    let planned = planned.unwrap();
    stands_at(&world, place).await;
    world.lose(Which::A);
    match engine {
        Engine::Lives => {}
        Engine::DiesBefore => {
            world.b.crash();
            rest(5).await;
            world.b.boot().await.unwrap();
        }
        Engine::DiesAt(undo) => arm(&world, undo),
    }
    let run = fail_over(&mut world, &group, |_| {}).await.unwrap();
    // The undo of what blocks nobody may still go on when the move has ended.
    let mut crashes = run.crashes;
    let over = poll_until_over(&mut world, Which::B, &planned, &mut crashes, &mut |_| {}).await;
    over.unwrap();
    let died = matches!(engine, Engine::DiesAt(_));
    assert_eq!(crashes > 0, died, "{case}");
    assert_eq!(
        run.operation["outcome"], "full",
        "L3: {case}: {}",
        run.operation
    );
    rest(AFTERMATH_S).await;
    let over = shown(&world, &planned).await;
    assert_eq!(over["status"], "failed", "{case}: {over}");
    assert_eq!(over["outcome"], "rolled_back", "{case}: {over}");
    let why = over["error_message"].as_str().unwrap();
    assert!(why.contains("leads"), "{case}: {why}");
    let moved = run.operation["id"].as_str().unwrap();
    assert_only_of(&world, moved, &planned, &case).await;
    assert_source_at_rest(&world, &case);
}

const PLACES: [&str; 8] = [
    "after_effect:do:quiesce_server",
    "after_effect:do:take_last_point",
    "after_effect:do:recover_volumes",
    "after_intent:do:import_volumes",
    "after_effect:do:create_ports",
    "after_intent:do:boot_server",
    "after_record:do:boot_server",
    "after_intent:do:commit_new_primary",
];

#[tokio::test(start_paused = true)]
async fn a_planned_move_that_lost_its_source_is_overtaken_by_force() {
    for place in PLACES {
        forced_at(place, Engine::Lives).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_over_a_restart() {
    for place in PLACES {
        forced_at(place, Engine::DiesBefore).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_with_the_engine_killed_while_it_takes_back() {
    for undo in [
        "after_intent:undo:boot_server",
        "after_effect:undo:boot_server",
        "after_intent:undo:create_ports",
        "after_effect:undo:import_volumes",
        "after_effect:undo:recover_volumes",
        "after_record:undo:recover_volumes",
    ] {
        forced_at("after_record:do:boot_server", Engine::DiesAt(undo)).await;
    }
}

/// I10: a drill is no reason to wait when the site is lost.
#[tokio::test(start_paused = true)]
async fn a_drill_under_way_gives_way_to_the_loss() {
    let (mut world, group) = ready("overtaken-drill").await;
    let place = "after_record:do:boot_server";
    arm(&world, place);
    let (a, b) = (&world.tenants[0].standard, &world.tenants[1].standard);
    let isolated = json!({ a.networks[0].clone(): b.networks[2].clone() });
    let asked = json!({ "test_failover": { "network_mapping": isolated } });
    let at = world.endpoint(Which::B).await.unwrap();
    let drill = at.act(&group.group, &asked, "drill").await.unwrap();
    let drill = drill["operation"]["id"].as_str().unwrap().to_owned();
    stands_at(&world, place).await;
    world.lose(Which::A);
    let run = fail_over(&mut world, &group, |_| {}).await.unwrap();
    assert_eq!(run.operation["outcome"], "full", "{}", run.operation);
    rest(AFTERMATH_S).await;
    assert_eq!(shown(&world, &drill).await["outcome"], "rolled_back");
    let moved = run.operation["id"].as_str().unwrap();
    assert_only_of(&world, moved, &drill, "drill").await;
}

/// A forced move is overtaken by nothing but a record of the other site: asked twice, it is one.
#[tokio::test(start_paused = true)]
async fn a_move_by_force_is_not_overtaken_by_another_one() {
    let (mut world, group) = ready("overtaken-twice").await;
    world.lose(Which::A);
    let place = "after_record:do:boot_server";
    arm(&world, place);
    let asked = json!({ "failover": { "type": "unplanned" } });
    let at = world.endpoint(Which::B).await.unwrap();
    at.act(&group.group, &asked, "first").await.unwrap();
    stands_at(&world, place).await;
    let second = at.act(&group.group, &asked, "second").await;
    assert_eq!(second.unwrap_err().code(), "operation_in_progress", "I1");
}

/// A request that waits for its lock is over with the higher epoch, and holds nobody up.
#[tokio::test(start_paused = true)]
async fn a_request_without_its_lock_ends_with_the_force() {
    let (mut world, group) = ready("overtaken-request").await;
    let (a, b) = (
        world.endpoint(Which::A).await.unwrap(),
        world.endpoint(Which::B).await.unwrap(),
    );
    let path = format!("/protection-groups/{}/sync/lock-tickets", group.group);
    let opened = a.call(Method::POST, &path, Some(&json!({}))).await.unwrap();
    let asked = json!({ "failover": { "type": "planned", "ticket": opened["ticket"] } });
    let asked = b.act(&group.group, &asked, "request").await.unwrap();
    let request = asked["operation"]["id"].as_str().unwrap().to_owned();
    assert_eq!(shown(&world, &request).await["status"], "pending");
    world.lose(Which::A);
    let run = fail_over(&mut world, &group, |_| {}).await.unwrap();
    assert_eq!(run.operation["outcome"], "full", "{}", run.operation);
    rest(AFTERMATH_S).await;
    assert_eq!(shown(&world, &request).await["status"], "failed");
    let moved = run.operation["id"].as_str().unwrap();
    assert_only_of(&world, moved, &request, "request").await;
}

/// Contents of the live volumes of B's array, by serial.
fn contents(world: &World) -> BTreeMap<String, (String, u64)> {
    let truth = world.arrays.ground_truth();
    let volumes = truth.arrays[Which::B.array()].volumes.iter();
    let live = volumes.filter(|v| !v.destroyed);
    live.map(|v| (v.serial.clone(), (v.name.clone(), v.counter)))
        .collect()
}

fn objects_at_b(world: &World) -> BTreeSet<String> {
    let there = truth(world, Which::B);
    let servers = there
        .servers
        .into_iter()
        .filter(|s| s.vm_state != "deleted");
    let servers = servers.map(|s| format!("{} {}", s.id, s.running));
    let volumes = there.volumes.into_iter().map(|v| v.id);
    let ports = there.ports.into_iter().map(|p| p.id);
    servers.chain(volumes).chain(ports).collect()
}

/// A has come home, and dies while it tidies up at B. B has to take over, and what A still wanted to
/// remove there is nothing that a returning A may touch.
#[tokio::test(start_paused = true)]
async fn a_way_home_that_was_tidying_up_goes_no_further_when_its_site_returns() {
    let (mut world, group) = ready("overtaken-home").await;
    planned_failover(&mut world, &group).await.unwrap();
    reprotect(&world, &group, Which::B).await.unwrap();
    rest(120).await;
    let (a, b) = (
        world.endpoint(Which::A).await.unwrap(),
        world.endpoint(Which::B).await.unwrap(),
    );
    let place = "after_intent:do:retire_volumes";
    arm_at(&world, Which::A, place);
    let body = json!({ "type": "planned" });
    let home = planned_move(&b, &a, &group.group, "failback", &body).await;
    let home = home.unwrap();
    stands_still(&world, Which::A, place).await;
    rest(120).await;
    sync(&a, &b, &group.group).await.unwrap();
    world.lose(Which::A);
    let run = fail_over(&mut world, &group, |_| {}).await.unwrap();
    assert_eq!(run.operation["outcome"], "full", "{}", run.operation);
    rest(AFTERMATH_S).await;
    let (objects, held) = (objects_at_b(&world), contents(&world));

    world.come_back(Which::A).await.unwrap();
    rest(AFTERMATH_S).await;
    assert_eq!(objects_at_b(&world), objects, "I5: no courier has come yet");
    sync_force(&world, &group).await.unwrap();
    rest(AFTERMATH_S).await;
    let over = shown_at(&world, Which::A, &home).await;
    assert_eq!(over["status"], "failed", "{over}");
    assert_eq!(over["outcome"], "partial", "its move was done: {over}");
    let why = over["error_message"].as_str().unwrap();
    assert!(why.contains("retire_volumes"), "S3: {why}");
    assert_eq!(objects_at_b(&world), objects, "I5, S4");
    assert_eq!(contents(&world), held, "S5");
    for server in truth(&world, Which::A).servers {
        assert!(!server.running, "S1, I4: {}", server.name);
    }
}
