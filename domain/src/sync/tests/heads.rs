//! What a state answers: heads, `sync-status`, `free`, and the right to start VMs.

use super::bench::*;
use crate::sync::*;

fn word(bench: &Bench) -> Overall {
    overall(&bench.home.state.head(), Some(&bench.other.state.head()))
}

#[test]
fn the_peer_word_says_what_keeps_the_sites_apart() {
    let mut bench = Bench::created();
    assert_eq!(
        word(&bench),
        Overall {
            in_sync: true,
            peer: PeerWord::Synced
        }
    );
    let unreachable = overall(&bench.home.state.head(), None);
    assert_eq!(
        unreachable,
        Overall {
            in_sync: false,
            peer: PeerWord::Unreachable
        }
    );
    bench.other.lenient = true;
    let bad = bench.edit_pending(Role::Home, bad_content("v2"));
    assert_eq!(
        word(&bench),
        Overall {
            in_sync: false,
            peer: PeerWord::Pending
        }
    );
    bench.other.hear(&bad).unwrap();
    assert_eq!(
        word(&bench),
        Overall {
            in_sync: false,
            peer: PeerWord::Failed
        }
    );
}

#[test]
fn a_lost_receipt_is_pending_though_the_records_are_equal() {
    let mut bench = Bench::created();
    let edit = bench.edit_pending(Role::Home, content("v2"));
    bench.other.hear(&edit).unwrap();
    assert_eq!(bench.home.state.fence(), bench.other.state.fence());
    assert_eq!(
        word(&bench),
        Overall {
            in_sync: false,
            peer: PeerWord::Pending
        }
    );
}

#[test]
fn a_lock_is_an_operation_and_not_out_of_sync() {
    let bench = Bench::locked();
    assert!(word(&bench).in_sync);
    let head = bench.other.state.head();
    let running = OperationView {
        id: op(1),
        mode: OperationMode::Planned,
    };
    assert_eq!(head.operation, Some(running));
    assert_eq!(head.lock.unwrap().operation, op(1));
}

#[test]
fn doubt_is_out_of_sync_and_two_unknown_groups_are_not_in_step() {
    let mut bench = Bench::created();
    bench.other.act(Input::Restored).unwrap();
    assert!(!word(&bench).in_sync);
    assert!(!word(&Bench::empty()).in_sync);
}

#[test]
fn free_says_what_is_in_the_way() {
    assert_eq!(code_of(Bench::created().home.state.free()), "ok");
    assert_eq!(code_of(Bench::created().other.state.free()), "not_leader");
    assert_eq!(code_of(Bench::empty().home.state.free()), "no_record");
    assert_eq!(
        code_of(Bench::locked().home.state.free()),
        "operation_in_progress"
    );
    let mut bench = Bench::created();
    bench.edit_pending(Role::Home, content("v2"));
    assert_eq!(code_of(bench.home.state.free()), "sync_pending");
}

#[test]
fn a_start_needs_the_right_site_operation_and_epoch() {
    let bench = Bench::locked();
    let state = &bench.other.state;
    let table = [
        (Role::Other, Some(op(1)), Epoch(1), true),
        (Role::Other, None, Epoch(1), false),
        (Role::Other, Some(op(2)), Epoch(1), false),
        (Role::Other, Some(op(1)), Epoch(2), false),
        (Role::Home, Some(op(1)), Epoch(1), false),
    ];
    for (me, operation, epoch, may) in table {
        assert_eq!(
            may_start(state, me, operation, epoch),
            may,
            "{me} {operation:?} {epoch}"
        );
    }
    assert!(!may_start(
        &Bench::empty().home.state,
        Role::Home,
        None,
        Epoch(1)
    ));
}

#[test]
fn nothing_starts_for_a_deleted_group_or_a_doubtful_site() {
    let mut bench = Bench::created();
    bench.change(Role::Home, Intent::Delete, None).unwrap();
    assert!(!bench.home.may_any());
    let mut bench = Bench::created();
    bench.home.act(Input::Restored).unwrap();
    assert!(!bench.home.may_any());
}

#[test]
fn a_restart_of_the_engine_changes_no_right() {
    let mut bench = Bench::locked();
    bench.other.act(Input::EngineStarted).unwrap();
    assert!(bench.other.may(Some(op(1))));
    let mut bench = Bench::created();
    bench.force(Role::Other, 1, false).unwrap();
    bench.other.act(Input::EngineStarted).unwrap();
    assert!(bench.other.may(Some(op(1))));
    bench.home.act(Input::EngineStarted).unwrap();
    assert!(bench.home.may(None));
}

#[test]
fn a_lock_gives_no_right_to_an_operation_that_was_only_requested() {
    let bench = Bench::locked();
    let mut stored = serde_json::to_value(&bench.other.state).unwrap();
    assert_eq!(stored["operation"]["mode"], "planned");
    stored["operation"]["mode"] = "requested".into();
    let state: GroupSync = serde_json::from_value(stored).unwrap();
    assert!(!may_start(&state, Role::Other, Some(op(1)), Epoch(1)));
}
