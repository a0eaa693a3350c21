//! Ways out of an operation (I13): cancelled behind every place that it passes, also with its engine killed
//! at once; stuck until somebody helps; and who may not.

use http::Method;
use protector_actors::Care;
use protector_chaos_tests::cancel::travel_cancelled;
use protector_chaos_tests::case::{Trouble, crashes, sampled};
use protector_chaos_tests::journey::{Journey, travel};
use protector_chaos_tests::sweep::{bad, sweep};
use protector_domain::effect::METADATA_KEY;
use protector_lab::cloud::{Allow, FailRule, Req, SeedServer, Server};
use protector_lab::courier::Endpoint;
use protector_lab::story::{Protected, operation, planned_failover, protect, take_point};
use protector_lab::world::{Which, World, WorldOptions, lock};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const SEED: u64 = 606;

/// Everything passed on the way forward, each once.
fn forward(journey: Journey) -> Vec<Trouble> {
    let report = travel(SEED, journey, &Trouble::None, Care::default()).unwrap();
    let all = crashes(&report.places).into_iter();
    let forward = all.filter(|t| matches!(t, Trouble::Crash(p) if p.contains(":do:")));
    sampled(forward.collect())
}

fn cancel_everywhere(journey: Journey, killed: bool) {
    let cases = forward(journey);
    assert!(cases.len() > 5, "{journey:?} has places");
    let reports = sweep(&cases, |trouble| match trouble {
        Trouble::Crash(place) => travel_cancelled(SEED, journey, place, killed),
        other => anyhow::bail!("{other} is no place"),
    });
    let wrong = bad(&reports);
    assert!(
        wrong.is_empty(),
        "seed {SEED}, {journey:?}: {}",
        wrong.join("\n")
    );
    let kills = reports.iter().filter(|r| r.crashes > 0).count();
    assert_eq!(
        kills > 0,
        killed,
        "the engine was killed while it went back"
    );
    println!(
        "{journey:?}: {} cancels hold, {kills} with a kill",
        reports.len()
    );
}

#[test]
fn a_planned_failover_is_cancelled_behind_every_place() {
    cancel_everywhere(Journey::Planned, false);
}

#[test]
fn a_failback_is_cancelled_behind_every_place() {
    cancel_everywhere(Journey::Failback, false);
}

#[test]
fn a_drill_is_cancelled_behind_every_place() {
    cancel_everywhere(Journey::Drill, false);
}

/// S9: the wish outlives the engine.
#[test]
fn a_cancel_survives_a_kill() {
    cancel_everywhere(Journey::Planned, true);
}

const UNMANAGE: &str = "volume_extension:volume_unmanage";

/// A drill at B that can boot nothing, and whose undo may not let go of its volumes.
async fn stuck_drill(name: &str) -> (World, Protected, String) {
    let world = World::build(WorldOptions::seeded(name, 12)).await.unwrap();
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, 7).await.unwrap();
    {
        let mut cloud = lock(&world.b.cloud);
        cloud.knobs.boots_refused = Some("No valid host was found.".to_owned());
        cloud
            .knobs
            .policies
            .insert(UNMANAGE.to_owned(), Allow::Nobody);
    }
    let (a, b) = (&world.tenants[0].standard, &world.tenants[1].standard);
    let isolated = BTreeMap::from([(a.networks[0].clone(), b.networks[2].clone())]);
    let asked = json!({ "test_failover": { "network_mapping": isolated } });
    let at = world.endpoint(Which::B).await.unwrap();
    let started = at.act(&group.group, &asked, "stuck").await.unwrap();
    let id = started["operation"]["id"].as_str().unwrap().to_owned();
    waits(&world, &id).await;
    (world, group, id)
}

async fn shown(world: &World, id: &str) -> Value {
    let at = world.endpoint(Which::B).await.unwrap();
    operation(&at, id).await.unwrap()
}

