//! There and back: drill and cleanup, planned failover, reprotection, failback, and once more with
//! the home site lost. Judged from the ground truth of both clouds and both arrays.

use http::Method;
use protector_chaos_tests::traces::replayed;
use protector_domain::effect::METADATA_KEY;
use protector_lab::cloud::{GroundTruth, Server};
use protector_lab::courier::release;
use protector_lab::story::{
    OperationRun, Protected, drill, fail_over, failback, planned_failover, protect, reprotect,
    take_point, test_cleanup,
};
use protector_lab::world::{Which, World, WorldOptions, lock};
use protector_storage_drivers::model::Control;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const GIVEN: u64 = 7;
const BEFORE_THE_MOVE: u64 = 8;
const AWAY: u64 = 9;

fn cloud(world: &World, which: Which) -> GroundTruth {
    lock(&world.site(which).cloud).ground_truth(world.now_ms())
}

fn live(truth: &GroundTruth) -> Vec<Server> {
    let servers = truth.servers.iter().filter(|s| s.vm_state != "deleted");
    servers.cloned().collect()
}

fn ours(truth: &GroundTruth) -> Vec<Server> {
    let carries = |s: &Server| s.metadata.contains_key(METADATA_KEY);
    live(truth).into_iter().filter(carries).collect()
}

/// Serials of the array volumes behind the servers' disks.
fn serials(truth: &GroundTruth, servers: &[Server]) -> BTreeSet<String> {
    let disks = servers.iter().flat_map(|s| &s.disks);
    let ids: BTreeSet<&String> = disks.map(|d| &d.volume_id).collect();
    let volumes = truth.volumes.iter().filter(|v| ids.contains(&v.id));
    volumes.filter_map(|v| v.serial.clone()).collect()
}

/// The last write that each of these volumes holds.
fn counters(world: &World, which: Which, serials: &BTreeSet<String>) -> BTreeSet<u64> {
    let truth = world.arrays.ground_truth();
    let volumes = truth.arrays[which.array()].volumes.iter();
    let wanted = volumes.filter(|v| !v.destroyed && serials.contains(&v.serial));
    wanted.map(|v| v.counter).collect()
}

fn write(world: &World, which: Which, serials: &BTreeSet<String>, counter: u64) {
    for serial in serials {
        let (array, serial) = (which.array().to_owned(), serial.clone());
        let bytes = 1 << 20;
        world
            .arrays
            .control(Control::Write {
                array,
                serial,
                counter,
                bytes,
            })
            .unwrap();
    }
}

fn assert_completed(run: &OperationRun) {
    let operation = &run.operation;
    assert_eq!(operation["status"], "completed", "{operation}");
    assert_eq!(operation["outcome"], "full", "{operation}");
    assert_eq!(operation["progress"], 100, "{operation}");
}

/// S1: no member ran at both sites at any moment. Members are told apart by name here.
fn assert_one_home(world: &World) {
    let mut marks: BTreeMap<String, Vec<(i64, i32)>> = BTreeMap::new();
    for which in [Which::A, Which::B] {
        for server in cloud(world, which).servers {
            let mut before = false;
            for mark in &server.power {
                let step = i32::from(mark.running) - i32::from(before);
                before = mark.running;
                marks
                    .entry(server.name.clone())
                    .or_default()
                    .push((mark.at_ms, step));
            }
        }
    }
    for (name, mut marks) in marks {
        marks.sort();
        let mut running = 0;
        for (at_ms, step) in marks {
            running += step;
            assert!(running <= 1, "S1: {name} runs twice at {at_ms}");
        }
    }
}

async fn begin(name: &str) -> (World, Protected) {
    let world = World::build(WorldOptions::seeded(name, 99)).await.unwrap();
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, GIVEN).await.unwrap();
    (world, group)
}

