//! A private MariaDB server for tests: own data directory, own port, own password, gone afterwards.
//!
//! `launch` starts one server, `record` remembers it on disk so that a later
//! command can stop it. Deliberately absent: the machine's own database service, which is never touched or used.

mod launch;
mod record;

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use crate::debian::{self, Need};
use crate::process::Interrupt;
pub use launch::Server;

/// Environment variable that carries the server's URL, `mysql://user:password@127.0.0.1:PORT/`, to the tests.
pub const URL_VARIABLE: &str = "PROTECTOR_TEST_MARIADB_URL";

/// The server's package.
pub const NEED: Need = Need {
    what: "mariadbd",
    package: "mariadb-server",
    is_there: || debian::find("mariadbd").is_some(),
};

/// What can be asked on the command line.
#[derive(Debug, Subcommand)]
pub enum Ask {
    /// Start a server that stays until `down`; prints the variable to export
    Up,
    /// Stop it and remove its data
    Down,
    /// Say whether it runs
    Status,
}

/// Performs one command.
///
/// Errors: the server cannot be installed, started or stopped; the text says which and why.
pub fn run(root: &Path, ask: &Ask, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    match ask {
        Ask::Up => up(root, interrupt),
        Ask::Down => down(root),
        Ask::Status => status(root),
    }
}

fn up(root: &Path, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    let record = match record::read_kept(root)?.filter(record::Record::is_running) {
        Some(running) => running,
        None => Server::start(root, interrupt)?.keep(root)?,
    };
    println!("export {URL_VARIABLE}='{}'", record.url);
    Ok(ExitCode::SUCCESS)
}

fn down(root: &Path) -> anyhow::Result<ExitCode> {
    match record::read_kept(root)? {
        Some(kept) => {
            kept.take_down(root)?;
            println!("stopped, and its data removed");
        }
        None => println!("there is none"),
    }
    Ok(ExitCode::SUCCESS)
}

fn status(root: &Path) -> anyhow::Result<ExitCode> {
    match record::read_kept(root)? {
        Some(kept) if kept.is_running() => {
            println!(
                "running: pid {}, port {}, data in {}",
                kept.pid,
                kept.port,
                kept.dir.display()
            );
            Ok(ExitCode::SUCCESS)
        }
        Some(_) => {
            println!("gone, its record is left: run `cargo xtask mariadb down`");
            Ok(ExitCode::FAILURE)
        }
        None => {
            println!("there is none");
            Ok(ExitCode::FAILURE)
        }
    }
}
