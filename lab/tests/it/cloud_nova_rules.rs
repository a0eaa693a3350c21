//! What Nova lists, hides, counts and gates by microversion.
use crate::cloud_support::{World, message, names, world};
use protector_lab::cloud::{Req, Resp, Service};
use serde_json::{Value, json};

const SERVERS: &str = "/compute/v2.1/servers";

fn act(world: &mut World, token: &str, id: &str, body: Value) -> Resp {
    world.ask(token, Req::post(&format!("{SERVERS}/{id}/action"), &body))
}

#[test]
fn quotas_are_403_and_name_every_short_resource() {
    let mut world = world();
    let demo = world.demo.clone();
    let project = world.ids.demo_project.clone();
    world.boot("one");
    world
        .cloud
        .seed_quota(Service::Compute, &project, "instances", 1);
    world
        .cloud
        .seed_quota(Service::Compute, &project, "ram", 256);
    let volume = world.volume("v", true);
    let mut body = world.server_body("two", &volume, "");
    body["server"]["networks"] = json!("none");
    let refused = world.ask(&demo, Req::post(SERVERS, &body));
    assert_eq!(refused.status, 403);
    assert_eq!(
        message(&refused),
        "Quota exceeded for instances, ram: Requested 1, 256, but already used 1, 256 of 1, 256 instances, ram"
    );
    assert_eq!(world.volume_show(&volume)["status"], "available");
    let limits = world.get(&demo, "/compute/v2.1/limits");
    assert_eq!(limits["limits"]["absolute"]["totalInstancesUsed"], 1);
}

#[test]
fn the_name_filter_is_a_regular_expression() {
    let mut world = world();
    let demo = world.demo.clone();
    for name in ["web.1", "web-1", "old-WEB.1-copy", "db"] {
        world.now_ms += 1;
        world.seeded(name);
    }
    let list = |world: &mut World, filter: &str| {
        let mut found = names(&world.get(&demo, &format!("{SERVERS}?name={filter}"))["servers"]);
        found.sort();
        found
    };
    assert_eq!(
        list(&mut world, "web.1"),
        vec!["old-WEB.1-copy", "web-1", "web.1"]
    );
    assert_eq!(list(&mut world, "%5Eweb%5C.1%24"), vec!["web.1"]);
    assert_eq!(
        world.status(&demo, Req::get(&format!("{SERVERS}?name=(("))),
        400
    );
}

#[test]
fn walls_between_projects_and_what_only_admins_see() {
    let mut world = world();
    let (demo, admin) = (world.demo.clone(), world.admin.clone());
    let (other, _, _) = world.stranger();
    let (id, _, _) = world.boot("web");
    let path = format!("{SERVERS}/{id}");
    assert_eq!(world.status(&other, Req::get(&path)), 404);
    assert_eq!(world.status(&other, Req::delete(&path)), 404);
    assert_eq!(
        act(&mut world, &other, &id, json!({"os-stop": null})).status,
        404
    );
    assert_eq!(
        world.status(&other, Req::get(&format!("{SERVERS}?all_tenants=1"))),
        403
    );
    assert_eq!(
        names(&world.get(&admin, &format!("{SERVERS}?all_tenants=1"))["servers"]),
        vec!["web"]
    );
    assert_eq!(
        names(&world.get(&admin, SERVERS)["servers"]),
        Vec::<String>::new()
    );
    world.settle();
    assert_eq!(
        world.get(&admin, &path)["server"]["OS-EXT-SRV-ATTR:host"],
        "site-b-compute-1"
    );
    assert!(
        world.get(&demo, &path)["server"]
            .get("OS-EXT-SRV-ATTR:host")
            .is_none()
    );
}

