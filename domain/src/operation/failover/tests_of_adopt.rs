//! Which row an administrator may give an object, and which object (S4): as tables.

use super::facts::FailoverAsk;
use super::fixture::{facts, id};
use super::{decide, tests::run};
use crate::adopt::{Seen, adopted, row};
use crate::effect::{Effect, EffectKey, EffectState};
use crate::ids::OperationId;
use crate::operation::OperationMode;
use crate::plan::Plan;
use crate::ports::engine::MoveKind;
use crate::refusal::Refusal;
use crate::saga::Journal;

const OBJECT: &str = "0b1e-77";

/// `web-2` could not be booted, and its volumes cannot be let go of.
fn stuck() -> (Plan, Journal) {
    let ask = FailoverAsk {
        mode: OperationMode::Unplanned,
        force: false,
        recovery_point: None,
    };
    let plan = decide(MoveKind::Failover, &ask, &facts()).unwrap();
    let (_, mut journal) = run(&plan, |lane, step| lane == "web-2" && step == "boot_server");
    let lane = id(2).to_string();
    for effect in journal.values_mut().filter(|e| e.lane == lane) {
        match effect.step.as_str() {
            "import_volumes" => effect.state = EffectState::UndoFailed,
            "boot_server" => effect.object_id = None,
            _ => {}
        }
    }
    (plan, journal)
}

fn step(name: &str, member: u128) -> String {
    format!("{name}/{}", id(member))
}

fn code(answer: Result<Effect, Refusal>) -> String {
    answer.map_or_else(|no| no.code(), |row| format!("{:?}", row.state))
}

#[test]
fn only_a_row_without_its_object_in_a_lane_that_waits() {
    let import = format!("import_volumes/{}", id(200));
    for (step, object, expected) in [
        (step("boot_server", 2), OBJECT, "Undone"),
        (step("boot_server", 1), OBJECT, "not_adoptable"), // its lane is up
        (step("boot_server", 9), OBJECT, "not_adoptable"),
        (step("await_server", 2), OBJECT, "not_adoptable"),
        ("recover_volumes/x".to_owned(), OBJECT, "not_adoptable"),
        (String::new(), OBJECT, "not_adoptable"),
        (import, OBJECT, "not_adoptable"), // it knows another one
        (step("boot_server", 2), "", "no_such_object"),
        (step("boot_server", 2), "../../servers", "no_such_object"),
        (step("boot_server", 2), "a?b", "no_such_object"),
        (step("boot_server", 2), &"a".repeat(65), "no_such_object"),
    ] {
        let (plan, journal) = stuck();
        let found = code(row(&plan, &journal, &step, object));
        assert_eq!(found, expected, "{step} {object}");
    }
}

#[test]
fn what_is_under_way_or_not_stuck_adopts_nothing() {
    let (plan, journal) = stuck();
    let boot = step("boot_server", 2);
    let key = EffectKey::new(plan.operation, "boot_server", &id(2).to_string());
    for (state, expected) in [
        (EffectState::Intended, "not_adoptable"),
        (EffectState::Done, "not_adoptable"),
        (EffectState::UndoIntended, "not_adoptable"),
        (EffectState::Failed, "Failed"),
        (EffectState::Undone, "Undone"),
        (EffectState::UndoFailed, "UndoFailed"),
        (EffectState::LeftBehind, "LeftBehind"),
    ] {
        let mut journal = journal.clone();
        journal.get_mut(key.as_str()).unwrap().state = state;
        assert_eq!(code(row(&plan, &journal, &boot, OBJECT)), expected);
    }
    let (_, calm) = run(&plan, |_, _| false);
    assert_eq!(code(row(&plan, &calm, &boot, OBJECT)), "not_stuck");
}

fn seen() -> Seen {
    Seen {
        project: Some("pb".to_owned()),
        key: None,
        is_of_the_operation: true,
    }
}

#[test]
fn only_an_object_that_is_there_nobody_elses_and_made_of_ours() {
    let (plan, journal) = stuck();
    let boot = row(&plan, &journal, &step("boot_server", 2), OBJECT).unwrap();
    let own_key = Some(boot.key.0.clone());
    let others_key = EffectKey::new(OperationId(id(5)), "boot_server", "m");
    let foreign = |project: &str| Some(project.to_owned());
    for (seen, expected) in [
        (Some(seen()), "Done"),
        (
            Some(Seen {
                key: own_key,
                ..seen()
            }),
            "Done",
        ),
        (
            Some(Seen {
                project: None,
                ..seen()
            }),
            "Done",
        ),
        (None, "no_such_object"),
        (
            Some(Seen {
                project: foreign("pa"),
                ..seen()
            }),
            "no_such_object",
        ),
        (
            Some(Seen {
                key: Some(others_key.0),
                ..seen()
            }),
            "not_its_object",
        ),
        (
            Some(Seen {
                is_of_the_operation: false,
                ..seen()
            }),
            "not_its_object",
        ),
    ] {
        let found = code(adopted(&boot, &[], OBJECT, seen.as_ref()));
        assert_eq!(found, expected, "{seen:?}");
    }
}

#[test]
fn nothing_that_the_ledger_knows_as_anothers() {
    let (plan, journal) = stuck();
    let boot = row(&plan, &journal, &step("boot_server", 2), OBJECT).unwrap();
    for (state, expected) in [
        (EffectState::Intended, "not_its_object"),
        (EffectState::Done, "not_its_object"),
        (EffectState::UndoIntended, "not_its_object"),
        (EffectState::UndoFailed, "not_its_object"),
        (EffectState::LeftBehind, "not_its_object"),
        (EffectState::Undone, "Done"),
        (EffectState::Failed, "Done"),
    ] {
        let other = Effect {
            key: EffectKey::new(OperationId(id(5)), "boot_server", "m"),
            object_id: Some(OBJECT.to_owned()),
            state,
            ..boot.clone()
        };
        let found = code(adopted(&boot, &[other], OBJECT, Some(&seen())));
        assert_eq!(found, expected, "{state:?}");
    }
}

#[test]
fn it_is_taken_over_as_done_or_goes_on_going() {
    let (plan, journal) = stuck();
    let boot = row(&plan, &journal, &step("boot_server", 2), OBJECT).unwrap();
    for (before, after) in [
        (EffectState::Failed, EffectState::Done),
        (EffectState::UndoFailed, EffectState::UndoIntended),
    ] {
        let before = Effect {
            state: before,
            ..boot.clone()
        };
        let taken = adopted(&before, &[], OBJECT, Some(&seen())).unwrap();
        assert_eq!(taken.state, after);
        assert_eq!(taken.object_id.as_deref(), Some(OBJECT));
        assert_eq!((taken.key, taken.lane), (before.key, before.lane));
    }
}
