//! Servers from boot to delete: the Nova rules that bite a recovery.
use crate::cloud_support::{World, message, world};
use protector_lab::cloud::{FailRule, Req, Resp};
use serde_json::{Value, json};

const SERVERS: &str = "/compute/v2.1/servers";

fn act(world: &mut World, token: &str, id: &str, body: Value) -> Resp {
    world.ask(token, Req::post(&format!("{SERVERS}/{id}/action"), &body))
}

fn port_show(world: &mut World, id: &str) -> Value {
    let admin = world.admin.clone();
    world.get(&admin, &format!("/network/v2.0/ports/{id}"))["port"].clone()
}

#[test]
fn a_boot_builds_then_runs_with_disk_and_port_tied() {
    let mut world = world();
    let (id, volume, port) = world.boot("web");
    let building = world.server_show(&id);
    assert_eq!(
        (&building["status"], &building["addresses"]),
        (&json!("BUILD"), &json!({}))
    );
    assert_eq!(world.volume_show(&volume)["status"], "reserved");
    world.settle();
    let server = world.server_show(&id);
    assert_eq!(server["status"], "ACTIVE");
    assert_eq!(server["OS-EXT-STS:power_state"], 1);
    assert_eq!(server["addresses"]["app-net"][0]["addr"], "10.11.0.2");
    let disk = world.volume_show(&volume);
    assert_eq!(
        (&disk["status"], &disk["attachments"][0]["server_id"]),
        (&json!("in-use"), &json!(id))
    );
    assert_eq!(disk["attachments"][0]["device"], "/dev/vda");
    assert!(world.array.volumes()[0].connected);
    let bound = port_show(&mut world, &port);
    assert_eq!(
        (&bound["device_id"], &bound["status"]),
        (&json!(id), &json!("ACTIVE"))
    );
    assert_eq!(bound["binding:host_id"], "site-b-compute-1");
}

