//! Addresses, MACs, walls and bulk: the Neutron rules that bite a recovery.
use crate::cloud_support::{World, message, world};
use protector_lab::cloud::{Req, Resp, Service};
use serde_json::{Value, json};

const PORTS: &str = "/network/v2.0/ports";

fn create(world: &mut World, token: &str, port: Value) -> Resp {
    world.ask(token, Req::post(PORTS, &json!({"port": port})))
}

fn kind(resp: &Resp) -> &str {
    resp.body["NeutronError"]["type"]
        .as_str()
        .unwrap_or_default()
}

fn at(network: &str, address: &str) -> Value {
    json!({"network_id": network, "fixed_ips": [{"ip_address": address}]})
}

#[test]
fn addresses_are_given_lowest_first_and_never_twice() {
    let mut world = world();
    let demo = world.demo.clone();
    let network = world.ids.networks[0].clone();
    let asked = create(&mut world, &demo, at(&network, "10.11.0.3"));
    assert_eq!(asked.status, 201);
    let mut given = Vec::new();
    for _ in 0..2 {
        let port = world.port(&demo, json!({"network_id": network}));
        given.push(
            port["fixed_ips"][0]["ip_address"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!(given, vec!["10.11.0.2", "10.11.0.4"]);
    let taken = create(&mut world, &demo, at(&network, "10.11.0.3"));
    assert_eq!(
        (taken.status, kind(&taken)),
        (409, "IpAddressAlreadyAllocated")
    );
    let outside = create(&mut world, &demo, at(&network, "10.77.0.3"));
    assert_eq!(
        (outside.status, kind(&outside)),
        (400, "InvalidIpForNetwork")
    );
}

#[test]
fn a_mac_is_unique_on_its_network_only() {
    let mut world = world();
    let demo = world.demo.clone();
    let (first, second) = (world.ids.networks[0].clone(), world.ids.networks[1].clone());
    let with = |network: &str, mac: &str| json!({"network_id": network, "mac_address": mac});
    assert_eq!(
        create(&mut world, &demo, with(&first, "FA:16:3E:00:00:01")).status,
        201
    );
    let taken = create(&mut world, &demo, with(&first, "fa:16:3e:00:00:01"));
    assert_eq!((taken.status, kind(&taken)), (409, "MacAddressInUse"));
    assert_eq!(
        create(&mut world, &demo, with(&second, "fa:16:3e:00:00:01")).status,
        201
    );
    assert_eq!(
        create(&mut world, &demo, with(&first, "not-a-mac")).status,
        400
    );
    let found = world.get(
        &demo,
        &format!("{PORTS}?mac_address=fa:16:3e:00:00:01&network_id={first}"),
    );
    assert_eq!(found["ports"].as_array().unwrap().len(), 1);
}

#[test]
fn a_given_address_on_somebody_elses_network_needs_rights_there() {
    let mut world = world();
    let (demo, admin) = (world.demo.clone(), world.admin.clone());
    let (_, _, network) = world.stranger();
    assert_eq!(
        create(&mut world, &demo, json!({"network_id": network})).status,
        404
    );
    world.cloud.seed_network_kind(&network, true, false);
    assert_eq!(
        create(&mut world, &demo, json!({"network_id": network})).status,
        201
    );
    let refused = create(&mut world, &demo, at(&network, "10.99.0.77"));
    assert_eq!(
        (refused.status, kind(&refused)),
        (403, "PolicyNotAuthorized")
    );
    let mac = json!({"network_id": network, "mac_address": "fa:16:3e:00:00:01"});
    assert_eq!(create(&mut world, &demo, mac).status, 403);
    let mut by_admin = at(&network, "10.99.0.77");
    by_admin["project_id"] = json!(world.ids.demo_project);
    let made = create(&mut world, &admin, by_admin);
    assert_eq!(
        (made.status, &made.body["port"]["project_id"]),
        (201, &json!(world.ids.demo_project))
    );
}

#[test]
fn a_stopped_server_keeps_its_address_from_everybody() {
    let mut world = world();
    let demo = world.demo.clone();
    let (id, _, port) = world.boot("web");
    world.settle();
    world.ok(
        &demo,
        Req::post(
            &format!("/compute/v2.1/servers/{id}/action"),
            &json!({"os-stop": null}),
        ),
    );
    world.settle();
    let network = world.ids.networks[0].clone();
    let held = world.get(&demo, &format!("{PORTS}/{port}"));
    let address = held["port"]["fixed_ips"][0]["ip_address"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        create(&mut world, &demo, at(&network, &address)).status,
        409
    );
    let found = world.get(&demo, &format!("{PORTS}?fixed_ips=ip_address%3D{address}"));
    assert_eq!(found["ports"][0]["id"], json!(port));
    assert_eq!(
        world.status(&demo, Req::delete(&format!("{PORTS}/{port}"))),
        204
    );
    assert_eq!(
        create(&mut world, &demo, at(&network, &address)).status,
        201
    );
}

#[test]
fn bulk_ports_are_made_together_or_not_at_all() {
    let mut world = world();
    let demo = world.demo.clone();
    let network = world.ids.networks[0].clone();
    let port = |name: &str, address: &str| json!({"network_id": network, "name": name, "tags": ["op-1"], "fixed_ips": [{"ip_address": address}]});
    let bulk = |ports: Vec<Value>| Req::post(PORTS, &json!({"ports": ports}));
    let twice = bulk(vec![
        port("a", "10.11.0.20"),
        port("b", "10.11.0.21"),
        port("c", "10.11.0.20"),
    ]);
    assert_eq!(world.status(&demo, twice), 409);
    let list = |world: &mut World| {
        world.get(&demo, &format!("{PORTS}?tags=op-1"))["ports"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(list(&mut world), 0);
    let made = world.ok(
        &demo,
        bulk(vec![port("a", "10.11.0.20"), port("b", "10.11.0.21")]),
    );
    assert_eq!(made["ports"][1]["name"], "b");
    assert_eq!(list(&mut world), 2);
}

#[test]
fn quotas_and_used_up_subnets_are_409() {
    let mut world = world();
    let demo = world.demo.clone();
    let project = world.ids.demo_project.clone();
    let (network, _) = world
        .cloud
        .seed_network(&project, "tiny", "10.50.0.0/30", world.now_ms)
        .unwrap();
    assert_eq!(
        create(&mut world, &demo, json!({"network_id": network})).status,
        201
    );
    let full = create(&mut world, &demo, json!({"network_id": network}));
    assert_eq!(
        (full.status, kind(&full)),
        (409, "IpAddressGenerationFailure")
    );
    let first = world.ids.networks[0].clone();
    world
        .cloud
        .seed_quota(Service::Network, &project, "port", 1);
    let over = create(&mut world, &demo, json!({"network_id": first}));
    assert_eq!((over.status, kind(&over)), (409, "OverQuota"));
    let shown = world.get(&demo, &format!("/network/v2.0/quotas/{project}/details"));
    assert_eq!(
        shown["quota"]["port"],
        json!({"limit": 1, "used": 1, "reserved": 0})
    );
}

#[test]
fn ports_of_others_do_not_exist_and_unknown_filters_are_refused() {
    let mut world = world();
    let demo = world.demo.clone();
    let (other, _, _) = world.stranger();
    let port = world.port(
        &demo,
        json!({"network_id": world.ids.networks[0], "description": "op-1/port/web"}),
    );
    let path = format!("{PORTS}/{}", port["id"].as_str().unwrap());
    assert_eq!(world.status(&other, Req::get(&path)), 404);
    assert_eq!(world.status(&other, Req::delete(&path)), 404);
    assert_eq!(world.get(&other, PORTS)["ports"], json!([]));
    let found = world.get(
        &demo,
        &format!("{PORTS}?description=op-1/port/web&fields=id&fields=name"),
    );
    assert_eq!(found["ports"], json!([{"id": port["id"], "name": ""}]));
    assert_eq!(
        world.status(&demo, Req::get(&format!("{PORTS}?colour=red"))),
        400
    );
    assert!(port.get("binding:host_id").is_none());
}

#[test]
fn tags_are_put_found_and_taken_away() {
    let mut world = world();
    let demo = world.demo.clone();
    let port = world.port(&demo, json!({"network_id": world.ids.networks[0]}));
    let path = format!("{PORTS}/{}/tags/op-1", port["id"].as_str().unwrap());
    assert_eq!(world.status(&demo, Req::new("PUT", &path)), 201);
    assert_eq!(world.status(&demo, Req::get(&path)), 204);
    assert_eq!(
        world.get(&demo, &format!("{PORTS}?tags=op-1"))["ports"][0]["tags"],
        json!(["op-1"])
    );
    assert_eq!(
        world.get(&demo, &format!("{PORTS}?not-tags=op-1"))["ports"],
        json!([])
    );
    assert_eq!(world.status(&demo, Req::delete(&path)), 204);
    assert_eq!(world.status(&demo, Req::delete(&path)), 404);
}

#[test]
fn security_groups_must_be_the_callers() {
    let mut world = world();
    let demo = world.demo.clone();
    let (_, project, _) = world.stranger();
    let theirs = world
        .cloud
        .seed_security_group(&project, "theirs", world.now_ms);
    let network = world.ids.networks[0].clone();
    let refused = create(
        &mut world,
        &demo,
        json!({"network_id": network, "security_groups": [theirs]}),
    );
    assert_eq!(
        (refused.status, kind(&refused)),
        (404, "SecurityGroupNotFound")
    );
    let port = world.port(&demo, json!({"network_id": network}));
    let groups = world.get(&demo, "/network/v2.0/security-groups?name=default");
    assert_eq!(
        port["security_groups"],
        json!([groups["security_groups"][0]["id"]])
    );
}

#[test]
fn floating_addresses_follow_their_port() {
    let mut world = world();
    let demo = world.demo.clone();
    let port = world.port(&demo, json!({"network_id": world.ids.networks[0]}));
    let ask = json!({"floatingip": {"floating_network_id": world.ids.public_network, "port_id": port["id"]}});
    let made = world.ok(&demo, Req::post("/network/v2.0/floatingips", &ask));
    assert_eq!(made["floatingip"]["status"], "ACTIVE");
    let again = world.ask(&demo, Req::post("/network/v2.0/floatingips", &ask));
    assert_eq!(
        (again.status, kind(&again)),
        (409, "FloatingIPPortAlreadyAssociated")
    );
    world.ok(
        &demo,
        Req::delete(&format!("{PORTS}/{}", port["id"].as_str().unwrap())),
    );
    let left = world.get(&demo, "/network/v2.0/floatingips");
    assert_eq!(
        (
            &left["floatingips"][0]["status"],
            &left["floatingips"][0]["port_id"]
        ),
        (&json!("DOWN"), &Value::Null)
    );
}

#[test]
fn the_first_answers_after_a_start_may_be_false_403s() {
    let mut world = world();
    let demo = world.demo.clone();
    world.cloud.knobs.neutron_false_403 = 2;
    let first = world.ask(&demo, Req::get(PORTS));
    assert_eq!((first.status, kind(&first)), (403, "PolicyNotAuthorized"));
    assert!(message(&first).contains("disallowed by policy"));
    assert_eq!(world.status(&demo, Req::get("/compute/v2.1/servers")), 200);
    assert_eq!(world.status(&demo, Req::get(PORTS)), 403);
    assert_eq!(world.status(&demo, Req::get(PORTS)), 200);
}
