//! What a target lacks, made at a running site: a planned move is refused and nothing has begun, a drill too, and
//! of a forced one the plan says beforehand who stays behind and what each VM loses.

use super::scene::*;
use http::Method;
use protector_lab::cloud::{Cloud, Req};
use protector_lab::courier;
use protector_lab::story::{Protected, protect, take_point};
use protector_lab::world::{Which, World, lock};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Of the member that joins later: more at home than at the target.
const FLAVOR: &str = "app.grown";
const LATE: &str = "late";
/// Polls of a second until a server is up.
const POLLS_MAX: u32 = 60;

/// A call to a cloud by the tenant, or by its administrator.
fn ask(world: &World, which: Which, by_admin: bool, request: Req) -> Value {
    let (now_ms, ids) = (world.now_ms(), &world.tenant(which).standard);
    let mut cloud = lock(&world.site(which).cloud);
    let user = if by_admin {
        &ids.admin_user
    } else {
        &ids.demo_user
    };
    let token = cloud.seed_token(user, &ids.demo_project, now_ms);
    let shown = request.path.clone();
    let answer = cloud.handle(&request.token(&token), now_ms);
    assert!(
        answer.status < 300,
        "{shown}: {} {}",
        answer.status,
        answer.body
    );
    answer.body
}

async fn begin(name: &str) -> (World, Protected) {
    let world = world(name).await;
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, 7).await.unwrap();
    (world, group)
}

/// The plan of a failover that would be `asked` for at B, or why there is none.
async fn dry(
    world: &World,
    group: &Protected,
    asked: Value,
) -> Result<Value, courier::CourierError> {
    let b = world.endpoint(Which::B).await.unwrap();
    let mut asked = asked;
    asked["dry_run"] = json!(true);
    let path = format!("/protection-groups/{}/action", group.group);
    let answer = post(&b, &path, &json!({ "failover": asked })).await;
    answer.map(|answer| answer["plan"].clone())
}

async fn planned(world: &World, group: &Protected) -> Said {
    refused(dry(world, group, json!({ "type": "planned" })).await)
}

/// `code | text | remedy` of each warning, and of each reason why a member stays behind.
fn told(plan: &Value) -> (Vec<String>, Vec<String>) {
    let line = |one: &Value| {
        let words = ["code", "message", "remedy"].map(|key| one[key].as_str().unwrap().to_owned());
        words.join(" | ")
    };
    let warnings = plan["warnings"].as_array().unwrap().iter();
    let left = plan["left_out"].as_array().unwrap().iter();
    let reasons = left.flat_map(|left| left["reasons"].as_array().unwrap().clone());
    (
        warnings.map(|w| line(&w["refusal"])).collect(),
        reasons.map(|r| line(&r)).collect(),
    )
}

