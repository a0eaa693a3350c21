//! Benches of one unplanned failover: remote calls, array calls, processor time, and the time it takes
//! beside the critical path. All in simulated time, where waiting costs nothing and no other process counts.

use super::{Figure, Sizes, cpu};
use crate::run::{named_world, simulated};
use anyhow::{Context, Result, bail};
use protector_domain::ids::OperationId;
use protector_lab::cloud::{Latencies, Span};
use protector_lab::net::CallNote;
use protector_lab::story::{fail_over, protect, take_point};
use protector_lab::world::{Which, World, WorldOptions, lock};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const SEED: u64 = 2_026;
/// One way, milliseconds: the middle of what the lab draws.
const HOP_MS: u64 = 4;
/// Rounds of what takes long and hardly differs.
const ROUNDS_MAX: usize = 3;
/// VMs of the groups whose calls are counted.
const COUNTED_VMS: usize = 30;

/// How long the clouds take for what they have accepted, milliseconds.
#[derive(Debug, Clone, Copy)]
struct Pace {
    import_ms: i64,
    boot_ms: i64,
}

/// The middle of what the lab draws.
const LAB: Pace = Pace {
    import_ms: 600,
    boot_ms: 1_750,
};
/// As on a cloud of iron.
const SLOW: Pace = Pace {
    import_ms: 3_000,
    boot_ms: 20_000,
};

/// What one failover came to.
struct Measured {
    /// Calls of the engine that ran it, from the request to the end.
    calls: Vec<CallNote>,
    /// From the request to the operation's end, simulated milliseconds.
    took_ms: f64,
    /// Of the thread that everything ran on.
    cpu: Duration,
    cpu_of_cloud: Duration,
    cpu_of_array: Duration,
    /// People who look whether it is over.
    cpu_of_api: Duration,
}

fn fail_over_once(vms: usize, volumes_each: usize, pace: Pace) -> Result<Measured> {
    simulated(async {
        let options = WorldOptions {
            members: vms,
            volumes: vms * volumes_each,
            latency_min_ms: HOP_MS,
            latency_max_ms: HOP_MS,
            ..WorldOptions::seeded(&named_world(), SEED)
        };
        let mut world = World::build(options).await?;
        set_pace(&world, pace);
        let group = protect(&world).await?;
        take_point(&world, &group, 1).await?;
        world.lose(Which::A);
        let measured = measure(&mut world, &group).await;
        world.b.crash();
        measured
    })
}

fn set_pace(world: &World, pace: Pace) {
    let cloud = &mut lock(&world.b.cloud).knobs;
    cloud.latency = Latencies {
        volume_manage: Span::exactly(pace.import_ms),
        boot: Span::exactly(pace.boot_ms),
        ..Latencies::default()
    };
}

async fn measure(world: &mut World, group: &protector_lab::story::Protected) -> Result<Measured> {
    let (cloud, api) = (Which::B.cloud_host(), Which::B.api_host());
    world.fabric.meter(Arc::new(cpu::of_thread));
    let spent = |world: &World, host: &str| world.fabric.spent(host);
    let (began_us, noted) = (world.clock.now_us(), world.fabric.notes().len());
    let before = cpu::of_thread();
    let run = fail_over(world, group, |_| {}).await?;
    let cpu = cpu::of_thread().saturating_sub(before);
    let status = run.operation.get("status").and_then(|s| s.as_str());
    if status != Some("completed") {
        bail!("the failover was not completed: {}", run.operation);
    }
    let ended_us = ended_us(world, &run.operation).await?;
    let notes = world.fabric.notes().split_off(noted);
    let in_time = |n: &CallNote| n.from == api && n.at_ms * 1_000 <= ended_us;
    Ok(Measured {
        calls: notes.into_iter().filter(in_time).collect(),
        took_ms: (ended_us - began_us) as f64 / 1_000.0,
        cpu,
        cpu_of_cloud: spent(world, &cloud),
        cpu_of_array: spent(world, Which::B.array()),
        cpu_of_api: spent(world, &api),
    })
}

async fn ended_us(world: &World, operation: &serde_json::Value) -> Result<i64> {
    let id = operation.get("id").and_then(|id| id.as_str());
    let id = OperationId(id.context("an id")?.parse()?);
    let running = world.b.running.as_ref().context("site B runs")?;
    let row = running.store.operation_fetch(id).await?;
    row.and_then(|o| o.completed_at_us).context("it has ended")
}

/// The call without what differs from object to object: `compute POST /servers/{id}/action`.
fn shape(note: &CallNote) -> String {
    let (method, path) = note.what.split_once(' ').unwrap_or(("", &note.what));
    let is_id = |part: &str| {
        let hex = |c: char| c.is_ascii_hexdigit() || c == '-';
        part.len() >= 32 && part.chars().all(hex)
    };
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let service = parts.next().unwrap_or_default();
    let parts = parts.filter(|p| !p.starts_with('v'));
    let parts: Vec<&str> = parts.map(|p| if is_id(p) { "{id}" } else { p }).collect();
    format!("{service} {method} {}", parts.join("/"))
}

fn to_cloud(measured: &Measured) -> impl Iterator<Item = &CallNote> {
    let cloud = Which::B.cloud_host();
    measured.calls.iter().filter(move |n| n.to == cloud)
}

