//! In whose name servers are made: the tenant's, by a trust that its own requests bring, and the service's
//! when there is none (SEC-03, E3, E10). Judged from the ground truth of the pretend clouds.

use http::Method;
use protector_lab::cloud::{Allow, GroundTruth, Req};
use protector_lab::courier::{self, Endpoint};
use protector_lab::story::{Protected, fail_over, poll_until_over, protect, take_point};
use protector_lab::world::{Which, World, WorldOptions, lock};
use serde_json::{Value, json};
use std::time::Duration;

const GIVEN: u64 = 7;
const TRUSTS: &str = "/identity/v3/OS-TRUST/trusts";

async fn scene(name: &str) -> (World, Protected) {
    let world = World::build(WorldOptions::seeded(name, 71)).await.unwrap();
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, GIVEN).await.unwrap();
    (world, group)
}

fn truth(world: &World, which: Which) -> GroundTruth {
    let now_ms = world.now_ms();
    lock(&world.site(which).cloud).ground_truth(now_ms)
}

/// An administrator's own call to the cloud of `which`.
fn as_admin(world: &World, which: Which, req: Req) {
    let (now_ms, standard) = (world.now_ms(), &world.tenant(which).standard);
    let mut cloud = lock(&world.site(which).cloud);
    let token = cloud.seed_token(&standard.admin_user, &standard.admin_project, now_ms);
    let resp = cloud.handle(&req.token(&token), now_ms);
    assert!(resp.status < 300, "{}", resp.body);
}

/// Ids of the trusts at `which`; all of them are the tenant's to the service.
fn trusts(world: &World, which: Which) -> Vec<String> {
    let standard = &world.tenant(which).standard;
    let found = truth(world, which).trusts;
    for trust in &found {
        assert_eq!(trust.trustor_user_id, standard.demo_user);
        assert_eq!(trust.trustee_user_id, standard.protector_user);
        assert_eq!(trust.project_id, standard.demo_project);
        assert!(trust.impersonation && trust.role_ids.len() == 1);
    }
    found.into_iter().map(|trust| trust.id).collect()
}

fn revoke(world: &World, which: Which, trust: &str) {
    as_admin(
        world,
        which,
        Req::new("DELETE", &format!("{TRUSTS}/{trust}")),
    );
}

/// Owner and keypair of the servers that stand at `which`.
fn made(world: &World, which: Which) -> Vec<(String, Option<String>)> {
    let servers = truth(world, which).servers.into_iter();
    let living = servers.filter(|server| server.deleted_ms.is_none());
    living
        .map(|server| (server.user_id, server.key_name))
        .collect()
}

/// Reasons of the group's condition `delegation`, as the tenant reads them.
async fn condition(world: &World, which: Which, group: &str) -> Vec<String> {
    let at = world.endpoint(which).await.unwrap();
    let path = format!("/protection-groups/{group}");
    let shown = at.call(Method::GET, &path, None).await.unwrap();
    let all = shown["protection_group"]["conditions"].as_array().unwrap();
    let ours = all.iter().filter(|one| one["kind"] == "delegation");
    ours.map(|one| one["reason"].as_str().unwrap().to_owned())
        .collect()
}

fn codes(plan: &Value) -> Vec<&str> {
    let warnings = plan["warnings"].as_array().unwrap().iter();
    warnings
        .map(|one| one["refusal"]["code"].as_str().unwrap())
        .collect()
}

/// An administrator in the tenant's project: nobody's trust comes with it.
async fn operator(world: &World, which: Which) -> Endpoint {
    let admin = world.admin_endpoint(which).await.unwrap();
    Endpoint {
        project: world.tenant(which).project.clone(),
        ..admin
    }
}

fn unplanned(dry_run: bool) -> Value {
    json!({ "failover": { "type": "unplanned", "dry_run": dry_run } })
}

async fn forced_by_operator(world: &mut World, group: &Protected) -> Value {
    let admin = operator(world, Which::B).await;
    let asked = admin.act(&group.group, &unplanned(false), "k").await;
    let id = courier::operation_id("action", &asked.unwrap()).unwrap();
    let over = poll_until_over(world, Which::B, &id, &mut 0, &mut |_| {}).await;
    over.unwrap()
}

#[tokio::test(start_paused = true)]
async fn servers_are_made_in_the_tenants_name_with_its_keypair() {
    let (mut world, group) = scene("trust-living").await;
    for which in [Which::A, Which::B] {
        assert_eq!(trusts(&world, which).len(), 1, "one for all its changes");
        let none: [String; 0] = [];
        assert_eq!(condition(&world, which, &group.group).await, none);
    }
    world.lose(Which::A);
    let run = fail_over(&mut world, &group, |_| {}).await.unwrap();
    assert_eq!(run.operation["status"], "completed");
    let owner = world.tenant(Which::B).standard.demo_user.clone();
    let expected = vec![(owner, Some("lab-key".to_owned())); 3];
    assert_eq!(made(&world, Which::B), expected);
}

#[tokio::test(start_paused = true)]
async fn a_dead_trust_is_told_and_stops_no_forced_move() {
    let (mut world, group) = scene("trust-dead").await;
    let trust = trusts(&world, Which::B).remove(0);
    revoke(&world, Which::B, &trust);
    world.lose(Which::A);
    let admin = operator(&world, Which::B).await;
    let plan = admin.act(&group.group, &unplanned(true), "dry").await;
    let plan = plan.unwrap()["plan"].clone();
    let found = codes(&plan);
    assert!(found.contains(&"no_trust"), "{plan}");
    let without_key = found.iter().filter(|code| **code == "no_keypair");
    assert_eq!(without_key.count(), 3, "one for each member");
    let reasons = condition(&world, Which::B, &group.group).await;
    assert!(reasons[0].contains("is dead"), "{reasons:?}");

    let over = forced_by_operator(&mut world, &group).await;
    assert_eq!(over["status"], "completed", "{over}");
    let service = world.tenant(Which::B).standard.protector_user.clone();
    assert_eq!(made(&world, Which::B), vec![(service, None); 3]);
}

