//! A hundred VMs of which three cannot be recovered: the others are up, the three are listed with their
//! cause, and another try brings just them, from the same point (I14, L6, S2, S6).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use http::Method;
use protector_domain::effect::METADATA_KEY;
use protector_lab::cloud::Server;
use protector_lab::story::{
    Protected, fail_over, failback, protect, reprotect, retry_members, sync_force, take_point,
    write_volumes,
};
use protector_lab::world::{Which, World, WorldOptions, lock};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const GIVEN: u64 = 7;
const LATER: u64 = 8;
const DOWN: [&str; 3] = ["web-2", "web-3", "web-5"];

fn ours(world: &World) -> Vec<Server> {
    let truth = lock(&world.b.cloud).ground_truth(world.now_ms());
    let live = truth.servers.into_iter();
    live.filter(|s| s.vm_state != "deleted" && s.metadata.contains_key(METADATA_KEY))
        .collect()
}

/// What the members' volumes hold at B, by server.
fn written(world: &World) -> BTreeMap<String, BTreeSet<u64>> {
    let truth = lock(&world.b.cloud).ground_truth(world.now_ms());
    let arrays = world.arrays.ground_truth();
    let on_array = &arrays.arrays[Which::B.array()].volumes;
    let counter = |volume: &String| {
        let volume = truth.volumes.iter().find(|v| &v.id == volume).unwrap();
        let found = on_array
            .iter()
            .find(|v| Some(&v.serial) == volume.serial.as_ref());
        found.unwrap().counter
    };
    let servers = ours(world).into_iter();
    servers
        .map(|s| {
            (
                s.name,
                s.disks.iter().map(|d| counter(&d.volume_id)).collect(),
            )
        })
        .collect()
}

async fn three_down(name: &str, members: usize) -> (World, Protected, Value) {
    let options = WorldOptions {
        members,
        volumes: members,
        ..WorldOptions::seeded(name, 14)
    };
    let mut world = World::build(options).await.unwrap();
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, GIVEN).await.unwrap();
    write_volumes(&world, Which::A, LATER).unwrap();
    {
        let knobs = &mut lock(&world.b.cloud).knobs;
        knobs.boots_refused = Some("No valid host was found.".to_owned());
        knobs.boots_refused_names = Some(DOWN.map(str::to_owned).into());
    }
    world.lose(Which::A);
    let run = fail_over(&mut world, &group, |_| {}).await.unwrap();
    (world, group, run.operation)
}

#[tokio::test(start_paused = true)]
async fn three_of_a_hundred_are_listed_and_brought_by_another_try() {
    let (mut world, group, moved) = three_down("retry-hundred", 100).await;
    assert_eq!(
        (&moved["status"], &moved["outcome"]),
        (&"failed".into(), &"partial".into())
    );
    assert_eq!(moved["instances_failed"], 3);
    let why = moved["error_message"].as_str().unwrap();
    for name in DOWN {
        assert!(why.contains(&format!("{name}: ")), "{why}");
    }
    assert!(why.contains("No valid host"), "with its cause: {why}");
    let first = ours(&world);
    assert_eq!(first.iter().filter(|s| s.running).count(), 97);

    // A newer point must not be taken: the group would stand at two moments (S6).
    let id = moved["id"].as_str().unwrap();
    lock(&world.b.cloud).knobs.boots_refused = None;
    let run = retry_members(&mut world, &group, id, false).await.unwrap();
    assert_eq!(run.operation["outcome"], "full", "{}", run.operation);
    assert_eq!(run.operation["operation_type"], "retry_members");
    let now = ours(&world);
    assert_eq!(now.len(), 100);
    assert!(now.iter().all(|s| s.running));
    let names: BTreeSet<&String> = now.iter().map(|s| &s.name).collect();
    assert_eq!(names.len(), 100, "S2: each once");
    for before in &first {
        let same = now.iter().find(|s| s.id == before.id).unwrap();
        assert_eq!(
            same.power.len(),
            before.power.len(),
            "{} was touched",
            before.name
        );
    }
    assert!(
        written(&world)
            .values()
            .all(|w| w == &BTreeSet::from([GIVEN])),
        "S6"
    );
    let again = retry_members(&mut world, &group, id, false).await;
    assert!(format!("{:#}", again.unwrap_err()).contains("nobody_down"));
}

#[tokio::test(start_paused = true)]
async fn what_the_try_brought_reaches_the_record_and_comes_home() {
    let (mut world, group, moved) = three_down("retry-settles", 5).await;
    let id = moved["id"].as_str().unwrap();
    // In vain as long as nothing has changed, and then nothing is left of it.
    let vain = retry_members(&mut world, &group, id, false).await.unwrap();
    assert_eq!(vain.operation["outcome"], "partial", "{}", vain.operation);
    assert_eq!(ours(&world).len(), 2);
    lock(&world.b.cloud).knobs.boots_refused = None;
    world.come_back(Which::A).await.unwrap();
    tokio::time::sleep(Duration::from_secs(130)).await;
    sync_force(&world, &group).await.unwrap();
    let run = retry_members(&mut world, &group, id, true).await.unwrap();
    assert_eq!(run.operation["outcome"], "full", "{}", run.operation);
    for which in [Which::A, Which::B] {
        let at = world.endpoint(which).await.unwrap();
        let path = format!("/protection-groups/{}", group.group);
        let shown = at.call(Method::GET, &path, None).await.unwrap();
        assert_eq!(
            shown["protection_group"]["status"], "failed_over",
            "{which:?}"
        );
    }
    reprotect(&world, &group, Which::B).await.unwrap();
    tokio::time::sleep(Duration::from_secs(130)).await;
    let home = failback(&mut world, &group).await.unwrap();
    assert_eq!(home.operation["outcome"], "full", "{}", home.operation);
    assert!(ours(&world).is_empty(), "nothing is left at B");
}
