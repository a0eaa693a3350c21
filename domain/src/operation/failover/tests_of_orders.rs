//! What a word to an operation changes: as a table.

use super::fixture::facts;
use super::tests::run;
use super::{decide, facts::FailoverAsk};
use crate::effect::{Effect, EffectState};
use crate::operation::OperationMode;
use crate::operation::order::{Change, judge};
use crate::plan::Plan;
use crate::ports::engine::{MoveKind, Order};
use crate::saga::Journal;

const WHY: &str = "the storage team removes it";

fn forced() -> Plan {
    let ask = FailoverAsk {
        mode: OperationMode::Unplanned,
        force: false,
        recovery_point: None,
    };
    decide(MoveKind::Failover, &ask, &facts()).unwrap()
}

/// A forced move that has come as far as `step`, which stands in `state`.
fn at(step: &str, state: EffectState) -> (Plan, Journal) {
    let plan = forced();
    let (_, mut journal) = run(&plan, |_, _| false);
    if step != "commit_new_primary" {
        journal.retain(|_, e| e.step != "commit_new_primary");
    }
    for effect in journal.values_mut().filter(|e| e.step == step) {
        effect.state = state;
    }
    (plan, journal)
}

fn said(plan: &Plan, journal: &Journal, ending: bool, order: &Order) -> String {
    match judge(plan, journal, ending, order) {
        Err(no) => format!("{}: {no}", no.code()),
        Ok(Change::Cancel) => "cancelled".to_owned(),
        Ok(Change::Effects(effects)) => {
            let word = |e: &Effect| format!("{} {:?}", e.step, e.state);
            let mut words: Vec<String> = effects.iter().map(word).collect();
            words.dedup();
            words.join(", ")
        }
    }
}

fn skip(reason: &str) -> Order {
    let reason = reason.to_owned();
    Order::SkipStep { reason }
}

#[track_caller]
fn check(step: &str, state: EffectState, order: &Order, expected: &str) {
    let (plan, journal) = at(step, state);
    let found = said(&plan, &journal, false, order);
    let operation = plan.operation.to_string();
    assert_eq!(
        found.replace(&operation, "<id>"),
        expected,
        "{step} {state:?} {order:?}"
    );
}

#[test]
fn a_stuck_undo_may_be_given_up_and_a_commit_may_not() {
    use EffectState::{Failed, UndoFailed};
    let (imports, commit) = ("import_volumes", "commit_new_primary");
    let given = "import_volumes LeftBehind";
    check(imports, UndoFailed, &skip(WHY), given);
    let no =
        "not_skippable: step commit_new_primary cannot be skipped: nothing else says who leads";
    check(commit, Failed, &skip(WHY), no);
    let resume = Order::Resume {};
    check(imports, UndoFailed, &resume, "import_volumes UndoIntended");
    check(commit, Failed, &resume, "commit_new_primary Intended");
}

#[test]
fn who_gives_up_says_why() {
    let undo = EffectState::UndoFailed;
    let no = "no_reason: a reason is needed: 1 to 1000 letters";
    for reason in ["", " \t", &"a".repeat(1_001)] {
        check("import_volumes", undo, &skip(reason), no);
    }
    check(
        "import_volumes",
        undo,
        &skip(&"a".repeat(1_000)),
        "import_volumes LeftBehind",
    );
}

#[test]
fn what_does_not_wait_is_neither_resumed_nor_given_up() {
    let no = "not_stuck: operation <id> does not wait for anybody";
    // A definite no before the commit: the lane goes back by itself.
    for state in [
        EffectState::Done,
        EffectState::Intended,
        EffectState::Failed,
    ] {
        check("import_volumes", state, &Order::Resume {}, no);
        check("import_volumes", state, &skip(WHY), no);
    }
}

#[test]
fn a_cancel_comes_too_late_behind_the_begin_of_the_commit() {
    let cancel = Order::Cancel {};
    check("boot_server", EffectState::Done, &cancel, "cancelled");
    let late = "past_no_return: operation <id> has passed its point of no return";
    for state in [
        EffectState::Intended,
        EffectState::Done,
        EffectState::Failed,
    ] {
        check("commit_new_primary", state, &cancel, late);
    }
}

#[test]
fn one_that_ends_hears_nothing_and_another_try_waits_for_its_end() {
    let (plan, journal) = at("import_volumes", EffectState::UndoFailed);
    for order in [
        Order::Cancel {},
        Order::Resume {},
        skip(WHY),
        Order::RetryMembers {},
    ] {
        let no = said(&plan, &journal, true, &order);
        assert!(no.starts_with("operation_ended: "), "{no}");
    }
    let busy = "operation_in_progress: an operation is running on this group: <id>";
    check(
        "boot_server",
        EffectState::Done,
        &Order::RetryMembers {},
        busy,
    );
}
