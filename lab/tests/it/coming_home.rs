//! Coming home to volumes that are still there, and something has happened to them meanwhile: somebody has
//! attached one, or Cinder does not let one grow. Judged from the ground truth of clouds and arrays.

use protector_lab::cloud::{GroundTruth, Req, SeedServer, Service, Volume};
use protector_lab::courier::Endpoint;
use protector_lab::story::{
    OperationRun, Protected, extend_volume, failback, planned_failover, poll_until_over, protect,
    reprotect, take_point, take_point_at,
};
use protector_lab::world::{Which, World, WorldOptions, lock};
use protector_storage_drivers::model::Control;
use serde_json::json;
use std::time::Duration;

const GIVEN: u64 = 7;
const AWAY: u64 = 8;
/// Written by a server that has nothing to do with the group.
const THEIRS: u64 = 99;
/// Polls of a second until a cloud has done what it accepted.
const CLOUD_POLLS_MAX: u32 = 60;
/// Polls of a millisecond of the world's time until a place is passed.
const PLACE_POLLS_MAX: u32 = 600_000;

fn truth(world: &World, which: Which) -> GroundTruth {
    lock(&world.site(which).cloud).ground_truth(world.now_ms())
}

fn on_array(world: &World, which: Which, serial: &str) -> (u64, u64) {
    let arrays = world.arrays.ground_truth();
    let mut volumes = arrays.arrays[which.array()].volumes.iter();
    let found = volumes.find(|v| v.serial == serial && !v.destroyed);
    let found = found.unwrap();
    (found.counter, found.provisioned >> 30)
}

/// One VM with one volume, away at B, and protected from there. Gives its volume at home.
async fn away(name: &str) -> (World, Protected, Volume) {
    let options = WorldOptions {
        members: 1,
        volumes: 1,
        ..WorldOptions::seeded(name, 33)
    };
    let mut world = World::build(options).await.unwrap();
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, GIVEN).await.unwrap();
    let run = planned_failover(&mut world, &group).await.unwrap();
    assert_eq!(run.operation["status"], "completed", "{}", run.operation);
    let volume = truth(&world, Which::A).volumes.remove(0);
    (world, group, volume)
}

