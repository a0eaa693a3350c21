//! The counterexamples to the protocol as first written (section 12), each as the trace that now
//! ends well.

use super::bench::*;
use super::courier::{change_works, heal, sync_force};
use crate::sync::*;

#[test]
fn row_1_crosswise_reservations_cannot_make_one_pair_twice() {
    let mut bench = Bench::created();
    let home = bench
        .reserve(Role::Home, Intent::Change, Some(content("home's")))
        .unwrap();
    let other = bench.ticket(Role::Other, Intent::Change, Some(content("other's")));
    assert_eq!(code_of(other), "not_leader", "one author per epoch");
    bench.home.now_ms += TICKET_LIFE_MS - 1; // a slow clock changes nothing
    bench.home.hear(&home).unwrap();
    bench.carry(Role::Home);
    assert_eq!(bench.other.text(), "home's");
}

#[test]
fn row_2_an_open_reservation_blocks_nobody() {
    let mut bench = Bench::created();
    for _ in 0..3 {
        bench
            .reserve(Role::Home, Intent::Change, Some(content("given up")))
            .unwrap();
    }
    bench.edit(Role::Home, "v2").unwrap();
    bench.force(Role::Other, 1, false).unwrap();
}

#[test]
fn row_3_a_reservation_is_used_once_and_dies_with_its_ticket() {
    let mut bench = Bench::created();
    let reservation = bench
        .reserve(Role::Home, Intent::Change, Some(content("v2")))
        .unwrap();
    let mut old = bench.clone();
    old.home.now_ms += TICKET_LIFE_MS + 1;
    assert_eq!(code(old.home.hear(&reservation)), "reservation_stale");
    bench.home.hear(&reservation).unwrap();
    bench.carry(Role::Home);
    assert_eq!(code(bench.home.hear(&reservation)), "reservation_stale");
    assert_eq!(bench.home.pair(), Pair::new(1, 2));
}

#[test]
fn row_4_a_planned_move_is_guarded_for_as_long_as_it_takes() {
    let mut bench = Bench::locked();
    bench.home.now_ms += 1_000 * TICKET_LIFE_MS;
    bench.other.now_ms += 1_000 * TICKET_LIFE_MS;
    assert!(!bench.home.may_any(), "the source does not lead meanwhile");
    let change = bench.ticket(Role::Home, Intent::Change, Some(content("under the lock")));
    assert_eq!(code_of(change), "operation_in_progress");
    bench.finish(Role::Other, 1).unwrap();
    bench.carry(Role::Other);
    assert!(
        bench.home.state.kept().is_empty(),
        "no change was orphaned by a planned move"
    );
}

#[test]
fn row_5_a_forced_move_never_starts_in_the_old_epoch() {
    let mut bench = Bench::created();
    bench.force(Role::Other, 1, false).unwrap();
    let shared = bench.home.state.epoch().unwrap();
    assert!(bench.home.may(None), "the old site cannot know yet");
    let other = &bench.other.state;
    assert!(
        !may_start(other, Role::Other, Some(op(1)), shared),
        "but not in one epoch"
    );
}

#[test]
fn row_6_an_old_envelope_does_not_bring_a_deleted_group_back() {
    let mut bench = Bench::created();
    let old = bench.home.envelope();
    bench.change(Role::Home, Intent::Delete, None).unwrap();
    assert_eq!(code(bench.other.hear(&old)), "older_version");
    assert_eq!(code(bench.home.hear(&old)), "older_version");
    assert!(bench.home.state.is_deleted() && bench.other.state.is_deleted());
}

#[test]
fn row_7_a_target_that_died_with_the_lock_does_not_stop_the_leader_for_ever() {
    let mut bench = Bench::locked();
    bench.force(Role::Home, 2, true).unwrap();
    // The target was not dead after all and finishes in its own epoch: the higher one wins.
    bench.finish(Role::Other, 1).unwrap();
    let late = bench.other.envelope();
    assert_eq!(code(bench.home.hear(&late)), "older_version");
    assert!(heal(&mut bench, true) && change_works(&mut bench));
    assert!(bench.home.state.leads());
}

