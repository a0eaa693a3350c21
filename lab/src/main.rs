//! `protector-lab`: the pretend worlds as a program.
//!
//! Absent: anything a production site runs.

use clap::{Parser, Subcommand};
use protector_lab::demo::{DemoOptions, demo};
use protector_lab::e2e::{E2eOptions, e2e};
use protector_lab::purity::{ArraysOptions, arrays};
use protector_lab::up::{UpOptions, up};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "protector-lab",
    about = "Pretend clouds, arrays and sites",
    version
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Loses a site and recovers its VMs at the other, before your eyes.
    Demo(DemoOptions),
    /// Serves simulated arrays alone, over HTTPS, until it is told to stop.
    Arrays(ArraysOptions),
    /// Tells the story on two real clouds, with real daemons.
    E2e(E2eOptions),
    /// Keeps two pretend sites up on loopback ports, until SIGTERM.
    Up(UpOptions),
}

fn main() -> ExitCode {
    protector_runtime::remote::tls_provider_install();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let told = match (runtime, Arguments::parse().verb) {
        (Ok(runtime), Verb::Demo(options)) => runtime.block_on(demo(options)),
        (Ok(runtime), Verb::Arrays(options)) => runtime.block_on(arrays(options)),
        (Ok(runtime), Verb::E2e(options)) => runtime.block_on(e2e(options)),
        (Ok(runtime), Verb::Up(options)) => runtime.block_on(up(options)).map(|()| true),
        (Err(error), _) => Err(error.into()),
    };
    match told {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("protector-lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}