/// Until the cloud has done what it accepted.
async fn until(world: &World, which: Which, id: &str, is_so: impl Fn(&Volume) -> bool) {
    for _ in 0..CLOUD_POLLS_MAX {
        let volumes = truth(world, which).volumes;
        if volumes.iter().any(|v| v.id == id && is_so(v)) {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("volume {id} stays as it is");
}

/// As an administrator: the old server is locked.
fn delete_the_old_server(world: &World) {
    let (now_ms, ids) = (world.now_ms(), &world.tenant(Which::A).standard);
    let old = &world.tenant(Which::A).servers[0];
    let mut cloud = lock(&world.site(Which::A).cloud);
    let token = cloud.seed_token(&ids.admin_user, &ids.admin_project, now_ms);
    let path = format!("/compute/v2.1/servers/{old}");
    let answer = cloud.handle(&Req::delete(&path).token(&token), now_ms);
    assert!(answer.status < 300, "{}", answer.body);
}

fn another_server(world: &World) -> String {
    let ids = world.tenant(Which::A).standard.clone();
    let seed = SeedServer {
        project_id: ids.demo_project.clone(),
        user_id: ids.demo_user.clone(),
        name: "other".to_owned(),
        flavor_id: ids.flavors[1].clone(),
        network_ids: vec![ids.networks[1].clone()],
        disks: vec![(1, "replicated-ssd".to_owned())],
        ..SeedServer::default()
    };
    let now_ms = world.now_ms();
    let seeded = lock(&world.site(Which::A).cloud).seed_server(&seed, now_ms);
    seeded.unwrap().server_id
}

/// While the way home waits for the servers at B, the tenant attaches the volume to another server; that one
/// writes to it, also after the safety snapshot.
#[tokio::test(start_paused = true)]
async fn a_volume_that_somebody_attaches_on_the_way_keeps_its_contents() {
    let (mut world, group, volume) = away("home-attached").await;
    delete_the_old_server(&world);
    until(&world, Which::A, &volume.id, |v| v.status == "available").await;
    reprotect(&world, &group, Which::B).await.unwrap();
    take_point_at(&world, Which::B, &group, AWAY).await.unwrap();
    let other = another_server(&world);
    let serial = volume.serial.clone().unwrap();
    let (cloud, crash) = (world.a.cloud.clone(), world.a.crash.clone());
    let (clock, arrays) = (world.clock.clone(), world.arrays.clone());
    let ids = world.tenant(Which::A).standard.clone();
    let passed = async |place: &str| {
        for _ in 0..PLACE_POLLS_MAX {
            if crash.seen().iter().any(|seen| seen.starts_with(place)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("{place} is never passed");
    };
    let meanwhile = async {
        passed("after_intent:do:quiesce_server").await;
        {
            let now_ms = clock.now_us() / 1_000;
            let mut cloud = lock(&cloud);
            let token = cloud.seed_token(&ids.demo_user, &ids.demo_project, now_ms);
            let path = format!("/compute/v2.1/servers/{other}/os-volume_attachments");
            let body = json!({ "volumeAttachment": { "volumeId": volume.id } });
            let answer = cloud.handle(&Req::post(&path, &body).token(&token), now_ms);
            assert!(answer.status < 300, "{}", answer.body);
        }
        passed("after_record:do:safety_snapshot").await;
        let write = Control::Write {
            array: Which::A.array().to_owned(),
            serial: serial.clone(),
            counter: THEIRS,
            bytes: 1 << 20,
        };
        arrays.control(write).unwrap();
    };
    let (run, ()) = tokio::join!(failback(&mut world, &group), meanwhile);
    let operation = run.unwrap().operation;
    assert_eq!(operation["status"], "failed", "{operation}");
    assert_eq!(operation["outcome"], "rolled_back", "{operation}");
    let why = operation["error_message"].as_str().unwrap();
    let words = [
        format!("volume {} has been attached", volume.id),
        "openstack server remove volume".to_owned(),
    ];
    for word in words {
        assert!(why.contains(&word), "{word} is not in: {why}");
    }
    let (counter, _) = on_array(&world, Which::A, &serial);
    assert_eq!(counter, THEIRS, "neither the move nor its undo wrote to it");
    let there = truth(&world, Which::B);
    assert!(there.servers.iter().any(|s| s.name == "web-1" && s.running));
}

/// The way home by force, B being lost.
async fn forced_home(world: &mut World, group: &Protected) -> OperationRun {
    world.lose(Which::B);
    let a: Endpoint = world.endpoint(Which::A).await.unwrap();
    let asked = json!({ "failback": { "type": "unplanned" } });
    let began = a.act(&group.group, &asked, "home by force").await.unwrap();
    let id = began["operation"]["id"].as_str().unwrap().to_owned();
    let began_ms = world.now_ms();
    let mut crashes = 0;
    let over = poll_until_over(world, Which::A, &id, &mut crashes, &mut |_| {}).await;
    OperationRun {
        operation: over.unwrap(),
        rto_ms: world.now_ms() - began_ms,
        crashes,
    }
}

/// G8, L3: a figure in Cinder is worth less than a server that runs. With the quota in the way the move goes on;
/// without, the volume grows in Cinder, too.
#[tokio::test(start_paused = true)]
async fn a_forced_way_home_goes_on_where_cinder_does_not_let_a_volume_grow() {
    for (name, refuses) in [("home-grown", false), ("home-full", true)] {
        let (mut world, group, volume) = away(name).await;
        let size_gib = u64::try_from(volume.size_gb).unwrap() + 3;
        let there = truth(&world, Which::B).volumes.remove(0);
        let mut cinder = world.endpoint(Which::B).await.unwrap();
        let project = cinder.project.clone();
        cinder.url = format!("http://{}/volume/v3/{project}", Which::B.cloud_host());
        extend_volume(&cinder, &there.id, size_gib).await.unwrap();
        let grown = i64::try_from(size_gib).unwrap();
        until(&world, Which::B, &there.id, |v| v.size_gb == grown).await;
        reprotect(&world, &group, Which::B).await.unwrap();
        take_point_at(&world, Which::B, &group, AWAY).await.unwrap();
        if refuses {
            let project = world.tenant(Which::A).project.clone();
            let used = volume.size_gb;
            lock(&world.site(Which::A).cloud).seed_quota(
                Service::Volume,
                &project,
                "gigabytes",
                used,
            );
        }
        let run = forced_home(&mut world, &group).await;
        assert_eq!(run.operation["status"], "completed", "{}", run.operation);
        let home = truth(&world, Which::A);
        assert!(home.servers.iter().any(|s| s.name == "web-1" && s.running));
        let serial = volume.serial.as_ref().unwrap();
        assert_eq!(on_array(&world, Which::A, serial), (AWAY, size_gib));
        let mut volumes = home.volumes.into_iter();
        let now = volumes.find(|v| v.id == volume.id).unwrap().size_gb;
        let expected = if refuses { volume.size_gb } else { grown };
        assert_eq!(now, expected, "{name}");
    }
}
