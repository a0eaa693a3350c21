//! A VM that has everything a VM can have comes up as it was, at the other site and at home again, on its old
//! server and on a new one. Compared field by field, from the ground truth of the pretend clouds.

use http::Method;
use protector_lab::cloud::{BlockDevice, Cloud, GroundTruth, Req, Server};
use protector_lab::courier;
use protector_lab::story::{
    Protected, failback, planned_failover, protect, reprotect, take_point, take_point_at,
};
use protector_lab::world::{Tenant, Which, World, WorldOptions, lock};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "everything";
const USER_DATA: &str = "IyEvYmluL3NoCmVjaG8gY2FuYXJ5";
/// Where the product keeps its key on servers.
const KEY: &str = "protector";
const GIVEN: u64 = 7;
const AWAY: u64 = 8;
/// Polls of a second until the VM runs.
const BOOT_POLLS_MAX: u32 = 60;

/// The tenant's own call to its cloud.
fn ask(cloud: &mut Cloud, token: &str, now_ms: i64, path: &str, body: &Value) -> Value {
    let mut req = Req::post(path, body).token(token);
    if path.starts_with("/compute") {
        req = req.version("compute 2.96");
    }
    let resp = cloud.handle(&req, now_ms);
    assert!(resp.status < 300, "{path}: {} {}", resp.status, resp.body);
    resp.body
}

/// A described volume; the one called `root` boots and has an image's words.
fn volume(cloud: &mut Cloud, tenant: &Tenant, name: &str, now_ms: i64) -> String {
    let owner = (tenant.project.as_str(), tenant.user.as_str());
    let made = cloud.seed_volume(owner, name, 2, "replicated-ssd", now_ms);
    let made = made.unwrap();
    let boots = name == "root";
    cloud.seed_volume_change(&made, |volume| {
        volume.bootable = boots;
        volume.description = Some(format!("{name}, described"));
        let words = [
            ("hw_firmware_type", "uefi"),
            ("hw_machine_type", "q35"),
            ("hw_disk_bus", "scsi"),
        ];
        let words = words.iter().filter(|_| boots);
        volume.image_metadata = words
            .map(|(key, word)| ((*key).to_owned(), (*word).to_owned()))
            .collect();
    });
    made
}

/// Two disks, two interfaces, and a word in every field that Nova, Cinder and Neutron take.
fn boot(world: &World) -> String {
    let (now_ms, tenant) = (world.now_ms(), world.tenant(Which::A).clone());
    let (project, user, ids) = (&tenant.project, &tenant.user, &tenant.standard);
    let mut cloud = lock(&world.site(Which::A).cloud);
    let token = cloud.seed_token(user, project, now_ms);
    let (root, data) = (
        volume(&mut cloud, &tenant, "root", now_ms),
        volume(&mut cloud, &tenant, "data", now_ms),
    );
    let truth = cloud.ground_truth(now_ms);
    let group = |name: &str| {
        let mut groups = truth.security_groups.iter();
        groups.find(|g| g.name == name).unwrap().id.clone()
    };
    let guarded = json!({ "port": {
        "name": "front", "network_id": ids.networks[0], "mac_address": "fa:16:3e:0a:0b:0c",
        "fixed_ips": [{ "subnet_id": ids.subnets[0], "ip_address": "10.10.0.77" }],
        "security_groups": [group("web"), group("db")],
        "allowed_address_pairs": [{ "ip_address": "10.10.0.200" }],
    }});
    let open = json!({ "port": {
        "name": "back", "network_id": ids.networks[1],
        "security_groups": [], "port_security_enabled": false,
    }});
    let mut port = |body: &Value| {
        let made = ask(&mut cloud, &token, now_ms, "/network/v2.0/ports", body);
        made["port"]["id"].clone()
    };
    let mut ports = [port(&guarded), port(&open)];
    // Plugged in an order in which Neutron, which goes by ids, does not list them.
    ports.sort_by_key(|id| std::cmp::Reverse(id.to_string()));
    let floating = json!({ "floatingip": {
        "floating_network_id": ids.public_network, "port_id": ports[0],
    }});
    ask(
        &mut cloud,
        &token,
        now_ms,
        "/network/v2.0/floatingips",
        &floating,
    );
    let disk = |volume: &str, index: i32, tag: &str, dies: bool| {
        json!({
            "uuid": volume, "source_type": "volume", "destination_type": "volume",
            "boot_index": index, "delete_on_termination": dies, "tag": tag,
        })
    };
    let body = json!({ "server": {
        "name": NAME, "description": "has it all", "hostname": "every-thing",
        "flavorRef": ids.flavors[2], "key_name": "lab-key", "user_data": USER_DATA,
        "config_drive": true, "metadata": { "tier": "gold", "owner": "ops" }, "tags": ["blue", "dr"],
        "networks": ports.map(|id| json!({ "port": id })),
        "block_device_mapping_v2": [disk(&root, 0, "os", true), disk(&data, -1, "db", false)],
    }});
    let made = ask(&mut cloud, &token, now_ms, "/compute/v2.1/servers", &body);
    made["server"]["id"].as_str().unwrap().to_owned()
}

