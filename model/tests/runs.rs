//! The small runs to their end, and the restores a little way: what `cargo xtask model` explores
//! further.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use protector_model::explore::{Limits, Report, explore};
use protector_model::properties::Property;
use protector_model::runs::{RUNS, Run};

/// Different states that a run within the ordinary tests may see where it has no end of its own.
const CUT_STATES: usize = 12_000;

fn run(name: &str) -> &'static Run {
    RUNS.iter().find(|run| run.name == name).unwrap()
}

fn explored(name: &str, states: usize) -> Report {
    let depth = usize::MAX;
    let report = explore(run(name), Limits { states, depth }).unwrap();
    let found = report.found.as_ref();
    assert!(found.is_none(), "{name}: {found:#?}");
    report
}

/// A run that stops early, or in which little happens, would hold every property.
fn complete(name: &str, least_states: usize) {
    let report = explored(name, usize::MAX);
    assert!(run(name).small && report.complete);
    assert!(report.states >= least_states, "{name}: {}", report.states);
}

#[test]
fn all_moves_within_the_bounds() {
    complete("all-moves", 50_000);
}

#[test]
fn from_nothing() {
    complete("from-nothing", 6_000);
}

#[test]
fn without_forced_moves() {
    complete("no-forced-moves", 5_000);
}

#[test]
fn restores_that_are_noticed() {
    for name in ["one-restore", "two-restores"] {
        let report = explored(name, CUT_STATES);
        assert!(report.known.is_empty() && report.healed > 1_000, "{name}");
    }
}

/// What nobody can hold; and it shows that the explorer finds what is there to be found.
#[test]
fn a_restore_that_nobody_notices_breaks_p1_and_p2_and_heals() {
    let report = explored("one-restore-that-nobody-notices", CUT_STATES);
    let known: Vec<Property> = report.known.keys().copied().collect();
    assert_eq!(known, [Property::P1, Property::P2]);
    let steps: Vec<usize> = report
        .known_ways
        .iter()
        .map(|way| way.steps.len())
        .collect();
    assert_eq!(steps, [4, 6], "the shortest ways there are");
}

#[test]
fn names_of_runs_are_their_own() {
    for run in RUNS {
        let same = RUNS.iter().filter(|other| other.name == run.name).count();
        assert_eq!(same, 1, "{}", run.name);
    }
}
