//! Random walks over two sites: the properties hold after each step (P1 to P5, P7, P9), each site
//! could take over alone (P8), and from wherever the walk ends engines and an honest courier bring
//! both sites into step, after which an ordinary change succeeds (P6).

use super::bench::*;
use super::courier::{change_works, heal};
use super::world::{Restores, Rules, World};
use crate::sync::*;
use std::collections::BTreeMap;

const STEPS_PER_WORLD: u64 = 120;

const ALL: Rules = Rules {
    forced: true,
    restores: Restores::None,
    deletes: true,
    from_nothing: false,
};

/// How many times the usual number of worlds: `PROTECTOR_SYNC_WALKS`, for a longer night.
fn times() -> u64 {
    std::env::var("PROTECTOR_SYNC_WALKS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
}

/// Walks `worlds` worlds; panics with the seed of the first one that breaks a property.
fn walk(first_seed: u64, worlds: u64, rules: Rules) -> BTreeMap<String, u64> {
    let worlds = worlds * times();
    let mut effective = 0;
    let mut tally = BTreeMap::new();
    for seed in first_seed..first_seed + worlds {
        let mut world = World::new(seed, rules);
        for step in 0..STEPS_PER_WORLD {
            if let Err(broken) = world.step() {
                assert!(
                    rules.restores == Restores::Unnoticed,
                    "seed {seed}, step {step}: {broken}"
                );
                break; // what a restore that nobody noticed breaks is mended below
            }
        }
        effective += world.effective;
        for (name, times) in &world.tally {
            *tally.entry(name.clone()).or_default() += times;
        }
        takes_over_alone(&world.bench, seed);
        mends(world, seed);
    }
    let least = worlds * STEPS_PER_WORLD / 4;
    assert!(
        effective > least,
        "only {effective} of the steps had an effect"
    );
    tally
}

/// A walk that never meets a rule proves nothing about it.
fn met(tally: &BTreeMap<String, u64>, names: &[&str]) {
    for name in names {
        assert!(
            tally.get(*name).is_some_and(|times| *times >= 20),
            "{name} hardly ever: {tally:?}"
        );
    }
}

/// P6, and P4 in the end.
fn mends(mut world: World, seed: u64) {
    let bench = &mut world.bench;
    if bench.home.state.current().is_none() && bench.other.state.current().is_none() {
        return; // nobody has created it yet
    }
    let heads = (bench.home.state.head(), bench.other.state.head());
    let finish = world.dice.roll(2) == 0;
    assert!(
        heal(bench, finish),
        "P6: seed {seed} does not heal: {heads:#?}"
    );
    let same = bench.home.state.fence() == bench.other.state.fence();
    assert!(same, "P6: seed {seed}: in step, with different records");
    assert!(
        change_works(bench),
        "P6: seed {seed}: no change after healing"
    );
    let end = world.ghosts.judge_end(&bench.home, &bench.other);
    assert_eq!(end, Ok(()), "seed {seed}");
}

/// P8: every site with a record can take over alone, is able to start already, or is deleted.
fn takes_over_alone(bench: &Bench, seed: u64) {
    for site in [&bench.home, &bench.other] {
        if site.state.current().is_none() || site.state.is_deleted() {
            continue;
        }
        let forced = site.ask(forced(u128::MAX, true)).is_ok();
        let runs =
            site.may_any() && (site.state.leads() || site.mode() == Some(OperationMode::Forced));
        assert!(
            forced || runs,
            "P8: seed {seed}: {:?} is stuck",
            site.state.role()
        );
    }
}

#[test]
fn all_moves() {
    let tally = walk(1, 400, ALL);
    met(
        &tally,
        &[
            "Edit",
            "Lock",
            "Unlock",
            "Mint",
            "Finish",
            "Tombstone",
            "Withdraw",
        ],
    );
    met(
        &tally,
        &[
            "Orphan",
            "Withdrawn",
            "Synced",
            "OperationStarts",
            "OperationDied",
        ],
    );
    met(
        &tally,
        &[
            "OperationDone",
            "LeadershipLost",
            "Unlocked",
            "rejection",
            "release",
        ],
    );
}

#[test]
fn from_nothing() {
    let tally = walk(
        1_000_000,
        100,
        Rules {
            from_nothing: true,
            ..ALL
        },
    );
    met(&tally, &["Create", "Edit", "Mint"]);
}

#[test]
fn without_forced_moves_never_two_starters() {
    let tally = walk(
        2_000_000,
        150,
        Rules {
            forced: false,
            deletes: false,
            ..ALL
        },
    );
    met(&tally, &["Lock", "Unlock", "Mint", "LeadershipLost"]);
}

#[test]
fn restores_that_are_noticed() {
    let tally = walk(
        3_000_000,
        250,
        Rules {
            restores: Restores::Detected,
            ..ALL
        },
    );
    met(&tally, &["Base", "Trusted", "head", "Mint", "Lock"]);
}

#[test]
fn restores_that_nobody_noticed_heal() {
    let tally = walk(
        4_000_000,
        200,
        Rules {
            restores: Restores::Unnoticed,
            ..ALL
        },
    );
    met(&tally, &["Suspected"]);
}