#[test]
fn user_data_is_not_readable_by_its_owner_nor_in_ground_truth() {
    let mut world = world();
    let (demo, admin) = (world.demo.clone(), world.admin.clone());
    let volume = world.volume("root", true);
    let mut body = world.server_body("web", &volume, "");
    body["server"]["networks"] = json!("none");
    body["server"]["user_data"] = json!("Q0FOQVJZ");
    let id = world.ok(&demo, Req::post(SERVERS, &body))["server"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.settle();
    let path = format!("{SERVERS}/{id}");
    assert!(!world.get(&demo, &path).to_string().contains("Q0FOQVJZ"));
    assert!(world.get(&admin, &path).to_string().contains("Q0FOQVJZ"));
    let truth = world.cloud.ground_truth(world.now_ms);
    assert!(!serde_json::to_string(&truth).unwrap().contains("Q0FOQVJZ"));
    assert!(!format!("{truth:?}").contains("Q0FOQVJZ"));
}

#[test]
fn changes_since_shows_what_changed_and_what_was_deleted() {
    let mut world = world();
    let demo = world.demo.clone();
    let (old, _, _) = world.boot("old");
    let (gone, _, _) = world.boot("gone");
    world.settle();
    world.now_ms += 60_000;
    world.ok(&demo, Req::delete(&format!("{SERVERS}/{gone}")));
    world.settle();
    let since = "2026-09-21T14:14:00Z";
    let at_ms = world
        .cloud
        .ground_truth(world.now_ms)
        .servers
        .iter()
        .find(|one| one.id == old)
        .unwrap()
        .updated_ms;
    assert!(
        at_ms < 1_790_000_040_000,
        "the fixed moment lies between both changes"
    );
    let list = world.get(&demo, &format!("{SERVERS}/detail?changes-since={since}"));
    let found: Vec<(&str, &str)> = list["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["name"].as_str().unwrap(),
                one["status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(found, vec![("gone", "DELETED")]);
    assert_eq!(
        world.status(&demo, Req::get(&format!("{SERVERS}?changes-since=soon"))),
        400
    );
}

#[test]
fn microversions_gate_fields_and_unknown_ones_are_406() {
    let mut world = world();
    let demo = world.demo.clone();
    let volume = world.volume("root", true);
    let mut body = world.server_body("web", &volume, "");
    body["server"]["networks"] = json!("none");
    body["server"]["hostname"] = json!("web-1");
    let create = Req::post(SERVERS, &body);
    assert_eq!(
        world.status(&demo, create.clone().version("compute 2.89")),
        400
    );
    assert_eq!(world.status(&demo, create.version("compute 2.90")), 202);
    let resp = world.ask(&demo, Req::get(SERVERS).version("compute 2.999"));
    assert_eq!(
        (resp.status, resp.body.get("computeFault").is_some()),
        (406, true)
    );
    let plain = world
        .cloud
        .handle(&Req::get(SERVERS).token(&demo), world.now_ms);
    assert_eq!(plain.headers["OpenStack-API-Version"], "compute 2.1");
    let root = world
        .cloud
        .handle(&Req::get("/compute/v2.1/"), world.now_ms);
    assert_eq!(
        (root.status, &root.body["version"]["min_version"]),
        (200, &json!("2.1"))
    );
}

#[test]
fn a_key_belongs_to_a_user_and_must_exist() {
    let mut world = world();
    let project = world.ids.demo_project.clone();
    let user = world.ids.admin_user.clone();
    let admin_in_demo = world.cloud.seed_token(&user, &project, world.now_ms);
    let volume = world.volume("root", true);
    let mut body = world.server_body("web", &volume, "");
    body["server"]["networks"] = json!("none");
    let refused = world.ask(&admin_in_demo, Req::post(SERVERS, &body));
    assert_eq!(
        (refused.status, message(&refused)),
        (400, "Invalid key_name provided.".to_owned())
    );
    body["server"].as_object_mut().unwrap().remove("key_name");
    assert_eq!(world.status(&admin_in_demo, Req::post(SERVERS, &body)), 202);
}
