//! Changes become tickets; couriers bring back what the peer said.

use crate::world::*;
use protector_domain::change::{Addressing, PolicyAsk, RebuildAsk};
use protector_domain::fence::OnReturn;
use protector_domain::ports::engine::{Change, Command, Reply};
use protector_domain::record::{Mappings, ReplicationType};
use protector_domain::sync::Signed;
use serde_json::{Value, json};

fn ticket_command(group: Option<u128>, change: Change) -> Command {
    Command::Ticket {
        group: group.map(group_id),
        change,
    }
}

fn policy_ask(pure_pg_name: Option<&str>, on_return: Option<OnReturn>) -> PolicyAsk {
    PolicyAsk {
        primary_array: "fa-a".into(),
        secondary_array: "fa-b".into(),
        pure_pg_name: pure_pg_name.map(Into::into),
        replication_interval_s: 300,
        rpo_minutes: 15,
        on_return,
    }
}

fn policy(pure_pg_name: Option<&str>, on_return: Option<OnReturn>) -> Change {
    Change::SetPolicy(policy_ask(pure_pg_name, on_return))
}

#[tokio::test(start_paused = true)]
async fn each_change_reaches_the_engine_as_what_it_is() {
    let add = Change::AddMember {
        instance_id: "vm-1".into(),
        rebuild: RebuildAsk {
            mac: Some(Addressing::New),
            ..RebuildAsk::default()
        },
    };
    let mappings = Change::SetMappings(Mappings {
        networks: [("n1".into(), "n2".into())].into(),
        flavors: [("small".into(), "f-9".into())].into(),
        ..Mappings::default()
    });
    let create = Change::Create {
        name: "shop".into(),
        description: String::new(),
        replication_type: ReplicationType::Async,
        secondary_site: "site-b".into(),
        volume_type: "fast".into(),
        secondary_volume_type: None,
    };
    let policy_body = json!({"policy": {"primary_array": "fa-a", "secondary_array": "fa-b",
        "replication_interval": 300, "rpo_minutes": 15}});
    let mut named = policy_body.clone();
    named["policy"]["pure_pg_name"] = json!("pg");
    named["policy"]["on_return"] = json!("report");
    for (method, path, body, expected) in [
        (
            "POST",
            group_path("/members"),
            json!({"member": {"instance_id": "vm-1", "mac": "new"}}),
            ticket_command(Some(1), add),
        ),
        (
            "POST",
            group_path("/policy"),
            policy_body,
            ticket_command(Some(1), policy(None, None)),
        ),
        (
            "POST",
            group_path("/policy"),
            named,
            ticket_command(Some(1), policy(Some("pg"), Some(OnReturn::Report))),
        ),
        (
            "PUT",
            group_path("/mappings"),
            json!({"mappings": {"networks": {"n1": "n2"}, "flavors": {"small": "f-9"}}}),
            ticket_command(Some(1), mappings),
        ),
        (
            "POST",
            groups_path(),
            json!({"protection_group": {"name": "shop", "replication_type": "async",
            "secondary_site": "site-b", "volume_type": "fast"}}),
            ticket_command(None, create),
        ),
    ] {
        let world = World::new();
        world.will(ticket_reply(1, 3));
        let got = world.call("member", method, &path, &body.to_string()).await;
        assert_eq!(got.status.as_u16(), 202, "{}", got.text);
        let expected_answer =
            json!({"ticket": ticket(1, 3), "protection_group": {"id": group_id(1)}});
        assert_eq!(got.json(), expected_answer);
        assert_eq!(world.commands(), [expected]);
    }
}

/// The rest of a group's life: what a draft of it says, and what it does not.
fn life() -> Vec<(&'static str, String, Value, Change)> {
    let times = json!({"primary_array": "fa-a", "secondary_array": "fa-b",
        "replication_interval": 300, "rpo_minutes": 15});
    let update = |name: Option<&str>, description: Option<&str>| Change::Update {
        name: name.map(str::to_owned),
        description: description.map(str::to_owned),
    };
    vec![
        (
            "PATCH",
            group_path(""),
            json!({"protection_group": {"name": "store"}}),
            update(Some("store"), None),
        ),
        (
            "PATCH",
            group_path(""),
            json!({"protection_group": {"description": ""}}),
            update(None, Some("")),
        ),
        (
            "POST",
            group_path("/action"),
            json!({"member_remove": {"instance_id": "vm-1"}}),
            Change::RemoveMember {
                instance_id: "vm-1".into(),
            },
        ),
        (
            "POST",
            group_path("/action"),
            json!({"member_update": {"instance_id": "vm-1", "tier": 2, "fixed_ip": "new"}}),
            Change::SetMember {
                instance_id: "vm-1".into(),
                rebuild: RebuildAsk {
                    tier: Some(2),
                    fixed_ip: Some(Addressing::New),
                    mac: None,
                },
            },
        ),
        (
            "POST",
            group_path("/action"),
            json!({ "policy_update": times }),
            Change::UpdatePolicy(policy_ask(None, None)),
        ),
        ("DELETE", group_path(""), Value::Null, Change::Delete {}),
    ]
}

