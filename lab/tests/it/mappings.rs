//! What the two clouds call differently is named once per group, and holds for the way over and the way home.
//! Judged from the ground truth of the pretend clouds.

use http::Method;
use protector_lab::cloud::{GroundTruth, Req};
use protector_lab::courier;
use protector_lab::story::{Protected, failback, planned_failover, protect, reprotect, take_point};
use protector_lab::world::{Which, World, WorldOptions, lock};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const GIVEN: u64 = 7;
/// Looks at the points, and simulated time between two.
const LOOKS_MAX: u32 = 240;
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

fn truth(world: &World, which: Which) -> GroundTruth {
    let now_ms = world.now_ms();
    lock(&world.site(which).cloud).ground_truth(now_ms)
}

async fn changed(world: &World, group: &Protected, method: Method, path: &str, body: &Value) {
    let a = world.endpoint(Which::A).await.unwrap();
    let b = world.endpoint(Which::B).await.unwrap();
    let path = format!("/protection-groups/{}/{path}", group.group);
    let done = courier::change(&a, &b, method, &path, body).await;
    done.unwrap();
}

fn security_group_id(truth: &GroundTruth, project: &str, name: &str) -> String {
    let mut groups = truth.security_groups.iter();
    let found = groups.find(|g| g.name == name && g.project_id == project);
    found.unwrap().id.clone()
}

/// Flavor, zone, and of one interface network, security groups and MAC.
type Interface = (String, Option<String>, String, Vec<String>, String);

/// Of the servers that stand, by interface.
fn standing(truth: &GroundTruth) -> BTreeSet<Interface> {
    let name_of = |id: &String| {
        let found = truth.security_groups.iter().find(|g| &g.id == id);
        found.unwrap().name.clone()
    };
    let living = truth.servers.iter().filter(|s| s.deleted_ms.is_none());
    let nics = living.flat_map(|s| s.nics.iter().map(move |nic| (s, nic)));
    nics.map(|(server, nic)| {
        let port = truth
            .ports
            .iter()
            .find(|p| Some(&p.id) == nic.port_id.as_ref());
        let port = port.unwrap();
        let network = truth.networks.iter().find(|n| n.id == port.network_id);
        (
            server.flavor.name.clone(),
            server.availability_zone.clone(),
            network.unwrap().name.clone(),
            port.security_groups.iter().map(name_of).collect(),
            port.mac_address.clone(),
        )
    })
    .collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_mapped_is_used_over_there_and_undone_at_home() {
    let options = WorldOptions {
        members: 2,
        volumes: 2,
        ..WorldOptions::seeded("mappings", 17)
    };
    let mut world = World::build(options).await.unwrap();
    let group = protect(&world).await.unwrap();
    let (here, there) = (truth(&world, Which::A), truth(&world, Which::B));
    let before = standing(&here);
    let flavors: BTreeSet<&String> = before.iter().map(|vm| &vm.0).collect();
    let other = there.flavors.iter().find(|f| !flavors.contains(&f.name));
    let other = other.unwrap();
    let (a, b) = (
        world.tenant(Which::A).clone(),
        world.tenant(Which::B).clone(),
    );
    let groups: BTreeSet<&String> = before.iter().flat_map(|vm| &vm.3).collect();
    let swapped = groups.iter().map(|name| {
        let from = security_group_id(&here, &a.project, name);
        (from, security_group_id(&there, &b.project, "ssh"))
    });
    let (network, subnet) = (&b.standard.networks[1], &b.standard.subnets[1]);
    let mappings = json!({ "mappings": {
        "networks": { &a.standard.networks[0]: network },
        "subnets": { &a.standard.subnets[0]: subnet },
        "flavors": flavors.iter().map(|name| ((*name).clone(), json!(other.id))).collect::<serde_json::Map<_, _>>(),
        "security_groups": swapped.map(|(from, to)| (from, json!(to))).collect::<serde_json::Map<_, _>>(),
    }});
    changed(&world, &group, Method::PUT, "mappings", &mappings).await;
    for server in here.servers.iter().filter(|s| s.deleted_ms.is_none()) {
        let wishes = json!({ "member_update": {
            "instance_id": server.id, "fixed_ip": "new", "mac": "new",
        }});
        changed(&world, &group, Method::POST, "action", &wishes).await;
    }
    take_point(&world, &group, GIVEN).await.unwrap();
    let run = planned_failover(&mut world, &group).await.unwrap();
    assert_eq!(run.operation["status"], "completed", "{}", run.operation);
    let over = truth(&world, Which::B);
    let db = over.networks.iter().find(|n| &n.id == network).unwrap();
    let macs: BTreeSet<&String> = before.iter().map(|vm| &vm.4).collect();
    for (flavor, _, network, groups, mac) in standing(&over) {
        assert_eq!((&flavor, &network), (&other.name, &db.name));
        assert_eq!(groups, ["ssh"], "the group that stands for it");
        assert!(!macs.contains(&mac), "a MAC of its own there");
    }
    assert_eq!(standing(&over).len(), before.len());
    comes_home_as_it_was(&mut world, &group, &here).await;
}

/// One of the old servers is gone, ports and all: it is made again as it was, from the record.
async fn comes_home_as_it_was(world: &mut World, group: &Protected, here: &GroundTruth) {
    let before = standing(here);
    let macs: BTreeSet<&String> = before.iter().map(|vm| &vm.4).collect();
    let mut living = here.servers.iter().filter(|s| s.deleted_ms.is_none());
    let gone = living.next().unwrap();
    deleted_by_tenant(world, &gone.id);
    reprotect(world, group, Which::B).await.unwrap();
    reversed(world, group).await;
    let run = failback(world, group).await.unwrap();
    assert_eq!(run.operation["status"], "completed", "{}", run.operation);
    let home = standing(&truth(world, Which::A));
    let shape = |all: &BTreeSet<Interface>| {
        let vms = all.iter();
        vms.map(|vm| (vm.0.clone(), vm.2.clone(), vm.3.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(shape(&home), shape(&before));
    let kept = home.iter().filter(|vm| macs.contains(&vm.4));
    let made = gone.nics.len();
    assert_eq!(
        kept.count(),
        before.len() - made,
        "new where it is made again"
    );
}

fn deleted_by_tenant(world: &World, server: &str) {
    let (now_ms, tenant) = (world.now_ms(), world.tenant(Which::A).clone());
    let mut cloud = lock(&world.site(Which::A).cloud);
    let admin = (&tenant.standard.admin_user, &tenant.standard.admin_project);
    let token = cloud.seed_token(admin.0, admin.1, now_ms);
    let path = format!("/compute/v2.1/servers/{server}");
    let resp = cloud.handle(&Req::new("DELETE", &path).token(&token), now_ms);
    assert!(resp.status < 300, "{}", resp.body);
}

/// Until a point of the way back is complete at home.
async fn reversed(world: &World, group: &Protected) {
    let a = world.endpoint(Which::A).await.unwrap();
    let path = format!("/protection-groups/{}/recovery-points", group.group);
    for _ in 0..LOOKS_MAX {
        let shown = a.call(Method::GET, &path, None).await.unwrap();
        let points = shown["recovery_points"].as_array().unwrap();
        if points.iter().any(|point| !point["completed_at"].is_null()) {
            return;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    panic!("nothing arrives at home");
}
