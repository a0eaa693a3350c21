//! R13: a restored database, decision by decision.

use super::bench::*;
use super::courier::{change_works, heal, in_sync, sync_force};
use crate::sync::*;

/// Home at version 3, and its database of version 1.
fn behind() -> (Bench, GroupSync) {
    let mut bench = Bench::created();
    let backup = bench.home.state.clone();
    bench.edit(Role::Home, "v2").unwrap();
    bench.edit(Role::Home, "v3").unwrap();
    (bench, backup)
}

#[test]
fn a_restored_leader_adopts_and_writes_a_base_above_its_mark() {
    let (mut bench, backup) = behind();
    bench.home.restore(&backup);
    assert!(bench.home.state.is_suspect() && !bench.home.may_any());
    bench.compare_heads(Role::Home).unwrap();
    assert_eq!(
        (bench.home.text().as_str(), bench.home.kind()),
        ("v3", RecordKind::Base)
    );
    let mark = bench.home.state.restore_mark();
    assert_eq!(
        bench.home.pair(),
        Pair {
            epoch: Epoch(1),
            version: Version(mark)
        }
    );
    assert!(
        bench.home.state.is_suspect(),
        "until the base is acknowledged"
    );
    let envelope = bench.home.envelope();
    let receipt = reply(&bench.other.hear(&envelope).unwrap());
    assert!(
        bench
            .home
            .hear(&receipt)
            .unwrap()
            .contains(&Output::Trusted)
    );
    assert!(bench.home.may(None));
    bench.edit(Role::Home, "v4").unwrap();
}

#[test]
fn a_restored_follower_is_done_with_the_head() {
    let mut bench = Bench::created();
    let backup = bench.other.state.clone();
    bench.edit(Role::Home, "v2").unwrap();
    bench.other.restore(&backup);
    let ticket = bench
        .ticket(Role::Home, Intent::Change, Some(content("v3")))
        .unwrap();
    assert_eq!(
        code(bench.other.hear(&ticket)),
        "site_suspect",
        "attests nothing"
    );
    let outputs = bench.compare_heads(Role::Other).unwrap();
    assert!(outputs.contains(&Output::Trusted));
    assert_eq!(bench.other.text(), "v2");
}

#[test]
fn a_head_counts_once_and_only_with_a_live_ticket() {
    let (mut bench, backup) = behind();
    bench.home.restore(&backup);
    let ticket = bench.ticket(Role::Home, Intent::Head, None).unwrap();
    let head = reply(&bench.other.hear(&ticket).unwrap());
    let unasked = bench
        .other
        .state
        .sign_head(&bench.other.identity, None)
        .unwrap();
    assert_eq!(
        code(bench.hear_head(Role::Home, &unasked)),
        "reservation_stale"
    );
    bench.home.now_ms += TICKET_LIFE_MS;
    assert_eq!(
        code(bench.hear_head(Role::Home, &head)),
        "reservation_stale"
    );
    bench.home.now_ms -= TICKET_LIFE_MS;
    bench.hear_head(Role::Home, &head).unwrap();
    assert_eq!(
        code(bench.hear_head(Role::Home, &head)),
        "reservation_stale"
    );
}

#[test]
fn a_newer_head_needs_its_envelope() {
    let (mut bench, backup) = behind();
    bench.home.restore(&backup);
    let ticket = bench.ticket(Role::Home, Intent::Head, None).unwrap();
    let head = reply(&bench.other.hear(&ticket).unwrap());
    assert_eq!(code(bench.home.hear(&head)), "peer_ahead");
    bench.hear_head(Role::Home, &head).unwrap();
    assert_eq!(bench.home.text(), "v3");
}

#[test]
fn a_change_that_was_never_acknowledged_is_taken_back() {
    let mut bench = Bench::created();
    bench.edit_pending(Role::Home, content("never sent"));
    let backup = bench.home.state.clone();
    bench.home.restore(&backup);
    bench.compare_heads(Role::Home).unwrap();
    assert_eq!(bench.home.text(), "v1");
    assert_eq!(bench.home.state.kept()[0].reason, KeptReason::Withdrawn);
}