async fn rest(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_planned_failover_loses_nothing_and_the_failback_brings_everything_home() {
    let (mut world, group) = begin("there-and-back").await;
    let at_home = live(&cloud(&world, Which::A));
    let home_serials = serials(&cloud(&world, Which::A), &at_home);
    write(&world, Which::A, &home_serials, BEFORE_THE_MOVE);

    assert_completed(&planned_failover(&mut world, &group).await.unwrap());
    let away = cloud(&world, Which::B);
    let there = ours(&away);
    assert_eq!(there.len(), 3);
    assert!(there.iter().all(|s| s.running && s.vm_state == "active"));
    let away_serials = serials(&away, &there);
    assert_eq!(away_serials.len(), 5);
    let held = counters(&world, Which::B, &away_serials);
    assert_eq!(held, BTreeSet::from([BEFORE_THE_MOVE]), "S7: nothing lost");
    for server in live(&cloud(&world, Which::A)) {
        assert_eq!(server.vm_state, "stopped", "{}", server.name);
        assert!(server.locked && server.locked_reason.is_some());
    }

    write(&world, Which::B, &away_serials, AWAY);
    reprotect(&world, &group, Which::B).await.unwrap();
    rest(120).await;
    assert_completed(&failback(&mut world, &group).await.unwrap());
    let home = cloud(&world, Which::A);
    let back = live(&home);
    let ids = |servers: &[Server]| {
        servers
            .iter()
            .map(|s| s.id.clone())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(&back), ids(&at_home), "the same servers as before");
    assert!(back.iter().all(|s| s.running && !s.locked));
    let held = counters(&world, Which::A, &home_serials);
    assert_eq!(
        held,
        BTreeSet::from([AWAY]),
        "what was written away came home"
    );

    rest(700).await;
    let away = cloud(&world, Which::B);
    assert!(
        live(&away).is_empty() && away.volumes.is_empty(),
        "nothing left at B"
    );
    assert!(away.ports.iter().all(|p| p.description.is_empty()));
    assert_one_home(&world);
    assert_eq!(replayed(&world).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn home_again_the_group_can_be_lost_and_recovered_once_more() {
    let (mut world, group) = begin("once-more").await;
    assert_completed(&planned_failover(&mut world, &group).await.unwrap());
    reprotect(&world, &group, Which::B).await.unwrap();
    rest(120).await;
    assert_completed(&failback(&mut world, &group).await.unwrap());
    rest(120).await;
    take_point(&world, &group, AWAY).await.unwrap();
    world.lose(Which::A);
    assert_completed(&fail_over(&mut world, &group, |_| {}).await.unwrap());
    let away = cloud(&world, Which::B);
    let there = ours(&away);
    assert_eq!(there.len(), 3);
    let held = counters(&world, Which::B, &serials(&away, &there));
    assert_eq!(held, BTreeSet::from([AWAY]));
    assert_eq!(replayed(&world).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_drill_touches_nothing_of_production_and_is_taken_away_whole() {
    let (mut world, group) = begin("drill").await;
    let (a, b) = (&world.tenants[0].standard, &world.tenants[1].standard);
    let isolated = BTreeMap::from([(a.networks[0].clone(), b.networks[2].clone())]);
    let production = BTreeMap::from([(a.networks[0].clone(), b.networks[0].clone())]);
    let before = live(&cloud(&world, Which::A));

    let refused = drill(&mut world, &group, &production).await.unwrap_err();
    assert!(
        format!("{refused:#}").contains("test_network_not_isolated"),
        "I9: {refused:#}"
    );
    assert_completed(&drill(&mut world, &group, &isolated).await.unwrap());
    let there = ours(&cloud(&world, Which::B));
    assert_eq!(there.len(), 3);
    assert!(there.iter().all(|s| s.running));
    let after = live(&cloud(&world, Which::A));
    let power = |servers: &[Server]| {
        let marks = servers
            .iter()
            .map(|s| (s.id.clone(), s.power.len(), s.running));
        marks.collect::<Vec<_>>()
    };
    assert_eq!(power(&after), power(&before), "TF-01: production goes on");

    assert_completed(&test_cleanup(&mut world, &group).await.unwrap());
    rest(700).await;
    let truth = cloud(&world, Which::B);
    assert!(live(&truth).is_empty() && truth.volumes.is_empty());
    assert!(truth.ports.iter().all(|p| p.description.is_empty()));
    let array = &world.arrays.ground_truth().arrays[Which::B.array()];
    let left: Vec<&String> = array
        .volumes
        .iter()
        .filter(|v| !v.destroyed)
        .map(|v| &v.name)
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let again = test_cleanup(&mut world, &group).await.unwrap_err();
    assert!(format!("{again:#}").contains("no_drill"), "{again:#}");
    assert_eq!(replayed(&world).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_planned_failover_that_cannot_boot_goes_back_and_can_be_tried_again() {
    let (mut world, group) = begin("goes-back").await;
    let before = live(&cloud(&world, Which::A));
    let refused = Some("No valid host was found.".to_owned());
    lock(&world.b.cloud).knobs.boots_refused = refused;
    let run = planned_failover(&mut world, &group).await.unwrap();
    assert_eq!(run.operation["status"], "failed", "{}", run.operation);
    assert_eq!(run.operation["outcome"], "rolled_back");
    let after = live(&cloud(&world, Which::A));
    assert_eq!(after.len(), before.len());
    for server in &after {
        assert!(
            server.running && !server.locked,
            "I8: {} runs again",
            server.name
        );
        assert_eq!(
            server.power.len(),
            before[0].power.len() + 2,
            "exactly once"
        );
    }
    assert!(live(&cloud(&world, Which::B)).is_empty());

    // The leader is locked until the holder's release reaches it (R11).
    lock(&world.b.cloud).knobs.boots_refused = None;
    let (a, b) = (
        world.endpoint(Which::A).await.unwrap(),
        world.endpoint(Which::B).await.unwrap(),
    );
    let path = format!("/protection-groups/{}/sync/lock-tickets", group.group);
    let ask = async || a.call(Method::POST, &path, Some(&json!({}))).await;
    assert_eq!(
        ask().await.unwrap_err().code(),
        "operation_in_progress",
        "X5"
    );
    let operation = run.operation["id"].as_str().unwrap();
    release(&a, &b, &group.group, operation).await.unwrap();
    let again = release(&a, &b, &group.group, operation).await.unwrap_err();
    assert_eq!(again.code(), "release_mismatch", "X13: once");
    assert_completed(&planned_failover(&mut world, &group).await.unwrap());
    assert_one_home(&world);
    assert_eq!(replayed(&world).await.unwrap(), Vec::<String>::new());
}
