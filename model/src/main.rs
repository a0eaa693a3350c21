//! `protector-model`: explores the runs and says what was seen. Absent: clocks; whoever starts it
//! measures.

use clap::Parser;
use protector_model::explore::{Counterexample, Limits, Report, explore};
use protector_model::properties::PROPERTIES;
use protector_model::runs::{RUNS, Run};
use std::process::ExitCode;

/// The command line.
#[derive(Debug, Parser)]
struct Ways {
    /// This run alone
    #[arg(long)]
    run: Option<String>,
    /// Stop a run at this depth
    #[arg(long)]
    depth: Option<usize>,
    /// Stop a run at this many different states
    #[arg(long, default_value_t = 1_000_000)]
    states: usize,
    /// Only the first broken property, of the runs that are known to break none
    #[arg(long)]
    brief: bool,
}

fn main() -> ExitCode {
    let ways = Ways::parse();
    let limits = Limits {
        states: ways.states,
        depth: ways.depth.unwrap_or(usize::MAX),
    };
    let chosen = |run: &&Run| {
        let named = ways.run.as_ref().is_none_or(|name| run.name == name);
        named && (!ways.brief || run.breaks.is_empty())
    };
    let mut code = ExitCode::SUCCESS;
    for run in RUNS.iter().filter(chosen) {
        match explore(run, limits) {
            Ok(report) if ways.brief => {
                if let Some(way) = &report.found {
                    tell_briefly(run, way);
                    return ExitCode::FAILURE;
                }
            }
            Ok(report) => {
                tell(run, &report);
                if report.found.is_some() {
                    code = ExitCode::FAILURE;
                }
            }
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    code
}

fn tell(run: &Run, report: &Report) {
    let end = if report.complete { "complete" } else { "cut" };
    println!(
        "{}: {} states, {} transitions, depth {}, {end}; {} site states, {} questions to the \
         rules, {} pairs healed",
        run.name,
        report.states,
        report.transitions,
        report.depth,
        report.locals,
        report.questions,
        report.healed
    );
    for (property, times) in &report.known {
        println!("  known to break, in {times} states: {property}");
    }
    for way in &report.known_ways {
        tell_way(way);
    }
    match &report.found {
        None => println!(
            "  {} properties hold",
            PROPERTIES.len() - report.known.len()
        ),
        Some(way) => tell_way(way),
    }
}

fn tell_briefly(run: &Run, way: &Counterexample) {
    let broken = &way.broken;
    let steps = way.steps.len();
    println!(
        "broken: {:?} in {steps} steps of `{}` ({})",
        broken.property, run.name, broken.why
    );
}

fn tell_way(way: &Counterexample) {
    println!("  broken: {} ({})", way.broken.property, way.broken.why);
    for (place, step) in way.steps.iter().enumerate() {
        println!("    {:2} {step}", place + 1);
    }
}