fn text(body: &Value) -> String {
    if body.is_null() {
        return String::new();
    }
    body.to_string()
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_a_group_is_a_draft_like_any_other() {
    for (method, path, body, change) in life() {
        let world = World::new();
        world.will(ticket_reply(1, 3));
        let got = world.call("member", method, &path, &text(&body)).await;
        assert_eq!(got.status.as_u16(), 202, "{method} {body}: {}", got.text);
        assert_eq!(world.commands(), [ticket_command(Some(1), change)]);
        for (token, expected) in [("reader", "403 forbidden"), ("other", "404 not_found")] {
            let world = World::new();
            let got = world.call(token, method, &path, &text(&body)).await;
            assert_eq!(got.line(), expected, "{method} {body}");
            assert!(world.commands().is_empty());
        }
        let stale = [("If-Match", r#""1-2""#)];
        let sent = request("member", method, &path, &stale, &text(&body));
        let world = World::new();
        assert_eq!(world.send(sent).await.line(), "412 stale_version");
        assert!(world.commands().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_draft_does_not_know_is_refused() {
    for (method, path, body) in [
        (
            "PATCH",
            "",
            json!({"protection_group": {"status": "active"}}),
        ),
        ("PATCH", "", json!({"protection_group": {}, "x": 1})),
        ("PATCH", "", json!({"name": "store"})),
        ("DELETE", "", json!({})),
        ("DELETE", "?force=true", Value::Null),
        ("DELETE", "?abandon_peer=1", Value::Null),
        (
            "POST",
            "/action",
            json!({"member_remove": {"instance_id": "v", "volumes": true}}),
        ),
        ("POST", "/action", json!({"member_remove": {}})),
        (
            "POST",
            "/action",
            json!({"member_update": {"instance_id": "v", "mac": "other"}}),
        ),
        (
            "POST",
            "/action",
            json!({"member_update": {"instance_id": "v", "tier": 256}}),
        ),
        (
            "POST",
            "/action",
            json!({"policy_update": {"rpo_minutes": 15}}),
        ),
        (
            "POST",
            "/action",
            json!({"member_remove": {"instance_id": "v"}, "reprotect": {}}),
        ),
    ] {
        let world = World::new();
        let got = world
            .call("member", method, &group_path(path), &text(&body))
            .await;
        assert_eq!(got.line(), "400 bad_request", "{method} {path} {body}");
        assert!(world.commands().is_empty());
    }
}

/// Section 10: nobody else is asked, so only an administrator may.
#[tokio::test(start_paused = true)]
async fn a_peer_is_given_up_by_administrators_only() {
    let path = group_path("?abandon_peer=true");
    for token in ["member", "reader"] {
        let world = World::new();
        let got = world.call(token, "DELETE", &path, "").await;
        assert_eq!(got.line(), "403 forbidden");
        assert!(world.commands().is_empty());
    }
    let world = World::new();
    world.will(Ok(Reply::Committed {
        group: group_id(1),
        envelope: ticket(1, 3),
        changed: vec![],
    }));
    let got = world.call("admin", "DELETE", &path, "").await;
    let answer = json!({"envelope": ticket(1, 3), "protection_group": {"id": group_id(1)}});
    assert_eq!((got.status.as_u16(), got.json()), (202, answer));
    let group = group_id(1);
    assert_eq!(world.commands(), [Command::AbandonPeer { group }]);
}

#[tokio::test(start_paused = true)]
async fn a_stale_if_match_stops_the_change() {
    for (tag, ticket_at, expected, told) in [
        (r#""1-3""#, (1, 3), "202 -", 1),
        (r#""1-2", "1-3""#, (1, 3), "202 -", 1),
        ("*", (1, 9), "202 -", 1),
        (r#""1-2""#, (1, 3), "412 stale_version", 0),
        ("1-3", (1, 3), "412 stale_version", 0),
        // Changed between the look and the ticket: the ticket's own base gives it away.
        (r#""1-3""#, (1, 4), "412 stale_version", 1),
    ] {
        let world = World::new();
        world.will(ticket_reply(ticket_at.0, ticket_at.1));
        let body = r#"{"member": {"instance_id": "vm-1"}}"#;
        let sent = request(
            "member",
            "POST",
            &group_path("/members"),
            &[("If-Match", tag)],
            body,
        );
        let got = world.send(sent).await;
        assert_eq!(
            (got.line().as_str(), world.commands().len()),
            (expected, told),
            "{tag} {ticket_at:?}"
        );
        assert!(
            expected.starts_with("202") || !got.text.contains("payload"),
            "no ticket is handed out"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_tag_shown_is_the_tag_accepted() {
    let world = World::new();
    world.will(ticket_reply(1, 3));
    let tag = world
        .get("member", &group_path("/members"))
        .await
        .header("etag")
        .to_owned();
    let body = r#"{"member": {"instance_id": "vm-1"}}"#;
    let sent = request(
        "member",
        "POST",
        &group_path("/members"),
        &[("If-Match", &tag)],
        body,
    );
    assert_eq!(world.send(sent).await.status.as_u16(), 202);
}

/// Delivers `body` and compares what the engine heard with what the courier got.
async fn deliver(path: &str, body: Value, command: Command, reply: Reply, expected: (u16, Value)) {
    let world = World::new();
    world.will(Ok(reply));
    let got = world
        .post(&format!("/v1/{MINE}/sync/{path}"), &body.to_string())
        .await;
    assert_eq!((got.status.as_u16(), got.json()), expected, "{path}");
    assert_eq!(world.commands(), [command]);
}

#[tokio::test(start_paused = true)]
async fn couriers_ask_for_attestations_and_commit_them() {
    let signed = || ticket(1, 3);
    let reserve = || Command::Reserve { ticket: signed() };
    let body = || json!({"ticket": signed()});
    let reply = Reply::Reservation {
        reservation: signed(),
    };
    deliver(
        "reservations",
        body(),
        reserve(),
        reply,
        (200, json!({"reservation": signed()})),
    )
    .await;
    let reply = Reply::Rejected {
        rejection: signed(),
    };
    deliver(
        "reservations",
        body(),
        reserve(),
        reply,
        (200, json!({"rejection": signed()})),
    )
    .await;

    let answer = json!({"envelope": signed(), "protection_group": {"id": group_id(1)}});
    let with_ticket = json!({"ticket": signed(), "reservation": signed()});
    for body in [with_ticket, json!({"reservation": signed()})] {
        let reply = Reply::Committed {
            group: group_id(1),
            envelope: signed(),
            changed: vec![],
        };
        let command = Command::Commit {
            reservation: signed(),
        };
        deliver("commits", body, command, reply, (202, answer.clone())).await;
    }
}

#[tokio::test(start_paused = true)]
async fn couriers_bring_records_and_receipts() {
    let signed = || ticket(1, 3);
    let store = || Command::Store { envelope: signed() };
    let body = || json!({"envelope": signed()});
    let reply = Reply::Stored { receipt: signed() };
    deliver(
        "envelopes",
        body(),
        store(),
        reply,
        (200, json!({"receipt": signed()})),
    )
    .await;
    let reply = Reply::Rejected {
        rejection: signed(),
    };
    deliver(
        "envelopes",
        body(),
        store(),
        reply,
        (200, json!({"rejection": signed()})),
    )
    .await;

    let answer = json!({"protection_group": {"id": group_id(1)}, "synced": true});
    let command = Command::Receipt { receipt: signed() };
    let reply = Reply::Synced { group: group_id(1) };
    deliver(
        "receipts",
        json!({"receipt": signed()}),
        command,
        reply,
        (200, answer),
    )
    .await;
}

/// R13: with the peer's record or without, and each of the three ends.
#[tokio::test(start_paused = true)]
async fn couriers_bring_a_restored_site_its_peers_head() {
    let signed = || ticket(1, 3);
    let compare = |envelope: Option<Signed>| Command::CompareHead {
        head: signed(),
        envelope,
    };
    let group = group_id(1);
    let answer = json!({"protection_group": {"id": group}, "trusted": true});
    for (body, envelope) in [
        (json!({"head": signed()}), None),
        (json!({"head": signed(), "envelope": null}), None),
        (
            json!({"head": signed(), "envelope": signed()}),
            Some(signed()),
        ),
    ] {
        let reply = Reply::Trusted { group };
        deliver(
            "heads",
            body,
            compare(envelope),
            reply,
            (200, answer.clone()),
        )
        .await;
    }
    let body = || json!({"head": signed()});
    let base = json!({"envelope": signed(), "protection_group": {"id": group}});
    let reply = Reply::Committed {
        group,
        envelope: signed(),
        changed: vec![],
    };
    deliver("heads", body(), compare(None), reply, (202, base)).await;
    let refused = json!({"rejection": signed()});
    let reply = Reply::Rejected {
        rejection: signed(),
    };
    deliver("heads", body(), compare(None), reply, (200, refused)).await;
}

#[tokio::test(start_paused = true)]
async fn couriers_fetch_the_head_and_the_record_as_it_was_signed() {
    let got = World::new()
        .get("reader", &group_path("/sync"))
        .await
        .json();
    let sync = &got["sync"];
    assert_eq!(sync["envelope"], json!(ticket(1, 3)));
    assert_eq!(
        (&sync["synced"], &sync["head"]["leads"]),
        (&json!(true), &json!(true))
    );
}

#[tokio::test(start_paused = true)]
async fn a_reply_to_another_question_is_our_fault() {
    let world = World::new();
    world.will(Ok(Reply::Synced { group: group_id(1) }));
    let got = world
        .post(
            &group_path("/members"),
            r#"{"member": {"instance_id": "vm-1"}}"#,
        )
        .await;
    assert_eq!(got.line(), "500 internal_error");
}
