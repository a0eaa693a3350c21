//! X1 to X13: each refusal where section 6 wants it, with its code and a command that helps. After
//! each, the state is as it was.

use super::bench::*;
use crate::sync::*;
use std::collections::BTreeMap;

fn edit_ticket(bench: &mut Bench, at: Role) -> &'static str {
    code_of(bench.ticket(at, Intent::Change, Some(content("v2"))))
}

#[test]
fn x1_a_change_at_the_follower() {
    let mut bench = Bench::created();
    assert_eq!(edit_ticket(&mut bench, Role::Other), "not_leader");
    let mut bench = Bench::empty();
    let create = bench.ticket(Role::Other, Intent::Create, Some(content("v1")));
    assert_eq!(code_of(create), "not_leader", "the creating site is home");
}

#[test]
fn x3_a_change_while_the_last_one_is_pending() {
    let mut bench = Bench::created();
    bench.edit_pending(Role::Home, content("v2"));
    assert_eq!(edit_ticket(&mut bench, Role::Home), "sync_pending");
}

#[test]
fn x4_a_base_that_is_not_where_the_peer_stands() {
    let mut bench = Bench::created();
    let edit = bench.edit_pending(Role::Home, content("v2"));
    let backup = bench.home.state.clone();
    bench.other.hear(&edit).unwrap();
    bench.carry(Role::Home);
    let ticket = bench
        .ticket(Role::Home, Intent::Change, Some(content("v3")))
        .unwrap();
    let old = Bench::created().other.state;
    let newer = std::mem::replace(&mut bench.other.state, old);
    assert_eq!(code(bench.other.hear(&ticket)), "peer_behind");
    bench.other.state = newer;
    bench.edit(Role::Home, "v3").unwrap();
    assert_eq!(code(bench.other.hear(&ticket)), "peer_ahead");
    // A second create of an id that the peer knows.
    bench.home.state = backup;
    let mut fresh = Bench::empty();
    let create = fresh
        .ticket(Role::Home, Intent::Create, Some(content("v1")))
        .unwrap();
    assert_eq!(code(bench.other.hear(&create)), "peer_ahead");
}

#[test]
fn x5_a_change_under_a_lock_or_an_operation_here_or_there() {
    let mut bench = Bench::locked();
    assert_eq!(edit_ticket(&mut bench, Role::Home), "operation_in_progress");
    let mut bench = Bench::created();
    let ticket = bench
        .ticket(Role::Home, Intent::Change, Some(content("v2")))
        .unwrap();
    bench.force(Role::Other, 1, false).unwrap();
    assert_eq!(code(bench.other.hear(&ticket)), "operation_in_progress");
}

#[test]
fn x6_unknown_used_old_and_lost_tickets() {
    let mut bench = Bench::created();
    let draft = || Some(content("v2"));
    let reservation = bench.reserve(Role::Home, Intent::Change, draft()).unwrap();
    let mut restarted = bench.clone();
    restarted.home.act(Input::EngineStarted).unwrap();
    assert_eq!(
        code(restarted.home.hear(&reservation)),
        "reservation_stale",
        "restart"
    );
    let mut late = bench.clone();
    late.home.now_ms += TICKET_LIFE_MS;
    assert_eq!(
        code(late.home.hear(&reservation)),
        "reservation_stale",
        "120 s"
    );
    late.home.now_ms -= 1;
    assert_eq!(code(late.home.hear(&reservation)), "ok", "just in time");
    let second = bench.reserve(Role::Home, Intent::Change, draft()).unwrap();
    bench.home.hear(&reservation).unwrap();
    assert_eq!(
        code(bench.home.hear(&reservation)),
        "reservation_stale",
        "used"
    );
    assert_eq!(
        code(bench.home.hear(&second)),
        "reservation_stale",
        "the base has moved"
    );
}

#[test]
fn x7_a_change_without_the_peer() {
    let mut bench = Bench::created();
    bench
        .ticket(Role::Home, Intent::Change, Some(content("v2")))
        .unwrap();
    assert_eq!(
        code(bench.home.act(Input::Commit { reservation: None })),
        "peer_required"
    );
}

#[test]
fn x8_an_unplanned_failover_at_an_unlocked_leader() {
    assert_eq!(
        code(Bench::created().force(Role::Home, 1, false)),
        "already_primary"
    );
}

