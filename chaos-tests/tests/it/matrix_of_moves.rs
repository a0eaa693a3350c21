//! The crash and error matrix of every operation that is no loss of a site: planned failover, failback,
//! drill, cleanup, each also where it has to go back. Places and calls come from a clean run, so that a
//! new step is covered by itself.

use protector_actors::Care;
use protector_chaos_tests::case::{
    LATE_AFTER_ALL_MS, LATE_BEFORE_LOOK_MS, Trouble, calls, crashes, sampled,
};
use protector_chaos_tests::journey::{Journey, travel};
use protector_chaos_tests::run::Report;
use protector_chaos_tests::sweep::{bad, sweep};
use protector_lab::net::Fault;

const SEED: u64 = 815;

fn clean(journey: Journey) -> Report {
    let report = travel(SEED, journey, &Trouble::None, Care::default()).unwrap();
    let nothing: Vec<String> = Vec::new();
    assert_eq!(
        report.violations, nothing,
        "{journey:?} without any trouble"
    );
    report
}

/// Runs the cases of one journey, and adds what does not hold to `wrong`.
fn judge(journey: Journey, cases: &[Trouble], wrong: &mut Vec<String>) -> Vec<Report> {
    let reports = sweep(cases, |trouble| {
        travel(SEED, journey, trouble, Care::default())
    });
    let bad = bad(&reports);
    println!(
        "{journey:?}: {} of {} cases hold",
        cases.len() - bad.len(),
        cases.len()
    );
    wrong.extend(
        bad.into_iter()
            .map(|b| format!("seed {SEED}, {journey:?}, {b}")),
    );
    reports
}

#[test]
fn every_journey_ends_well_without_trouble() {
    let reports = Journey::ALL.map(|journey| {
        let report = travel(SEED, journey, &Trouble::None, Care::default()).unwrap();
        (journey, report.violations)
    });
    let bad: Vec<_> = reports.iter().filter(|(_, v)| !v.is_empty()).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn killed_at_every_step_of_every_journey() {
    let mut wrong = Vec::new();
    for journey in Journey::ALL {
        let report = clean(journey);
        let cases = crashes(&report.places);
        assert!(cases.len() > 2, "{journey:?} has places");
        let reports = judge(journey, &cases, &mut wrong);
        let struck = reports.iter().all(|r| r.crashes == 1);
        assert!(struck, "{journey:?}: every case really killed the product");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn every_call_meets(faults: &[Fault]) {
    let mut wrong = Vec::new();
    for journey in Journey::ALL {
        let count = clean(journey).calls;
        judge(journey, &sampled(calls(count, faults)), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_answer_lost_once() {
    every_call_meets(&[Fault::LoseAnswer]);
}

#[test]
fn every_request_late_once() {
    every_call_meets(&[Fault::Late(LATE_BEFORE_LOOK_MS)]);
}

#[test]
fn every_request_later_than_anybody_waits() {
    every_call_meets(&[Fault::Late(LATE_AFTER_ALL_MS)]);
}

#[test]
fn every_request_delivered_twice() {
    every_call_meets(&[Fault::Twice]);
}