fn truth(world: &World, which: Which) -> GroundTruth {
    let now_ms = world.now_ms();
    lock(&world.site(which).cloud).ground_truth(now_ms)
}

/// The server that stands.
fn server(truth: &GroundTruth) -> Server {
    let mut living = truth.servers.iter().filter(|s| s.deleted_ms.is_none());
    let found = living.find(|s| s.name == NAME).cloned();
    found.expect("the VM stands")
}

type Portrait = BTreeMap<String, String>;

/// Everything of the VM that is not an id, in words.
fn portrait(truth: &GroundTruth) -> Portrait {
    let server = server(truth);
    let users = truth.users.iter();
    let owner = users.filter(|u| u.id == server.user_id).map(|u| &u.name);
    let mut metadata = server.metadata.clone();
    metadata.retain(|key, _| !key.starts_with(KEY));
    let user_data = server
        .user_data
        .as_ref()
        .map(|u| u.expose_secret().to_owned());
    let mut words: Portrait = [
        ("owner", format!("{:?}", owner.collect::<Vec<_>>())),
        ("description", format!("{:?}", server.description)),
        ("hostname", server.hostname.clone()),
        ("flavor", server.flavor.name.clone()),
        ("key_name", format!("{:?}", server.key_name)),
        ("user_data", format!("{user_data:?}")),
        ("config_drive", server.config_drive.to_string()),
        ("metadata", format!("{metadata:?}")),
        ("tags", format!("{:?}", server.tags)),
        ("runs", server.running.to_string()),
        ("locked", server.locked.to_string()),
        ("disks", server.disks.len().to_string()),
        ("nics", server.nics.len().to_string()),
    ]
    .map(|(name, word)| (name.to_owned(), word))
    .into();
    for (index, disk) in server.disks.iter().enumerate() {
        words.insert(format!("disk {index}"), disk_words(truth, disk));
    }
    for (index, nic) in server.nics.iter().enumerate() {
        let port = nic.port_id.as_ref().unwrap();
        words.insert(format!("nic {index}"), nic_words(truth, port));
    }
    words
}

fn disk_words(truth: &GroundTruth, disk: &BlockDevice) -> String {
    let volume = truth.volumes.iter().find(|v| v.id == disk.volume_id);
    let volume = volume.unwrap();
    format!(
        "{} {:?} {:?} | {:?} {:?} {} GiB bootable {} {:?}",
        disk.device,
        disk.boot_index.filter(|index| *index >= 0),
        disk.tag,
        volume.name,
        volume.description,
        volume.size_gb,
        volume.bootable,
        volume.image_metadata,
    )
}

fn nic_words(truth: &GroundTruth, port: &str) -> String {
    let port = truth.ports.iter().find(|p| p.id == port).unwrap();
    let network = truth.networks.iter().find(|n| n.id == port.network_id);
    let groups = truth.security_groups.iter();
    let mut groups: Vec<&str> = groups
        .filter(|g| port.security_groups.contains(&g.id))
        .map(|g| g.name.as_str())
        .collect();
    groups.sort_unstable();
    let addresses: Vec<&str> = port
        .fixed_ips
        .iter()
        .map(|ip| ip.ip_address.as_str())
        .collect();
    format!(
        "{} on {} {} {addresses:?} {groups:?} guarded {} {}",
        port.name,
        network.unwrap().name,
        port.mac_address,
        port.port_security_enabled,
        allowed(&port.allowed_address_pairs),
    )
}

/// Neutron fills in the port's own MAC.
fn allowed(pairs: &Value) -> String {
    let pairs = pairs.as_array().cloned().unwrap_or_default();
    let addresses: Vec<Value> = pairs.iter().map(|p| p["ip_address"].clone()).collect();
    format!("{addresses:?}")
}

/// Which volumes go with the server.
fn dies_with_it(truth: &GroundTruth) -> Vec<bool> {
    let disks = server(truth).disks.into_iter();
    disks.map(|disk| disk.delete_on_termination).collect()
}

