//! What is carried, in which order, and when a courier stops.

use crate::courier::sync::{Next, next};
use crate::courier::{CourierError, Endpoint, ROUNDS_MAX, change, planned_move, reprotect, sync};
use bytes::Bytes;
use http::{Method, Request, Response};
use protector_domain::sync::{Digest, Head, Pair, RecordRef, canonical_json};
use protector_runtime::remote::{BoxErr, HttpService};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// What was sent to both sites, one line per call.
type Log = Arc<Mutex<Vec<String>>>;
/// Answers by the end of the path.
type Script = Vec<(&'static str, u16, Value)>;

fn site(name: &'static str, script: Script, log: &Log) -> Endpoint {
    let log = log.clone();
    let answer = move |request: Request<Bytes>| {
        let (script, log) = (script.clone(), log.clone());
        async move { Ok::<_, BoxErr>(answer(name, &script, &log, &request)) }
    };
    Endpoint {
        url: "http://site.test".to_owned(),
        token: "t".to_owned(),
        project: format!("p-{name}"),
        http: HttpService::new(tower::service_fn(answer)),
    }
}

fn answer(name: &str, script: &Script, log: &Log, request: &Request<Bytes>) -> Response<Bytes> {
    let (method, path) = (request.method(), request.uri().path());
    let body = serde_json::from_slice(request.body()).unwrap_or_default();
    let mut line = call(&format!("{name}: {method} {path}"), &body);
    if let Some(key) = request.headers().get("Idempotency-Key") {
        line = format!("{line} [{}]", key.to_str().unwrap());
    }
    log.lock().unwrap().push(line);
    let found = script.iter().find(|(end, _, _)| path.ends_with(end));
    let (status, answer) = found.map_or((404, Value::Null), |(_, status, answer)| {
        (*status, answer.clone())
    });
    let response = Response::builder().status(status);
    response.body(Bytes::from(answer.to_string())).unwrap()
}

fn call(line: &str, body: &Value) -> String {
    format!("{line} {}", canonical_json(body).unwrap())
}

fn seen(log: &Log) -> Vec<String> {
    log.lock().unwrap().clone()
}

fn ticket() -> Value {
    json!({"type": "ticket", "payload": "t", "key_id": "k", "signature": "c2ln"})
}

fn leader() -> Script {
    let drafted = json!({"ticket": ticket(), "protection_group": {"id": "g"}});
    vec![
        ("/sync/lock-tickets", 202, json!({"ticket": ticket()})),
        ("/action", 202, drafted),
        ("/sync/commits", 202, json!({"envelope": "E"})),
        ("/sync/receipts", 200, json!({"synced": true})),
    ]
}

fn target() -> Script {
    let requested = json!({"operation": {"id": "op-1"}, "reservation": "R"});
    vec![
        ("/action", 202, requested),
        ("/sync/reservations", 200, json!({"reservation": "R"})),
        ("/sync/envelopes", 200, json!({"receipt": "C"})),
    ]
}

/// `script` with another answer to one path.
fn but(mut script: Script, end: &'static str, status: u16, answer: Value) -> Script {
    script.insert(0, (end, status, answer));
    script
}

async fn planned(leader: Script, target: Script) -> (Result<String, CourierError>, Vec<String>) {
    let log = Log::default();
    let (leader, target) = (site("a", leader, &log), site("b", target, &log));
    let body = json!({"type": "planned", "force": true});
    let moved = planned_move(&leader, &target, "g", "failback", &body).await;
    (moved, seen(&log))
}

#[tokio::test]
async fn a_planned_move_carries_each_message_to_where_it_belongs() {
    let (moved, carried) = planned(leader(), target()).await;
    assert_eq!(moved.unwrap(), "op-1");
    let offer = "a: POST /v1/p-a/protection-groups/g/sync/lock-tickets";
    let action = "b: POST /v1/p-b/protection-groups/g/action";
    let asked = json!({"failback": {"type": "planned", "force": true, "ticket": ticket()}});
    let attested = json!({"ticket": ticket(), "reservation": "R"});
    assert_eq!(
        carried,
        [
            call(offer, &json!({})),
            format!("{} [c2ln]", call(action, &asked)),
            call("a: POST /v1/p-a/sync/commits", &attested),
            call("b: POST /v1/p-b/sync/envelopes", &json!({"envelope": "E"})),
            call("a: POST /v1/p-a/sync/receipts", &json!({"receipt": "C"})),
        ]
    );
}

fn refusal(code: &str) -> Value {
    json!({"error": {"code": code}})
}

#[tokio::test]
async fn a_move_ends_where_a_site_says_no() {
    let busy = refusal("operation_in_progress");
    let late = refusal("rpo_violation");
    let at_once = json!({"operation": {"id": "op-1"}});
    let rejection = json!({"rejection": "no"});
    for (leader, target, calls, status, code) in [
        (
            but(leader(), "/sync/lock-tickets", 409, busy),
            target(),
            1,
            409,
            "operation_in_progress",
        ),
        (
            leader(),
            but(target(), "/action", 409, late),
            2,
            409,
            "rpo_violation",
        ),
        (leader(), but(target(), "/action", 202, at_once), 2, 200, ""),
        (
            leader(),
            but(target(), "/sync/envelopes", 200, rejection),
            4,
            200,
            "",
        ),
    ] {
        let (moved, carried) = planned(leader, target).await;
        let error = moved.unwrap_err();
        assert_eq!(
            (carried.len(), error.status, error.code()),
            (calls, status, code)
        );
        assert!(!error.is_unanswered(), "{error} is an answer");
    }
}

#[tokio::test]
async fn a_reprotection_is_carried_as_any_change() {
    let log = Log::default();
    let (leader, peer) = (site("a", leader(), &log), site("b", target(), &log));
    reprotect(&leader, &peer, "g").await.unwrap();
    let attested = json!({"ticket": ticket(), "reservation": "R"});
    let expected = [
        call(
            "a: POST /v1/p-a/protection-groups/g/action",
            &json!({"reprotect": {}}),
        ),
        call(
            "b: POST /v1/p-b/sync/reservations",
            &json!({"ticket": ticket()}),
        ),
        call("a: POST /v1/p-a/sync/commits", &attested),
        call("b: POST /v1/p-b/sync/envelopes", &json!({"envelope": "E"})),
        call("a: POST /v1/p-a/sync/receipts", &json!({"receipt": "C"})),
    ];
    assert_eq!(seen(&log), expected);
    let path = "/protection-groups/g/action";
    let body = json!({"reprotect": {}});
    let group = change(&leader, &peer, Method::POST, path, &body).await;
    assert_eq!(group.unwrap(), "g");
    assert_eq!(seen(&log)[expected.len()..], expected);
}

fn head(epoch: u64, version: u64, flags: &str) -> Head {
    let pair = Pair::new(epoch, version);
    let at = RecordRef {
        epoch: pair.epoch,
        version: pair.version,
        digest: Digest::of_bytes(format!("{epoch}-{version}").as_bytes()),
    };
    Head {
        at: Some(at),
        leads: flags.contains('L'),
        synced: flags.contains('S'),
        suspect: flags.contains('?'),
        ..Head::default()
    }
}

#[test]
fn the_next_round_follows_from_both_heads() {
    let none = Head::default;
    for (one, other, expected) in [
        (head(1, 3, "LS"), head(1, 3, "S"), Next::InStep),
        // Committed, and its receipt has not come home.
        (head(1, 3, "L"), head(1, 3, "S"), Next::PushOne),
        (head(1, 3, "S"), head(1, 3, "L"), Next::PushOther),
        // Committed, and the peer has not heard of it.
        (head(1, 4, "L"), head(1, 3, "S"), Next::PushOne),
        (head(1, 1, "L"), none(), Next::PushOne),
        (none(), head(1, 1, "L"), Next::PushOther),
        // A new epoch is greater than any version of the old one.
        (head(1, 9, "LS"), head(2, 4, "L"), Next::PushOther),
        (head(2, 4, "L"), head(1, 9, "LS"), Next::PushOne),
        // A restored site hears first where its peer stands, whatever either has, and whoever leads.
        (head(1, 3, "LS?"), head(1, 4, "S"), Next::CompareOne),
        (head(1, 3, "LS"), head(1, 3, "S?"), Next::CompareOther),
        (head(1, 3, "LS?"), none(), Next::CompareOne),
        (head(1, 3, "LS?"), head(1, 2, "S?"), Next::CompareOne),
        (none(), none(), Next::Stuck("no site knows the group")),
    ] {
        assert_eq!(next(&one, &other), expected, "{one:?} and {other:?}");
    }
}

#[tokio::test]
async fn sites_that_never_come_into_step_are_given_up() {
    let sync_view = json!({"sync": {"head": head(1, 2, "L"), "envelope": "E", "synced": false}});
    let pending: Script = vec![("/sync", 200, sync_view)];
    let deaf: Script = vec![("/sync/envelopes", 409, refusal("older_version"))];
    let log = Log::default();
    let (a, b) = (site("a", pending, &log), site("b", deaf, &log));
    let error = sync(&a, &b, "g").await.unwrap_err();
    assert_eq!(error.code(), "older_version", "the last word is shown");
    let lines = seen(&log);
    let pushes = lines.iter().filter(|line| line.contains("/envelopes"));
    assert_eq!(pushes.count(), ROUNDS_MAX as usize);
}
