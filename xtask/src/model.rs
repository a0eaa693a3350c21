//! `cargo xtask model`: the rules between two sites, explored by `protector-model`; with `--guards`,
//! once more for each guard of the rules switched off, which has to be found.
//!
//! Deliberately absent: the runs and the properties; they are the crate `model`'s.

mod guards;
mod switch;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::Args;

use crate::clock::Stopwatch;
use crate::process::{Group, Interrupt};

/// Most time of all runs together.
const RUNS_LIMIT: Duration = Duration::from_secs(6 * 60 * 60);

/// What is explored, and how far.
#[derive(Debug, Clone, Args)]
pub struct Reach {
    /// This run alone
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Stop each run at this depth
    #[arg(long)]
    depth: Option<usize>,
    /// Stop each run at this many different states
    #[arg(long)]
    states: Option<usize>,
    /// Switch each guard of the rules off in turn, and tell what catches it
    #[arg(long, conflicts_with_all = ["run", "depth", "states"])]
    guards: bool,
}

/// Explores, and says how long it took.
///
/// Errors: the explorer cannot be built or started; a signal came.
pub fn run(root: &Path, reach: &Reach, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    if reach.guards {
        return switch::run(root, interrupt);
    }
    let mut explore = Command::new("cargo");
    explore
        .args(["run", "--release", "--locked", "--quiet"])
        .args(["-p", "protector-model", "--"])
        .current_dir(root);
    if let Some(name) = &reach.run {
        explore.args(["--run", name]);
    }
    for (name, value) in [("--depth", reach.depth), ("--states", reach.states)] {
        if let Some(value) = value {
            explore.args([name, &value.to_string()]);
        }
    }
    let watch = Stopwatch::start();
    let status = Group::spawn(&mut explore)?.wait(RUNS_LIMIT, interrupt)?;
    println!("took {:.0} s", watch.elapsed().as_secs_f64());
    Ok(ExitCode::from(u8::from(!status.success())))
}