#[test]
fn row_8_a_release_after_the_finish_frees_nobody() {
    let mut bench = Bench::locked();
    bench.finish(Role::Other, 1).unwrap();
    let release = bench.release_of(Role::Other, 1);
    assert_eq!(
        code_of(release),
        "release_mismatch",
        "it is finished, not dead"
    );
    // And one that was signed for an epoch other than the lock's is not taken.
    let release = Release {
        operation: op(1),
        epoch: Epoch(2),
        source_vms: SourceVms::Home,
    };
    let content = MessageContent::Release(release);
    let (from, to) = (other_site(), home_site());
    let signed = sign(
        &bench.other.identity,
        &Message {
            group: group(),
            from,
            to,
            content,
        },
    )
    .unwrap();
    assert_eq!(code(bench.home.hear(&signed)), "release_mismatch");
    assert!(!bench.home.may_any());
}

#[test]
fn row_9_a_follower_does_not_write_for_a_release() {
    let mut bench = Bench::created();
    bench.force(Role::Other, 1, false).unwrap();
    bench.carry(Role::Other);
    let epoch = bench.home.state.epoch().unwrap();
    let release = Release {
        operation: op(1),
        epoch,
        source_vms: SourceVms::Home,
    };
    let content = MessageContent::Release(release);
    let (from, to) = (other_site(), home_site());
    let signed = sign(
        &bench.other.identity,
        &Message {
            group: group(),
            from,
            to,
            content,
        },
    )
    .unwrap();
    assert_eq!(code(bench.home.hear(&signed)), "release_mismatch");
}

#[test]
fn row_10_a_lock_that_arrives_too_late_starts_nothing() {
    let mut bench = Bench::created();
    let lock = bench.lock_at_leader(1);
    bench.other.act(Input::Abort { operation: op(1) }).unwrap();
    let outputs = bench.other.hear(&lock).unwrap();
    assert!(
        !outputs
            .iter()
            .any(|output| matches!(output, Output::OperationStarts { .. }))
    );
    assert!(!bench.other.may(Some(op(1))));
    // Nor can its id be offered again.
    let release = bench.release_of(Role::Other, 1).unwrap();
    bench.home.hear(&release).unwrap();
    bench.carry(Role::Home);
    let ticket = bench.ticket(Role::Home, Intent::Lock, None).unwrap();
    let ticket = bench.other.verify(&ticket).unwrap();
    let again = bench.other.act(Input::Ticket {
        ticket,
        offer: Some(offer(1)),
    });
    assert_eq!(code(again), "operation_over");
}

#[test]
fn row_11_versions_may_have_gaps() {
    let mut bench = Bench::created();
    bench.lock_at_leader(1); // (1, 2) never reaches the peer
    bench.other.act(Input::Abort { operation: op(1) }).unwrap();
    let release = bench.release_of(Role::Other, 1).unwrap();
    bench.home.hear(&release).unwrap(); // (1, 3)
    bench.carry(Role::Home);
    assert_eq!(bench.other.pair(), Pair::new(1, 3));
    assert!(change_works(&mut bench));
}

#[test]
fn row_12_a_body_that_is_refused_for_good_does_not_stay_pending() {
    let mut bench = Bench::created();
    bench.other.lenient = true;
    bench.edit_pending(Role::Home, bad_content("v2"));
    assert!(sync_force(&mut bench));
    assert_eq!(
        (bench.home.text(), bench.other.text()),
        ("v1".to_owned(), "v1".to_owned())
    );
    assert!(change_works(&mut bench));
}

