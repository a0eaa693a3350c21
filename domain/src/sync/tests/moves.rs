//! R4, R5, R10 to R12 and local operations: who may start VMs at every moment of a move.

use super::bench::*;
use crate::sync::*;

#[test]
fn a_planned_move_hands_the_right_over_without_a_gap_of_two() {
    let mut bench = Bench::created();
    let rights = |bench: &Bench| (bench.home.may(None), bench.other.may(Some(op(1))));
    assert_eq!(rights(&bench), (true, false));
    let reservation = bench.reserve_lock(1);
    assert_eq!(rights(&bench), (true, false), "requested has no right");
    let lock = reply(&bench.home.hear(&reservation).unwrap());
    assert_eq!(
        rights(&bench),
        (false, false),
        "handed over, not yet arrived"
    );
    let outputs = bench.other.hear(&lock).unwrap();
    assert!(outputs.contains(&Output::OperationStarts {
        operation: op(1),
        epoch: Epoch(1)
    }));
    assert_eq!(rights(&bench), (false, true));
    assert!(!bench.other.may(None), "the operation has it, not the site");
    bench.finish(Role::Other, 1).unwrap();
    assert_eq!(bench.other.pair(), Pair::new(2, 3));
    assert_eq!((bench.home.may_any(), bench.other.may(None)), (false, true));
    bench.carry(Role::Other);
    assert_eq!(bench.home.state.fence(), bench.other.state.fence());
    assert!(
        bench.home.state.kept().is_empty(),
        "a planned move loses nothing"
    );
}

#[test]
fn a_lock_is_not_a_change_of_content() {
    let bench = Bench::locked();
    assert_eq!(bench.other.text(), "v1");
    assert_eq!(bench.other.lock().unwrap().operation, op(1));
}

#[test]
fn an_unplanned_move_mints_at_once_and_needs_nobody() {
    let mut bench = Bench::created();
    let outputs = bench.force(Role::Other, 1, false).unwrap();
    assert!(outputs.contains(&Output::OperationStarts {
        operation: op(1),
        epoch: Epoch(2)
    }));
    assert_eq!(bench.other.pair(), Pair::new(2, 2));
    assert!(bench.other.may(Some(op(1))) && !bench.other.may(None));
    bench.finish(Role::Other, 1).unwrap();
    assert_eq!(bench.other.pair(), Pair::new(2, 3));
    assert!(bench.other.may(None));
    assert!(
        !bench.other.may(Some(op(1))),
        "a straggler of the ended operation"
    );
    bench.carry(Role::Other);
    bench.edit(Role::Other, "v5").unwrap();
    assert_eq!(bench.home.text(), "v5");
}

#[test]
fn a_planned_operation_can_be_turned_into_a_forced_one() {
    let mut bench = Bench::locked();
    let outputs = bench.force(Role::Other, 2, false).unwrap();
    let died = Output::OperationDied {
        operation: op(1),
        adopted_by: Some(op(2)),
    };
    assert!(outputs.contains(&died));
    assert!(bench.other.may(Some(op(2))) && !bench.other.may(Some(op(1))));
}

#[test]
fn reclaim_needs_its_word_and_a_lock() {
    let mut bench = Bench::locked();
    assert_eq!(
        code(bench.force(Role::Home, 2, false)),
        "operation_in_progress"
    );
    bench.force(Role::Home, 2, true).unwrap();
    assert_eq!(
        bench.home.pair(),
        Pair::new(3, 3),
        "two epochs on: the next one of its own"
    );
    assert!(bench.home.may(Some(op(2))));
    // The target's planned operation ends when it hears of it.
    let outputs = bench.other.hear(&bench.home.envelope()).unwrap();
    assert!(outputs.contains(&Output::OperationDied {
        operation: op(1),
        adopted_by: None
    }));
    assert!(!bench.other.may_any());
    let mut free = Bench::created();
    assert_eq!(code(free.force(Role::Home, 2, true)), "already_primary");
}

