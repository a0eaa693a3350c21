//! The stories told once, each from its beginning.

use super::*;
use crate::courier::see;
use crate::net::Fault;
use crate::world::{LAPTOP, Strike, Which, World, WorldOptions, lock};
use std::collections::BTreeMap;

/// What the volumes hold when they are moved.
const COUNTER: u64 = 7;

async fn world(name: &str) -> (World, Protected) {
    let world = World::build(WorldOptions::seeded(name, 5)).await.unwrap();
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, COUNTER).await.unwrap();
    (world, group)
}

fn running(world: &World, which: Which) -> usize {
    let truth = lock(&world.site(which).cloud).ground_truth(world.now_ms());
    let active = truth.servers.iter().filter(|s| s.vm_state == "active");
    active.count()
}

/// Both sites know, and know of each other, that the same record stands.
async fn in_step(world: &World, group: &Protected) -> bool {
    let mut heads = Vec::new();
    for which in [Which::A, Which::B] {
        let endpoint = world.endpoint(which).await.unwrap();
        heads.push(see(&endpoint, &group.group).await.unwrap().head);
    }
    heads[0].at == heads[1].at && heads.iter().all(|head| head.synced && head.lock.is_none())
}

fn ended(run: &OperationRun, kind: &str) {
    let shown = &run.operation;
    assert_eq!(shown["operation_type"], kind, "{shown}");
    assert_eq!(shown["status"], "completed", "{shown}");
}

#[tokio::test(start_paused = true)]
async fn away_on_purpose_and_home_again() {
    let (mut world, group) = world("story-moves").await;
    let run = planned_failover(&mut world, &group).await.unwrap();
    ended(&run, "failover");
    assert!(in_step(&world, &group).await);
    assert_eq!(leading(&world, &group).await.unwrap(), Which::B);
    assert_eq!(
        (running(&world, Which::A), running(&world, Which::B)),
        (0, 3)
    );
    let shown = reprotect(&world, &group, Which::B).await.unwrap();
    assert_eq!(shown["synced"], true, "{shown}");
    take_point_at(&world, Which::B, &group, COUNTER + 1)
        .await
        .unwrap();
    let run = failback(&mut world, &group).await.unwrap();
    ended(&run, "failback");
    assert_eq!(leading(&world, &group).await.unwrap(), Which::A);
    assert_eq!(
        (running(&world, Which::A), running(&world, Which::B)),
        (3, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_drill_leaves_the_primary_alone_and_is_cleaned_up() {
    let (mut world, group) = world("story-drill").await;
    let networks = |which| world.tenant(which).standard.networks.clone();
    let (from, to) = (networks(Which::A), networks(Which::B));
    let mapping = BTreeMap::from([(from[0].clone(), to[1].clone())]);
    let run = drill(&mut world, &group, &mapping).await.unwrap();
    ended(&run, "test_failover");
    assert_eq!(leading(&world, &group).await.unwrap(), Which::A);
    assert_eq!(
        (running(&world, Which::A), running(&world, Which::B)),
        (3, 3)
    );
    let run = test_cleanup(&mut world, &group).await.unwrap();
    ended(&run, "test_cleanup");
    assert_eq!(
        (running(&world, Which::A), running(&world, Which::B)),
        (3, 0)
    );
}

/// The product at the target is killed on the way into a planned move, in its midst and at its end;
/// the tenant's next courier goes on where the last one stopped.
#[tokio::test(start_paused = true)]
async fn a_planned_move_survives_the_death_of_its_engine() {
    for (name, place, skip) in [
        ("story-crash-in", "store.before_commit", 0),
        ("story-crash-stop", "after_intent:do:quiesce_server", 1),
        ("story-crash-end", "after_effect:do:commit_new_primary", 0),
    ] {
        let (mut world, group) = world(name).await;
        world.b.crash.arm(Strike {
            place: place.to_owned(),
            skip,
        });
        let run = planned_failover(&mut world, &group).await.unwrap();
        ended(&run, "failover");
        assert_eq!(run.crashes, 1, "{place} was never passed");
        assert_eq!(leading(&world, &group).await.unwrap(), Which::B);
        assert_eq!(
            (running(&world, Which::A), running(&world, Which::B)),
            (0, 3)
        );
    }
}

/// Which calls the tenant's laptop sends in a story, told in a world of its own.
async fn calls_of(name: &str, tell: impl AsyncFn(&mut World, &Protected)) -> Vec<String> {
    let (mut world, group) = world(name).await;
    let before = world.fabric.notes().len();
    tell(&mut world, &group).await;
    let notes = world.fabric.notes().split_off(before);
    let of_laptop = notes.into_iter().filter(|note| note.from == LAPTOP);
    of_laptop.map(|note| note.what).collect()
}

/// I3: the answer to the call that ends in `end` is lost. The story ends as if it had come.
async fn lose(name: &str, end: &str, tell: impl AsyncFn(&mut World, &Protected)) {
    let calls = calls_of(&format!("{name}-clean"), &tell).await;
    let place = calls.iter().position(|what| what.ends_with(end)).unwrap();
    let (mut world, group) = world(name).await;
    world.fabric.arm(LAPTOP, place as u64, Fault::LoseAnswer);
    tell(&mut world, &group).await;
    assert!(!world.fabric.is_armed());
    let b = world.endpoint(Which::B).await.unwrap();
    let listed = b
        .call(http::Method::GET, "/operations", None)
        .await
        .unwrap();
    let operations = listed["operations"].as_array().unwrap().len();
    assert_eq!(operations, 1, "{end}: {listed}");
}

#[tokio::test(start_paused = true)]
async fn a_drill_whose_answer_is_lost_is_asked_for_once_more_and_done_once() {
    let tell = async |world: &mut World, group: &Protected| {
        let to = world.tenant(Which::B).standard.networks.clone();
        let from = world.tenant(Which::A).standard.networks.clone();
        let mapping = BTreeMap::from([(from[0].clone(), to[1].clone())]);
        let run = drill(world, group, &mapping).await.unwrap();
        ended(&run, "test_failover");
    };
    lose("lost-drill", "/action", tell).await;
}

#[tokio::test(start_paused = true)]
async fn a_planned_move_goes_on_after_any_answer_that_a_courier_lost() {
    for (name, end) in [
        ("lost-ticket", "/sync/lock-tickets"),
        ("lost-commit", "/sync/commits"),
        ("lost-envelope", "/sync/envelopes"),
        ("lost-receipt", "/sync/receipts"),
    ] {
        let tell = async |world: &mut World, group: &Protected| {
            let run = planned_failover(world, group).await.unwrap();
            ended(&run, "failover");
            assert!(in_step(world, group).await);
        };
        lose(name, end, tell).await;
    }
}
