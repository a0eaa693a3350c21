//! The benches: how near the product is to what cannot be undercut, each figure a ratio of two things that
//! were measured in the same run. What each means stands in `docs/BENCHMARKS.md`.
//!
//! Absent: absolute figures of a machine, and limits that a test would assert.

mod actors;
mod change;
mod cpu;
mod durable;
mod figure;
mod moves;

pub use figure::{Figure, table};

use anyhow::Result;
use clap::Args;

/// How much is measured. The defaults are what the aims are stated for.
#[derive(Debug, Clone, Args)]
pub struct Sizes {
    /// Rounds of every bench that is subject to chance; the median counts.
    #[arg(long, default_value_t = 7)]
    pub rounds: usize,
    /// VMs of the largest group.
    #[arg(long, default_value_t = 100)]
    pub vms: usize,
    /// Actors of the largest tree.
    #[arg(long, default_value_t = 100_000)]
    pub actors: usize,
    /// Durable steps in one round.
    #[arg(long, default_value_t = 320)]
    pub steps: usize,
    /// An empty MariaDB server's address, with user and password; its databases are made and dropped.
    #[arg(long, env = "PROTECTOR_BENCH_MARIADB_URL", hide_env_values = true)]
    pub mariadb: Option<String>,
    /// Only the benches whose names start so.
    #[arg(long)]
    pub only: Option<String>,
}

impl Sizes {
    fn wants(&self, name: &str) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| name.starts_with(only.as_str()))
    }
}

/// Runs everything that is asked for; `done` hears of each part as it ends.
///
/// # Errors
/// The first thing that could not be measured.
pub fn run(sizes: &Sizes, mut done: impl FnMut(&str)) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    type Bench = fn(&Sizes) -> Result<Vec<Figure>>;
    let benches: [(&str, Bench); 7] = [
        ("step", durable::steps),
        ("calls", moves::cloud_calls),
        ("array", moves::array_calls),
        ("cpu", moves::engine_cpu),
        ("rto", moves::critical_path),
        ("actors", actors::trees),
        ("change", change::changes),
    ];
    for (name, bench) in benches {
        if sizes.wants(name) {
            figures.extend(bench(sizes)?);
            done(name);
        }
    }
    Ok(figures)
}
