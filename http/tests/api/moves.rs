//! Planned moves, drills and reprotection: what the engine hears of them, and what couriers get.

use crate::world::*;
use protector_domain::operation::OperationMode;
use protector_domain::operation::failover::{FailoverAsk, TestAsk};
use protector_domain::ports::engine::{Change, Command, GroupRef, MoveKind, Reply};
use protector_domain::refusal::{Refusal, Refusals};
use serde_json::{Value, json};

const KEY: (&str, &str) = ("Idempotency-Key", "key-1");

fn key() -> Option<String> {
    Some("key-1".to_owned())
}

fn ask(mode: OperationMode) -> FailoverAsk {
    FailoverAsk {
        mode,
        force: false,
        recovery_point: None,
    }
}

/// A move as the engine is to hear it.
fn moves(kind: MoveKind, ask: FailoverAsk, dry_run: bool, has_ticket: bool) -> Command {
    Command::Move {
        group: group_id(1),
        kind,
        ask,
        dry_run,
        idempotency_key: key(),
        ticket: has_ticket.then(|| ticket(1, 3)),
    }
}

fn drill(ask: TestAsk, dry_run: bool) -> Command {
    Command::TestFailover {
        group: group_id(1),
        ask,
        dry_run,
        idempotency_key: key(),
    }
}

/// Sends `body` with a key to a site whose engine answers `reply`.
async fn act(world: &World, body: &Value, reply: Reply) -> Got {
    world.will(Ok(reply));
    let path = group_path("/action");
    let sent = request("member", "POST", &path, &[KEY], &body.to_string());
    world.send(sent).await
}

fn accepted() -> Reply {
    Reply::Accepted {
        operation: Box::new(operation(0x51, MINE)),
    }
}

