//! The demo: there, back, a drill, and the loss of a site, told from HTTP to ports in real time, and
//! judged at its end.
//!
//! Absent: anything the API does not do by itself; the demo only asks and shows.

mod check;
mod show;

use crate::story::{
    OperationRun, Protected, drill, fail_over, failback, planned_failover, protect, reprotect,
    sync_force, take_point, test_cleanup, write_everywhere,
};
use crate::verdict::{Before, Expected, violations};
use crate::world::{Which, World, WorldOptions, lock};
use anyhow::{Context, Result};
use check::{Check, home_again, moved_away, nothing_at};
use protector_actors::Care;
use serde::Serialize;
use serde_json::Value;
use show::Screen;
use std::collections::BTreeMap;
use std::time::Duration;

/// Writes of the pretend application; the last one before the loss has to survive it.
const FIRST_WRITE: u64 = 1;
const LAST_WRITE: u64 = 7;
/// How long the way back may need until it has a first point, in tries of a second.
const REVERSED_TRIES_MAX: u32 = 120;

/// How soon a site notices what has changed around it; the demo is told in a hurry.
const SWEEP_MS: u64 = 2_000;
/// How long the fencing may take, in tries of a second.
const FENCED_TRIES_MAX: u32 = 120;

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

/// One operation of the story.
#[derive(Debug, Serialize)]
pub struct Leg {
    pub what: String,
    pub operation: String,
    pub status: String,
    pub outcome: String,
    /// From the request to the last VM, seconds.
    pub took_s: f64,
    /// Calls of the engine that ran it.
    pub calls: usize,
}

/// What the loss of a site cost.
struct Loss {
    rpo_s: f64,
    rto_s: f64,
    calls: usize,
}

/// What it came to.
#[derive(Debug, Serialize)]
pub struct Summary {
    pub members: usize,
    pub volumes: usize,
    pub legs: Vec<Leg>,
    /// Age of the recovered data when the site was lost, seconds: the measured RPO.
    pub rpo_s: f64,
    /// From the request to the last VM after the loss, seconds: the measured RTO.
    pub rto_s: f64,
    pub calls_per_vm: f64,
    /// What does not hold; empty: everything.
    pub violations: Vec<String>,
}

fn text(value: &Value, key: &str) -> String {
    let found = value.get(key).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}

/// The story as far as it is told.
struct Story {
    screen: Screen,
    world: World,
    group: Protected,
    legs: Vec<Leg>,
    violations: Vec<String>,
}

/// Tells the story; true if the ground truth agrees with it.
///
/// # Errors
/// The story breaks off.
pub async fn demo(options: DemoOptions) -> Result<bool> {
    let mut story = Story::begin(&options).await?;
    story.there_and_back().await?;
    story.a_drill().await?;
    let loss = story.the_loss().await?;
    let truth = lock(&story.world.b.cloud).ground_truth(story.world.now_ms());
    story.screen.servers(&truth);
    story.the_return().await?;
    let summary = story.summary(&loss);
    story.screen.summary(&summary)?;
    if let Some(running) = story.world.b.running.take() {
        running.stop().await;
    }
    Ok(summary.violations.is_empty())
}

impl Story {
    async fn begin(options: &DemoOptions) -> Result<Self> {
        let screen = Screen::new(options.json);
        let members = usize::from(options.vms);
        let volumes = options.volumes.map_or(members * 5 / 3, usize::from);
        let name = format!("demo-{}", std::process::id());
        let world = WorldOptions {
            members,
            volumes: volumes.max(members),
            care: Care {
                sweep_ms: SWEEP_MS,
                ..Care::default()
            },
            ..WorldOptions::seeded(&name, options.seed)
        };
        screen.say("two sites: a cloud, an array and a Protector each; the sites never talk");
        let world = World::build(world).await?;
        let volumes = world.options.volumes;
        screen.say(&format!(
            "site-a runs {members} VMs with {volumes} volumes; a group protects them"
        ));
        let group = protect(&world).await?;
        let id = &group.group;
        screen.say(&format!("group {id} is on both sites, in signed envelopes"));
        let suffix = take_point(&world, &group, FIRST_WRITE).await?;
        screen.say(&format!(
            "snapshot {}.{suffix} has arrived at array-b",
            group.array_group
        ));
        Ok(Self {
            screen,
            world,
            group,
            legs: Vec::new(),
            violations: Vec::new(),
        })
    }

    fn sent_by(&self, which: Which, since: usize) -> usize {
        let host = which.api_host();
        let notes = self.world.fabric.notes();
        notes.iter().skip(since).filter(|n| n.from == host).count()
    }

    fn sent(&self) -> usize {
        self.world.fabric.notes().len()
    }

    fn note(&mut self, what: &str, by: Which, since: usize, run: &OperationRun, check: Check) {
        let leg = Leg {
            what: what.to_owned(),
            operation: text(&run.operation, "id"),
            status: text(&run.operation, "status"),
            outcome: text(&run.operation, "outcome"),
            took_s: seconds(run.rto_ms),
            calls: self.sent_by(by, since),
        };
        let (status, took_s) = (&leg.status, leg.took_s);
        self.screen.say(&format!("  {status} after {took_s:.1} s"));
        if leg.status != "completed" {
            let why = text(&run.operation, "error_message");
            self.violations.push(format!("{what}: {why}"));
        }
        self.legs.push(leg);
        self.violations.extend(check.0);
    }

