//! Each refusal has its status and code, and reads the same way everywhere.

use crate::world::*;
use protector_domain::ids::OperationId;
use protector_domain::ports::engine::EngineError;
use protector_domain::refusal::{Refusal, Refusals};
use protector_domain::sync::{Epoch, KeyId, Pair, Role, SyncRefusal};
use serde_json::json;
use uuid::Uuid;

const MEMBER: &str = r#"{"member": {"instance_id": "vm-1"}}"#;

async fn refused(error: EngineError) -> Got {
    let world = World::new();
    world.will(Err(error));
    world.post(&group_path("/members"), MEMBER).await
}

async fn check(error: impl Into<EngineError>, expected: &str) {
    let error = error.into();
    let shown = format!("{error:?}");
    let got = refused(error).await;
    assert_eq!(got.line(), expected, "{shown}");
    let json = got.json();
    for part in ["code", "title", "message", "remedy", "request_id"] {
        let text = json["error"][part].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{shown} has no {part}");
    }
}

fn one(refusal: Refusal) -> EngineError {
    EngineError::from(Refusals::from(refusal))
}

#[tokio::test(start_paused = true)]
async fn engine_errors() {
    check(EngineError::NotFound { what: "x".into() }, "404 not_found").await;
    check(
        EngineError::Ambiguous { name: "web".into() },
        "409 ambiguous_name",
    )
    .await;
    check(
        EngineError::Unavailable {
            why: "starting".into(),
        },
        "503 engine_unavailable",
    )
    .await;
    check(
        EngineError::Internal {
            request_id: "req-1".into(),
        },
        "500 internal_error",
    )
    .await;
    check(one(Refusal::BadName), "400 bad_name").await;
    let site = || "b".to_owned();
    check(
        one(Refusal::TypeNotReplicated {
            volume_type: "t".into(),
            site: site(),
        }),
        "400 type_not_replicated",
    )
    .await;
    check(
        one(Refusal::NoSuchServer { server: "s".into() }),
        "400 no_such_server",
    )
    .await;
    check(
        one(Refusal::RpoViolation {
            age_min: 47,
            max_min: 15,
        }),
        "409 rpo_violation",
    )
    .await;
    check(
        one(Refusal::CouldNotAsk {
            what: "nova".into(),
            why: "x".into(),
        }),
        "409 could_not_ask",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn refusals_of_moves_and_drills() {
    let (member, network) = ("vm".to_owned(), "n1".to_owned());
    let verb = "failback".to_owned();
    let site = "a".to_owned();
    let operation = "o".to_owned();
    let missing = Refusal::NoTestNetwork {
        member: member.clone(),
        network: network.clone(),
    };
    for (refusal, expected) in [
        (Refusal::TicketNeeded, "400 ticket_needed"),
        (missing, "400 no_test_network"),
        (
            Refusal::TestNetworkNotIsolated { member, network },
            "400 test_network_not_isolated",
        ),
        (Refusal::NotProtected, "409 not_protected"),
        (Refusal::WrongSite { verb, site }, "409 wrong_site"),
        (Refusal::NoDrill, "409 no_drill"),
        (
            Refusal::DrillIsUp {
                operation: operation.clone(),
            },
            "409 drill_is_up",
        ),
        (
            Refusal::NotHome {
                status: "failed_over".to_owned(),
            },
            "409 not_home",
        ),
        (
            Refusal::NotAMember {
                server: "s".to_owned(),
            },
            "400 not_a_member",
        ),
        (Refusal::NothingToChange, "409 nothing_to_change"),
        (
            Refusal::IdempotencyKeyUsed { operation },
            "409 idempotency_key_used",
        ),
    ] {
        check(one(refusal), expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn sync_refusals_by_state() {
    use SyncRefusal as X;
    let (operation, site) = (OperationId(Uuid::from_u128(1)), Role::Other);
    let (pair, epoch) = (Pair::new(1, 2), Epoch(1));
    let (leader, reasons) = (Role::Home, vec!["no".into()]);
    for (refusal, expected) in [
        (X::NotLeader { leader, epoch }, "409 not_leader"),
        (X::SyncPending { pair }, "409 sync_pending"),
        (
            X::PeerBehind {
                mine: None,
                theirs: None,
            },
            "409 peer_behind",
        ),
        (
            X::PeerAhead {
                mine: None,
                theirs: None,
            },
            "409 peer_ahead",
        ),
        (
            X::OperationInProgress { operation, site },
            "409 operation_in_progress",
        ),
        (X::ReservationStale, "409 reservation_stale"),
        (X::PeerRequired, "409 peer_required"),
        (X::AlreadyPrimary { epoch }, "409 already_primary"),
        (X::SiteSuspect, "409 site_suspect"),
        (X::RejectedByPeer { reasons }, "409 rejected_by_peer"),
        (X::ReleaseMismatch { operation }, "409 release_mismatch"),
        (X::OperationOver { operation }, "409 operation_over"),
        (X::GroupDeleted, "410 group_deleted"),
        (X::NoRecord, "404 not_found"),
    ] {
        check(refusal, expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn sync_refusals_by_form_and_signature() {
    use SyncRefusal as X;
    let (from, to) = (site(1), site(2));
    let (epoch, author) = (Epoch(1), Role::Home);
    let (bytes, max_bytes) = (2, 1);
    let (key_id, why) = (KeyId("k".into()), "x".into());
    for (refusal, expected) in [
        (X::BadSignature, "403 bad_signature"),
        (X::UnknownKey { key_id }, "403 unknown_key"),
        (X::WrongPair { from, to }, "403 wrong_pair"),
        (X::WrongAuthor { epoch, author }, "403 wrong_author"),
        (X::TooLarge { bytes, max_bytes }, "413 message_too_large"),
        (X::Malformed { why }, "400 malformed_message"),
        (X::WrongGroup, "400 wrong_group"),
    ] {
        check(refusal, expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_older_version_answers_with_the_newer_record() {
    let (mine, theirs) = (Pair::new(1, 3), Pair::new(1, 2));
    let envelope = Box::new(ticket(1, 3));
    let got = refused(
        SyncRefusal::OlderVersion {
            mine,
            theirs,
            envelope,
        }
        .into(),
    )
    .await;
    assert_eq!(got.line(), "409 older_version");
    assert_eq!(got.json()["envelope"], json!(ticket(1, 3)));
}

#[tokio::test(start_paused = true)]
async fn all_findings_are_told() {
    let rpo = Refusal::RpoViolation {
        age_min: 47,
        max_min: 15,
    };
    let got = refused(EngineError::Refused {
        refusals: Refusals(vec![rpo.clone(), Refusal::NoMembers]),
    })
    .await;
    let json = got.json();
    assert_eq!(got.status.as_u16(), 409);
    assert_eq!(
        json["error"]["message"],
        "Latest snapshot age (47 min) exceeds RPO threshold (15 min)"
    );
    let codes: Vec<_> = json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["code"].clone())
        .collect();
    assert_eq!(codes, ["rpo_violation", "no_members"]);
    assert_eq!(json["errors"][0], json["error"]);
    let single = refused(one(rpo.clone())).await.json();
    assert!(single.get("errors").is_none());
    for (refusals, status) in [
        (vec![Refusal::BadName, rpo.clone()], 409),
        (vec![Refusal::BadName, Refusal::SyncNotSupported], 400),
        (vec![], 500),
    ] {
        let got = refused(EngineError::Refused {
            refusals: Refusals(refusals),
        })
        .await;
        assert_eq!(got.status.as_u16(), status);
    }
}

/// The documented words of a change that the peer's absence blocks (requirements 1.24).
#[tokio::test(start_paused = true)]
async fn a_blocked_change_names_reason_and_way_out() {
    let world = World::new();
    world.will(Err(SyncRefusal::PeerRequired.into()));
    world.will(Err(SyncRefusal::SyncPending {
        pair: Pair::new(1, 3),
    }
    .into()));
    let error = world.post(&group_path("/members"), MEMBER).await.json()["error"].clone();
    assert_eq!(
        error["message"],
        "Cannot modify protection group - remote site unreachable."
    );
    assert!(!error["reason"].as_str().unwrap().is_empty());
    let error = world.post(&group_path("/members"), MEMBER).await.json()["error"].clone();
    assert_eq!(
        error["remedy"],
        "openstack protector protection-group sync-force web"
    );
}

/// A remedy gets pasted into a shell.
#[tokio::test(start_paused = true)]
async fn remedies_carry_harmless_names_only() {
    for name in ["$(reboot)", "a b", "-x", "a;b"] {
        let world = World::new();
        *world.engine.groups.lock().unwrap() = vec![group(1, name, MINE)];
        world.will(Err(SyncRefusal::SyncPending {
            pair: Pair::new(1, 3),
        }
        .into()));
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let got = world
            .post(
                &format!("/v1/{MINE}/protection-groups/{encoded}/members"),
                MEMBER,
            )
            .await;
        assert_eq!(
            got.json()["error"]["remedy"],
            "openstack protector protection-group sync-force <group>"
        );
    }
}

/// K12: what a database or a driver says is for the log.
#[tokio::test(start_paused = true)]
async fn inner_words_stay_inside() {
    let why = "mysql://protector:s3cret-canary@db/".to_owned();
    let world = World::new();
    *world.engine.query_fails.lock().unwrap() = Some(EngineError::Unavailable { why });
    let got = world.get("admin", &groups_path()).await;
    assert_eq!(got.line(), "503 engine_unavailable");
    assert!(!got.text.contains("canary"));
    assert!(!got.header("retry-after").is_empty());
}

#[tokio::test(start_paused = true)]
async fn tokens_are_in_no_answer() {
    let world = World::new();
    let token = "gAAAAABsecret-canary-token";
    world.keystone.add(token, Some(MINE), &["member"]);
    for (method, path) in [
        ("GET", groups_path()),
        ("POST", groups_path()),
        ("GET", "/v1/admin/actors".to_owned()),
        ("PUT", groups_path()),
    ] {
        let got = world.call(token, method, &path, "").await;
        assert!(!got.text.contains("canary") && !format!("{:?}", got.headers).contains("canary"));
    }
}