#[tokio::test(start_paused = true)]
async fn the_tenants_next_request_takes_a_new_trust() {
    let (mut world, group) = scene("trust-again").await;
    let trust = trusts(&world, Which::B).remove(0);
    revoke(&world, Which::B, &trust);
    world.lose(Which::A);
    // An operator's dry run finds it dead; the tenant's own request mends it.
    let admin = operator(&world, Which::B).await;
    admin
        .act(&group.group, &unplanned(true), "dry")
        .await
        .unwrap();
    assert_eq!(condition(&world, Which::B, &group.group).await.len(), 1);
    fail_over(&mut world, &group, |_| {}).await.unwrap();
    let now = trusts(&world, Which::B);
    assert!(now.len() == 1 && now[0] != trust);
    let none: [String; 0] = [];
    assert_eq!(condition(&world, Which::B, &group.group).await, none);
    assert!(made(&world, Which::B).iter().all(|(_, key)| key.is_some()));
}

/// The plan was made by a trust that serves; Nova says no all the same.
#[tokio::test(start_paused = true)]
async fn a_trust_that_fails_after_the_plan_is_a_deviation_of_each_member() {
    let (mut world, group) = scene("trust-late").await;
    lock(&world.site(Which::B).cloud)
        .knobs
        .policies
        .insert("os_compute_api:servers:create".to_owned(), Allow::Admin);
    world.lose(Which::A);
    let run = fail_over(&mut world, &group, |_| {}).await.unwrap();
    assert_eq!(run.operation["status"], "completed", "{}", run.operation);
    let service = world.tenant(Which::B).standard.protector_user.clone();
    assert_eq!(made(&world, Which::B), vec![(service, None); 3]);
    let at = world.endpoint(Which::B).await.unwrap();
    let id = run.operation["id"].as_str().unwrap();
    let path = format!("/operations/{id}/events?limit=1000");
    let events = at.call(Method::GET, &path, None).await.unwrap();
    let told = events["events"].as_array().unwrap().iter().filter(|event| {
        event["kind"] == "warning"
            && event["text"]
                .as_str()
                .unwrap()
                .contains("without a keypair")
    });
    assert_eq!(told.count(), 3, "{events}");
}

#[tokio::test(start_paused = true)]
async fn a_trust_ends_with_the_last_group_that_rests_on_it() {
    let (world, group) = scene("trust-end").await;
    let (a, b) = (
        world.endpoint(Which::A).await.unwrap(),
        world.endpoint(Which::B).await.unwrap(),
    );
    let create = json!({ "protection_group": {
        "name": "second", "replication_type": "async",
        "secondary_site": Which::B.name(), "volume_type": "replicated-ssd",
    }});
    let groups = "/protection-groups";
    let second = courier::change(&a, &b, Method::POST, groups, &create).await;
    let second = second.unwrap();
    for (gone, left) in [(&group.group, 1), (&second, 0)] {
        courier::delete(&a, &b, gone).await.unwrap();
        tokio::time::sleep(Duration::from_secs(130)).await;
        for which in [Which::A, Which::B] {
            assert_eq!(trusts(&world, which).len(), left, "{which:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_can_lend_nothing_is_a_condition_and_no_obstacle() {
    let world = World::build(WorldOptions::seeded("trust-app", 71))
        .await
        .unwrap();
    let (mut a, b) = (
        world.endpoint(Which::A).await.unwrap(),
        world.endpoint(Which::B).await.unwrap(),
    );
    let own = a.token.clone();
    a.token = application_credential(&world, Which::A, &own);
    let create = json!({ "protection_group": {
        "name": "ci", "replication_type": "async",
        "secondary_site": Which::B.name(), "volume_type": "replicated-ssd",
    }});
    let group = courier::change(&a, &b, Method::POST, "/protection-groups", &create).await;
    let group = group.unwrap();
    assert_eq!(trusts(&world, Which::A).len(), 0);
    let reasons = condition(&world, Which::A, &group).await;
    assert!(reasons[0].contains("application credential"), "{reasons:?}");
    a.token = own;
    let words = json!({ "description": "by hand" });
    courier::update(&a, &b, &group, &words).await.unwrap();
    assert_eq!(trusts(&world, Which::A).len(), 1);
    let none: [String; 0] = [];
    assert_eq!(condition(&world, Which::A, &group).await, none);
}

/// A token of the tenant's by an application credential.
fn application_credential(world: &World, which: Which, own: &str) -> String {
    let (now_ms, user) = (world.now_ms(), &world.tenant(which).user);
    let mut cloud = lock(&world.site(which).cloud);
    let path = format!("/identity/v3/users/{user}/application_credentials");
    let ask = json!({"application_credential": {"name": "ci"}});
    let made = cloud.handle(&Req::post(&path, &ask).token(own), now_ms);
    let one = &made.body["application_credential"];
    let auth = json!({"auth": {"identity": {"methods": ["application_credential"],
        "application_credential": {"id": one["id"], "secret": one["secret"]}}}});
    let login = cloud.handle(&Req::post("/identity/v3/auth/tokens", &auth), now_ms);
    let mut headers = login.headers.iter();
    let token = headers.find(|(name, _)| name.eq_ignore_ascii_case("x-subject-token"));
    token.unwrap().1.clone()
}