#[test]
fn a_forced_operation_is_not_forced_again_nor_aborted() {
    let mut bench = Bench::created();
    bench.force(Role::Other, 1, false).unwrap();
    assert_eq!(
        code(bench.force(Role::Other, 2, true)),
        "operation_in_progress"
    );
    let abort = Input::Abort { operation: op(1) };
    assert_eq!(code(bench.other.act(abort)), "operation_in_progress");
}

#[test]
fn r5_only_the_running_operation_finishes() {
    let mut bench = Bench::created();
    assert_eq!(code(bench.finish(Role::Other, 1)), "operation_over");
    bench.reserve_lock(1);
    assert_eq!(
        code(bench.finish(Role::Other, 1)),
        "operation_over",
        "requested is not running"
    );
    let mut bench = Bench::locked();
    assert_eq!(code(bench.finish(Role::Other, 2)), "operation_over");
    bench.finish(Role::Other, 1).unwrap();
    assert_eq!(code(bench.finish(Role::Other, 1)), "operation_over", "once");
}

#[test]
fn r10_and_r11_abort_release_and_change_again() {
    let mut bench = Bench::locked();
    assert_eq!(
        code_of(bench.release_of(Role::Other, 1)),
        "operation_in_progress"
    );
    bench.other.act(Input::Abort { operation: op(1) }).unwrap();
    assert_eq!(
        bench.other.act(Input::Abort { operation: op(1) }).unwrap(),
        [],
        "repeated"
    );
    assert!(
        !bench.other.may_any() && !bench.home.may_any(),
        "locked until the release arrives"
    );
    let release = bench.release_of(Role::Other, 1).unwrap();
    let outputs = bench.home.hear(&release).unwrap();
    let unlocked = Output::Unlocked {
        operation: op(1),
        source_vms: SourceVms::Home,
    };
    assert!(outputs.contains(&unlocked));
    assert!(bench.home.may(None));
    assert_eq!(
        code(bench.home.hear(&release)),
        "release_mismatch",
        "no second effect"
    );
    bench.carry(Role::Home);
    bench.edit(Role::Home, "v2").unwrap();
}

#[test]
fn r11_an_unknown_operation_is_released_only_after_a_search() {
    // The follower was restored to before it accepted the operation.
    let mut bench = Bench::created();
    let backup = bench.other.state.clone();
    bench.lock_at_leader(1);
    bench.carry(Role::Home);
    bench.other.restore(&backup);
    assert_eq!(code(bench.other.act(ask_release(1, true))), "site_suspect");
    bench.compare_heads(Role::Other).unwrap();
    assert_eq!(
        code(bench.other.act(ask_release(1, false))),
        "release_mismatch"
    );
    assert_eq!(
        code(bench.other.act(ask_release(2, true))),
        "release_mismatch"
    );
    let release = reply(&bench.other.act(ask_release(1, true)).unwrap());
    bench.home.hear(&release).unwrap();
    assert_eq!(bench.home.lock(), None);
}

#[test]
fn r12_a_forgotten_forced_lock_is_settled_by_its_leader() {
    let mut bench = Bench::created();
    let backup = bench.other.state.clone();
    bench.force(Role::Other, 1, false).unwrap();
    bench.carry(Role::Other);
    bench.other.restore(&backup);
    bench.compare_heads(Role::Other).unwrap(); // adopts its own forgotten mint, writes a base
    let settle = || Input::Settle {
        content: content("settled"),
    };
    assert_eq!(code(bench.other.act(settle())), "site_suspect");
    bench.carry(Role::Other);
    assert_eq!(
        bench.other.lock().map(|lock| lock.holder),
        Some(Role::Other)
    );
    assert_eq!(code(bench.home.act(settle())), "not_leader");
    bench.other.act(settle()).unwrap();
    assert!(bench.other.lock().is_none() && bench.other.may(None));
    assert_eq!(code(bench.other.act(settle())), "already_primary");
    // A live operation is not settled away.
    let mut bench = Bench::created();
    bench.force(Role::Other, 1, false).unwrap();
    assert_eq!(code(bench.other.act(settle())), "operation_in_progress");
}

