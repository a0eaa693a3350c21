//! Couriers that race: two at a time change or move one group, over roads that lose, double, delay and kill.
//! A red world is run again by itself with
//! `PROTECTOR_RACE_SEED=<seed> cargo test -p protector-chaos-tests --test it races::`.

use protector_chaos_tests::race::plan::Plan;
use protector_chaos_tests::race::{Raced, race};
use protector_chaos_tests::sweep::each;

const PAIRS_OF_A_WORLD: usize = 10;
/// 1,000 pairs. Two of these worlds once left a change out for good, with no log that knew of it.
const WORLDS: u64 = 100;
const FIRST_SEED: u64 = 3_000;

fn seeds() -> Vec<u64> {
    match std::env::var("PROTECTOR_RACE_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (FIRST_SEED..FIRST_SEED + WORLDS).collect(),
    }
}

#[test]
fn no_pair_of_couriers_forks_a_record_or_loses_a_change() {
    let seeds = seeds();
    let worlds = each(&seeds, |seed| {
        let raced = race(&Plan::of(*seed, PAIRS_OF_A_WORLD)).unwrap_or_else(|error| Raced {
            violations: vec![format!("L1: {error:#}")],
            ..Raced::default()
        });
        (*seed, raced)
    });
    let mut sum = Raced::default();
    let mut red = Vec::new();
    for (seed, world) in worlds {
        sum.pairs += world.pairs;
        sum.kept += world.kept;
        sum.moves += world.moves;
        sum.replayed += world.replayed;
        for (end, times) in world.ends {
            *sum.ends.entry(end).or_default() += times;
        }
        if !world.violations.is_empty() {
            let lines = world.violations.join("\n    ");
            red.push(format!(
                "PROTECTOR_RACE_SEED={seed} cargo test -p protector-chaos-tests --test it races::\n    {lines}"
            ));
        }
    }
    println!(
        "{} pairs: {} moves, {} contents in logs, {} records written again; couriers: {:?}",
        sum.pairs, sum.moves, sum.kept, sum.replayed, sum.ends
    );
    assert!(red.is_empty(), "{}", red.join("\n"));
}