    async fn there_and_back(&mut self) -> Result<()> {
        self.screen.say("site-b: failover --type planned");
        let since = self.sent();
        let run = planned_failover(&mut self.world, &self.group).await?;
        let check = moved_away(&self.world);
        self.note("planned failover", Which::B, since, &run, check);
        self.screen
            .say("site-b: reprotect; array-b replicates back");
        reprotect(&self.world, &self.group, Which::B).await?;
        self.screen.say("site-a: failback");
        let since = self.sent();
        let run = self.come_home().await?;
        let check = home_again(&self.world);
        self.note("failback", Which::A, since, &run, check);
        Ok(())
    }

    /// Refused until the first point of the way back has arrived.
    async fn come_home(&mut self) -> Result<OperationRun> {
        for _ in 0..REVERSED_TRIES_MAX {
            match failback(&mut self.world, &self.group).await {
                Err(error) if format!("{error:#}").contains("nothing_to_recover") => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                other => return other,
            }
        }
        anyhow::bail!("nothing was replicated back")
    }

    async fn a_drill(&mut self) -> Result<()> {
        let network = |which: Which, number: usize| {
            let networks = &self.world.tenant(which).standard.networks;
            networks.get(number).cloned().context("a network")
        };
        let isolated = BTreeMap::from([(network(Which::A, 0)?, network(Which::B, 2)?)]);
        self.screen
            .say("site-b: test-failover on an isolated network, while site-a goes on");
        let since = self.sent();
        let run = drill(&mut self.world, &self.group, &isolated).await?;
        self.note("drill", Which::B, since, &run, Check::default());
        self.screen.say("site-b: test-cleanup");
        let since = self.sent();
        let run = test_cleanup(&mut self.world, &self.group).await?;
        let check = nothing_at(&self.world, Which::B);
        self.note("test cleanup", Which::B, since, &run, check);
        Ok(())
    }

    async fn the_loss(&mut self) -> Result<Loss> {
        take_point(&self.world, &self.group, LAST_WRITE).await?;
        let point_ms = self.world.now_ms();
        write_everywhere(&self.world, &self.group, LAST_WRITE + 1)?;
        self.world.lose(Which::A);
        let rpo_s = seconds(self.world.now_ms() - point_ms);
        self.screen
            .say("site-a is gone: its cloud, its array, its Protector");
        let before = Before::of(&self.world);
        let since = self.sent();
        self.screen.say("site-b: failover --type unplanned");
        let screen = self.screen.clone();
        let shown = |operation: &Value| screen.progress(operation);
        let run = fail_over(&mut self.world, &self.group, shown).await?;
        let wrong = violations(
            &self.world,
            &before,
            &run.operation,
            Expected::FULL,
            LAST_WRITE,
        );
        let wrong = Check(wrong.await?);
        let calls = self.sent_by(Which::B, since);
        self.note("unplanned failover", Which::B, since, &run, wrong);
        Ok(Loss {
            rpo_s,
            rto_s: seconds(run.rto_ms),
            calls,
        })
    }

    /// The lost site is there again, its VMs running, and nobody tells it anything.
    async fn the_return(&mut self) -> Result<()> {
        self.screen
            .say("site-a is there again, with its VMs running and an old record");
        self.world.come_back(Which::A).await?;
        self.until_fenced().await?;
        self.violations.extend(moved_away(&self.world).0);
        self.screen
            .say("  fenced by site-b: its VMs are stopped and locked; it leads no more");
        self.screen.say("sync-force: both sites hold one record");
        sync_force(&self.world, &self.group).await?;
        self.screen
            .say("site-b: reprotect; array-b replicates back");
        reprotect(&self.world, &self.group, Which::B).await?;
        self.screen.say("site-a: failback");
        let since = self.sent();
        let run = self.come_home().await?;
        let check = home_again(&self.world);
        self.note("home again", Which::A, since, &run, check);
        Ok(())
    }

    async fn until_fenced(&self) -> Result<()> {
        let path = format!("/protection-groups/{}", self.group.group);
        for _ in 0..FENCED_TRIES_MAX {
            let at = self.world.endpoint(Which::B).await?;
            let shown = at.call(http::Method::GET, &path, None).await?;
            if !shown.to_string().contains("split_brain") {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        anyhow::bail!("the source servers were not fenced")
    }

    fn summary(&mut self, loss: &Loss) -> Summary {
        let options = &self.world.options;
        Summary {
            members: options.members,
            volumes: options.volumes,
            legs: std::mem::take(&mut self.legs),
            rpo_s: loss.rpo_s,
            rto_s: loss.rto_s,
            calls_per_vm: loss.calls as f64 / options.members as f64,
            violations: std::mem::take(&mut self.violations),
        }
    }
}