#[test]
fn x9_anything_on_a_tombstone() {
    let mut bench = Bench::created();
    bench.change(Role::Home, Intent::Delete, None).unwrap();
    assert_eq!(edit_ticket(&mut bench, Role::Home), "group_deleted");
    assert_eq!(
        code_of(bench.ticket(Role::Home, Intent::Create, Some(content("v1")))),
        "group_deleted"
    );
    for role in [Role::Home, Role::Other] {
        assert_eq!(code(bench.force(role, 1, true)), "group_deleted");
        assert_eq!(
            code(bench.site(role).act(Input::AbandonPeer)),
            "group_deleted"
        );
        assert_eq!(
            code(bench.site(role).act(Input::TakeLocal { operation: op(1) })),
            "group_deleted"
        );
    }
    assert_eq!(code(bench.finish(Role::Other, 1)), "group_deleted");
}

#[test]
fn x10_a_site_in_doubt_asks_attests_and_releases_nothing_but_may_take_over() {
    let mut bench = Bench::created();
    let ticket = bench
        .ticket(Role::Home, Intent::Change, Some(content("v2")))
        .unwrap();
    bench.other.act(Input::Restored).unwrap();
    assert_eq!(code(bench.other.hear(&ticket)), "site_suspect");
    bench.home.act(Input::Restored).unwrap();
    assert_eq!(edit_ticket(&mut bench, Role::Home), "site_suspect");
    assert_eq!(
        code(bench.force(Role::Home, 1, false)),
        "site_suspect",
        "not without --reclaim"
    );
    assert_eq!(code(bench.force(Role::Home, 1, true)), "ok");
    assert_eq!(code(bench.force(Role::Other, 2, false)), "ok");
    let mut bench = Bench::locked();
    bench.other.act(Input::Restored).unwrap();
    assert_eq!(code_of(bench.release_of(Role::Other, 1)), "site_suspect");
    let mut bench = Bench::created();
    bench.other.lenient = true;
    let bad = bench.edit_pending(Role::Home, bad_content("v2"));
    let rejection = reply(&bench.other.hear(&bad).unwrap());
    bench.home.act(Input::Restored).unwrap();
    assert_eq!(code(bench.home.hear(&rejection)), "site_suspect");
}

#[test]
fn x12_a_draft_that_the_peer_cannot_accept() {
    let mut bench = Bench::created();
    let refusal = bench
        .reserve(Role::Home, Intent::Change, Some(bad_content("v2")))
        .unwrap_err();
    let reasons = vec!["no such volume type".to_owned()];
    assert_eq!(refusal, SyncRefusal::RejectedByPeer { reasons });
    assert!(
        bench.home.state.is_synced(),
        "before anything was committed"
    );
}

#[test]
fn x13_a_release_of_another_epoch_operation_or_site() {
    let mut bench = Bench::locked();
    bench.other.act(Input::Abort { operation: op(1) }).unwrap();
    let release = bench.release_of(Role::Other, 1).unwrap();
    let mut unlocked = Bench::created();
    assert_eq!(
        code(unlocked.home.hear(&release)),
        "release_mismatch",
        "no lock"
    );
    let mut another = Bench::created();
    another.lock_at_leader(2);
    assert_eq!(
        code(another.home.hear(&release)),
        "release_mismatch",
        "another operation"
    );
    bench.force(Role::Home, 3, true).unwrap();
    assert_eq!(
        code(bench.home.hear(&release)),
        "release_mismatch",
        "another epoch"
    );
    assert_eq!(
        code_of(bench.release_of(Role::Other, 9)),
        "release_mismatch",
        "never ours"
    );
}

#[test]
fn a_group_that_is_not_here_has_nothing_to_move() {
    let mut bench = Bench::empty();
    assert_eq!(code(bench.force(Role::Other, 1, false)), "no_record");
    assert_eq!(code(bench.finish(Role::Other, 1)), "no_record");
    assert_eq!(edit_ticket(&mut bench, Role::Home), "no_record");
}

type Row = (SyncRefusal, &'static str, &'static str);

/// One of each kind that a state brings about: code, and a part of its remedy.
fn of_states() -> Vec<Row> {
    use SyncRefusal as R;
    let (pair, epoch) = (Pair::new(1, 1), Epoch(1));
    let envelope = Box::new(Bench::created().home.envelope());
    let older = R::OlderVersion {
        mine: pair,
        theirs: pair,
        envelope,
    };
    let (operation, site, leader) = (op(1), Role::Home, Role::Home);
    let (mine, theirs) = (None, Some(pair));
    vec![
        (R::NotLeader { leader, epoch }, "not_leader", "home site"),
        (older, "older_version", "sync-force pg"),
        (R::SyncPending { pair }, "sync_pending", "sync-force pg"),
        (
            R::PeerBehind { mine, theirs },
            "peer_behind",
            "sync-force pg",
        ),
        (R::PeerAhead { mine, theirs }, "peer_ahead", "sync-force pg"),
        (
            R::OperationInProgress { operation, site },
            "operation_in_progress",
            "operation show",
        ),
        (R::ReservationStale, "reservation_stale", "repeat"),
        (
            R::PeerRequired,
            "peer_required",
            "failover --type unplanned pg",
        ),
        (R::AlreadyPrimary { epoch }, "already_primary", "nothing"),
        (R::GroupDeleted, "group_deleted", "protection-group create"),
        (R::SiteSuspect, "site_suspect", "sync-force pg"),
        (R::NoRecord, "no_record", "protection-group show pg"),
        (
            R::OperationOver { operation },
            "operation_over",
            "operation show",
        ),
    ]
}

