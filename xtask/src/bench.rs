//! `cargo xtask bench`: builds the benches with full optimisation, lends them a database server, and lets them print
//! their table. What each figure means stands in `docs/BENCHMARKS.md`.
//!
//! Deliberately absent: limits. A figure depends on the machine; it is read by people, never asserted.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::mariadb::Server;
use crate::process::{Group, Interrupt, finish};

/// Most time to build everything without a single warm file.
const BUILD_LIMIT: Duration = Duration::from_secs(60 * 60);
/// Most time to run; it should take less than five minutes.
const RUN_LIMIT: Duration = Duration::from_secs(20 * 60);
/// Carries the server's address, which holds a password, to the benches.
const URL_VARIABLE: &str = "PROTECTOR_BENCH_MARIADB_URL";
/// The two sites' databases.
const DATABASES: [&str; 2] = ["bench_a", "bench_b"];

const BENCH: [&str; 6] = [
    "bench",
    "--locked",
    "-p",
    "protector-chaos-tests",
    "--bench",
    "ratios",
];

/// What is passed on to the benches.
#[derive(Debug, clap::Args)]
pub struct Ways {
    /// Only the benches whose names start so: step, calls, array, cpu, rto, actors, change
    #[arg(long)]
    only: Option<String>,
    /// Rounds of each bench that is subject to chance
    #[arg(long)]
    rounds: Option<usize>,
    /// With the build output that the tests use: at once, and only processor times are larger than they should be
    #[arg(long)]
    quick: bool,
}

impl Ways {
    fn words(&self) -> Vec<String> {
        let only = self
            .only
            .iter()
            .flat_map(|only| ["--only".to_owned(), only.clone()]);
        let rounds = self.rounds.iter();
        let rounds = rounds.flat_map(|rounds| ["--rounds".to_owned(), rounds.to_string()]);
        only.chain(rounds).collect()
    }
}

/// Builds, runs and prints.
///
/// Errors: it does not build; the database server does not start; a signal came.
pub fn run(root: &Path, ways: &Ways, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    let cargo = || {
        let mut cargo = Command::new("cargo");
        let profile = if ways.quick { "dev" } else { "bench" };
        cargo
            .args(BENCH)
            .args(["--profile", profile])
            .current_dir(root);
        cargo
    };
    finish(cargo().arg("--no-run"), BUILD_LIMIT, interrupt)?;
    let server = Server::start(root, interrupt)?;
    for database in DATABASES {
        server.database(database)?;
    }
    let mut bench = cargo();
    bench.arg("--").args(ways.words());
    bench.env(URL_VARIABLE, server.url());
    let status = Group::spawn(&mut bench)?.wait(RUN_LIMIT, interrupt)?;
    Ok(ExitCode::from(u8::from(!status.success())))
}
