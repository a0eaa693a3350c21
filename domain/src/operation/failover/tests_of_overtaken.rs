//! What operations do when a higher epoch has overtaken them, cut at every place (I5).

use super::facts::{FailoverAsk, TestAsk};
use super::fixture::facts;
use super::tests::{row, run};
use super::tests_of_moves::{coming_home, planned, with_source};
use super::{decide, decide_test};
use crate::effect::EffectState;
use crate::operation::{OperationMode, Outcome};
use crate::plan::{Plan, StepAt};
use crate::ports::engine::MoveKind;
use crate::saga::{
    Advance, Journal, Way, acts_under, advance, left_by_overtaken, overtaken, past_no_return,
};
use crate::sync::Epoch;
use std::collections::BTreeSet;

/// What may go: nobody else has a part in these.
const OWN: [&str; 4] = [
    "recover_volumes",
    "import_volumes",
    "create_ports",
    "boot_server",
];

pub(super) fn note(plan: &Plan, journal: &mut Journal, at: StepAt, state: EffectState) {
    let (lane, step) = (plan.lane(at).unwrap(), plan.step(at).unwrap());
    for target in step.targets(plan.operation) {
        let row = row(plan, &lane.id, step, target, state);
        journal.insert(row.key.to_string(), row);
    }
}

/// The journal after `done` steps, with the next one begun. `None`: it is over by then.
pub(super) fn cut(plan: &Plan, done: usize) -> Option<Journal> {
    let mut journal = Journal::new();
    for n in 0..=done {
        let Advance::Work(work) = advance(plan, &journal) else {
            return None;
        };
        let state = if n == done {
            EffectState::Intended
        } else {
            EffectState::Done
        };
        note(plan, &mut journal, work[0].0, state);
    }
    Some(journal)
}

/// What was undone, in order, and the end.
fn play(plan: &Plan, mut journal: Journal) -> (Vec<&'static str>, Outcome, Journal) {
    let mut undone = Vec::new();
    for _ in 0..200 {
        match overtaken(plan, &journal) {
            Advance::Settled(outcome) => return (undone, outcome, journal),
            Advance::Work(work) => {
                let (at, way) = work[0];
                assert_eq!(way, Way::Undo, "nothing is done any more");
                undone.push(plan.step(at).unwrap().name());
                note(plan, &mut journal, at, EffectState::Undone);
            }
        }
    }
    panic!("it does not end");
}

fn drill() -> Plan {
    let ask = TestAsk {
        recovery_point: None,
        networks: [("net-a".into(), "net-t".into())].into(),
    };
    decide_test(&ask, &facts()).unwrap()
}

#[test]
fn whatever_the_place_only_its_own_objects_go_last_first() {
    let planned_move = decide(MoveKind::Failover, &planned(), &with_source()).unwrap();
    let mut home = coming_home();
    let _ = home.left_here.volumes.pop();
    let way_home = decide(MoveKind::Failback, &planned(), &home).unwrap();
    for plan in [planned_move, way_home] {
        let mut seen = BTreeSet::new();
        for done in 0.. {
            let Some(journal) = cut(&plan, done) else {
                break;
            };
            if acts_under(&plan, &journal) != plan.fence {
                break;
            }
            let began = journal.values().filter(|e| OWN.contains(&&*e.step));
            let began = began.count();
            let (undone, outcome, after) = play(&plan, journal);
            assert!(undone.iter().all(|step| OWN.contains(step)), "{undone:?}");
            assert_eq!(outcome, Outcome::RolledBack, "cut after {done}");
            let gone = after.values().filter(|e| e.state == EffectState::Undone);
            assert_eq!(gone.count(), began, "all of them, cut after {done}");
            let left = left_by_overtaken(&plan, &after);
            assert!(left.iter().all(|e| !OWN.contains(&&*e.step)));
            let quiet = after.values().filter(|e| e.step == "quiesce_server");
            let told = left.iter().filter(|e| e.step == "quiesce_server");
            assert_eq!(told.count(), quiet.count(), "S3: what stays is told");
            seen.extend(undone);
        }
        assert!(seen.len() > 2, "the cuts reached its objects: {seen:?}");
    }
}

#[test]
fn a_commit_that_did_not_come_through_is_no_point_of_no_return_any_more() {
    let plan = decide(MoveKind::Failover, &planned(), &with_source()).unwrap();
    let (_, mut journal) = run(&plan, |_, _| false);
    for effect in journal.values_mut() {
        if effect.step == "commit_new_primary" {
            effect.state = EffectState::Intended;
        }
    }
    assert!(past_no_return(&plan, &journal));
    assert_eq!(acts_under(&plan, &journal), Epoch(1));
    let (undone, outcome, _) = play(&plan, journal);
    assert!(undone.contains(&"boot_server") && outcome == Outcome::RolledBack);
}

#[test]
fn what_led_is_not_taken_back() {
    let plan = decide(MoveKind::Failover, &planned(), &with_source()).unwrap();
    let (_, journal) = run(&plan, |_, _| false);
    assert_eq!(acts_under(&plan, &journal), Epoch(2), "its commit is done");
    let (undone, outcome, _) = play(&plan, journal.clone());
    assert_eq!((undone, outcome), (vec![], Outcome::Partial));
    assert!(left_by_overtaken(&plan, &journal).is_empty(), "the group's");

    let ask = FailoverAsk {
        mode: OperationMode::Unplanned,
        ..planned()
    };
    let forced = decide(MoveKind::Failover, &ask, &facts()).unwrap();
    let journal = cut(&forced, 6).unwrap();
    let (undone, outcome, after) = play(&forced, journal);
    assert_eq!(
        (undone, outcome),
        (vec![], Outcome::Partial),
        "somebody may have written to it"
    );
    assert!(!left_by_overtaken(&forced, &after).is_empty());
}

#[test]
fn a_drill_goes_whole() {
    let plan = drill();
    let (_, journal) = run(&plan, |_, step| step == "await_server");
    let (_, outcome, after) = play(&plan, journal);
    assert_eq!(outcome, Outcome::RolledBack);
    let there = after.values().filter(|e| OWN.contains(&&*e.step));
    assert!(there.into_iter().all(|e| e.state == EffectState::Undone));
}