fn address_of(world: &World, member: &str) -> String {
    let truth = cloud(world, Which::A, |c| c.ground_truth(world.now_ms()));
    let server = truth.servers.iter().find(|s| s.name == member).unwrap();
    let port = server.nics[0].port_id.as_ref().unwrap();
    let port = truth.ports.iter().find(|p| &p.id == port).unwrap();
    port.fixed_ips[0].ip_address.clone()
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_at_the_target_is_named_and_nothing_begins() {
    let (world, group) = begin("target-lacks").await;
    let b = world.tenant(Which::B).standard.clone();
    let whole = dry(&world, &group, json!({ "type": "planned" })).await;
    let none: (Vec<String>, Vec<String>) = (vec![], vec![]);
    assert_eq!(told(&whole.unwrap()), none, "it lacks nothing");

    cloud(&world, Which::B, |c| c.knobs.cinder_volume_up = false);
    let words: &[&str] = &["replicated-ssd", "openstack volume service list"];
    let said = planned(&world, &group).await;
    said.is("409 no_volume_service", words);
    cloud(&world, Which::B, |c| c.knobs.cinder_volume_up = true);

    let address = address_of(&world, "web-1");
    let squatter = json!({ "port": { "network_id": b.networks[0],
        "fixed_ips": [{ "subnet_id": b.subnets[0], "ip_address": address }] } });
    let ports = "/network/v2.0/ports";
    let made = ask(&world, Which::B, false, Req::post(ports, &squatter));
    let words: &[&str] = &["web-1", &address, "openstack port list --fixed-ip"];
    planned(&world, &group).await.is("409 address_taken", words);
    let forced = dry(&world, &group, json!({ "type": "unplanned" })).await;
    let (warned, left) = told(&forced.unwrap());
    assert!(warned.is_empty(), "{warned:?}");
    assert!(
        left.len() == 1 && left[0].starts_with("address_taken | web-1"),
        "{left:?}"
    );
    let port = made["port"]["id"].as_str().unwrap();
    ask(
        &world,
        Which::B,
        false,
        Req::delete(&format!("{ports}/{port}")),
    );

    let groups = "/network/v2.0/security-groups";
    let shown = ask(&world, Which::B, false, Req::get(groups));
    let all = shown["security_groups"].as_array().unwrap().iter();
    let web = all.into_iter().find(|g| g["name"] == "web").unwrap()["id"].clone();
    let path = format!("{groups}/{}", web.as_str().unwrap());
    ask(&world, Which::B, false, Req::delete(&path));
    let each = "409 no_security_group,no_security_group,no_security_group";
    let words: &[&str] = &[
        "web-1",
        "web-3",
        "for web",
        "openstack security group create",
    ];
    planned(&world, &group).await.is(each, words);
    let again = json!({ "security_group": { "name": "web" } });
    ask(&world, Which::B, false, Req::post(groups, &again));

    let path = format!("/network/v2.0/subnets/{}", b.subnets[0]);
    ask(&world, Which::B, false, Req::delete(&path));
    let words: &[&str] = &["web-2", "app-net-v4", "mapping set"];
    let said = planned(&world, &group).await;
    said.is("409 no_subnet,no_subnet,no_subnet", words);
    let b = world.endpoint(Which::B).await.unwrap();
    let path = format!("/operations?group={}", group.group);
    let begun = b.call(Method::GET, &path, None).await.unwrap();
    assert_eq!(begun["operations"], json!([]));
}

/// E8: the grant that the tenant mapping gave is gone.
#[tokio::test(start_paused = true)]
async fn a_service_without_its_role_in_the_project_says_so_first() {
    let (world, group) = begin("target-delegation").await;
    let b = world.tenant(Which::B).standard.clone();
    let role = cloud(&world, Which::B, |c: &mut Cloud| {
        c.role_id("admin").unwrap()
    });
    let path = format!(
        "/identity/v3/projects/{}/users/{}/roles/{role}",
        b.demo_project, b.protector_user
    );
    ask(&world, Which::B, true, Req::delete(&path));
    let said = planned(&world, &group).await;
    assert_eq!(said.status, 409, "{}", said.text);
    assert_eq!(said.codes[0], "delegation_broken", "{}", said.text);
    for word in [
        "the service may not act in the tenant's project at the target",
        "openstack dr tenant mapping create",
    ] {
        assert!(said.text.contains(word), "{word} is not in: {}", said.text);
    }
    let rest = said.codes[1..].iter();
    assert!(
        rest.clone().all(|code| code == "could_not_ask"),
        "an unanswered question is no empty cloud: {}",
        said.text
    );
}

/// A VM in a server group, of a flavor that has the same name and less of everything at the target.
async fn late_server(world: &World) -> String {
    let seed = |which, vcpus| cloud(world, which, |c| c.seed_flavor(FLAVOR, vcpus, 4_096, 0));
    let (flavor, _) = (seed(Which::A, 4), seed(Which::B, 2));
    let ids = world.tenant(Which::A).standard.clone();
    let owner = (ids.demo_project.as_str(), ids.demo_user.as_str());
    let now_ms = world.now_ms();
    let (volume, apart) = cloud(world, Which::A, |c| {
        let volume = c.seed_volume(owner, "root", 1, "replicated-ssd", now_ms);
        let volume = volume.unwrap();
        c.seed_volume_change(&volume, |v| v.bootable = true);
        let apart = c.seed_server_group(owner.0, owner.1, "apart", "anti-affinity");
        (volume, apart)
    });
    let body = json!({
        "server": { "name": LATE, "flavorRef": flavor, "networks": [{ "uuid": ids.networks[0] }],
            "block_device_mapping_v2": [{ "uuid": volume, "source_type": "volume",
                "destination_type": "volume", "boot_index": 0 }] },
        "os:scheduler_hints": { "group": apart },
    });
    let boot = Req::post("/compute/v2.1/servers", &body).version("compute 2.96");
    let made = ask(world, Which::A, false, boot);
    let id = made["server"]["id"].as_str().unwrap().to_owned();
    for _ in 0..POLLS_MAX {
        let truth = cloud(world, Which::A, |c| c.ground_truth(world.now_ms()));
        let mut servers = truth.servers.iter();
        if servers.any(|s| s.id == id && s.running) {
            return id;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("{LATE} never runs");
}

#[tokio::test(start_paused = true)]
async fn what_a_member_that_joined_later_would_lose_is_told_before() {
    let (mut world, group) = begin("target-late").await;
    let server = late_server(&world).await;
    let (a, b) = (
        world.endpoint(Which::A).await.unwrap(),
        world.endpoint(Which::B).await.unwrap(),
    );
    let path = format!("/protection-groups/{}", group.group);
    let member = json!({ "member": { "instance_id": server } });
    let members = format!("{path}/members");
    courier::change(&a, &b, Method::POST, &members, &member)
        .await
        .unwrap();

    let forced = json!({ "type": "unplanned" });
    let plan = dry(&world, &group, forced.clone()).await.unwrap();
    let (_, left) = told(&plan);
    let is_late = |line: &String| line.starts_with("not_in_point | late: root is not in recovery");
    assert!(left.len() == 1 && left.iter().all(is_late), "{left:?}");
    let networks = |which: Which| world.tenant(which).standard.networks.clone();
    let isolated = [(networks(Which::A)[0].clone(), networks(Which::B)[2].clone())];
    let isolated = BTreeMap::from(isolated);
    let drill = json!({ "test_failover": { "network_mapping": isolated } });
    let said = refused(post(&b, &format!("{path}/action"), &drill).await);
    let words: &[&str] = &[LATE, "consistency-group sync"];
    assert_eq!(said.codes[0], "not_in_point", "{}", said.text);
    for word in words {
        assert!(said.text.contains(word), "{word} is not in: {}", said.text);
    }

    world.options.volumes += 1;
    take_point(&world, &group, 8).await.unwrap();
    let plan = dry(&world, &group, forced).await.unwrap();
    let (warned, left) = told(&plan);
    assert!(left.is_empty(), "{left:?}");
    let expected = [
        "flavor_smaller | late: flavor app.grown at the target is smaller than at the source | openstack flavor create",
        "server_group_dropped | late: server group membership cannot be rebuilt | none needed",
    ];
    assert_eq!(warned.len(), expected.len(), "{warned:?}");
    for (line, begins) in warned.iter().zip(expected) {
        assert!(line.starts_with(begins), "{line}");
    }
}
