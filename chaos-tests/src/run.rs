//! One world from its seed to its verdict, in simulated time.

use crate::case::{Scenario, Trouble};
use crate::{namesakes, traces};
use anyhow::{Context, Result};
use http::Method;
use protector_actors::Care;
use protector_lab::cloud::{FailRule, Service};
use protector_lab::net::CallNote;
use protector_lab::story::{Protected, fail_over, protect, take_point, write_everywhere};
use protector_lab::verdict::{self, Before};
use protector_lab::world::{Strike, Which, World, WorldOptions, lock};
use protector_storage_drivers::model::{Control, Settings};
use secrecy::SecretString;
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The write that every point of the scenario holds; later writes are lost with site A.
const POINT_COUNTER: u64 = 7;
/// Longer than the last stray sweep, milliseconds.
pub(crate) const AFTERMATH_MS: u64 = 700_000;
/// The array refuses further volumes after this many of ours.
const FULL_ARRAY_VOLUMES: u64 = 2;

/// After this the newer point has begun to arrive, milliseconds.
const HALF_WAY_MS: u64 = 10_000;

/// What a case showed.
#[derive(Debug, Clone)]
pub struct Report {
    pub trouble: Trouble,
    /// Invariants that do not hold, with what shows it. Empty: fine.
    pub violations: Vec<String>,
    /// Places the product passed, in order.
    pub places: Vec<String>,
    /// Calls of the product at B since the request.
    pub calls: u64,
    pub crashes: u32,
    /// Everything that was sent, to compare two runs.
    pub notes: Vec<CallNote>,
}

/// What a case stands on besides its trouble.
#[derive(Debug, Clone)]
pub struct Ground {
    pub seed: u64,
    pub care: Care,
    /// As `WorldOptions::databases`.
    pub databases: Option<[String; 2]>,
}

impl Ground {
    pub fn in_memory(seed: u64, care: Care) -> Self {
        Self {
            seed,
            care,
            databases: None,
        }
    }

    pub(crate) fn options(&self) -> WorldOptions {
        WorldOptions {
            care: self.care.clone(),
            databases: self
                .databases
                .clone()
                .map(|urls| urls.map(SecretString::from)),
            replays: true,
            ..WorldOptions::seeded(&named_world(), self.seed)
        }
    }
}

/// Databases in memory are named within the process.
static WORLDS: AtomicU64 = AtomicU64::new(0);

/// A name that no other world of this process has.
pub(crate) fn named_world() -> String {
    let number = AtomicU64::fetch_add(&WORLDS, 1, Ordering::Relaxed);
    format!("world-{}-{number}", std::process::id())
}

/// Runs a case in a paused runtime of its own.
pub(crate) fn simulated<T>(case: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()?;
    runtime.block_on(case)
}

/// Runs one case in a paused runtime of its own.
///
/// # Errors
/// The world could not be built, or never came to rest.
pub fn run(seed: u64, scenario: Scenario, trouble: &Trouble, care: Care) -> Result<Report> {
    run_on(&Ground::in_memory(seed, care), scenario, trouble)
}

/// As `run`, on the given ground.
///
/// # Errors
/// As `run`.
pub fn run_on(ground: &Ground, scenario: Scenario, trouble: &Trouble) -> Result<Report> {
    let case = one(ground, scenario, trouble);
    simulated(case).with_context(|| format!("seed {}, {scenario:?}, {trouble}", ground.seed))
}

async fn one(ground: &Ground, scenario: Scenario, trouble: &Trouble) -> Result<Report> {
    let mut world = World::build(ground.options()).await?;
    let group = protect(&world).await?;
    take_point(&world, &group, POINT_COUNTER).await?;
    write_everywhere(&world, &group, POINT_COUNTER + 1)?;
    set_scene(&world, &group, scenario).await?;
    world.lose(Which::A);
    let before = Before::of(&world);
    let (noted, passed) = (world.fabric.notes().len(), world.b.crash.seen().len());
    arm(&world, Which::B, trouble);
    let run = fail_over(&mut world, &group, |_| {}).await?;
    tokio::time::sleep(Duration::from_millis(AFTERMATH_MS)).await;
    let mut violations = verdict::violations(
        &world,
        &before,
        &run.operation,
        scenario.expected(),
        POINT_COUNTER,
    )
    .await?;
    violations.extend(traces::replayed(&world).await?);
    let notes = world.fabric.notes().split_off(noted);
    let host = Which::B.api_host();
    let report = Report {
        trouble: trouble.clone(),
        violations,
        places: world.b.crash.seen().split_off(passed),
        calls: notes.iter().filter(|n| n.from == host).count() as u64,
        crashes: run.crashes,
        notes,
    };
    world.a.crash();
    world.b.crash();
    Ok(report)
}

async fn set_scene(world: &World, group: &Protected, scenario: Scenario) -> Result<()> {
    namesakes::at_the_target(world)?;
    match scenario {
        Scenario::Healthy => {}
        Scenario::NothingBoots => {
            lock(&world.b.cloud).knobs.boots_refused = Some("No valid host was found.".to_owned());
        }
        Scenario::NovaBusy => {
            let busy = FailRule::new("/servers$", 503)?
                .service(Service::Compute)
                .method("POST")
                .times(u32::MAX);
            lock(&world.b.cloud).knobs.fail_rules.push(busy);
        }
        Scenario::NewestHalfThere => {
            let (a, b) = (Which::A.array().to_owned(), Which::B.array().to_owned());
            let bandwidth_bytes_per_s = 0;
            world.arrays.control(Control::LinkBandwidth {
                a,
                b,
                bandwidth_bytes_per_s,
            })?;
            let at = world.endpoint(Which::A).await?;
            let path = format!("/protection-groups/{}/action", group.group);
            let asked = json!({ "sync_volumes": {} });
            at.call(Method::POST, &path, Some(&asked)).await?;
            tokio::time::sleep(Duration::from_millis(HALF_WAY_MS)).await;
        }
        Scenario::ArrayFull => {
            let there = u64::try_from(world.options.members)?;
            let settings = Settings {
                volumes_max: there + FULL_ARRAY_VOLUMES,
                ..Settings::default()
            };
            world.arrays.control(Control::ArraySettings {
                array: Which::B.array().to_owned(),
                settings,
            })?;
        }
    }
    Ok(())
}

/// The trouble waits for the product of one site.
pub(crate) fn arm(world: &World, at: Which, trouble: &Trouble) {
    match trouble {
        Trouble::None => {}
        Trouble::Crash(place) => world.site(at).crash.arm(Strike {
            place: place.clone(),
            skip: 0,
        }),
        Trouble::Call(n, fault) => world.fabric.arm(&at.api_host(), *n, *fault),
    }
}