/// Each body, and the command that it is.
fn table() -> Vec<(Value, Command)> {
    use MoveKind::{Failback, Failover};
    use OperationMode::{Planned, Unplanned};
    let pressed = FailoverAsk {
        mode: Planned,
        force: true,
        recovery_point: Some("p.7".into()),
    };
    let networks = || [("n1".into(), "iso1".into()), ("n2".into(), "iso2".into())].into();
    let mapping = json!({"n1": "iso1", "n2": "iso2"});
    let whole = TestAsk {
        networks: networks(),
        recovery_point: Some("p.7".into()),
    };
    let plain = TestAsk {
        networks: networks(),
        recovery_point: None,
    };
    vec![
        (
            json!({"failover": {"type": "planned", "ticket": ticket(1, 3)}}),
            moves(Failover, ask(Planned), false, true),
        ),
        (
            json!({"failback": {"type": "planned", "force": true, "recovery_point": "p.7",
                "ticket": ticket(1, 3)}}),
            moves(Failback, pressed, false, true),
        ),
        (
            json!({"failback": {"type": "unplanned"}}),
            moves(Failback, ask(Unplanned), false, false),
        ),
        (
            json!({"failback": {"type": "planned", "dry_run": true}}),
            moves(Failback, ask(Planned), true, false),
        ),
        (
            json!({"test_failover": {"network_mapping": mapping, "recovery_point": "p.7",
                "dry_run": true, "retain_primary": true}}),
            drill(whole, true),
        ),
        (
            json!({"test_failover": {"network_mapping": mapping}}),
            drill(plain, false),
        ),
        (
            json!({"test_cleanup": {}}),
            Command::TestCleanup {
                group: group_id(1),
                idempotency_key: key(),
            },
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn each_action_reaches_the_engine_as_what_it_is() {
    for (body, expected) in table() {
        let world = World::new();
        let got = act(&world, &body, accepted()).await;
        assert_eq!(got.status.as_u16(), 202, "{body}: {}", got.text);
        assert_eq!(world.commands(), [expected], "{body}");
        let answer = got.json();
        assert_eq!(answer["operation"]["status"], "running");
        assert!(
            answer.get("reservation").is_none(),
            "nothing is to be carried"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_requested_move_comes_with_what_the_courier_carries_on() {
    let world = World::new();
    let body = json!({"failover": {"type": "planned", "ticket": ticket(1, 3)}});
    let reply = Reply::Requested {
        operation: Box::new(operation(0x51, MINE)),
        reservation: ticket(1, 4),
    };
    let got = act(&world, &body, reply).await;
    let id = operation(0x51, MINE).id;
    assert_eq!(got.status.as_u16(), 202, "{}", got.text);
    assert_eq!(
        got.header("location"),
        format!("/v1/{MINE}/operations/{id}")
    );
    let answer = got.json();
    assert_eq!(answer["operation"]["id"], json!(id));
    assert_eq!(answer["reservation"], json!(ticket(1, 4)));
}

/// The engine is not asked, and no group is looked for: an absent one reads the same.
#[tokio::test(start_paused = true)]
async fn a_planned_move_without_a_ticket_is_told_where_to_get_one() {
    for verb in ["failover", "failback"] {
        for group in ["web", "nothing-here"] {
            let world = World::new();
            let path = format!("/v1/{MINE}/protection-groups/{group}/action");
            let body = json!({verb: {"type": "planned"}});
            let got = world.post(&path, &body.to_string()).await;
            assert_eq!(got.line(), "400 ticket_needed");
            let error = &got.json()["error"];
            let reason = error["reason"].as_str().unwrap();
            assert!(reason.contains("POST ") && reason.contains("/sync/lock-tickets"));
            assert!(reason.contains("leading site"), "{reason}");
            assert!(world.callers().is_empty());
        }
    }
    let world = World::new();
    world.will(Err(Refusals::from(Refusal::TicketNeeded).into()));
    let body = json!({"failover": {"type": "planned", "dry_run": true}});
    let told = world.post(&group_path("/action"), &body.to_string()).await;
    assert_eq!(
        told.line(),
        "400 ticket_needed",
        "the engine's no is the same"
    );
}

#[tokio::test(start_paused = true)]
async fn the_leader_offers_its_lead_as_a_ticket() {
    let world = World::new();
    world.will(ticket_reply(1, 3));
    let got = world.post(&group_path("/sync/lock-tickets"), "{}").await;
    assert_eq!(got.status.as_u16(), 202, "{}", got.text);
    assert_eq!(got.json(), json!({"ticket": ticket(1, 3)}));
    assert_eq!(
        world.commands(),
        [Command::LockTicket { group: group_id(1) }]
    );
    let reader = world
        .call("reader", "POST", &group_path("/sync/lock-tickets"), "{}")
        .await;
    assert_eq!(reader.line(), "403 forbidden");
    let absent = format!("/v1/{MINE}/protection-groups/theirs/sync/lock-tickets");
    assert_eq!(world.post(&absent, "{}").await.line(), "404 not_found");
    assert_eq!(world.commands().len(), 1);
}

/// R13: the question of a restored site, and its peer's answer, which may be of a group that is not there.
#[tokio::test(start_paused = true)]
async fn a_restored_site_asks_and_its_peer_signs() {
    let (asks, signs) = (group_path("/sync/head-tickets"), group_path("/sync/heads"));
    let body = json!({"ticket": ticket(1, 3)}).to_string();
    let world = World::new();
    world.will(ticket_reply(1, 3));
    let got = world.post(&asks, "{}").await;
    assert_eq!(got.status.as_u16(), 202, "{}", got.text);
    assert_eq!(got.json(), json!({"ticket": ticket(1, 3)}));
    world.will(Ok(Reply::Head { head: ticket(1, 4) }));
    let got = world.post(&signs, &body).await;
    assert_eq!(got.status.as_u16(), 200, "{}", got.text);
    assert_eq!(got.json(), json!({"head": ticket(1, 4)}));
    let sign = |group: String| Command::SignHead {
        group: GroupRef(group),
        ticket: ticket(1, 3),
    };
    let known = signs.split('/').rev().nth(2).unwrap().to_owned();
    assert_eq!(
        world.commands(),
        [Command::HeadTicket { group: group_id(1) }, sign(known)]
    );
    for (path, body) in [(&asks, "{}"), (&signs, body.as_str())] {
        let reader = world.call("reader", "POST", path, body).await;
        assert_eq!(reader.line(), "403 forbidden");
    }
    let absent = format!("/v1/{MINE}/protection-groups/theirs/sync/head-tickets");
    assert_eq!(world.post(&absent, "{}").await.line(), "404 not_found");
    assert_eq!(world.commands().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn reprotection_is_a_change_of_the_record() {
    let body = r#"{"reprotect": {}}"#;
    for (tag, expected, told) in [
        (r#""1-3""#, "202 -", 1),
        (r#""1-2""#, "412 stale_version", 0),
    ] {
        let world = World::new();
        world.will(ticket_reply(1, 3));
        let path = group_path("/action");
        let sent = request("member", "POST", &path, &[KEY, ("If-Match", tag)], body);
        let got = world.send(sent).await;
        assert_eq!(
            (got.line().as_str(), world.commands().len()),
            (expected, told)
        );
        if told == 1 {
            let answer = json!({"ticket": ticket(1, 3), "protection_group": {"id": group_id(1)}});
            assert_eq!(got.json(), answer);
            let change = Change::Reprotect {};
            let group = Some(group_id(1));
            assert_eq!(world.commands(), [Command::Ticket { group, change }]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_drill_that_is_only_tried_shows_its_plan() {
    let world = World::new();
    let body = json!({"test_failover": {"network_mapping": {"n1": "iso1"}, "dry_run": true}});
    let planned = plan(operation(0x51, MINE).id);
    let reply = Reply::Planned {
        plan: Box::new(planned.clone()),
    };
    let got = act(&world, &body, reply).await;
    assert_eq!(
        (got.status.as_u16(), got.json()),
        (200, json!({"plan": planned}))
    );
}

/// Every action is an answer that the engine may give to another question, or none at all.
#[tokio::test(start_paused = true)]
async fn an_answer_of_another_kind_is_our_fault() {
    for (body, _) in table() {
        let world = World::new();
        let reply = Reply::Synced { group: group_id(1) };
        let got = act(&world, &body, reply).await;
        assert_eq!(got.line(), "500 internal_error", "{body}");
    }
}
