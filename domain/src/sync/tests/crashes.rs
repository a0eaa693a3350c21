//! Section 9: whoever stops after any line, what is left is mended by the one the table names.

use super::bench::*;
use super::courier::{change_works, heal, in_sync, sync_force};
use crate::sync::*;

#[test]
fn after_r1_and_r2_nothing_needs_to_be_undone() {
    let mut bench = Bench::created();
    bench
        .reserve(Role::Home, Intent::Change, Some(content("v2")))
        .unwrap();
    bench.home.act(Input::EngineStarted).unwrap();
    assert!(in_sync(&bench) && change_works(&mut bench));
    let mut bench = Bench::created();
    bench.reserve_lock(1);
    let outputs = bench.other.act(Input::EngineStarted).unwrap();
    assert_eq!(
        outputs,
        [Output::OperationDied {
            operation: op(1),
            adopted_by: None
        }]
    );
    assert!(change_works(&mut bench));
}

#[test]
fn after_r3_the_answer_lost() {
    let mut bench = Bench::created();
    bench.edit_pending(Role::Home, content("v2"));
    assert_eq!(code_of(bench.home.state.free()), "sync_pending");
    assert!(sync_force(&mut bench));
    assert_eq!(bench.other.text(), "v2");
}

#[test]
fn after_r6_the_receipt_lost() {
    let mut bench = Bench::created();
    let edit = bench.edit_pending(Role::Home, content("v2"));
    bench.other.hear(&edit).unwrap();
    assert!(sync_force(&mut bench) && change_works(&mut bench));
}

#[test]
fn after_r3_of_a_lock_that_never_arrived() {
    // Within the deadline S starts the operation.
    let mut bench = Bench::created();
    bench.lock_at_leader(1);
    assert!(sync_force(&mut bench));
    assert!(bench.other.may(Some(op(1))));
    // After it S releases the lock.
    let mut bench = Bench::created();
    bench.lock_at_leader(1);
    bench.other.act(Input::EngineStarted).unwrap();
    assert!(heal(&mut bench, true));
    assert!(bench.home.state.leads() && change_works(&mut bench));
}

#[test]
fn after_r6_of_a_lock_the_engine_resumes_from_the_store() {
    let mut bench = Bench::locked();
    let text = serde_json::to_string(&bench.other.state).unwrap();
    bench.other.state = serde_json::from_str(&text).unwrap();
    bench.other.act(Input::EngineStarted).unwrap();
    assert!(bench.other.may(Some(op(1))));
    bench.finish(Role::Other, 1).unwrap();
}

#[test]
fn after_r5_the_answer_lost() {
    let mut bench = Bench::locked();
    bench.finish(Role::Other, 1).unwrap();
    assert!(sync_force(&mut bench));
    assert!(bench.other.state.leads() && change_works(&mut bench));
}

#[test]
fn while_r10_is_half_done_no_release_is_signed() {
    let mut bench = Bench::locked();
    assert_eq!(
        code_of(bench.release_of(Role::Other, 1)),
        "operation_in_progress"
    );
    assert!(
        bench.other.may(Some(op(1))),
        "the right to bring the source VMs back"
    );
}

#[test]
fn after_r11_the_courier_gone_the_release_is_asked_for_again() {
    let mut bench = Bench::locked();
    bench.other.act(Input::Abort { operation: op(1) }).unwrap();
    let first = bench.release_of(Role::Other, 1).unwrap();
    assert_eq!(bench.release_of(Role::Other, 1).unwrap(), first);
    assert!(heal(&mut bench, true) && change_works(&mut bench));
}

#[test]
fn after_r4_the_engine_resumes_and_needs_no_peer() {
    let mut bench = Bench::created();
    bench.force(Role::Other, 1, false).unwrap();
    bench.other.act(Input::EngineStarted).unwrap();
    bench.finish(Role::Other, 1).unwrap();
    assert!(bench.other.may(None));
    assert!(sync_force(&mut bench) && change_works(&mut bench));
}

#[test]
fn after_r6_of_a_higher_epoch_the_own_operation_is_dead() {
    let mut bench = Bench::locked();
    bench.force(Role::Home, 2, true).unwrap();
    let reclaim = bench.home.envelope();
    let outputs = bench.other.hear(&reclaim).unwrap();
    assert!(outputs.contains(&Output::OperationDied {
        operation: op(1),
        adopted_by: None
    }));
    assert_eq!(code(bench.finish(Role::Other, 1)), "operation_over");
    assert!(!bench.other.may(Some(op(1))));
}

#[test]
fn a_second_engine_finds_the_fence_moved() {
    let mut bench = Bench::created();
    let seen = bench.home.state.fence();
    let reservation = bench
        .reserve(Role::Home, Intent::Change, Some(content("v2")))
        .unwrap();
    bench.home.hear(&reservation).unwrap();
    assert_ne!(
        bench.home.state.fence(),
        seen,
        "where epoch, version and digest = what was read"
    );
}

/// Every prefix of an ordinary change and of a planned move, cut and healed.
#[test]
fn every_cut_of_every_flow_heals() {
    for cut in 0..=9 {
        for finish in [true, false] {
            let mut bench = Bench::created();
            run_until(&mut bench, cut);
            bench.home.act(Input::EngineStarted).unwrap();
            bench.other.act(Input::EngineStarted).unwrap();
            assert!(heal(&mut bench, finish), "cut {cut}, finish {finish}");
            assert!(change_works(&mut bench), "cut {cut}, finish {finish}");
        }
    }
}

/// The first `cut` acts of: an edit up to its receipt, then a planned move up to its receipt.
fn run_until(bench: &mut Bench, cut: usize) {
    let mut last: Option<Signed> = None;
    for act in 0..cut {
        let carried = last.take();
        let heard = |bench: &mut Bench, role: Role, signed: Option<Signed>| {
            bench.site(role).hear(&signed.unwrap()).unwrap()
        };
        last = match act {
            0 => Some(
                bench
                    .ticket(Role::Home, Intent::Change, Some(content("v2")))
                    .unwrap(),
            ),
            1 | 3 | 6 => Some(reply(&heard(bench, Role::Other, carried))),
            2 => Some(reply(&heard(bench, Role::Home, carried))),
            4 => {
                heard(bench, Role::Home, carried);
                Some(bench.reserve_lock(1))
            }
            5 => Some(reply(&heard(bench, Role::Home, carried))),
            7 => {
                heard(bench, Role::Home, carried);
                Some(reply(&bench.finish(Role::Other, 1).unwrap()))
            }
            _ => Some(reply(&heard(bench, Role::Home, carried))),
        };
        if act == 8 {
            return;
        }
    }
}
