//! The crash and error matrix of an unplanned failover of three VMs with five volumes: killed at
//! every step boundary in three positions, every answer lost once, every request late once; and the
//! mutants that must turn it red, so that we know it still sees.

use protector_actors::Care;
use protector_chaos_tests::case::{
    LATE_AFTER_ALL_MS, LATE_BEFORE_LOOK_MS, Scenario, Trouble, calls, crashes, sampled,
};
use protector_chaos_tests::run::{Report, run};
use protector_chaos_tests::sweep::bad;
use protector_lab::net::Fault;

const SEED: u64 = 4_711;

fn clean(scenario: Scenario) -> Report {
    let report = run(SEED, scenario, &Trouble::None, Care::default()).unwrap();
    assert_eq!(
        report.violations,
        Vec::<String>::new(),
        "without any trouble"
    );
    report
}

fn sweep(scenario: Scenario, cases: &[Trouble], care: &Care) -> Vec<Report> {
    protector_chaos_tests::sweep::sweep(cases, |trouble| run(SEED, scenario, trouble, care.clone()))
}

fn assert_all_hold(scenario: Scenario, cases: &[Trouble]) -> Vec<Report> {
    let reports = sweep(scenario, cases, &Care::default());
    let bad = bad(&reports);
    assert!(
        bad.is_empty(),
        "seed {SEED}, {scenario:?}: {} of {} cases:\n{}",
        bad.len(),
        cases.len(),
        bad.join("\n")
    );
    println!("{scenario:?}: {} cases hold", cases.len());
    reports
}

fn crash_matrix(scenario: Scenario) {
    let report = clean(scenario);
    let cases = crashes(&report.places);
    let positions = ["after_intent", "after_effect", "after_record"];
    for position in positions {
        assert!(
            report.places.iter().any(|p| p.starts_with(position)),
            "{position} is covered"
        );
    }
    let reports = assert_all_hold(scenario, &cases);
    assert!(
        reports.iter().all(|r| r.crashes == 1),
        "every case really killed the product"
    );
}

#[test]
fn killed_at_every_step_in_three_positions() {
    crash_matrix(Scenario::Healthy);
}

#[test]
fn killed_at_every_step_while_every_member_goes_back() {
    crash_matrix(Scenario::NothingBoots);
}

#[test]
fn killed_at_every_step_while_the_group_goes_back() {
    crash_matrix(Scenario::ArrayFull);
}

#[test]
fn every_answer_lost_once() {
    let count = clean(Scenario::Healthy).calls;
    assert_all_hold(Scenario::Healthy, &calls(count, &[Fault::LoseAnswer]));
}

#[test]
fn every_request_late_once() {
    let count = clean(Scenario::Healthy).calls;
    let late = [
        Fault::Late(LATE_BEFORE_LOOK_MS),
        Fault::Late(LATE_AFTER_ALL_MS),
    ];
    assert_all_hold(Scenario::Healthy, &sampled(calls(count, &late)));
}

#[test]
fn every_request_delivered_twice() {
    let count = clean(Scenario::Healthy).calls;
    assert_all_hold(Scenario::Healthy, &sampled(calls(count, &[Fault::Twice])));
}

#[test]
fn a_case_replays_call_by_call() {
    let count = clean(Scenario::Healthy).calls;
    for trouble in [Trouble::None, Trouble::Call(count / 2, Fault::LoseAnswer)] {
        let one = run(SEED, Scenario::Healthy, &trouble, Care::default()).unwrap();
        let two = run(SEED, Scenario::Healthy, &trouble, Care::default()).unwrap();
        assert_eq!(one.notes, two.notes, "{trouble}");
    }
    let other = run(SEED + 1, Scenario::Healthy, &Trouble::None, Care::default()).unwrap();
    assert_ne!(
        other.notes,
        clean(Scenario::Healthy).notes,
        "another seed is another world"
    );
}

/// A care is taken away: at least one case has to show it.
fn assert_turns_red(care: &Care, cases: &[Trouble]) {
    let reports = sweep(Scenario::Healthy, cases, care);
    let bad = bad(&reports);
    assert!(
        !bad.is_empty(),
        "{care:?}: {} cases and nothing seen",
        cases.len()
    );
    println!(
        "{care:?}: {} of {} cases turn red, first:\n{}",
        bad.len(),
        cases.len(),
        bad[0]
    );
}

#[test]
fn without_a_look_before_repeating_it_turns_red() {
    let count = clean(Scenario::Healthy).calls;
    let care = Care {
        look_before_repeat: false,
        ..Care::default()
    };
    assert_turns_red(&care, &calls(count, &[Fault::LoseAnswer]));
}

#[test]
fn without_settling_before_the_look_it_turns_red() {
    let count = clean(Scenario::Healthy).calls;
    let cases = calls(count, &[Fault::Late(LATE_BEFORE_LOOK_MS)]);
    let settled = Care {
        stray_sweeps_ms: Vec::new(),
        ..Care::default()
    };
    let bad_before = bad(&sweep(Scenario::Healthy, &cases, &settled)).len();
    assert_eq!(bad_before, 0, "settling alone is enough for these");
    assert_turns_red(
        &Care {
            settle_ms: 0,
            ..settled
        },
        &cases,
    );
}

#[test]
fn without_the_sweep_a_late_arrival_turns_it_red() {
    let count = clean(Scenario::Healthy).calls;
    let care = Care {
        stray_sweeps_ms: Vec::new(),
        ..Care::default()
    };
    assert_turns_red(&care, &calls(count, &[Fault::Late(LATE_AFTER_ALL_MS)]));
}

#[test]
fn with_the_intent_after_the_effect_it_turns_red() {
    let report = clean(Scenario::Healthy);
    let care = Care {
        intent_first: false,
        ..Care::default()
    };
    let places: Vec<String> = report
        .places
        .into_iter()
        .filter(|p| p.starts_with("after_effect"))
        .collect();
    assert_turns_red(&care, &crashes(&places));
}
