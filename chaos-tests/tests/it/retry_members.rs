//! A hundred VMs of which three cannot be recovered: the others are up, the three are listed with their
//! cause, and another try brings just them, from the same point (I14, L6, S2, S6).

use http::Method;
use protector_domain::effect::METADATA_KEY;
use protector_domain::operation::{Operation, OperationKind};
use protector_lab::cloud::Server;
use protector_lab::story::{
    Protected, fail_over_to, failback, protect, reprotect, retry_members, settle_members,
    sync_force, take_point,
};
use protector_lab::world::{Which, World, WorldOptions, lock};
use serde_json::{Value, json};
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
    let given = take_point(&world, &group, GIVEN).await.unwrap();
    // Newer, complete, and not the one that is asked for.
    take_point(&world, &group, LATER).await.unwrap();
    {
        let knobs = &mut lock(&world.b.cloud).knobs;
        knobs.boots_refused = Some("No valid host was found.".to_owned());
        knobs.boots_refused_names = Some(DOWN.map(str::to_owned).into());
    }
    world.lose(Which::A);
    let run = fail_over_to(&mut world, &group, &given).await.unwrap();
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

    // The newer point must not be taken: the group would stand at two moments (S6).
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

/// What a try brought up is known however long ago it was, and so is the move (S2).
#[tokio::test(start_paused = true)]
async fn a_try_is_not_forgotten_behind_many_operations() {
    let (mut world, group, moved) = three_down("retry-long-ago", 5).await;
    let id = moved["id"].as_str().unwrap();
    lock(&world.b.cloud).knobs.boots_refused_names = Some(["web-5"].map(str::to_owned).into());
    let first = retry_members(&mut world, &group, id, false).await.unwrap();
    assert_eq!(first.operation["outcome"], "partial", "{}", first.operation);
    assert_eq!(ours(&world).len(), 4);

    let store = &world.b.running.as_ref().unwrap().store;
    let tried = first.operation["id"].as_str().unwrap().parse().unwrap();
    let tried = store.operation_fetch(tried).await.unwrap().unwrap();
    for n in 0..150 {
        // Younger than any that the engine names in this time.
        let id = format!("ffffffff-0000-7000-8000-{n:012x}");
        let drill = Operation {
            id: id.parse().unwrap(),
            kind: OperationKind::TestFailover,
            idempotency_key: None,
            ..tried.clone()
        };
        store.operation_insert(drill).await.unwrap();
    }
    lock(&world.b.cloud).knobs.boots_refused = None;
    let second = retry_members(&mut world, &group, id, false).await.unwrap();
    assert_eq!(second.operation["outcome"], "full", "{}", second.operation);
    let now = ours(&world);
    let names: BTreeSet<&String> = now.iter().map(|s| &s.name).collect();
    assert_eq!((now.len(), names.len()), (5, 5), "S2: each once");
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
    retry_members(&mut world, &group, id, false).await.unwrap();
    let leader = world.endpoint(Which::B).await.unwrap();
    // Nobody moves the group away by a record that does not know them.
    let lock_ticket = format!("/protection-groups/{}/sync/lock-tickets", group.group);
    let blind = leader
        .call(Method::POST, &lock_ticket, Some(&json!({})))
        .await;
    let blind = format!("{:#}", blind.unwrap_err());
    assert!(
        blind.contains("not_settled") && blind.contains("settle-members"),
        "{blind}"
    );
    settle_members(&world, &group).await.unwrap();
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
