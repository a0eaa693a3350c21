//! Bugs that are planted as values, each of which has to turn a case red, so that we know that the cases still
//! see; the same cases hold without them. Four more stand beside the matrix itself (`matrix`): no look before
//! repeating, no settling, no sweep, the intent after the effect. Bugs that are no natural value were planted
//! in the source by hand; `docs/planted-bugs.md` lists all of them with what turned red.

use protector_actors::Care;
use protector_chaos_tests::case::{Scenario, Trouble};
use protector_chaos_tests::run::{Report, run};
use protector_domain::effect::METADATA_KEY;
use protector_lab::courier::planned_move;
use protector_lab::story::{fail_over, protect, take_point};
use protector_lab::world::{Strike, Which, World, WorldOptions, lock};
use serde_json::json;
use std::time::Duration;

const SEED: u64 = 4_711;
const MEMBERS: usize = 3;
/// What a lost world may take to come to its place, and what undo and sweeps take, seconds.
const PLACE_S: u64 = 3_600;
const AFTERMATH_S: u64 = 700;

fn boots_asked(report: &Report) -> usize {
    let asked = report.notes.iter().map(|n| n.what.as_str());
    asked
        .filter(|what| what.starts_with("POST") && what.ends_with("/servers"))
        .count()
}

/// S13, L1: a cloud that is busy for ever is asked so often, and then the members go back.
#[test]
fn without_a_budget_of_retries_it_turns_red() {
    let care = Care::default();
    let held = run(SEED, Scenario::NovaBusy, &Trouble::None, care.clone()).unwrap();
    assert_eq!(held.violations, Vec::<String>::new());
    let budget = MEMBERS * usize::try_from(care.step_attempts_max).unwrap();
    let asked = boots_asked(&held);
    assert!(
        (MEMBERS..=budget).contains(&asked),
        "S13: {asked} boots asked for"
    );
    let endless = Care {
        step_attempts_max: u32::MAX,
        ..care
    };
    let ended = run(SEED, Scenario::NovaBusy, &Trouble::None, endless);
    let why = format!("{:#}", ended.expect_err("L1: it comes to an end"));
    assert!(why.contains("does not end"), "{why}");
    println!("red: L1: {why}");
}

/// F1: the newest point by date is half there; by hand, a choice by date turns this red.
#[test]
fn a_newer_point_that_is_half_there_is_not_taken() {
    let report = run(
        SEED,
        Scenario::NewestHalfThere,
        &Trouble::None,
        Care::default(),
    );
    assert_eq!(report.unwrap().violations, Vec::<String>::new());
}

/// A is lost while B's planned move has booted something; B takes the group by force. Whatever stands at B
/// afterwards has to be the force's (S1, S2, S11). Returns what does not hold.
async fn overtaken(heed_epochs: bool) -> Vec<String> {
    let options = WorldOptions {
        care: Care {
            heed_epochs,
            ..Care::default()
        },
        ..WorldOptions::seeded(&format!("planted-epoch-{heed_epochs}"), SEED)
    };
    let mut world = World::build(options).await.unwrap();
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, 7).await.unwrap();
    let (a, b) = (
        world.endpoint(Which::A).await.unwrap(),
        world.endpoint(Which::B).await.unwrap(),
    );
    world.b.crash.arm(Strike {
        place: "after_record:do:boot_server".to_owned(),
        skip: 0,
    });
    let body = json!({ "type": "planned" });
    planned_move(&a, &b, &group.group, "failover", &body)
        .await
        .unwrap();
    let stands = tokio::time::timeout(Duration::from_secs(PLACE_S), world.b.crash.struck());
    stands.await.expect("it came to its place");
    world.lose(Which::A);
    let moved = match fail_over(&mut world, &group, |_| {}).await {
        Ok(run) if run.operation["outcome"] == "full" => run.operation,
        Ok(run) => return vec![format!("L3: {}", run.operation["error_message"])],
        Err(error) => return vec![format!("L1: {error:#}")],
    };
    tokio::time::sleep(Duration::from_secs(AFTERMATH_S)).await;
    let moved = moved["id"].as_str().unwrap();
    let truth = lock(&world.b.cloud).ground_truth(world.now_ms());
    let live = truth.servers.iter().filter(|s| s.vm_state != "deleted");
    let keys = live.map(|s| s.metadata.get(METADATA_KEY).cloned().unwrap_or_default());
    let keys: Vec<String> = keys.collect();
    let old = keys.iter().filter(|k| !k.starts_with(moved));
    let mut found: Vec<String> = old.map(|k| format!("S11: {k} stands")).collect();
    if keys.len() != MEMBERS {
        found.push(format!(
            "S1, S2: {} servers for {MEMBERS} members",
            keys.len()
        ));
    }
    found
}

#[tokio::test(start_paused = true)]
async fn without_heeding_epochs_it_turns_red() {
    assert_eq!(overtaken(true).await, Vec::<String>::new());
    let found = overtaken(false).await;
    assert!(!found.is_empty(), "an old epoch's effects went unseen");
    println!("red: {found:#?}");
}