/// One of each kind that a message brings about.
fn of_messages() -> Vec<Row> {
    use SyncRefusal as R;
    let (from, to, key_id) = (home_site(), other_site(), KeyId("k".into()));
    let (operation, epoch, author) = (op(1), Epoch(1), Role::Other);
    let why = "x".to_owned();
    vec![
        (R::BadSignature, "bad_signature", "site validate"),
        (R::UnknownKey { key_id }, "unknown_key", "site validate"),
        (R::WrongPair { from, to }, "wrong_pair", "site validate"),
        (
            R::WrongAuthor { epoch, author },
            "wrong_author",
            "site validate",
        ),
        (
            R::RejectedByPeer { reasons: vec![] },
            "rejected_by_peer",
            "sync-force pg",
        ),
        (
            R::ReleaseMismatch { operation },
            "release_mismatch",
            "sync-status pg",
        ),
        (
            R::TooLarge {
                bytes: 2,
                max_bytes: 1,
            },
            "message_too_large",
            "smaller",
        ),
        (R::Malformed { why }, "malformed_message", "release"),
        (R::WrongGroup, "wrong_group", "sync-status pg"),
    ]
}

#[test]
fn every_refusal_has_a_code_of_its_own_and_a_next_command() {
    let mut codes = BTreeMap::new();
    for (refusal, code, remedy) in of_states().into_iter().chain(of_messages()) {
        assert_eq!(refusal.code(), code);
        assert!(
            refusal.remedy("pg").contains(remedy),
            "{code}: {}",
            refusal.remedy("pg")
        );
        let wire = serde_json::to_value(&refusal).unwrap();
        assert_eq!(wire["code"], code, "the wire says the same code");
        assert_eq!(
            serde_json::from_value::<SyncRefusal>(wire).unwrap(),
            refusal
        );
        assert_eq!(codes.insert(code, ()), None);
    }
    assert_eq!(codes.len(), 22, "a new refusal belongs into this table");
}

/// A ticket for a lock that no sound site would sign.
fn forged_lock_ticket(bench: &mut Bench, from: Role) -> Answer {
    let (nonce, base) = (bench.nonce(), bench.site(from).state.fence());
    let ticket = Ticket {
        nonce,
        intent: Intent::Lock,
        base,
        next_digest: None,
        draft: None,
    };
    let (me, peer) = match from {
        Role::Home => (home_site(), other_site()),
        Role::Other => (other_site(), home_site()),
    };
    let message = Message {
        group: group(),
        from: me,
        to: peer,
        content: MessageContent::Ticket(ticket),
    };
    let signed = sign(&bench.site(from).identity, &message).unwrap();
    let asked = bench.site(from.peer());
    let ticket = asked.verify(&signed).unwrap();
    asked.act(Input::Ticket {
        ticket,
        offer: Some(offer(9)),
    })
}

/// Its peer's own rules would never ask; the peer may be an older release, or broken.
#[test]
fn r2_does_not_rely_on_the_asker_for_who_leads_and_what_is_locked() {
    let mut bench = Bench::created();
    let follower = forged_lock_ticket(&mut bench, Role::Other);
    assert_eq!(code(follower), "not_leader");
    let mut bench = Bench::locked();
    let abort = Input::Abort { operation: op(1) };
    bench.other.act(abort).unwrap();
    let locked = forged_lock_ticket(&mut bench, Role::Home);
    assert_eq!(code(locked), "operation_in_progress");
}

#[test]
fn r4_does_not_take_up_an_operation_that_is_dead() {
    let mut bench = Bench::locked();
    let abort = Input::Abort { operation: op(1) };
    bench.other.act(abort).unwrap();
    let again = bench.force(Role::Other, 1, false);
    assert_eq!(code(again), "operation_over");
    bench.force(Role::Other, 2, false).unwrap();
}
