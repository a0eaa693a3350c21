//! Which servers are looked at after a move that went back, and which of them are out of place, as tables.

use super::decide;
use super::fixture::id;
use super::tests::run;
use super::tests_of_moves::{coming_home, planned, server, with_source};
use crate::effect::EffectState;
use crate::ids::{MemberId, ServerId};
use crate::plan::Step;
use crate::ports::Acting;
use crate::ports::compute::{Server, ServerStatus};
use crate::ports::engine::MoveKind;
use crate::power::{is_out_of_place, server_of, taken_back};

#[test]
fn only_what_was_changed_and_taken_back() {
    let there = decide(MoveKind::Failover, &planned(), &with_source()).unwrap();
    let home = decide(MoveKind::Failback, &planned(), &coming_home()).unwrap();
    for (plan, failing, servers) in [
        (&there, "await_server", vec!["srv-1", "srv-2"]),
        (&there, "nothing", vec![]),
        (&home, "await_server", vec!["away-0", "away-1", "srv-1"]),
        (&home, "nothing", vec![]),
    ] {
        let (_, mut journal) = run(plan, |lane, step| lane == "web-2" && step == failing);
        let mut found: Vec<&str> = taken_back(plan, &journal)
            .into_iter()
            .filter_map(|step| server_of(step).map(ServerId::as_str))
            .collect();
        found.sort_unstable();
        assert_eq!(found, servers, "{failing}");
        for effect in journal.values_mut() {
            effect.state = EffectState::LeftBehind;
        }
        assert!(taken_back(plan, &journal).is_empty(), "given up");
    }
}

fn now(status: ServerStatus, locked: bool) -> Server {
    Server {
        locked,
        ..server("srv-1", status)
    }
}

#[test]
fn out_of_place_is_what_a_late_request_of_ours_leaves() {
    use ServerStatus::{Active, Error, Shutoff};
    let (acting, member) = (Acting::Service, MemberId(id(1)));
    let quiesce = |was_active| Step::QuiesceServer {
        acting: acting.clone(),
        member,
        server: ServerId::from("srv-1"),
        was_active,
        delete_on_termination: vec![],
    };
    let restart = Step::RestartServer {
        acting: acting.clone(),
        member,
        server: ServerId::from("srv-1"),
    };
    for (step, status, locked, expected) in [
        (quiesce(true), Active, false, false),
        (quiesce(true), Active, true, true),
        (quiesce(true), Shutoff, false, true),
        (quiesce(true), Shutoff, true, true),
        (quiesce(true), Error, false, false),
        (quiesce(false), Shutoff, false, false),
        (quiesce(false), Shutoff, true, true),
        (quiesce(false), Active, false, false),
        (restart.clone(), Shutoff, true, false),
        (restart.clone(), Shutoff, false, true),
        (restart.clone(), Active, true, true),
        (restart.clone(), Active, false, true),
        (restart, Error, true, false),
    ] {
        let found = is_out_of_place(&step, &now(status.clone(), locked));
        assert_eq!(found, expected, "{} {status:?} {locked}", step.name());
    }
    let other = Step::ValidateTarget;
    assert!(!is_out_of_place(&other, &now(Active, true)));
}
