//! `cargo xtask <verb>`: the agreements of this repository that a machine can keep.
//!
//! `tidy` holds the house rules, `test` is everything CI runs, `clients` tries stock clients,
//! `mariadb` lends a private database server, `openstack` two real
//! clouds, `e2e` tells the story on them, `bench` measures, `model` explores the rules between two sites.
//! Deliberately absent: anything a running site needs. No product crate may depend on this one, and this one
//! depends on no product crate, so that a broken product can still be checked.

mod bench;
mod clients;
mod clock;
mod debian;
mod e2e;
mod mariadb;
mod model;
mod openstack;
mod process;
mod repo;
mod stages;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::process::{Interrupt, Interrupted};

/// The command line, also parsed by `tidy` to prove that every command written in a document exists.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    about = "The mechanical agreements of this repository"
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check the house rules: crate edges, sizes, bans, file heads, migrations, documented commands
    Tidy,
    /// Run everything CI runs, stage by stage; stops at the first red stage
    Test {
        /// Run this stage alone (and the database, if the stage needs it)
        #[arg(long, value_name = "STAGE")]
        only: Option<String>,
    },
    /// Other people's clients, unmodified, against the simulated arrays
    Clients,
    /// Two real OpenStack clouds on this machine, over two simulated arrays
    Openstack {
        #[command(flatten)]
        place: openstack::Place,
        #[command(subcommand)]
        ask: openstack::Ask,
    },
    /// The story on two real clouds with real daemons
    E2e {
        #[command(flatten)]
        ways: e2e::Ways,
    },
    /// Moves on two real clouds with daemons killed at random instants
    KillLoop {
        #[command(flatten)]
        kills: e2e::Kills,
    },
    /// How near the product is to what cannot be undercut, as one table
    Bench {
        #[command(flatten)]
        ways: bench::Ways,
    },
    /// The rules between two sites, explored state by state
    Model {
        #[command(flatten)]
        reach: model::Reach,
    },
    /// A private MariaDB server on a free loopback port, for tests
    Mariadb {
        #[command(subcommand)]
        ask: mariadb::Ask,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            match error.downcast_ref::<Interrupted>() {
                Some(interrupted) => ExitCode::from(interrupted.exit_code()),
                None => ExitCode::FAILURE,
            }
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let root = repo::root()?;
    match cli.verb {
        Verb::Tidy => tidy::run(&root, &|words| Cli::try_parse_from(words).is_ok()),
        Verb::Test { only } => stages::run(&root, only.as_deref(), &Interrupt::install()?),
        Verb::Clients => clients::run(&root, &Interrupt::install()?),
        Verb::Openstack { place, ask } => {
            openstack::run(&root, &place, &ask, &Interrupt::install()?)
        }
        Verb::E2e { ways } => e2e::run(&root, &ways, &Interrupt::install()?),
        Verb::KillLoop { kills } => e2e::kill_loop(&root, &kills, &Interrupt::install()?),
        Verb::Bench { ways } => bench::run(&root, &ways, &Interrupt::install()?),
        Verb::Model { reach } => model::run(&root, &reach, &Interrupt::install()?),
        Verb::Mariadb { ask } => mariadb::run(&root, &ask, &Interrupt::install()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn an_unknown_verb_is_refused() {
        assert!(Cli::try_parse_from(["cargo xtask", "tidy"]).is_ok());
        assert!(Cli::try_parse_from(["cargo xtask", "mariadb", "up"]).is_ok());
        assert!(Cli::try_parse_from(["cargo xtask", "polish"]).is_err());
        assert!(Cli::try_parse_from(["cargo xtask", "mariadb", "sideways"]).is_err());
    }
}