#[test]
fn an_abandoned_peer_leaves_a_tombstone_above_everything() {
    let mut bench = Bench::locked();
    bench.home.act(Input::AbandonPeer).unwrap();
    assert!(bench.home.state.is_deleted());
    assert_eq!(bench.home.pair(), Pair::new(3, 3));
    bench.finish(Role::Other, 1).unwrap(); // the peer, not so gone, had finished
    bench.other.hear(&bench.home.envelope()).unwrap();
    assert!(bench.other.state.is_deleted() && !bench.other.may_any());
    assert_eq!(bench.other.state.kept().len(), 1, "its move is shown");
}

#[test]
fn local_operations_keep_locks_away_and_change_their_own_group() {
    let mut bench = Bench::created();
    bench
        .home
        .act(Input::TakeLocal { operation: op(1) })
        .unwrap();
    assert_eq!(
        code_of(bench.ticket(Role::Home, Intent::Lock, None)),
        "operation_in_progress"
    );
    let draft = Some(content("v2"));
    let ask = |for_operation, nonce| Input::AskTicket {
        nonce,
        intent: Intent::Change,
        draft: draft.clone(),
        for_operation,
    };
    let nonce = bench.nonce();
    assert_eq!(
        code(bench.home.act(ask(None, nonce))),
        "operation_in_progress"
    );
    let nonce = bench.nonce();
    let ticket = reply(&bench.home.act(ask(Some(op(1)), nonce)).unwrap());
    let reservation = reply(&bench.other.hear(&ticket).unwrap());
    bench.home.hear(&reservation).unwrap();
    bench.carry(Role::Home);
    assert_eq!(bench.home.mode(), Some(OperationMode::Local));
    bench
        .home
        .act(Input::EndLocal { operation: op(1) })
        .unwrap();
    assert_eq!(
        code(bench.home.act(Input::EndLocal { operation: op(1) })),
        "operation_over"
    );
}

#[test]
fn a_drill_at_the_follower_outlives_a_change_but_not_a_move_or_a_deletion() {
    let drill = || {
        let mut bench = Bench::created();
        bench
            .other
            .act(Input::TakeLocal { operation: op(1) })
            .unwrap();
        bench
    };
    let mut bench = drill();
    bench.edit(Role::Home, "v2").unwrap();
    assert_eq!(bench.other.mode(), Some(OperationMode::Local));
    let ticket = bench.ticket(Role::Home, Intent::Lock, None).unwrap();
    let ticket = bench.other.verify(&ticket).unwrap();
    let answer = bench.other.act(Input::Ticket {
        ticket,
        offer: Some(offer(2)),
    });
    assert_eq!(code(answer), "operation_in_progress");
    bench.force(Role::Other, 3, false).unwrap();
    assert_eq!(bench.other.state.operation().unwrap().id, op(3));
    let mut bench = drill();
    bench.change(Role::Home, Intent::Delete, None).unwrap();
    assert_eq!(bench.other.mode(), None);
}

#[test]
fn a_lock_starts_only_the_operation_and_the_plan_it_names() {
    let locked = Bench::locked().home.envelope();
    for (n, digest, expected) in [
        (1, plan(1), Some(OperationMode::Planned)),
        (2, plan(1), None),
        (1, plan(2), None),
    ] {
        let mut bench = Bench::created();
        let ticket = bench.ticket(Role::Home, Intent::Lock, None).unwrap();
        let ticket = bench.other.verify(&ticket).unwrap();
        let offer = LockOffer {
            operation: op(n),
            plan_digest: digest,
        };
        bench
            .other
            .act(Input::Ticket {
                ticket,
                offer: Some(offer),
            })
            .unwrap();
        bench.other.hear(&locked).unwrap();
        assert_eq!(bench.other.mode(), expected);
        assert_eq!(bench.other.may(Some(op(1))), expected.is_some());
    }
}