#[test]
fn row_13_a_restored_site_reuses_no_pair_and_resumes_nothing() {
    // Reuses a pair.
    let mut bench = Bench::created();
    let backup = bench.home.state.clone();
    let lost = bench.edit_pending(Role::Home, content("forgotten"));
    bench.home.restore(&backup);
    assert!(sync_force(&mut bench));
    bench.edit(Role::Home, "after").unwrap();
    assert!(bench.home.pair() > Pair::new(1, 1_000));
    assert_eq!(code(bench.other.hear(&lost)), "older_version");
    // Resumes a released operation.
    let mut bench = Bench::locked();
    let backup = bench.other.state.clone();
    bench.other.act(Input::Abort { operation: op(1) }).unwrap();
    let release = bench.release_of(Role::Other, 1).unwrap();
    bench.home.hear(&release).unwrap();
    bench.other.restore(&backup);
    assert!(!bench.other.may(Some(op(1))) && bench.home.may(None));
    assert!(heal(&mut bench, true) && change_works(&mut bench));
}

#[test]
fn row_13_a_restored_leader_does_not_lead_while_its_own_lock_is_on_the_way() {
    let mut bench = Bench::created();
    let backup = bench.home.state.clone();
    let lock = bench.lock_at_leader(1);
    bench.home.restore(&backup);
    bench.compare_heads(Role::Home).unwrap(); // the peer has not got the lock yet
    assert!(!bench.home.may_any());
    bench.other.hear(&lock).unwrap();
    assert!(bench.other.may(Some(op(1))));
    assert!(!bench.home.may_any(), "two starters in one epoch");
    // The base record overtakes the lock; only its receipt makes home trust itself again.
    let base = bench.home.envelope();
    let receipt = reply(&bench.other.hear(&base).unwrap());
    assert!(!bench.other.may_any());
    bench.home.hear(&receipt).unwrap();
    assert!(bench.home.may(None));
}

#[test]
fn row_14_a_restored_leader_gets_rid_of_its_own_forgotten_lock() {
    let mut bench = Bench::created();
    let backup = bench.other.state.clone();
    bench.force(Role::Other, 1, false).unwrap();
    bench.carry(Role::Other);
    bench.other.restore(&backup);
    assert!(sync_force(&mut bench));
    assert_eq!(bench.other.lock().map(|lock| lock.operation), Some(op(1)));
    assert!(heal(&mut bench, true) && change_works(&mut bench));
    // Or without its peer, by taking its own group again.
    let mut bench = Bench::created();
    let backup = bench.other.state.clone();
    bench.force(Role::Other, 1, false).unwrap();
    let mint = bench.other.envelope();
    bench.other.restore_unnoticed(&backup);
    bench.other.hear(&mint).unwrap();
    bench.force(Role::Other, 2, true).unwrap();
    assert!(bench.other.may(Some(op(2))));
}

#[test]
fn row_15_an_older_base_does_not_end_a_newer_doubt() {
    let mut bench = Bench::created();
    let backup = bench.home.state.clone();
    bench.edit(Role::Home, "v2").unwrap();
    bench.home.restore(&backup);
    bench.compare_heads(Role::Home).unwrap();
    let based = bench.home.state.clone();
    let base = bench.home.envelope();
    let receipt = reply(&bench.other.hear(&base).unwrap());
    bench.home.restore(&based); // the second restore, to the moment of the first base
    bench.home.hear(&receipt).unwrap();
    assert!(
        bench.home.state.is_suspect(),
        "that receipt is for the older base"
    );
    assert!(sync_force(&mut bench) && change_works(&mut bench));
}

#[test]
fn row_15_two_restores_use_two_jumps() {
    let mut bench = Bench::created();
    let backup = bench.other.state.clone();
    let mut epochs = Vec::new();
    for n in 1..=2 {
        bench.other.restore(&backup);
        bench.force(Role::Other, n, false).unwrap();
        epochs.push(bench.other.pair().epoch);
    }
    assert!(epochs[1] > epochs[0], "{epochs:?}");
}
