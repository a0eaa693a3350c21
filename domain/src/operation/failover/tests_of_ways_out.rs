//! Cancelled behind every step, and what waits for people: the rules on paper (I13, L5).

use super::decide;
use super::facts::FailoverAsk;
use super::fixture::facts;
use super::tests_of_moves::{coming_home, planned, with_source};
use super::tests_of_overtaken::{cut, note};
use crate::effect::{EffectKind, EffectState};
use crate::operation::{OperationMode, Outcome};
use crate::plan::{Plan, StepAt};
use crate::ports::engine::MoveKind;
use crate::saga::{Advance, Journal, Way, advance, past_no_return, stuck, turned_round};

fn plans() -> [Plan; 3] {
    let forced = FailoverAsk {
        mode: OperationMode::Unplanned,
        ..planned()
    };
    [
        decide(MoveKind::Failover, &forced, &facts()).unwrap(),
        decide(MoveKind::Failover, &planned(), &with_source()).unwrap(),
        decide(MoveKind::Failback, &planned(), &coming_home()).unwrap(),
    ]
}

/// Plays it to its end as cancelled; `fails`: the undo of that step does.
fn play(plan: &Plan, journal: &mut Journal, fails: &str) -> (Outcome, Vec<Way>) {
    let mut ways = Vec::new();
    for _ in 0..500 {
        match turned_round(plan, journal) {
            Advance::Settled(outcome) => return (outcome, ways),
            Advance::Work(work) => {
                let (at, way) = work[0];
                ways.push(way);
                let failed = plan.step(at).unwrap().name() == fails;
                let state = match way {
                    Way::Do => EffectState::Done,
                    Way::Undo if failed => EffectState::UndoFailed,
                    Way::Undo => EffectState::Undone,
                };
                note(plan, journal, at, state);
            }
        }
    }
    panic!("it does not end");
}

#[test]
fn a_cancel_takes_everything_back_before_the_point_of_no_return_and_nothing_after_it() {
    for plan in plans() {
        let (mut back, mut through) = (0, 0);
        for done in 0.. {
            let Some(mut journal) = cut(&plan, done) else {
                break;
            };
            let late = past_no_return(&plan, &journal);
            let (outcome, ways) = play(&plan, &mut journal, "nothing");
            if late {
                assert_eq!(outcome, Outcome::Full, "cut after {done}");
                assert!(!ways.contains(&Way::Undo), "cut after {done}");
                through += 1;
            } else {
                assert_eq!(outcome, Outcome::Cancelled, "cut after {done}");
                assert!(!ways.contains(&Way::Do), "cut after {done}");
                let gone = |e: &EffectState| *e == EffectState::Undone;
                assert!(journal.values().all(|e| gone(&e.state)), "cut after {done}");
                back += 1;
            }
        }
        assert!(back > 5 && through > 0, "{back} before, {through} after");
    }
}

#[test]
fn nothing_began_and_it_is_cancelled_at_once() {
    for plan in plans() {
        let end = turned_round(&plan, &Journal::new());
        assert_eq!(end, Advance::Settled(Outcome::Cancelled));
    }
}

#[test]
fn an_undo_that_fails_waits_and_is_named_and_goes_on_when_it_is_helped() {
    let [_, plan, _] = plans();
    let mut journal = cut(&plan, 12).unwrap();
    let has_imports = journal.values().any(|e| e.step == "import_volumes");
    assert!(has_imports, "the cut reached them");
    let (outcome, _) = play(&plan, &mut journal, "import_volumes");
    assert_eq!(outcome, Outcome::NeedsOperator);
    let waits = stuck(&plan, &journal);
    assert!(!waits.is_empty());
    assert!(waits.iter().all(|e| e.kind == EffectKind::Volume));
    let earlier = journal.values().filter(|e| e.step == "recover_volumes");
    let kept = earlier.into_iter().all(|e| e.state == EffectState::Done);
    assert!(kept, "what it stands on stays until then");

    for given in [EffectState::UndoIntended, EffectState::LeftBehind] {
        let mut journal = journal.clone();
        for effect in waits.clone() {
            let key = effect.key.to_string();
            journal.get_mut(&key).unwrap().state = given;
        }
        assert!(stuck(&plan, &journal).is_empty());
        let (outcome, _) = play(&plan, &mut journal, "nothing");
        assert_eq!(outcome, Outcome::Cancelled, "{given:?}");
    }
}

#[test]
fn a_commit_that_failed_waits_and_a_failure_before_it_does_not() {
    let [_, plan, _] = plans();
    for (failed, waits) in [("commit_new_primary", 1), ("boot_server", 0)] {
        let mut journal = Journal::new();
        while let Advance::Work(work) = advance(&plan, &journal) {
            let (at, way) = work[0];
            let state = match way {
                Way::Undo => EffectState::Undone,
                Way::Do if plan.step(at).unwrap().name() == failed => EffectState::Failed,
                Way::Do => EffectState::Done,
            };
            note(&plan, &mut journal, at, state);
            if state == EffectState::Failed {
                break;
            }
        }
        assert_eq!(stuck(&plan, &journal).len(), waits, "{failed}");
    }
}

/// What a member's tier promises, and no more: among steps that may all go on, its turn.
#[test]
fn of_members_that_may_all_go_on_the_lower_tier_begins_first() {
    let mut facts = facts();
    facts.body.members[0].tier = 2;
    let forced = FailoverAsk {
        mode: OperationMode::Unplanned,
        ..planned()
    };
    let plan = decide(MoveKind::Failover, &forced, &facts).unwrap();
    let mut journal = cut(&plan, 0).unwrap();
    let tier = |at: StepAt| plan.stages[at.stage].lanes[at.lane].tier;
    let side_by_side = loop {
        let Advance::Work(work) = advance(&plan, &journal) else {
            panic!("no two lanes side by side");
        };
        if work.len() > 1 {
            break work;
        }
        note(&plan, &mut journal, work[0].0, EffectState::Done);
    };
    let tiers: Vec<u8> = side_by_side.iter().map(|(at, _)| tier(*at)).collect();
    assert_eq!(tiers, [0, 2], "the first of the record comes last");
}
