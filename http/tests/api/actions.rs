//! Operations are started once, whatever the client or the clock does meanwhile.

use crate::world::*;
use http::StatusCode;
use protector_domain::operation::OperationMode;
use protector_domain::plan::{GROUP_LANE, Lane, Stage, Step};
use protector_domain::ports::Acting;
use protector_domain::ports::compute::ServerCreate;
use protector_domain::ports::engine::{Command, MoveKind, Reply};
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;

const UNPLANNED: &str = r#"{"failover": {"type": "unplanned"}}"#;

fn accepted() -> Reply {
    Reply::Accepted {
        operation: Box::new(operation(0x51, MINE)),
    }
}

#[tokio::test(start_paused = true)]
async fn a_failover_is_accepted_with_a_place_to_look() {
    let world = World::new();
    world.will(Ok(accepted()));
    let body = r#"{"failover": {"type": "unplanned", "force": true, "recovery_point": "p.7"}}"#;
    let sent = request(
        "member",
        "POST",
        &group_path("/action"),
        &[("Idempotency-Key", "key-1")],
        body,
    );
    let got = world.send(sent).await;
    let id = operation(0x51, MINE).id;
    assert_eq!(got.status, StatusCode::ACCEPTED);
    assert_eq!(
        got.header("location"),
        format!("/v1/{MINE}/operations/{id}")
    );
    let shown = &got.json()["operation"];
    assert_eq!(
        (&shown["operation_type"], &shown["type"]),
        (&json!("failover"), &json!("unplanned"))
    );
    assert_eq!(
        (&shown["progress"], &shown["started_at"]),
        (&json!(40), &json!("1970-01-01T00:00:00.000000Z"))
    );
    let [
        Command::Move {
            group,
            kind: MoveKind::Failover,
            ask,
            dry_run,
            idempotency_key,
            ticket: None,
        },
    ] = &world.commands()[..]
    else {
        panic!("one failover was expected");
    };
    assert_eq!(
        (*group, *dry_run, idempotency_key.as_deref()),
        (group_id(1), false, Some("key-1"))
    );
    assert_eq!((ask.mode, ask.force), (OperationMode::Unplanned, true));
    assert_eq!(
        ask.recovery_point.as_ref().map(|point| point.as_str()),
        Some("p.7")
    );
    assert_eq!(
        world.get("member", got.header("location")).await.status,
        StatusCode::OK
    );
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_shows_the_plan_without_secrets() {
    let world = World::new();
    let ask = ServerCreate {
        name: "vm".into(),
        description: None,
        hostname: None,
        flavor: "f".into(),
        key_name: None,
        user_data: Some("c2VjcmV0LWNhbmFyeQ==".into()),
        config_drive: false,
        availability_zone: None,
        metadata: [].into(),
        tags: vec![],
        volumes: vec![],
        ports: vec![],
    };
    let member = protector_domain::ids::MemberId(group_id(8).0);
    let step = Step::BootServer {
        acting: Acting::Service,
        tenant: None,
        has_user_data: false,
        member,
        ask: Box::new(ask),
        volumes: vec![],
        ports: vec![],
    };
    let lane = Lane {
        id: GROUP_LANE.into(),
        title: "vm".into(),
        tier: 0,
        steps: vec![step],
    };
    let mut plan = plan(operation(0x51, MINE).id);
    plan.stages = vec![Stage {
        name: "instances".into(),
        lanes: vec![lane],
    }];
    let mut running = operation(0x51, MINE);
    running.plan = plan.clone();
    *world.engine.operations.lock().unwrap() = vec![running.clone()];
    world.will(Ok(Reply::Planned {
        plan: Box::new(plan),
    }));

    let got = world
        .post(
            &group_path("/action"),
            r#"{"failover": {"type": "planned", "dry_run": true}}"#,
        )
        .await;
    let shown = world
        .get("reader", &format!("/v1/{MINE}/operations/{}", running.id))
        .await;
    assert_eq!(got.status, StatusCode::OK);
    assert_eq!(got.json()["plan"], shown.json()["operation"]["plan"]);
    let step = &got.json()["plan"]["stages"][0]["lanes"][0]["steps"][0];
    assert_eq!(
        (&step["step"], &step["ask"]["user_data"]),
        (&json!("boot_server"), &json!("(hidden)"))
    );
    assert!(!got.text.contains("c2VjcmV0") && !shown.text.contains("c2VjcmV0"));
    let list = world
        .get("reader", &format!("/v1/{MINE}/operations"))
        .await
        .json();
    assert!(
        list["operations"][0].get("plan").is_none(),
        "lists stay small"
    );
}

#[tokio::test(start_paused = true)]
async fn volumes_are_synced_on_demand() {
    let world = World::new();
    world.will(Ok(Reply::SnapshotTaken {
        suffix: "now-1".into(),
    }));
    let got = world
        .post(&group_path("/action"), r#"{"sync_volumes": {}}"#)
        .await;
    assert_eq!(
        (got.status, got.json()),
        (StatusCode::OK, json!({"snapshot": {"suffix": "now-1"}}))
    );
    assert_eq!(
        world.commands(),
        [Command::SyncVolumes { group: group_id(1) }]
    );
}

#[tokio::test(start_paused = true)]
async fn idempotency_keys_have_a_form() {
    let long = "k".repeat(256);
    for keys in [
        vec![("Idempotency-Key", "")],
        vec![("Idempotency-Key", &long[..])],
        vec![("Idempotency-Key", "a"), ("Idempotency-Key", "b")],
    ] {
        let world = World::new();
        for body in [UNPLANNED, r#"{"test_cleanup": {}}"#, r#"{"reprotect": {}}"#] {
            let path = group_path("/action");
            let got = world
                .send(request("member", "POST", &path, &keys, body))
                .await;
            assert_eq!(got.line(), "400 bad_request");
            assert!(world.commands().is_empty());
        }
    }
}

fn work(world: &World, seconds: u64) {
    let will = Will::Work(Duration::from_secs(seconds), Box::new(accepted()));
    world.engine.will.lock().unwrap().push(will);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up_cuts_nothing() {
    let world = World::new();
    work(&world, 5);
    let path = group_path("/action");
    let call = world.post(&path, UNPLANNED);
    assert!(
        tokio::time::timeout(Duration::from_secs(1), call)
            .await
            .is_err(),
        "the client went away"
    );
    assert_eq!(world.engine.done.load(Ordering::Relaxed), 0);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(
        world.engine.done.load(Ordering::Relaxed),
        1,
        "the engine went on"
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_engine_is_a_504_and_still_done() {
    let world = World::new();
    work(&world, 31);
    let got = world.post(&group_path("/action"), UNPLANNED).await;
    assert_eq!(got.line(), "504 timeout");
    assert!(
        got.json()["error"]["remedy"]
            .as_str()
            .unwrap()
            .contains("Idempotency-Key")
    );
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.engine.done.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_500_that_tells_nothing() {
    let world = World::new();
    world.engine.will.lock().unwrap().push(Will::Panic);
    let got = world.post(&group_path("/action"), UNPLANNED).await;
    assert_eq!(got.line(), "500 internal_error");
    assert_eq!(
        got.json()["error"]["request_id"],
        got.header("x-openstack-request-id")
    );
    assert!(!got.text.contains("canary"));
    assert_eq!(
        world.get("member", &groups_path()).await.status,
        StatusCode::OK,
        "others are served"
    );
}

/// Commands that nobody waits for any more hold their places, so nobody can pile them up.
#[tokio::test(start_paused = true)]
async fn commands_in_work_are_counted_until_they_end() {
    let world = World::new();
    for _ in 0..protector_http::limits::IN_FLIGHT_MAX {
        work(&world, 60);
        let path = group_path("/action");
        let call = world.post(&path, UNPLANNED);
        assert!(
            tokio::time::timeout(Duration::from_millis(1), call)
                .await
                .is_err()
        );
    }
    let got = world.get("member", &groups_path()).await;
    assert_eq!(got.line(), "503 overloaded");
    assert!(!got.header("retry-after").is_empty());
    assert_eq!(world.get("", "/v1/health").await.status, StatusCode::OK);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(
        world.get("member", &groups_path()).await.status,
        StatusCode::OK
    );
}
