//! A site is lost whole, the other takes over, and the lost one returns with its VMs running and nobody
//! to carry anything: it is fenced from the survivor, and learns from the arrays that it leads no more
//! (L3, I4 to I6). Judged from the ground truth of clouds and arrays.

use http::Method;
use protector_chaos_tests::traces::replayed;
use protector_lab::cloud::{FailRule, SeedServer, Server};
use protector_lab::courier::{Endpoint, see};
use protector_lab::story::{
    Protected, fail_over, failback, protect_as, reprotect, sync_force, take_point, write_volumes,
};
use protector_lab::world::{Strike, Which, World, WorldOptions, lock};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const GIVEN: u64 = 7;
const LOST: u64 = 8;
const AFTER: u64 = 9;
/// Two turns of the sweep's clock, seconds.
const SWEPT_S: u64 = 130;

struct Scene {
    world: World,
    group: Protected,
    operation: String,
}

async fn rest(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

fn servers(world: &World, which: Which) -> Vec<Server> {
    let truth = lock(&world.site(which).cloud).ground_truth(world.now_ms());
    let live = truth.servers.into_iter();
    live.filter(|s| s.vm_state != "deleted").collect()
}

fn contents(world: &World, which: Which) -> BTreeMap<String, (String, u64)> {
    let truth = world.arrays.ground_truth();
    let volumes = truth.arrays[which.array()].volumes.iter();
    let live = volumes.filter(|v| !v.destroyed);
    live.map(|v| (v.serial.clone(), (v.hash.clone(), v.counter)))
        .collect()
}

fn replicates(world: &World, which: Which, group: &Protected) -> bool {
    let truth = world.arrays.ground_truth();
    let groups = truth.arrays[which.array()].groups.iter();
    let mut own = groups.filter(|g| g.is_local && g.name == group.array_group);
    own.any(|g| g.replicates)
}

/// Kinds of the conditions that a site shows of the group.
async fn conditions(at: &Endpoint, group: &Protected) -> BTreeSet<String> {
    let path = format!("/protection-groups/{}", group.group);
    let shown = at.call(Method::GET, &path, None).await.unwrap();
    let all = shown["protection_group"]["conditions"].as_array().unwrap();
    all.iter()
        .map(|c| c["kind"].as_str().unwrap().to_owned())
        .collect()
}

fn kinds(wanted: &[&str]) -> BTreeSet<String> {
    wanted.iter().map(|kind| (*kind).to_owned()).collect()
}

/// A is gone, B leads, and everything has come to rest.
async fn lost(name: &str, policy: &Value) -> Scene {
    let mut world = World::build(WorldOptions::seeded(name, 77)).await.unwrap();
    let group = protect_as(&world, policy).await.unwrap();
    take_point(&world, &group, GIVEN).await.unwrap();
    write_volumes(&world, Which::A, LOST).unwrap();
    world.lose(Which::A);
    let run = fail_over(&mut world, &group, |_| {}).await.unwrap();
    assert_eq!(
        run.operation["status"], "completed",
        "L3: {}",
        run.operation
    );
    let operation = run.operation["id"].as_str().unwrap().to_owned();
    rest(SWEPT_S).await;
    Scene {
        world,
        group,
        operation,
    }
}

fn assert_fenced(world: &World) {
    let there = servers(world, Which::A);
    assert_eq!(there.len(), 3);
    for server in there {
        assert_eq!(server.vm_state, "stopped", "I4: {}", server.name);
        let why = server.locked_reason.unwrap_or_default();
        assert!(server.locked && why.contains("protector"), "{why}");
        // Started once, long ago; stopped once, now.
        assert_eq!(server.power.len(), 2, "{:?}", server.power);
    }
}

impl Scene {
    async fn at(&self, which: Which) -> Endpoint {
        self.world.endpoint(which).await.unwrap()
    }

    /// The story of the forced move, as B tells it.
    async fn told(&self) -> String {
        let b = self.at(Which::B).await;
        let path = format!("/operations/{}/events?limit=1000", self.operation);
        let told = b.call(Method::GET, &path, None).await;
        told.unwrap().to_string()
    }

    /// What A says to everything that would have it lead.
    async fn asked_to_lead(&self) -> BTreeSet<String> {
        let a = self.at(Which::A).await;
        let group = format!("/protection-groups/{}", self.group.group);
        let mut codes = BTreeSet::new();
        for (method, path, body) in [
            (
                Method::PUT,
                "/mappings",
                json!({"mappings": {"networks": {"n1": "m1"}}}),
            ),
            (Method::POST, "/sync/lock-tickets", json!({})),
            (Method::POST, "/action", json!({"sync_volumes": {}})),
            (
                Method::POST,
                "/action",
                json!({"failover": {"type": "unplanned"}}),
            ),
        ] {
            let asked = a.call(method, &format!("{group}{path}"), Some(&body)).await;
            codes.insert(asked.unwrap_err().code().to_owned());
        }
        codes
    }
}

#[tokio::test(start_paused = true)]
async fn a_site_that_returns_is_fenced_and_leads_no_more_without_any_courier() {
    let mut scene = lost("return-fenced", &json!({})).await;
    let b = scene.at(Which::B).await;
    let all = kinds(&["unprotected", "split_brain", "out_of_sync"]);
    assert_eq!(conditions(&b, &scene.group).await, all, "nobody could look");
    let refused = reprotect(&scene.world, &scene.group, Which::B).await;
    assert!(refused.is_err(), "the peer is away");
    write_volumes(&scene.world, Which::B, AFTER).unwrap();
    let (new_data, old_data) = (
        contents(&scene.world, Which::B),
        contents(&scene.world, Which::A),
    );

    scene.world.come_back(Which::A).await.unwrap();
    assert!(servers(&scene.world, Which::A).iter().all(|s| s.running));
    rest(SWEPT_S).await;
    assert_fenced(&scene.world);
    assert!(!replicates(&scene.world, Which::A, &scene.group), "I6");
    let b = scene.at(Which::B).await;
    let left = kinds(&["unprotected", "out_of_sync"]);
    assert_eq!(conditions(&b, &scene.group).await, left);
    let told = scene.told().await;
    assert_eq!(told.matches("was stopped and locked").count(), 3, "{told}");

    let a = scene.at(Which::A).await;
    assert_eq!(conditions(&a, &scene.group).await, kinds(&["out_of_sync"]));
    assert_eq!(scene.asked_to_lead().await, kinds(&["overtaken"]));
    rest(1_000).await;
    assert_eq!(contents(&scene.world, Which::B), new_data, "I6, S5");
    assert_eq!(contents(&scene.world, Which::A), old_data);
    assert_eq!(replayed(&scene.world).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn afterwards_any_courier_brings_both_into_step_and_everything_home() {
    let mut scene = lost("return-home", &json!({})).await;
    write_volumes(&scene.world, Which::B, AFTER).unwrap();
    scene.world.come_back(Which::A).await.unwrap();
    rest(SWEPT_S).await;
    sync_force(&scene.world, &scene.group).await.unwrap();
    let (a, b) = (scene.at(Which::A).await, scene.at(Which::B).await);
    let group = &scene.group.group;
    let (one, two) = (see(&a, group).await.unwrap(), see(&b, group).await.unwrap());
    assert_eq!(one.head.at, two.head.at);
    assert!(!one.head.leads && two.head.leads);
    reprotect(&scene.world, &scene.group, Which::B)
        .await
        .unwrap();
    rest(SWEPT_S).await;
    let run = failback(&mut scene.world, &scene.group).await.unwrap();
    assert_eq!(run.operation["outcome"], "full", "{}", run.operation);
    let home = servers(&scene.world, Which::A);
    assert!(home.len() == 3 && home.iter().all(|s| s.running && !s.locked));
    assert!(servers(&scene.world, Which::B).is_empty());
    let held: BTreeSet<u64> = contents(&scene.world, Which::A)
        .into_values()
        .map(|(_, counter)| counter)
        .collect();
    assert_eq!(
        held,
        BTreeSet::from([AFTER]),
        "what was written away came home"
    );
    assert_eq!(replayed(&scene.world).await.unwrap(), Vec::<String>::new());
}

/// A2, A3: killed between intent and effect, and between effect and record.
#[tokio::test(start_paused = true)]
async fn killed_while_it_fences_it_fences_on() {
    for place in [
        "after_intent:do:fence_source",
        "after_effect:do:fence_source",
    ] {
        let name = place.replace(':', "-");
        let mut scene = lost(&name, &json!({})).await;
        scene.world.b.crash.arm(Strike {
            place: place.to_owned(),
            skip: 1,
        });
        scene.world.come_back(Which::A).await.unwrap();
        scene.world.b.crash.clone().struck().await;
        scene.world.b.crash();
        rest(5).await;
        scene.world.b.boot().await.unwrap();
        rest(SWEPT_S).await;
        assert_fenced(&scene.world);
        let b = scene.at(Which::B).await;
        let left = conditions(&b, &scene.group).await;
        assert!(!left.contains("split_brain"), "{place}: {left:?}");
        assert_eq!(replayed(&scene.world).await.unwrap(), Vec::<String>::new());
    }
}

/// C4: a link that comes and goes makes no storm, and the servers are quiet in the end.
#[tokio::test(start_paused = true)]
async fn a_site_that_flaps_is_fenced_in_the_end() {
    let mut scene = lost("return-flaps", &json!({})).await;
    scene.world.come_back(Which::A).await.unwrap();
    let noted = scene.world.fabric.notes().len();
    let cloud = Which::A.cloud_host();
    for _ in 0..30 {
        scene.world.fabric.down(&cloud);
        rest(5).await;
        scene.world.fabric.up(&cloud);
        rest(5).await;
    }
    rest(SWEPT_S).await;
    assert_fenced(&scene.world);
    let notes = scene.world.fabric.notes().split_off(noted);
    let from_b = notes
        .iter()
        .filter(|n| n.from == Which::B.api_host() && n.to == cloud);
    let count = from_b.count();
    assert!(count < 200, "S13: {count} calls in {} s", 300 + SWEPT_S);
}

#[tokio::test(start_paused = true)]
async fn by_policy_they_are_only_reported() {
    let mut scene = lost("return-report", &json!({ "on_return": "report" })).await;
    scene.world.come_back(Which::A).await.unwrap();
    rest(SWEPT_S).await;
    let there = servers(&scene.world, Which::A);
    assert!(
        there
            .iter()
            .all(|s| s.running && !s.locked && s.power.len() == 1)
    );
    let told = scene.told().await;
    assert_eq!(told.matches("left for people to stop").count(), 3, "{told}");
    sync_force(&scene.world, &scene.group).await.unwrap();
    let b = scene.at(Which::B).await;
    let shown = conditions(&b, &scene.group).await;
    assert_eq!(shown, kinds(&["split_brain", "unprotected"]));
    let refused = reprotect(&scene.world, &scene.group, Which::B).await;
    let refused = format!("{:#}", refused.unwrap_err());
    assert!(refused.contains("split_brain"), "I4: {refused}");
}

/// I6: the array may answer when its cloud has been back for long, and with no Protector at A at all.
#[tokio::test(start_paused = true)]
async fn the_old_direction_stands_still_however_late_its_array_returns() {
    let scene = lost("return-late-array", &json!({})).await;
    let fabric = &scene.world.fabric;
    fabric.up(&Which::A.cloud_host());
    rest(SWEPT_S).await;
    assert_fenced(&scene.world);
    assert!(replicates(&scene.world, Which::A, &scene.group));
    fabric.up(Which::A.array());
    rest(SWEPT_S).await;
    assert!(!replicates(&scene.world, Which::A, &scene.group), "I6");
}

/// One server that nobody may stop is told, and shields none of the others.
#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_stopped_shields_no_other() {
    let mut scene = lost("return-stuck", &json!({})).await;
    let named = servers(&scene.world, Which::A).into_iter();
    let stuck = named.min_by_key(|s| s.name.clone()).unwrap().id;
    let rule = FailRule::new(&format!("servers/{stuck}/action"), 403).unwrap();
    let rule = rule.method("POST").times(u32::MAX);
    lock(&scene.world.a.cloud).knobs.fail_rules.push(rule);
    scene.world.come_back(Which::A).await.unwrap();
    rest(SWEPT_S * 10).await;
    for server in servers(&scene.world, Which::A) {
        assert_eq!(server.running, server.id == stuck, "I4: {}", server.name);
    }
    let b = scene.at(Which::B).await;
    assert!(conditions(&b, &scene.group).await.contains("split_brain"));
}

/// A cloud that is just coming up accepts a stop and loses it: Nova believes in it for ever, and refuses
/// another one.
#[tokio::test(start_paused = true)]
async fn a_stop_that_the_returning_cloud_has_lost_is_asked_for_again() {
    let mut scene = lost("return-swallowed", &json!({})).await;
    lock(&scene.world.a.cloud).knobs.stops_stuck = true;
    scene.world.come_back(Which::A).await.unwrap();
    let accepted = async || {
        let there = servers(&scene.world, Which::A);
        there.iter().any(|s| s.task_state.is_some())
    };
    while !accepted().await {
        rest(1).await;
    }
    lock(&scene.world.a.cloud).knobs.stops_stuck = false;
    rest(SWEPT_S * 3).await;
    assert_fenced(&scene.world);
    let b = scene.at(Which::B).await;
    assert!(!conditions(&b, &scene.group).await.contains("split_brain"));
}

/// S4: who bears a member's name is no member. Servers are known by their ids.
#[tokio::test(start_paused = true)]
async fn a_namesake_of_a_member_goes_on() {
    let mut scene = lost("return-namesake", &json!({})).await;
    let standard = scene.world.tenants[0].standard.clone();
    let namesake = |name: &str| SeedServer {
        project_id: standard.demo_project.clone(),
        user_id: standard.demo_user.clone(),
        name: name.to_owned(),
        flavor_id: standard.flavors[1].clone(),
        network_ids: vec![standard.networks[0].clone()],
        security_groups: vec!["web".to_owned()],
        disks: vec![(1, "replicated-ssd".to_owned())],
        key_name: None,
        metadata: BTreeMap::new(),
    };
    let members = servers(&scene.world, Which::A).into_iter();
    let members: BTreeSet<String> = members.map(|s| s.id).collect();
    for name in ["web-1", "web-2", "web-3"] {
        let now_ms = scene.world.now_ms();
        let mut cloud = lock(&scene.world.a.cloud);
        cloud.seed_server(&namesake(name), now_ms).unwrap();
    }
    scene.world.come_back(Which::A).await.unwrap();
    rest(SWEPT_S).await;
    let there = servers(&scene.world, Which::A);
    assert_eq!(there.len(), 6);
    for server in there {
        let is_member = members.contains(&server.id);
        assert_eq!(server.running, !is_member, "I4, S4: {}", server.id);
        assert_eq!(server.locked, is_member, "{}", server.id);
    }
}