#[test]
fn a_change_that_the_peer_has_stays() {
    let mut bench = Bench::created();
    let edit = bench.edit_pending(Role::Home, content("v2"));
    bench.other.hear(&edit).unwrap();
    let backup = bench.home.state.clone();
    bench.home.restore(&backup);
    bench.compare_heads(Role::Home).unwrap();
    assert_eq!(
        (bench.home.text().as_str(), bench.home.kind()),
        ("v2", RecordKind::Base)
    );
    assert!(bench.home.state.kept().is_empty());
}

#[test]
fn operations_die_forced_ones_are_parked_and_tickets_go() {
    let mut bench = Bench::locked();
    let backup = bench.other.state.clone();
    bench.other.restore(&backup);
    assert_eq!(bench.other.mode(), None);
    let mut bench = Bench::created();
    bench.force(Role::Other, 1, false).unwrap();
    let backup = bench.other.state.clone();
    bench.other.restore(&backup);
    assert_eq!(bench.other.mode(), Some(OperationMode::Forced));
    assert!(!bench.other.may_any(), "parked");
    assert_eq!(code(bench.finish(Role::Other, 1)), "site_suspect");
    bench.compare_heads(Role::Other).unwrap();
    bench.carry(Role::Other);
    assert!(
        bench.other.may(Some(op(1))),
        "its lock is still in force, so it goes on"
    );
    let mut bench = Bench::created();
    let reservation = bench
        .reserve(Role::Home, Intent::Change, Some(content("v2")))
        .unwrap();
    bench.home.act(Input::Restored).unwrap();
    assert!(bench.home.tickets.is_empty());
    assert_eq!(code(bench.home.hear(&reservation)), "reservation_stale");
}

#[test]
fn the_next_mint_after_a_restore_jumps_over_the_mark_once() {
    let mut bench = Bench::created();
    let backup = bench.other.state.clone();
    bench.other.restore(&backup);
    let mark = bench.other.state.restore_mark();
    bench.force(Role::Other, 1, false).unwrap();
    let first = bench.other.pair().epoch;
    assert!(first.0 >= mark && leader(first) == Role::Other);
    assert!(
        !bench.other.state.is_suspect(),
        "a forced move ends the doubt"
    );
    bench.finish(Role::Other, 1).unwrap();
    bench.carry(Role::Other);
    bench.force(Role::Home, 2, false).unwrap();
    assert_eq!(
        bench.home.pair().epoch,
        Epoch(first.0 + 1),
        "no jump without a restore"
    );
}

#[test]
fn a_second_restore_raises_the_mark_again() {
    let (mut bench, backup) = behind();
    bench.home.restore(&backup);
    let first = bench.home.state.restore_mark();
    bench.home.restore(&backup);
    assert!(bench.home.state.restore_mark() > first);
}

#[test]
fn an_own_record_that_is_not_remembered_is_proof_of_a_restore() {
    let (mut bench, backup) = behind();
    let forgotten = bench.home.envelope();
    bench.home.restore_unnoticed(&backup);
    let outputs = bench.home.hear(&forgotten).unwrap();
    assert!(
        outputs
            .iter()
            .any(|output| matches!(output, Output::Suspected { .. }))
    );
    assert_eq!(
        bench.home.text(),
        "v3",
        "it is the greater one, so it is in force"
    );
    assert!(!bench.home.state.is_synced());
    assert!(heal(&mut bench, true) && change_works(&mut bench));
}

#[test]
fn the_same_pair_twice_is_noticed_and_both_contents_stay_visible() {
    let (mut bench, backup) = behind();
    bench.home.restore_unnoticed(&backup);
    // It reuses (1, 2) before any contact: its peer would not attest, so by a stored reservation.
    let mut twin = Bench::created();
    twin.edit_pending(Role::Home, content("v2 again"));
    bench.home.state = twin.home.state.clone();
    let mut older = Bench::created();
    older.edit(Role::Home, "v2").unwrap();
    bench.other.state = older.other.state.clone();
    assert_eq!(bench.home.pair(), bench.other.pair());
    assert_ne!(bench.home.state.fence(), bench.other.state.fence());
    let twin = bench.home.envelope();
    assert_eq!(
        code(bench.other.hear(&twin)),
        "older_version",
        "the follower keeps its own"
    );
    assert!(sync_force(&mut bench));
    assert_eq!(bench.home.kind(), RecordKind::Base);
    let kept: Vec<_> = bench
        .home
        .state
        .kept()
        .iter()
        .map(|kept| kept.stored.record().body["text"].clone())
        .collect();
    assert!(kept.contains(&"v2".into()), "{kept:?}");
    assert!(change_works(&mut bench));
}

