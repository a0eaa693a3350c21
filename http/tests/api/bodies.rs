//! What a body may not be. Whatever is wrong with it, the engine hears nothing of it.

use crate::world::*;
use bytes::Bytes;
use futures::StreamExt;
use http::Request;
use http_body::Frame;
use http_body_util::StreamBody;
use std::time::Duration;
use tower::ServiceExt;

const MEMBER: &str = r#"{"member": {"instance_id": "vm-1"}}"#;

async fn check(method: &str, path: &str, body: &str, expected: &str) {
    let world = World::new();
    let got = world.call("member", method, path, body).await;
    assert_eq!(got.line(), "400 bad_request", "{body}");
    let message = got.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains(expected), "{body} gave {message}");
    assert!(world.commands().is_empty(), "{body} reached the engine");
}

#[tokio::test(start_paused = true)]
async fn wrong_bodies_say_what_is_wrong_and_change_nothing() {
    for (body, expected) in [
        ("", "EOF"),
        ("not json", "expected"),
        (r#"{"member": {"instance_id": "a"}} {}"#, "trailing"),
        (r#"{"member": {}}"#, "missing field `instance_id`"),
        (
            r#"{"member": {"instance_id": 7}}"#,
            "invalid type: integer `7`",
        ),
        (
            r#"{"member": {"instance_id": "a", "volumes": []}}"#,
            "unknown field `volumes`",
        ),
        (r#"{"members": {}}"#, "unknown field `members`"),
        // A list is no object, although its parts would fit by position.
        (r#"{"member": ["a"]}"#, "expected an object"),
        (r#"[{"instance_id": "a"}]"#, "expected an object"),
        (
            r#"{"member": {"instance_id": "a", "instance_id": "b"}}"#,
            "given twice",
        ),
    ] {
        check("POST", &group_path("/members"), body, expected).await;
    }
    for (body, expected) in [
        (
            r#"{"mappings": {"networks": {"a": "b", "a": "c"}}}"#,
            "given twice",
        ),
        (r#"{"mappings": {"networks": {"a": 1}}}"#, "invalid type"),
        (r#"{"mappings": []}"#, "expected an object"),
    ] {
        check("PUT", &group_path("/mappings"), body, expected).await;
    }
    let create = r#"{"protection_group": {"name": "g", "replication_type": "maybe", "secondary_site": "b", "volume_type": "t"}}"#;
    check("POST", &groups_path(), create, "unknown variant `maybe`").await;
}

#[tokio::test(start_paused = true)]
async fn numbers_are_what_they_say() {
    let policy = r#"{"policy": {"primary_array": "a", "secondary_array": "b", "replication_interval": X, "rpo_minutes": 15}}"#;
    for (number, why) in [
        ("1e999", "out of range"),
        ("-1", "invalid value"),
        ("1.5", "invalid type"),
        ("\"900\"", "invalid type"),
    ] {
        check(
            "POST",
            &group_path("/policy"),
            &policy.replace('X', number),
            why,
        )
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn couriers_bring_whole_messages_only() {
    for path in ["reservations", "commits", "envelopes", "receipts", "heads"] {
        let path = format!("/v1/{MINE}/sync/{path}");
        check("POST", &path, "{}", "missing field").await;
        check(
            "POST",
            &path,
            r#"{"message": {}}"#,
            "unknown field `message`",
        )
        .await;
    }
    let path = format!("/v1/{MINE}/sync/reservations");
    check(
        "POST",
        &path,
        r#"{"ticket": {"type": "ticket"}}"#,
        "missing field",
    )
    .await;
    check(
        "POST",
        &path,
        r#"{"ticket": {"type": "coupon"}}"#,
        "unknown variant `coupon`",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn actions_are_exactly_one() {
    let action = group_path("/action");
    for (body, expected) in [
        ("{}", "exactly one action"),
        (
            r#"{"failover": {"type": "unplanned"}, "sync_volumes": {}}"#,
            "exactly one action",
        ),
        (
            r#"{"failover": {"type": "unplanned"}, "failback": {"type": "unplanned"}}"#,
            "exactly one action",
        ),
        (
            r#"{"test_cleanup": {}, "reprotect": {}}"#,
            "exactly one action",
        ),
        (r#"{"sync_volumes": null}"#, "exactly one action"),
        (r#"{"explode": {}}"#, "unknown field `explode`"),
        (r#"{"reprotect": {}, "reprotect": {}}"#, "given twice"),
    ] {
        check("POST", &action, body, expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_action_has_its_own_form() {
    let action = group_path("/action");
    for (key, inner, expected) in [
        ("failover", "{}", "missing field `type`"),
        ("failback", "{}", "missing field `type`"),
        (
            "failover",
            r#"{"type": "sideways"}"#,
            "unknown variant `sideways`",
        ),
        (
            "failback",
            r#"{"type": "unplanned", "force": "yes"}"#,
            "invalid type",
        ),
        (
            "failover",
            r#"{"type": "unplanned", "forced": true}"#,
            "unknown field `forced`",
        ),
        (
            "failback",
            r#"{"type": "planned", "ticket": {}}"#,
            "missing field",
        ),
        ("test_failover", "{}", "missing field `network_mapping`"),
        (
            "test_failover",
            r#"{"network_mapping": {"a": "b", "a": "c"}}"#,
            "given twice",
        ),
        (
            "test_failover",
            r#"{"network_mapping": {}, "force": true}"#,
            "unknown field `force`",
        ),
        (
            "test_failover",
            r#"{"network_mapping": {}, "retain_primary": null}"#,
            "invalid type",
        ),
        ("test_cleanup", r#"{"all": true}"#, "unknown field `all`"),
        ("test_cleanup", "[]", "invalid type: sequence"),
        ("reprotect", r#"{"all": true}"#, "unknown field `all`"),
        ("sync_volumes", r#"{"all": true}"#, "unknown field `all`"),
    ] {
        let body = format!(r#"{{"{key}": {inner}}}"#);
        check("POST", &action, &body, expected).await;
    }
    for offer in ["/sync/lock-tickets", "/sync/head-tickets"] {
        let body = r#"{"ticket": {}}"#;
        check("POST", &group_path(offer), body, "unknown field `ticket`").await;
    }
    let asks = group_path("/sync/heads");
    check("POST", &asks, "{}", "missing field `ticket`").await;
}

/// What fits the form and still cannot be meant.
#[tokio::test(start_paused = true)]
async fn actions_do_not_contradict_themselves() {
    let action = group_path("/action");
    let ticket = serde_json::to_string(&ticket(1, 3)).unwrap();
    for verb in ["failover", "failback"] {
        let body = format!(r#"{{"{verb}": {{"type": "unplanned", "ticket": {ticket}}}}}"#);
        check("POST", &action, &body, "takes no ticket").await;
    }
    let drill = r#"{"test_failover": {"network_mapping": {}, "retain_primary": false}}"#;
    check("POST", &action, drill, "retain_primary can only be true").await;
}

fn padded(bytes: usize) -> String {
    let open = r#"{"member": {"instance_id": ""#;
    let shut = r#""}}"#;
    format!(
        "{open}{}{shut}",
        "x".repeat(bytes - open.len() - shut.len())
    )
}

#[tokio::test(start_paused = true)]
async fn bodies_end_at_their_limit() {
    const MIB: usize = 1 << 20;
    let world = World::new();
    world.will(ticket_reply(1, 3));
    assert_eq!(
        world
            .post(&group_path("/members"), &padded(MIB))
            .await
            .status
            .as_u16(),
        202
    );
    let over = padded(MIB + 1);
    assert_eq!(
        world.post(&group_path("/members"), &over).await.line(),
        "413 body_too_large"
    );
    let told = [("Content-Length", "1048577")];
    let lying = request("member", "POST", &group_path("/members"), &told, MEMBER);
    assert_eq!(
        world.send(lying).await.line(),
        "413 body_too_large",
        "refused by its announced length"
    );
    let receipts = format!("/v1/{MINE}/sync/receipts");
    assert_eq!(
        world.post(&receipts, &over).await.line(),
        "400 bad_request",
        "couriers carry more"
    );
    assert_eq!(
        world.post(&receipts, &padded(3 * MIB + 1)).await.line(),
        "413 body_too_large"
    );
    assert_eq!(world.commands().len(), 1);
}

/// A body in pieces, without a length, that never ends: memory stays bounded, the answer comes.
#[tokio::test(start_paused = true)]
async fn endless_and_stalling_bodies_are_cut_off() {
    for (pause, expected) in [(Duration::ZERO, 413), (Duration::from_secs(4), 408)] {
        let world = World::new();
        let pieces = futures::stream::repeat(()).then(move |()| async move {
            tokio::time::sleep(pause).await;
            Ok::<_, std::convert::Infallible>(Frame::data(Bytes::from_static(&[b' '; 65_536])))
        });
        let response = warp::service(world.service.clone())
            .oneshot(
                Request::post(group_path("/members"))
                    .header("X-Auth-Token", "member")
                    .body(StreamBody::new(pieces))
                    .unwrap(),
            )
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), expected);
        assert!(world.commands().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn only_plain_json_is_read() {
    for (header, value, expected) in [
        ("Content-Type", "application/json; charset=utf-8", 202),
        ("Content-Type", "APPLICATION/JSON", 202),
        ("Content-Type", "text/plain", 415),
        ("Content-Type", "application/x-www-form-urlencoded", 415),
        ("Content-Encoding", "identity", 202),
        ("Content-Encoding", "gzip", 415),
    ] {
        let world = World::new();
        world.will(ticket_reply(1, 3));
        let got = world
            .send(request(
                "member",
                "POST",
                &group_path("/members"),
                &[(header, value)],
                MEMBER,
            ))
            .await;
        assert_eq!(got.status.as_u16(), expected, "{header}: {value}");
    }
}

/// K1: odd names are data; they arrive as they were sent.
#[tokio::test(start_paused = true)]
async fn odd_names_pass_as_data() {
    let names = [
        "a';--",
        "%_\\",
        "a\nb\u{0}c",
        "\u{202e}evil",
        "😀",
        "../..",
        "-rf",
        "",
    ];
    for name in names {
        let world = World::new();
        world.will(ticket_reply(1, 3));
        let body = serde_json::json!({"protection_group": {
            "name": name, "replication_type": "async", "secondary_site": "b", "volume_type": "t"}});
        assert_eq!(
            world
                .post(&groups_path(), &body.to_string())
                .await
                .status
                .as_u16(),
            202
        );
        let command = serde_json::to_value(&world.commands()[0]).unwrap();
        assert_eq!(command["change"]["name"], name);
    }
}

#[tokio::test(start_paused = true)]
async fn queries_are_checked_before_anything_is_asked() {
    let world = World::new();
    let operations = format!("/v1/{MINE}/operations");
    for (path, bad) in [
        (groups_path(), "limit=0"),
        (groups_path(), "limit=-1"),
        (groups_path(), "limit=1001"),
        (groups_path(), "limit=99999999999999999999"),
        (groups_path(), "limit=1%20OR%201=1"),
        (groups_path(), "marker="),
        (groups_path(), "marker=a%00b"),
        (groups_path(), "sort_key=name"),
        (groups_path(), "limit=1&limit=2"),
        (groups_path(), "marker=%zz"),
        (operations, "group="),
        (
            format!("/v1/{MINE}/operations/{}/events", operation(0x51, MINE).id),
            "after=-1",
        ),
        (group_path(""), "fields=name"),
    ] {
        let got = world.get("member", &format!("{path}?{bad}")).await;
        assert_eq!(got.line(), "400 bad_request", "{path}?{bad}");
    }
    assert!(world.callers().is_empty());
}