async fn until_it_runs(world: &World) {
    for _ in 0..BOOT_POLLS_MAX {
        let truth = truth(world, Which::A);
        if truth.servers.iter().any(|s| s.name == NAME && s.running) {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("{NAME} never runs");
}

async fn scene(name: &str) -> (World, Protected, Portrait) {
    let options = WorldOptions {
        members: 1,
        volumes: 1,
        ..WorldOptions::seeded(name, 91)
    };
    let mut world = World::build(options).await.unwrap();
    let group = protect(&world).await.unwrap();
    let server = boot(&world);
    until_it_runs(&world).await;
    let (a, b) = (
        world.endpoint(Which::A).await.unwrap(),
        world.endpoint(Which::B).await.unwrap(),
    );
    let member = json!({ "member": { "instance_id": server } });
    let path = format!("/protection-groups/{}/members", group.group);
    courier::change(&a, &b, Method::POST, &path, &member)
        .await
        .unwrap();
    world.options.volumes += 2;
    take_point(&world, &group, GIVEN).await.unwrap();
    let before = portrait(&truth(&world, Which::A));
    assert!(before["user_data"].contains(USER_DATA) && before["runs"] == "true");
    assert_eq!(dies_with_it(&truth(&world, Which::A)), [true, false]);
    (world, group, before)
}

/// What a dry run says cannot come along.
async fn deviations(world: &World, group: &Protected) -> Vec<Value> {
    let at = world.endpoint(Which::B).await.unwrap();
    let ask = json!({ "failover": { "type": "planned", "dry_run": true } });
    let plan = at.act(&group.group, &ask, "dry").await.unwrap();
    let warnings = plan["plan"]["warnings"].as_array().unwrap().iter();
    let facts = |one: &Value| {
        let said = &one["refusal"];
        json!({"code": said["code"], "member": said["member"], "address": said["address"]})
    };
    warnings
        .map(facts)
        .filter(|r| r["code"].as_str().unwrap().ends_with("_dropped"))
        .collect()
}

async fn away(world: &mut World, group: &Protected) {
    let run = planned_failover(world, group).await.unwrap();
    assert_eq!(run.operation["status"], "completed", "{}", run.operation);
    assert!(!run.operation.to_string().contains(USER_DATA), "S15");
}

async fn home(world: &mut World, group: &Protected) {
    reprotect(world, group, Which::B).await.unwrap();
    take_point_at(world, Which::B, group, AWAY).await.unwrap();
    let run = failback(world, group).await.unwrap();
    assert_eq!(run.operation["status"], "completed", "{}", run.operation);
    assert!(!run.operation.to_string().contains(USER_DATA), "S15");
}

#[tokio::test(start_paused = true)]
async fn everything_comes_over_and_comes_home_on_the_old_server() {
    let (mut world, group, before) = scene("fidelity").await;
    let given = truth(&world, Which::A).floating_ips.remove(0);
    let address = given.floating_ip_address;
    let floating = json!({"code": "floating_ip_dropped", "member": NAME, "address": address});
    assert_eq!(deviations(&world, &group).await, [floating]);
    away(&mut world, &group).await;
    let there = truth(&world, Which::B);
    assert_eq!(portrait(&there), before);
    assert_eq!(
        dies_with_it(&there),
        [false, false],
        "nothing is lost with it there"
    );
    home(&mut world, &group).await;
    let here = truth(&world, Which::A);
    assert_eq!(portrait(&here), before);
    assert_eq!(
        dies_with_it(&here),
        [true, false],
        "as before the first move"
    );
}

#[tokio::test(start_paused = true)]
async fn everything_comes_home_on_a_new_server_when_the_old_one_is_gone() {
    let (mut world, group, before) = scene("fidelity-new").await;
    away(&mut world, &group).await;
    let gone = server(&truth(&world, Which::A)).id;
    let (now_ms, ids) = (world.now_ms(), world.tenant(Which::A).standard.clone());
    {
        let mut cloud = lock(&world.site(Which::A).cloud);
        let token = cloud.seed_token(&ids.admin_user, &ids.admin_project, now_ms);
        let path = format!("/compute/v2.1/servers/{gone}");
        let resp = cloud.handle(&Req::new("DELETE", &path).token(&token), now_ms);
        assert!(resp.status < 300, "{}", resp.body);
    }
    home(&mut world, &group).await;
    let here = truth(&world, Which::A);
    assert_ne!(server(&here).id, gone);
    assert_eq!(portrait(&here), before);
    assert_eq!(
        dies_with_it(&here),
        [true, false],
        "as before the first move"
    );
}