#[test]
fn a_base_is_not_written_twice_while_its_receipt_is_on_the_way() {
    let (mut bench, backup) = behind();
    bench.home.restore(&backup);
    bench.compare_heads(Role::Home).unwrap();
    let base = bench.home.state.fence();
    let outputs = bench.compare_heads(Role::Home).unwrap();
    assert_eq!(bench.home.state.fence(), base);
    assert_eq!(reply(&outputs), bench.home.envelope());
}

#[test]
fn a_tombstone_survives_the_restore_of_its_author() {
    let mut bench = Bench::created();
    let backup = bench.home.state.clone();
    bench.change(Role::Home, Intent::Delete, None).unwrap();
    bench.home.restore(&backup);
    assert!(sync_force(&mut bench) && in_sync(&bench));
    assert!(bench.home.state.is_deleted() && bench.other.state.is_deleted());
}

#[test]
fn a_site_that_lost_the_group_altogether_gets_it_back() {
    let mut bench = Bench::created();
    let vacant = GroupSync::vacant(group(), home_site(), other_site(), Role::Home);
    bench.home.restore(&vacant);
    assert!(sync_force(&mut bench));
    assert!(bench.home.may(None) && change_works(&mut bench));
}

#[test]
fn both_sites_restored_at_once_still_meet() {
    let (mut bench, backup) = behind();
    let other = bench.other.state.clone();
    bench.home.restore(&backup);
    bench.other.restore(&other);
    assert!(heal(&mut bench, true) && change_works(&mut bench));
}

/// The other site, restored under a clock that is ahead, has led the numbers past home's mark.
#[test]
fn a_mark_below_the_numbers_in_use_still_reuses_none() {
    let mut bench = Bench::created();
    let backup = bench.home.state.clone();
    bench.other.unix_ms = 1_000_000_000_000;
    let other = bench.other.state.clone();
    bench.other.restore(&other);
    bench.force(Role::Other, 1, false).unwrap();
    let theirs = bench.other.envelope();
    bench.home.hear(&theirs).unwrap();
    bench.force(Role::Home, 2, false).unwrap();
    let forgotten = bench.home.pair();
    bench.home.unix_ms = 999_999_000_000; // a quarter of an hour behind
    bench.home.restore(&backup);
    bench.home.hear(&theirs).unwrap();
    bench.force(Role::Home, 3, false).unwrap();
    assert!(
        bench.home.pair() > forgotten,
        "{} and {forgotten}",
        bench.home.pair()
    );
    // The same inside an epoch: a version above the peer's head that nobody remembers.
    let mut bench = Bench::created();
    bench.home.mark = 0;
    bench.edit(Role::Home, "v2").unwrap();
    let backup = bench.home.state.clone();
    bench.edit_pending(Role::Home, content("forgotten"));
    let forgotten = bench.home.pair();
    bench.home.restore(&backup);
    bench.compare_heads(Role::Home).unwrap();
    assert!(bench.home.pair() > forgotten);
}

/// The world has changed since the follower stored the record that its restore forgot.
#[test]
fn what_was_acknowledged_and_is_refused_after_a_restore_stays_in_force() {
    for noticed in [true, false] {
        let mut bench = Bench::created();
        let backup = bench.other.state.clone();
        bench.other.lenient = true;
        let envelope = bench.edit_pending(Role::Home, bad_content("v2"));
        bench.other.lenient_at_storing = true;
        bench.carry(Role::Home);
        bench.other.lenient_at_storing = false;
        match noticed {
            true => bench.other.restore(&backup),
            false => bench.other.restore_unnoticed(&backup),
        }
        let rejection = reply(&bench.other.hear(&envelope).unwrap());
        assert_eq!(rejection.message_type, MessageType::Rejection);
        bench.home.hear(&rejection).unwrap();
        assert_eq!(
            (bench.home.text().as_str(), bench.home.kind()),
            ("v2", RecordKind::Base)
        );
        assert!(bench.home.state.kept().is_empty(), "nothing was taken back");
        assert_eq!(
            code(bench.home.hear(&rejection)),
            "older_version",
            "said once"
        );
        assert!(sync_force(&mut bench));
        assert_eq!(bench.other.text(), "v2");
        assert!(heal(&mut bench, true) && change_works(&mut bench));
    }
}
