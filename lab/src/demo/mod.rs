//! The demo: an unplanned failover told from HTTP to ports, in real time, and judged at its end.
//!
//! Absent: anything the API does not do by itself; the demo only asks and shows.

mod show;

use crate::story::{fail_over, protect, take_point};
use crate::verdict::{Before, Expected, violations};
use crate::world::{Which, World, WorldOptions, lock};
use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use show::Screen;

/// The write that the recovered volumes have to hold.
const COUNTER: u64 = 7;

/// What the demo is told with.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoOptions {
    /// Protected VMs.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub vms: u16,
    /// Volumes of all VMs together; each has at least one. Default: five for three.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=2_000))]
    pub volumes: Option<u16>,
    /// Same seed, same ids and latencies.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// One JSON document at the end instead of a story.
    #[arg(long)]
    pub json: bool,
}

/// What it came to.
#[derive(Debug, Serialize)]
pub struct Summary {
    pub operation: String,
    pub status: String,
    pub outcome: String,
    pub members: usize,
    pub volumes: usize,
    /// Age of the recovered data when the site was lost, seconds: the measured RPO.
    pub rpo_s: f64,
    /// From the request to the last VM, seconds.
    pub rto_s: f64,
    /// Calls of the engine at the surviving site since the request.
    pub calls: usize,
    pub calls_per_vm: f64,
    /// What does not hold; empty: everything.
    pub violations: Vec<String>,
}

fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Tells the story; true if the ground truth agrees with it.
///
/// # Errors
/// The story breaks off.
pub async fn demo(options: DemoOptions) -> Result<bool> {
    let screen = Screen::new(options.json);
    let members = usize::from(options.vms);
    let volumes = options
        .volumes
        .map_or(members * 5 / 3, usize::from)
        .max(members);
    let name = format!("demo-{}", std::process::id());
    let world = WorldOptions {
        members,
        volumes,
        ..WorldOptions::seeded(&name, options.seed)
    };
    screen.say(
        "two sites: a cloud, an array and a Protector each; the sites never talk to each other",
    );
    let mut world = World::build(world).await?;
    screen.say(&format!(
        "site-a runs {members} VMs with {volumes} volumes; a group protects them"
    ));
    let group = protect(&world).await?;
    screen.say(&format!(
        "group {} is on both sites, carried as signed envelopes",
        group.group
    ));
    let suffix = take_point(&world, &group, COUNTER).await?;
    let point_ms = world.now_ms();
    screen.say(&format!(
        "snapshot {}.{suffix} has arrived at array-b",
        group.array_group
    ));
    world.lose(Which::A);
    let rpo_s = seconds(world.now_ms() - point_ms);
    screen.say("site-a is gone: its cloud, its array, its Protector");
    let before = Before::of(&world);
    let sent = world.fabric.notes().len();
    screen.say("site-b: failover --type unplanned");
    let run = fail_over(&mut world, &group, |operation| screen.progress(operation)).await?;
    let host = Which::B.api_host();
    let calls = world
        .fabric
        .notes()
        .split_off(sent)
        .iter()
        .filter(|n| n.from == host)
        .count();
    let violations = violations(&world, &before, &run.operation, Expected::FULL, COUNTER).await?;
    let summary = Summary {
        operation: text(&run.operation, "id"),
        status: text(&run.operation, "status"),
        outcome: text(&run.operation, "outcome"),
        members,
        volumes,
        rpo_s,
        rto_s: seconds(run.rto_ms),
        calls,
        calls_per_vm: calls as f64 / members as f64,
        violations,
    };
    screen.servers(&lock(&world.b.cloud).ground_truth(world.now_ms()));
    screen.summary(&summary)?;
    if let Some(running) = world.b.running.take() {
        running.stop().await;
    }
    Ok(summary.violations.is_empty())
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}
