//! Other times in the policy.

use super::scene::*;
use protector_lab::story::policy_update;
use protector_lab::world::Which;
use serde_json::{Value, json};

fn times(interval_s: u64, rpo_minutes: u64) -> Value {
    json!({
        "primary_array": Which::A.array(),
        "secondary_array": Which::B.array(),
        "replication_interval": interval_s,
        "rpo_minutes": rpo_minutes,
    })
}

/// What both sites show of the policy: interval (seconds) and RPO (minutes).
async fn shown(scene: &Scene) -> Vec<(Value, Value)> {
    let mut all = Vec::new();
    for which in [Which::A, Which::B] {
        let policy = scene.shown(which, "/policy").await.unwrap()["policy"].clone();
        all.push((
            policy["replication_interval"].clone(),
            policy["rpo_minutes"].clone(),
        ));
    }
    all
}

fn both(interval_s: u64, rpo_minutes: u64) -> Vec<(Value, Value)> {
    vec![(json!(interval_s), json!(rpo_minutes)); 2]
}

fn interval_s(scene: &Scene) -> i64 {
    scene.on_array(Which::A).unwrap().interval_ms / 1_000
}

#[tokio::test(start_paused = true)]
async fn both_sites_and_the_array_follow_new_times() {
    let scene = Scene::of("life-times").await;
    assert_eq!(interval_s(&scene), 900);
    let members = scene.members_on_array();
    let new = times(3_600, 120);
    policy_update(&scene.world, &scene.group, &new)
        .await
        .unwrap();
    rest(SWEPT_S).await;
    assert_eq!(shown(&scene).await, both(3_600, 120));
    assert_eq!(interval_s(&scene), 3_600);
    let group = scene.on_array(Which::A).unwrap();
    assert!(group.replicates && scene.members_on_array() == members);
    let trail = scene.trail(Which::A).await;
    assert_eq!(trail.last().unwrap(), "policy");
}

/// A3: killed after its commit and before the array heard of it.
#[tokio::test(start_paused = true)]
async fn killed_between_commit_and_array_the_array_follows() {
    let mut scene = Scene::of("life-times-killed").await;
    scene.world.fabric.down(Which::A.array());
    let new = times(600, 20);
    policy_update(&scene.world, &scene.group, &new)
        .await
        .unwrap();
    scene.kill(Which::A).await;
    rest(30).await;
    assert_eq!(interval_s(&scene), 900, "it could not be asked");
    scene.world.fabric.up(Which::A.array());
    rest(SWEPT_S).await;
    assert_eq!(interval_s(&scene), 600);
    assert_eq!(shown(&scene).await, both(600, 20));
}

#[tokio::test(start_paused = true)]
async fn times_that_cannot_be_kept_and_other_places_are_refused() {
    let scene = Scene::of("life-times-bad").await;
    let with = |key: &str, value: Value| {
        let mut policy = times(900, 60);
        policy[key] = value;
        policy
    };
    for (policy, expected) in [
        (with("replication_interval", json!(299)), "bad_policy"),
        (with("rpo_minutes", json!(14)), "bad_policy"),
        (with("pure_pg_name", json!("elsewhere")), "bad_policy"),
        (
            with("secondary_array", json!("fa-x")),
            "array_not_registered",
        ),
        (times(900, 30), "nothing_to_change"),
    ] {
        let outcome = policy_update(&scene.world, &scene.group, &policy).await;
        assert_eq!(code(outcome), expected, "{policy}");
    }
    assert_eq!(shown(&scene).await, both(900, 30));
}
