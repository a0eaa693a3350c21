//! A group is deleted: both sites hold its tombstone, its array objects go, everything else stays.

use super::scene::*;
use http::Method;
use protector_lab::courier::{self, see, sync};
use protector_lab::story::{
    delete, drill, fail_over, failback, leading, protect, reprotect, sync_force, take_point,
    take_point_at, test_cleanup,
};
use protector_lab::world::{Strike, Which};
use serde_json::json;
use std::collections::BTreeMap;

const BOTH: [Which; 2] = [Which::A, Which::B];

/// Nothing of the group is on any array, and all that the tenant has is what it was.
fn assert_gone(scene: &Scene, before: &[Holds; 2]) {
    for which in BOTH {
        assert_eq!(scene.on_array(which), None, "{which:?}");
        assert_eq!(scene.marks(which), 0, "{which:?}");
        assert_eq!(scene.kept(which), 0, "{which:?}");
    }
    assert_eq!(&holds(scene), before, "S4, S5");
}

fn holds(scene: &Scene) -> [Holds; 2] {
    BOTH.map(|which| scene.holds(which))
}

/// Both sites hold the same tombstone, and the author knows.
async fn assert_deleted(scene: &Scene) {
    let mut heads = Vec::new();
    for which in BOTH {
        let at = scene.at(which).await;
        heads.push(see(&at, &scene.group.group).await.unwrap().head);
        let shown = scene.shown(which, "").await;
        assert_eq!(said(shown), "410 group_deleted", "X9");
        assert!(scene.names(which).await.is_empty());
    }
    assert_eq!(heads[0].at, heads[1].at);
    assert!(heads.iter().all(|head| head.deleted && head.synced));
}

#[tokio::test(start_paused = true)]
async fn the_group_ends_at_both_sites_and_nothing_else_does() {
    let scene = Scene::of("life-delete").await;
    let before = holds(&scene);
    let old = scene.shown(Which::A, "/sync").await.unwrap()["sync"]["envelope"].clone();
    delete(&scene.world, &scene.group).await.unwrap();
    rest(SWEPT_S).await;
    assert_gone(&scene, &before);
    assert_deleted(&scene).await;
    assert_eq!(scene.trail(Which::A).await.last().unwrap(), "deleted");

    // What comes later is refused.
    let (a, b) = (scene.at(Which::A).await, scene.at(Which::B).await);
    let late = json!({ "envelope": old });
    let outcome = b.call(Method::POST, "/sync/envelopes", Some(&late)).await;
    assert_eq!(said(outcome), "409 older_version", "X2");
    let again = courier::delete(&a, &b, &scene.group.group).await;
    assert_eq!(said(again), "410 group_deleted");
    let body = json!({ "failover": { "type": "unplanned" } });
    let path = scene.path("/action");
    let moved = b.call(Method::POST, &path, Some(&body)).await;
    assert_eq!(said(moved), "410 group_deleted");
    assert_deleted(&scene).await;

    // The name is free, and the same VMs can be protected again.
    let next = protect(&scene.world).await.unwrap();
    assert_ne!(next.group, scene.group.group);
    take_point(&scene.world, &next, GIVEN).await.unwrap();
    assert_eq!(scene.on_array(Which::A), None);
}

/// The peer may fail over to what it knows: nothing is torn down before it has heard (section 10).
#[tokio::test(start_paused = true)]
async fn nothing_is_torn_down_until_the_peer_has_the_tombstone() {
    let mut scene = Scene::of("life-delete-pending").await;
    let (before, group) = (holds(&scene), scene.on_array(Which::A));
    let path = scene.path("");
    let carried = scene.carry(Method::DELETE, &path, None, Until::Committed);
    let envelope = carried.await.unwrap();
    for round in 0..3 {
        rest(SWEPT_S).await;
        assert_eq!(scene.on_array(Which::A), group, "round {round}");
        scene.kill(Which::A).await;
    }
    // The peer has it, and its receipt is on no way home.
    let b = scene.at(Which::B).await;
    let stored = b.call(Method::POST, "/sync/envelopes", Some(&envelope));
    stored.await.unwrap();
    rest(SWEPT_S).await;
    assert_eq!(scene.on_array(Which::A), group, "A has not heard of it");
    let a = scene.at(Which::A).await;
    sync(&a, &b, &scene.group.group).await.unwrap();
    rest(SWEPT_S).await;
    assert_gone(&scene, &before);
    assert_deleted(&scene).await;
}