/// How often each call of the cloud was made for one VM, the frequent ones first.
fn by_shape(measured: &Measured, vms: usize) -> Vec<(String, f64)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for note in to_cloud(measured) {
        *counts.entry(shape(note)).or_default() += 1;
    }
    let per_vm = |count: usize| count as f64 / vms as f64;
    let mut counts: Vec<_> = counts.into_iter().map(|(s, c)| (s, per_vm(c))).collect();
    counts.sort_by(|a, b| b.1.total_cmp(&a.1));
    counts
}

/// Calls of the cloud for each recovered VM, everything in it: log-ins, look-ups, polls.
pub(super) fn cloud_calls(sizes: &Sizes) -> Result<Vec<Figure>> {
    let vms = COUNTED_VMS.min(sizes.vms);
    let mut figures = Vec::new();
    for volumes in [1, 2, 4] {
        let measured = fail_over_once(vms, volumes, LAB)?;
        let all = to_cloud(&measured).count() as f64 / vms as f64;
        let part = format!("per VM with {volumes} volumes, {vms} VMs");
        let ideal = (volumes + 3) as f64;
        let note = format!("{:.2} times the aim", all / ideal);
        figures.push(Figure::exact("calls", part, all).aim(ideal).note(note));
        if volumes == 2 {
            for (shape, count) in by_shape(&measured, vms) {
                figures.push(Figure::exact("calls", format!("&nbsp; {shape}"), count));
            }
        }
    }
    Ok(figures)
}

/// Calls of the target array for one failover of a whole group.
pub(super) fn array_calls(sizes: &Sizes) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for vms in [3, 30, 100].into_iter().filter(|vms| *vms <= sizes.vms) {
        let measured = fail_over_once(vms, 2, LAB)?;
        let calls = measured.calls.iter().filter(|n| n.to == Which::B.array());
        let calls: Vec<&str> = calls.map(|n| n.what.as_str()).collect();
        let (count, note) = (calls.len() as f64, calls.join(", "));
        let part = format!("{vms} VMs with 2 volumes each");
        figures.push(Figure::exact("array", part, count).aim(2.0).note(note));
    }
    Ok(figures)
}

impl Measured {
    fn cpu_of_engine(&self) -> Duration {
        let others = self.cpu_of_cloud + self.cpu_of_array + self.cpu_of_api;
        self.cpu.saturating_sub(others)
    }
}

/// Processor time of the engine and its store for each VM, milliseconds, and how it grows with the group.
pub(super) fn engine_cpu(sizes: &Sizes) -> Result<Vec<Figure>> {
    let (few, many) = ((sizes.vms / 10).max(1), sizes.vms);
    let each = |spent: Duration, vms: usize| spent.as_secs_f64() * 1_000.0 / vms as f64;
    let (mut engine, mut growth) = (Vec::new(), Vec::new());
    let mut others = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..sizes.rounds.min(ROUNDS_MAX) {
        let (small, large) = (fail_over_once(few, 2, LAB)?, fail_over_once(many, 2, LAB)?);
        let of_one = each(large.cpu_of_engine(), many);
        engine.push(of_one);
        growth.push(of_one / each(small.cpu_of_engine(), few));
        let spent = [large.cpu_of_cloud, large.cpu_of_array, large.cpu_of_api];
        for (other, spent) in others.iter_mut().zip(spent) {
            other.push(each(spent, many));
        }
    }
    let part = format!("ms per VM, {many} VMs with 2 volumes each");
    let note = "decisions, actors, clients, SQLite in memory, and the pretend network itself";
    let mut figures = vec![Figure::of("cpu", part, engine).aim(5.0).note(note)];
    let part = format!("for one of {many} VMs beside one of {few}");
    figures.push(Figure::of("cpu", part, growth).aim(1.0));
    let names = [
        "&nbsp; pretend cloud, not in it",
        "&nbsp; pretend array, not in it",
        "&nbsp; answers to who looks on, not in it",
    ];
    for (name, spent) in names.into_iter().zip(others) {
        figures.push(Figure::of("cpu", name, spent));
    }
    Ok(figures)
}

/// Round trips that have to follow each other, whatever runs side by side: the request and its token, the
/// points and what is in the newest, the epoch's mark, the copies, the import and a look at its end, the
/// volume's own words, the boot and a look at its end.
const CHAIN_TRIPS: u64 = 11;

fn critical_path_ms(pace: Pace) -> f64 {
    let trips_ms = CHAIN_TRIPS * 2 * HOP_MS;
    trips_ms as f64 + (pace.import_ms + pace.boot_ms) as f64
}

/// Time from the request to the operation's end beside the critical path; nobody's processor time is in it.
pub(super) fn critical_path(sizes: &Sizes) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (name, pace) in [("the lab's clouds", LAB), ("slow clouds", SLOW)] {
        let measured = fail_over_once(sizes.vms, 2, pace)?;
        let ideal_ms = critical_path_ms(pace);
        let part = format!("{} VMs with 2 volumes each, {name}", sizes.vms);
        let note = format!(
            "{:.0} ms; the path is {ideal_ms:.0} ms: import {}, boot {}, {CHAIN_TRIPS} round trips",
            measured.took_ms, pace.import_ms, pace.boot_ms
        );
        let ratio = measured.took_ms / ideal_ms;
        figures.push(Figure::exact("rto", part, ratio).aim(1.05).note(note));
    }
    Ok(figures)
}