#[test]
fn a_volume_that_is_not_available_is_refused_at_once() {
    let mut world = world();
    let demo = world.demo.clone();
    let (_, volume, _) = world.boot("first");
    let network = world.ids.networks[0].clone();
    let port = world.port(&demo, json!({"network_id": network}))["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = world.server_body("twin", &volume, &port);
    let refused = world.ask(&demo, Req::post(SERVERS, &body));
    assert_eq!(refused.status, 400);
    assert!(
        message(&refused).contains("but the current status is reserved"),
        "{}",
        message(&refused)
    );
    let (other, project, _) = world.stranger();
    let theirs = world.ok(
        &other,
        Req::post(
            &format!("/volume/v3/{project}/volumes"),
            &json!({"volume": {"size": 1}}),
        ),
    );
    world.settle();
    let body = world.server_body("thief", theirs["volume"]["id"].as_str().unwrap(), &port);
    let refused = world.ask(&demo, Req::post(SERVERS, &body));
    assert_eq!(
        (
            refused.status,
            message(&refused).contains("failed to get volume")
        ),
        (400, true)
    );
    let blank = world.volume("blank", false);
    let body = world.server_body("blank", &blank, &port);
    let refused = world.ask(&demo, Req::post(SERVERS, &body));
    assert_eq!(
        message(&refused),
        format!("Block Device {blank} is not bootable.")
    );
    assert_eq!(world.volume_show(&blank)["status"], "available");
}

#[test]
fn a_second_disk_that_cannot_be_had_frees_the_first() {
    let mut world = world();
    let demo = world.demo.clone();
    let (_, taken, _) = world.boot("first");
    let root = world.volume("root", true);
    let mut body = world.server_body("second", &root, "");
    body["server"]["networks"] = json!("none");
    let data = json!({"uuid": taken, "source_type": "volume", "destination_type": "volume", "boot_index": -1});
    body["server"]["block_device_mapping_v2"]
        .as_array_mut()
        .unwrap()
        .push(data);
    assert_eq!(world.status(&demo, Req::post(SERVERS, &body)), 400);
    assert_eq!(world.volume_show(&root)["status"], "available");
    assert_eq!(world.cloud.ground_truth(world.now_ms).servers.len(), 1);
}

#[test]
fn a_refused_boot_keeps_its_volume_reserved_until_the_delete() {
    let mut world = world();
    let demo = world.demo.clone();
    world.cloud.knobs.boots_refused = Some("No valid host was found.".to_owned());
    let (id, volume, port) = world.boot("web");
    world.settle();
    let server = world.server_show(&id);
    assert_eq!(
        (&server["status"], &server["fault"]["message"]),
        (&json!("ERROR"), &json!("No valid host was found."))
    );
    assert_eq!(world.volume_show(&volume)["status"], "reserved");
    assert_eq!(port_show(&mut world, &port)["device_id"], "");
    assert_eq!(
        world.status(&demo, Req::delete(&format!("{SERVERS}/{id}"))),
        204
    );
    world.settle();
    assert_eq!(world.volume_show(&volume)["status"], "available");
    assert_eq!(
        world.status(&demo, Req::get(&format!("{SERVERS}/{id}"))),
        404
    );
    assert!(
        world.cloud.ground_truth(world.now_ms).servers[0]
            .power
            .is_empty()
    );
}

#[test]
fn a_full_cloud_and_a_stuck_one() {
    let mut world = world();
    world.cloud.knobs.servers_max = Some(1);
    let (first, _, _) = world.boot("a");
    let (second, _, _) = world.boot("b");
    world.settle();
    assert_eq!(world.server_show(&first)["status"], "ACTIVE");
    let refused = world.server_show(&second);
    assert_eq!(refused["status"], "ERROR");
    assert!(
        refused["fault"]["message"]
            .as_str()
            .unwrap()
            .starts_with("No valid host")
    );
    world.cloud.knobs.servers_max = None;
    world.cloud.knobs.boots_stuck = true;
    let (third, _, _) = world.boot("c");
    world.settle();
    world.now_ms += 86_400_000;
    assert_eq!(world.server_show(&third)["status"], "BUILD");
}

#[test]
fn delete_on_termination_decides_what_outlives_a_server() {
    let mut world = world();
    let demo = world.demo.clone();
    let seeded = world.seeded("db");
    let disks = format!("{SERVERS}/{}/os-volume_attachments", seeded.server_id);
    let (root, data) = (seeded.volume_ids[0].clone(), seeded.volume_ids[1].clone());
    let change =
        |flag: bool| json!({"volumeAttachment": {"volumeId": data, "delete_on_termination": flag}});
    let put = Req::put(&format!("{disks}/{data}"), &change(true));
    assert_eq!(
        world.status(&demo, put.clone().version("compute 2.84")),
        409
    );
    assert_eq!(world.status(&demo, put), 202);
    let shown = world.get(&demo, &disks);
    let flags: Vec<bool> = shown["volumeAttachments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["delete_on_termination"].as_bool().unwrap())
        .collect();
    assert_eq!(flags, vec![false, true]);
    world.ok(
        &demo,
        Req::delete(&format!("{SERVERS}/{}", seeded.server_id)),
    );
    world.settle();
    assert_eq!(world.volume_show(&root)["status"], "available");
    let gone = world.volume_url(&format!("/volumes/{data}"));
    assert_eq!(world.status(&demo, Req::get(&gone)), 404);
    let left: Vec<bool> = world
        .array
        .volumes()
        .into_iter()
        .map(|volume| volume.connected)
        .collect();
    assert_eq!(left, vec![false]);
}

#[test]
fn ports_given_to_nova_survive_and_ports_made_by_nova_do_not() {
    let mut world = world();
    let demo = world.demo.clone();
    let (given, _, port) = world.boot("given");
    let volume = world.volume("root", true);
    let mut body = world.server_body("made", &volume, "");
    body["server"]["networks"] = json!([{"uuid": world.ids.networks[0]}]);
    let made = world.ok(&demo, Req::post(SERVERS, &body))["server"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.settle();
    let own = world.get(&demo, &format!("/network/v2.0/ports?device_id={made}"))["ports"][0]["id"]
        .clone();
    let other = world.server_body("again", &world.ids.image.clone(), &port);
    assert_eq!(
        world.status(&demo, Req::post(SERVERS, &other)),
        409,
        "the port is in use"
    );
    for id in [&given, &made] {
        world.ok(&demo, Req::delete(&format!("{SERVERS}/{id}")));
    }
    world.settle();
    let free = port_show(&mut world, &port);
    assert_eq!(
        (
            &free["device_id"],
            &free["status"],
            &free["binding:host_id"]
        ),
        (&json!(""), &json!("DOWN"), &json!(""))
    );
    let gone = format!("/network/v2.0/ports/{}", own.as_str().unwrap());
    assert_eq!(world.status(&demo, Req::get(&gone)), 404);
}

#[test]
fn stop_start_lock_and_their_conflicts() {
    let mut world = world();
    let (demo, admin) = (world.demo.clone(), world.admin.clone());
    let (id, volume, _) = world.boot("web");
    world.settle();
    assert_eq!(
        act(&mut world, &demo, &id, json!({"os-start": null})).status,
        409
    );
    assert_eq!(
        act(&mut world, &demo, &id, json!({"os-stop": null})).status,
        202
    );
    let busy = act(&mut world, &demo, &id, json!({"os-stop": null}));
    assert_eq!(
        (busy.status, message(&busy)),
        (
            409,
            format!("Cannot 'stop' instance {id} while it is in task_state powering-off")
        )
    );
    world.settle();
    assert_eq!(world.server_show(&id)["status"], "SHUTOFF");
    assert_eq!(
        world.volume_show(&volume)["status"],
        "in-use",
        "a stopped server keeps its disks"
    );
    let reason = json!({"lock": {"locked_reason": "moved to site-a"}});
    assert_eq!(act(&mut world, &admin, &id, reason).status, 202);
    assert_eq!(world.server_show(&id)["locked_reason"], "moved to site-a");
    assert_eq!(
        act(&mut world, &demo, &id, json!({"os-start": null})).status,
        409
    );
    assert_eq!(
        world.status(&demo, Req::delete(&format!("{SERVERS}/{id}"))),
        409
    );
    assert_eq!(
        act(&mut world, &admin, &id, json!({"os-start": null})).status,
        202
    );
    world.settle();
    let power = world.cloud.ground_truth(world.now_ms).servers[0]
        .power
        .clone();
    let states: Vec<bool> = power.iter().map(|mark| mark.running).collect();
    assert_eq!(states, vec![true, false, true]);
    assert!(power.windows(2).all(|pair| pair[0].at_ms < pair[1].at_ms));
}

#[test]
fn a_stop_that_never_finishes() {
    let mut world = world();
    let demo = world.demo.clone();
    let seeded = world.seeded("web");
    world.cloud.knobs.stops_stuck = true;
    assert_eq!(
        act(
            &mut world,
            &demo,
            &seeded.server_id,
            json!({"os-stop": null})
        )
        .status,
        202
    );
    world.settle();
    world.now_ms += 3_600_000;
    let server = world.server_show(&seeded.server_id);
    assert_eq!(
        (&server["status"], &server["OS-EXT-STS:task_state"]),
        (&json!("ACTIVE"), &json!("powering-off"))
    );
}

#[test]
fn a_lost_answer_leaves_a_server_that_can_be_found_by_tag_and_metadata() {
    let mut world = world();
    let demo = world.demo.clone();
    let volume = world.volume("root", true);
    let mut body = world.server_body("web", &volume, "");
    body["server"]["networks"] = json!("none");
    body["server"]["tags"] = json!(["op-1.boot.web"]);
    body["server"]["metadata"] = json!({"protector": "op-1/boot/web"});
    world.cloud.knobs.fail_rules.push(
        FailRule::new("/servers$", 504)
            .unwrap()
            .method("POST")
            .after(),
    );
    assert_eq!(world.status(&demo, Req::post(SERVERS, &body)), 504);
    let found = world.get(&demo, &format!("{SERVERS}/detail?tags=op-1.boot.web"));
    assert_eq!(
        found["servers"][0]["metadata"]["protector"],
        "op-1/boot/web"
    );
    assert_eq!(
        world.status(&demo, Req::post(SERVERS, &body)),
        400,
        "its volume is reserved"
    );
}

#[test]
fn disks_come_and_go_through_nova_only() {
    let mut world = world();
    let demo = world.demo.clone();
    let (id, root, _) = world.boot("web");
    world.settle();
    let data = world.volume("data", false);
    let disks = format!("{SERVERS}/{id}/os-volume_attachments");
    world.ok(
        &demo,
        Req::post(&disks, &json!({"volumeAttachment": {"volumeId": data}})),
    );
    world.settle();
    assert_eq!(
        world.volume_show(&data)["attachments"][0]["device"],
        "/dev/vdb"
    );
    let listed = world.get(
        &demo,
        &world.volume_url(&format!("/attachments?instance_id={id}")),
    );
    assert_eq!(listed["attachments"].as_array().unwrap().len(), 2);
    let one = listed["attachments"][0]["id"].as_str().unwrap().to_owned();
    let admin = world.admin.clone();
    let path = format!("/volume/v3/{}/attachments/{one}", world.ids.admin_project);
    let refused = world.ask(&admin, Req::delete(&path));
    assert_eq!(
        (
            refused.status,
            message(&refused).starts_with("ConflictNovaUsingAttachment")
        ),
        (409, true)
    );
    assert_eq!(
        world.status(&demo, Req::delete(&format!("{disks}/{root}"))),
        400
    );
    assert_eq!(
        world.status(&demo, Req::delete(&format!("{disks}/{data}"))),
        202
    );
    world.settle();
    assert_eq!(world.volume_show(&data)["status"], "available");
}

#[test]
fn an_array_that_does_not_answer_fails_the_boot_and_frees_the_port() {
    let mut world = world();
    let (id, volume, port) = world.boot("web");
    world.array.set_offline(true);
    world.settle();
    let server = world.server_show(&id);
    assert_eq!(server["status"], "ERROR");
    let fault = server["fault"]["message"].as_str().unwrap();
    assert!(fault.contains("Failure prepping block device"), "{fault}");
    assert_eq!(port_show(&mut world, &port)["device_id"], "");
    assert_eq!(world.volume_show(&volume)["status"], "reserved");
}

#[test]
fn two_servers_accepted_for_one_port_end_with_one_of_them() {
    let mut world = world();
    let demo = world.demo.clone();
    let (_, _, port) = world.boot("first");
    let volume = world.volume("second-root", true);
    let body = world.server_body("second", &volume, &port);
    world.ok(&demo, Req::post(SERVERS, &body));
    world.settle();
    let servers = world.cloud.ground_truth(world.now_ms).servers;
    let mut states: Vec<&str> = servers.iter().map(|one| one.vm_state.as_str()).collect();
    states.sort_unstable();
    assert_eq!(states, vec!["active", "error"]);
    let winner = servers.iter().find(|one| one.vm_state == "active").unwrap();
    assert_eq!(port_show(&mut world, &port)["device_id"], json!(winner.id));
}