/// The higher epoch wins, and the deletion is the orphan.
#[tokio::test(start_paused = true)]
async fn a_peer_that_has_not_heard_can_still_take_over() {
    let mut scene = Scene::of("life-delete-orphan").await;
    let path = scene.path("");
    let carried = scene.carry(Method::DELETE, &path, None, Until::Committed);
    let envelope = carried.await.unwrap();
    rest(SWEPT_S).await;
    scene.world.lose(Which::A);
    let run = fail_over(&mut scene.world, &scene.group, |_| {})
        .await
        .unwrap();
    assert_eq!(run.operation["outcome"], "full", "{}", run.operation);
    assert_eq!(scene.running(Which::B).len(), 3);
    let b = scene.at(Which::B).await;
    let late = b.call(Method::POST, "/sync/envelopes", Some(&envelope));
    assert_eq!(said(late.await), "409 older_version", "X2");
    scene.world.come_back(Which::A).await.unwrap();
    rest(SWEPT_S).await;
    sync_force(&scene.world, &scene.group).await.unwrap();
    rest(SWEPT_S).await;
    let shown = scene.shown(Which::A, "").await.unwrap();
    assert_eq!(shown["protection_group"]["status"], "failed_over");
    assert!(scene.on_array(Which::A).is_some());
}

/// A3: killed at every place between the receipt and the end of the array's objects.
#[tokio::test(start_paused = true)]
async fn killed_while_it_tears_down_it_tears_down_on() {
    for place in ["before_retire", "between_retire", "after_retire"] {
        let mut scene = Scene::of(&format!("life-{place}")).await;
        let before = holds(&scene);
        scene.world.a.crash.arm(Strike {
            place: place.to_owned(),
            skip: 0,
        });
        delete(&scene.world, &scene.group).await.unwrap();
        scene.world.a.crash.clone().struck().await;
        scene.kill(Which::A).await;
        rest(SWEPT_S).await;
        assert_gone(&scene, &before);
        let passed = || scene.world.a.crash.seen().into_iter();
        let turns = passed().filter(|p| p.starts_with("after_retire")).count();
        rest(SWEPT_S * 5).await;
        let later = passed().filter(|p| p.starts_with("after_retire")).count();
        assert_eq!(turns, later, "what is done is not looked at again");
    }
}

/// The array of the peer holds a direction of its own, and a mark of the forced move.
#[tokio::test(start_paused = true)]
async fn a_group_that_was_away_leaves_both_arrays() {
    let mut scene = Scene::of("life-delete-travelled").await;
    scene.world.lose(Which::A);
    let run = fail_over(&mut scene.world, &scene.group, |_| {}).await;
    assert_eq!(run.unwrap().operation["outcome"], "full");
    scene.world.come_back(Which::A).await.unwrap();
    rest(SWEPT_S).await;
    sync_force(&scene.world, &scene.group).await.unwrap();
    let outcome = delete(&scene.world, &scene.group).await;
    assert_eq!(code(outcome), "not_home");
    reprotect(&scene.world, &scene.group, Which::B)
        .await
        .unwrap();
    take_point_at(&scene.world, Which::B, &scene.group, GIVEN + 1)
        .await
        .unwrap();
    failback(&mut scene.world, &scene.group).await.unwrap();
    rest(700).await;
    assert!(BOTH.iter().all(|which| scene.on_array(*which).is_some()));
    assert!(scene.marks(Which::B) > 0 && scene.kept(Which::A) > 0);
    let before = holds(&scene);
    delete(&scene.world, &scene.group).await.unwrap();
    rest(SWEPT_S).await;
    assert_gone(&scene, &before);
    assert_deleted(&scene).await;
}

#[tokio::test(start_paused = true)]
async fn while_a_drill_stands_or_a_move_runs_it_stays() {
    let mut scene = Scene::of("life-delete-drill").await;
    let (from, to) = {
        let [a, b] = &scene.world.tenants;
        (&a.standard.networks[0], &b.standard.networks[2])
    };
    let isolated = BTreeMap::from([(from.clone(), to.clone())]);
    let run = drill(&mut scene.world, &scene.group, &isolated).await;
    assert_eq!(run.unwrap().operation["status"], "completed");
    let outcome = delete(&scene.world, &scene.group).await;
    assert_eq!(code(outcome), "drill_is_up");
    test_cleanup(&mut scene.world, &scene.group).await.unwrap();

    // A planned move that waits for its lock, and then has it.
    let (a, b) = (scene.at(Which::A).await, scene.at(Which::B).await);
    let body = json!({ "type": "planned" });
    let begun = courier::planned_move(&a, &b, &scene.group.group, "failover", &body).await;
    let outcome = delete(&scene.world, &scene.group).await;
    assert_eq!(code(outcome), "operation_in_progress");
    let id = begun.unwrap();
    assert_eq!(scene.end_of(Which::B, &id).await["status"], "completed");
    sync_force(&scene.world, &scene.group).await.unwrap();
    assert_eq!(leading(&scene.world, &scene.group).await.unwrap(), Which::B);
}