/// It waits for the operator, and says for what and how to help.
async fn waits(world: &World, id: &str) {
    for _ in 0..600 {
        let now = shown(world, id).await;
        if now["outcome"] == "needs_operator" {
            assert_eq!(now["status"], "running", "it is not over: {now}");
            let why = now["error_message"].as_str().unwrap();
            assert!(
                why.contains("operation resume") && why.contains("import_volumes"),
                "{why}"
            );
            return;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    panic!("it never waits");
}

async fn order(at: &Endpoint, id: &str, order: &Value) -> String {
    let path = format!("/operations/{id}/action");
    match at.call(Method::POST, &path, Some(order)).await {
        Ok(_) => "202".to_owned(),
        Err(no) => format!("{} {}", no.status, no.code()),
    }
}

async fn ends(world: &World, id: &str) -> Value {
    for _ in 0..600 {
        let now = shown(world, id).await;
        if now["status"] == "failed" || now["status"] == "completed" {
            return now;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    panic!("it does not end");
}

fn volumes_at_b(world: &World) -> Vec<String> {
    let truth = lock(&world.b.cloud).ground_truth(world.now_ms());
    truth.volumes.into_iter().map(|v| v.id).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_stuck_waits_over_a_restart_until_it_is_resumed() {
    let (mut world, group, id) = stuck_drill("ways-resume").await;
    world.b.crash();
    world.b.boot().await.unwrap();
    tokio::time::sleep(Duration::from_secs(300)).await;
    waits(&world, &id).await;
    let at = world.endpoint(Which::B).await.unwrap();
    let busy = at
        .act(&group.group, &json!({ "test_cleanup": {} }), "k")
        .await;
    assert_eq!(
        busy.unwrap_err().code(),
        "operation_in_progress",
        "it keeps its place"
    );
    // In vain as long as nothing has changed.
    assert_eq!(order(&at, &id, &json!({ "resume": {} })).await, "202");
    tokio::time::sleep(Duration::from_secs(600)).await;
    waits(&world, &id).await;
    assert_eq!(volumes_at_b(&world).len(), 5);

    lock(&world.b.cloud).knobs.policies.remove(UNMANAGE);
    let at = world.endpoint(Which::B).await.unwrap();
    assert_eq!(order(&at, &id, &json!({ "resume": {} })).await, "202");
    let over = ends(&world, &id).await;
    assert_eq!(over["outcome"], "partial", "{over}");
    assert!(volumes_at_b(&world).is_empty(), "everything of it went");
    let again = order(&at, &id, &json!({ "resume": {} })).await;
    assert_eq!(again, "409 operation_ended");
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_is_listed_by_id() {
    let (world, _group, id) = stuck_drill("ways-skip").await;
    let at = world.endpoint(Which::B).await.unwrap();
    let skip = json!({ "skip_step": { "reason": "storage team removes them by hand" } });
    assert_eq!(
        order(&at, &id, &skip).await,
        "403 forbidden",
        "for administrators"
    );
    let admin = world.admin_endpoint(Which::B).await.unwrap();
    let silent = json!({ "skip_step": { "reason": " " } });
    assert_eq!(order(&admin, &id, &silent).await, "400 no_reason");
    assert_eq!(order(&admin, &id, &skip).await, "202");
    ends(&world, &id).await;
    let running = world.b.running.as_ref().unwrap();
    let effects = running
        .store
        .effects_by_operation(id.parse().unwrap())
        .await;
    let left = effects.unwrap().into_iter();
    let left = left.filter(|e| e.step == "import_volumes");
    let mut listed: Vec<String> = left
        .filter(|e| e.state == protector_domain::effect::EffectState::LeftBehind)
        .filter_map(|e| e.object_id)
        .collect();
    let mut there = volumes_at_b(&world);
    listed.sort();
    there.sort();
    assert_eq!(listed, there, "S3: what stays is listed by id");
    assert_eq!(listed.len(), 5);
}

/// Nova has booted it and its answer got lost; before anybody looked, the tenant cleared its metadata.
async fn clear_the_key(world: &World) -> String {
    let token = world.endpoint(Which::B).await.unwrap().token;
    for _ in 0..600_000 {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let mut live = live_servers(world).into_iter();
        let booted = live.find(|s| s.metadata.contains_key(METADATA_KEY));
        let Some(server) = booted else { continue };
        let path = format!(
            "/compute/v2.1/servers/{}/metadata/{METADATA_KEY}",
            server.id
        );
        let cleared = Req::delete(&path).header("x-auth-token", &token);
        let answer = lock(&world.b.cloud).handle(&cleared, world.now_ms());
        assert_eq!(answer.status, 204, "the tenant may");
        return server.id;
    }
    panic!("nothing was booted");
}

fn live_servers(world: &World) -> Vec<Server> {
    let truth = lock(&world.b.cloud).ground_truth(world.now_ms());
    let live = truth.servers.into_iter();
    live.filter(|s| s.vm_state != "deleted").collect()
}

/// A drill of one VM at B whose server has lost its key, so that its volumes cannot be let go of. Gives the
/// world, the operation, its server, and one that the tenant runs besides.
async fn keyless(name: &str) -> (World, String, String, String) {
    let options = WorldOptions {
        members: 1,
        volumes: 2,
        ..WorldOptions::seeded(name, 12)
    };
    let world = World::build(options).await.unwrap();
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, 7).await.unwrap();
    let standard = world.tenants[1].standard.clone();
    let foreign = {
        let mut cloud = lock(&world.b.cloud);
        let lost = FailRule::new("/servers$", 504).unwrap().method("POST");
        cloud.knobs.fail_rules.push(lost.after());
        let seed = SeedServer {
            project_id: standard.demo_project.clone(),
            user_id: standard.demo_user.clone(),
            name: "web-1".to_owned(),
            flavor_id: standard.flavors[1].clone(),
            network_ids: vec![standard.networks[1].clone()],
            disks: vec![(1, "replicated-ssd".to_owned())],
            ..SeedServer::default()
        };
        cloud.seed_server(&seed, world.now_ms()).unwrap().server_id
    };
    let networks = &world.tenants[0].standard.networks;
    let isolated = BTreeMap::from([(networks[0].clone(), standard.networks[2].clone())]);
    let asked = json!({ "test_failover": { "network_mapping": isolated } });
    let at = world.endpoint(Which::B).await.unwrap();
    let started = at.act(&group.group, &asked, "adopt").await.unwrap();
    let id = started["operation"]["id"].as_str().unwrap().to_owned();
    let server = clear_the_key(&world).await;
    waits(&world, &id).await;
    (world, id, server, foreign)
}

#[tokio::test(start_paused = true)]
async fn a_server_without_its_key_is_adopted_and_goes_and_a_foreign_one_is_left_alone() {
    let (world, id, server, foreign) = keyless("ways-adopt").await;
    let at = world.endpoint(Which::B).await.unwrap();
    let store = &world.b.running.as_ref().unwrap().store;
    let effects = store
        .effects_by_operation(id.parse().unwrap())
        .await
        .unwrap();
    let boot = effects.iter().find(|e| e.step == "boot_server").unwrap();
    let step = boot.key.as_str().split_once('/').unwrap().1.to_owned();
    let adopt = |step: &str, object: &str| {
        let reason = "the tenant cleared its metadata";
        json!({ "adopt": { "step": step, "object_id": object, "reason": reason } })
    };
    let admin = world.admin_endpoint(Which::B).await.unwrap();
    let unknown = "0b1e5c1e-0000-4000-8000-000000000000";
    for (who, asked, expected) in [
        (&at, adopt(&step, &server), "403 forbidden"),
        (&admin, adopt(&step, &foreign), "409 not_its_object"),
        (&admin, adopt(&step, unknown), "409 no_such_object"),
        (
            &admin,
            adopt("await_server/x", &server),
            "409 not_adoptable",
        ),
    ] {
        assert_eq!(order(who, &id, &asked).await, expected, "{asked}");
    }
    assert_eq!(live_servers(&world).len(), 2, "a refusal touches nothing");
    waits(&world, &id).await;

    assert_eq!(order(&admin, &id, &adopt(&step, &server)).await, "202");
    let over = ends(&world, &id).await;
    assert_eq!(over["outcome"], "partial", "{over}");
    let left: Vec<String> = live_servers(&world).into_iter().map(|s| s.id).collect();
    assert_eq!(
        left,
        std::slice::from_ref(&foreign),
        "its own went, the foreign one stays"
    );
    let truth = lock(&world.b.cloud).ground_truth(world.now_ms());
    let foreign = truth.servers.iter().find(|s| s.id == foreign).unwrap();
    assert!(foreign.running);
    let volumes: Vec<&String> = foreign.disks.iter().map(|d| &d.volume_id).collect();
    assert_eq!(volumes_at_b(&world).iter().collect::<Vec<_>>(), volumes);
}

/// A cancel against the commit: whoever wins, the operation ends as one of the two and its group says so.
#[tokio::test(start_paused = true)]
async fn a_cancel_that_races_the_commit_has_one_winner() {
    let mut won = BTreeSet::new();
    for behind in [
        "after_intent:do:await_server",
        "after_record:do:await_server",
    ] {
        for delay_ms in [0, 3, 40, 200, 1_000, 5_000] {
            won.insert(race(behind, delay_ms).await);
        }
    }
    let both = BTreeSet::from(["cancelled".to_owned(), "full".to_owned()]);
    assert_eq!(won, both, "the race was one");
}

/// The outcome of a planned failover that is cancelled `delay_ms` after it passed `behind` for the last time.
async fn race(behind: &str, delay_ms: u64) -> String {
    let name = format!("ways-race-{behind}-{delay_ms}").replace([':', '_'], "-");
    let mut world = World::build(WorldOptions::seeded(&name, 12)).await.unwrap();
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, 7).await.unwrap();
    let at = world.endpoint(Which::B).await.unwrap();
    let crash = world.b.crash.clone();
    let members = world.tenants[0].servers.len();
    let cancel = async {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let seen = crash.seen();
            if seen.iter().filter(|p| p.starts_with(behind)).count() >= members {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        let path = format!("/operations?group={}", group.group);
        let listed = at.call(Method::GET, &path, None).await.unwrap();
        let newest = listed["operations"][0]["id"].as_str().unwrap().to_owned();
        order(&at, &newest, &json!({ "cancel": {} })).await
    };
    let (run, heard) = tokio::join!(planned_failover(&mut world, &group), cancel);
    let operation = run.unwrap().operation;
    let outcome = operation["outcome"].as_str().unwrap().to_owned();
    let expected = match heard.as_str() {
        "202" => "cancelled",
        "409 past_no_return" | "409 operation_ended" => "full",
        other => panic!("{other}"),
    };
    assert_eq!(outcome, expected, "what was said is what came: {operation}");
    tokio::time::sleep(Duration::from_secs(130)).await;
    let path = format!("/protection-groups/{}", group.group);
    let shown = at.call(Method::GET, &path, None).await.unwrap();
    let status = &shown["protection_group"]["status"];
    let running = |which: Which| {
        let site = world.site(which);
        let truth = lock(&site.cloud).ground_truth(world.now_ms());
        truth.servers.into_iter().filter(|s| s.running).count()
    };
    let (status_is, at_a, at_b) = match expected {
        "cancelled" => ("active", members, 0),
        _ => ("failed_over", 0, members),
    };
    assert_eq!(status, status_is, "{behind} {delay_ms}");
    assert_eq!(
        (running(Which::A), running(Which::B)),
        (at_a, at_b),
        "{behind} {delay_ms}"
    );
    outcome
}

#[tokio::test(start_paused = true)]
async fn orders_that_make_no_sense_are_refused() {
    let (world, _group, id) = stuck_drill("ways-refused").await;
    let at = world.endpoint(Which::B).await.unwrap();
    for (body, expected) in [
        (json!({}), "400 bad_request"),
        (json!({ "cancel": {}, "resume": {} }), "400 bad_request"),
        (json!({ "explode": {} }), "400 bad_request"),
        (json!({ "cancel": { "now": true } }), "400 bad_request"),
    ] {
        assert_eq!(order(&at, &id, &body).await, expected, "{body}");
    }
    let unknown = "019b76da-0000-7000-8000-000000000000";
    let cancel = json!({ "cancel": {} });
    assert_eq!(order(&at, unknown, &cancel).await, "404 not_found");
    assert_eq!(order(&at, &id, &cancel).await, "202");
    assert_eq!(order(&at, &id, &cancel).await, "202", "twice is once");
    assert_eq!(shown(&world, &id).await["status"], "rolling_back");
    lock(&world.b.cloud).knobs.policies.remove(UNMANAGE);
    assert_eq!(order(&at, &id, &json!({ "resume": {} })).await, "202");
    let over = ends(&world, &id).await;
    assert_eq!(over["status"], "failed");
    assert_eq!(over["outcome"], "cancelled", "{over}");
    assert!(volumes_at_b(&world).is_empty());
}
