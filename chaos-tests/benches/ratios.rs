//! `cargo bench`: measures all ratios of `docs/BENCHMARKS.md` and prints them as one table.
//! `cargo xtask bench` runs it beside a database server of its own.

use clap::Parser;
use protector_chaos_tests::bench::{Sizes, run, table};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "ratios")]
struct Arguments {
    #[command(flatten)]
    sizes: Sizes,
    /// What cargo says to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments.sizes, |part| eprintln!("measured: {part}")) {
        Ok(figures) => {
            print!("{}", table(&figures));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
