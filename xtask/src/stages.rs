//! `cargo xtask test`: the stages of a full check as data, and the loop that runs them.
//!
//! A stage is added by adding a row to `STAGES`. Deliberately absent: skipping. A stage that cannot run is red.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::clock::Stopwatch;
use crate::mariadb::{self, Server};
use crate::process::{Group, Interrupt};

/// Most time any one stage may take before it counts as hung.
const STAGE_LIMIT: Duration = Duration::from_secs(45 * 60);

/// What a stage does.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// Runs this program with these arguments at the root.
    Run(&'static [&'static str]),
    /// Brings up a private database server that lives until the last stage has ended.
    StartMariadb,
}

/// One stage.
#[derive(Debug, Clone, Copy)]
struct Stage {
    /// Short name, for `--only`.
    name: &'static str,
    act: Act,
    /// Whether the tests in it need the database server.
    needs_mariadb: bool,
    /// Seconds it should take on two cores with warm build output; more is reported, not failed.
    budget_s: u64,
}

const fn run_stage(name: &'static str, budget_s: u64, command: &'static [&'static str]) -> Stage {
    Stage {
        name,
        act: Act::Run(command),
        needs_mariadb: false,
        budget_s,
    }
}

static STAGES: &[Stage] = &[
    run_stage("tidy", 10, &["cargo", "xtask", "tidy"]),
    run_stage("fmt", 10, &["cargo", "fmt", "--all", "--check"]),
    run_stage(
        "clippy",
        240,
        &[
            "cargo",
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
    ),
    Stage {
        name: "mariadb",
        act: Act::StartMariadb,
        needs_mariadb: false,
        budget_s: 15,
    },
    Stage {
        needs_mariadb: true,
        ..run_stage(
            "tests",
            1_800,
            &["cargo", "test", "--workspace", "--locked", "--no-fail-fast"],
        )
    },
    run_stage("clients", 300, &["cargo", "xtask", "clients"]),
    run_stage("e2e", 720, &["cargo", "xtask", "e2e"]),
    run_stage("tour", 300, &["cargo", "xtask", "e2e", "--tour"]),
    run_stage(
        "demo",
        90,
        &[
            "cargo",
            "run",
            "--locked",
            "-p",
            "protector-lab",
            "--",
            "demo",
            "--json",
        ],
    ),
];

/// How one stage went.
struct Outcome {
    stage: Stage,
    took_s: f64,
    passed: bool,
}

/// Runs all stages, or `only` one with what it needs, up to the first red one, and prints what each took.
///
/// Errors: `only` names no stage; a program cannot be started; a signal came. Everything started is taken down.
pub fn run(root: &Path, only: Option<&str>, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    let stages = select(STAGES, only)?;
    let mut outcomes = Vec::new();
    let ran = run_all(root, &stages, interrupt, &mut outcomes);
    print!("{}", table(&stages, &outcomes));
    ran?;
    match outcomes.iter().find(|outcome| !outcome.passed) {
        Some(red) => {
            println!(
                "red: {}. Repeat it with: cargo xtask test --only {}",
                red.stage.name, red.stage.name
            );
            Ok(ExitCode::FAILURE)
        }
        None => Ok(ExitCode::SUCCESS),
    }
}

/// The stages to run: all, or the named one and the database if it needs it.
fn select(stages: &[Stage], only: Option<&str>) -> anyhow::Result<Vec<Stage>> {
    let Some(name) = only else {
        return Ok(stages.to_vec());
    };
    let Some(wanted) = stages.iter().find(|stage| stage.name == name) else {
        let names: Vec<&str> = stages.iter().map(|stage| stage.name).collect();
        bail!("there is no stage `{name}`; there are {}", names.join(", "));
    };
    let helps = |stage: &Stage| wanted.needs_mariadb && matches!(stage.act, Act::StartMariadb);
    Ok(stages
        .iter()
        .filter(|stage| stage.name == name || helps(stage))
        .copied()
        .collect())
}

fn run_all(
    root: &Path,
    stages: &[Stage],
    interrupt: &Interrupt,
    outcomes: &mut Vec<Outcome>,
) -> anyhow::Result<()> {
    let mut server = None;
    for stage in stages {
        println!("== {}: {}", stage.name, describe(stage));
        let watch = Stopwatch::start();
        let passed = perform(root, stage, interrupt, &mut server);
        let took_s = watch.elapsed().as_secs_f64();
        outcomes.push(Outcome {
            stage: *stage,
            took_s,
            passed: *passed.as_ref().unwrap_or(&false),
        });
        if !passed.with_context(|| format!("stage {}", stage.name))? {
            break;
        }
    }
    Ok(())
}

/// True when the stage is green.
fn perform(
    root: &Path,
    stage: &Stage,
    interrupt: &Interrupt,
    server: &mut Option<Server>,
) -> anyhow::Result<bool> {
    let words = match stage.act {
        Act::StartMariadb => {
            *server = Some(Server::start(root, interrupt)?);
            return Ok(true);
        }
        Act::Run(words) => words,
    };
    let [program, args @ ..] = words else {
        bail!("stage {} has no command", stage.name)
    };
    let mut command = Command::new(program);
    command.args(args).current_dir(root);
    if stage.needs_mariadb {
        let server = server
            .as_ref()
            .context("the database server was not started before this stage")?;
        command.env(mariadb::URL_VARIABLE, server.url());
    }
    Ok(Group::spawn(&mut command)?
        .wait(STAGE_LIMIT, interrupt)?
        .success())
}

fn describe(stage: &Stage) -> String {
    match stage.act {
        Act::Run(words) => words.join(" "),
        Act::StartMariadb => "a private database server".to_owned(),
    }
}

/// One line per stage: how it went, seconds, budget.
fn table(stages: &[Stage], outcomes: &[Outcome]) -> String {
    let mut text = format!(
        "\n{:<10} {:>8} {:>8}  result\n",
        "stage", "seconds", "budget"
    );
    for stage in stages {
        let line = match outcomes
            .iter()
            .find(|outcome| outcome.stage.name == stage.name)
        {
            Some(outcome) => {
                let result = match (outcome.passed, outcome.took_s > stage.budget_s as f64) {
                    (false, _) => "RED",
                    (true, true) => "green, over its budget",
                    (true, false) => "green",
                };
                format!(
                    "{:<10} {:>8.1} {:>8}  {result}\n",
                    stage.name, outcome.took_s, stage.budget_s
                )
            }
            None => format!(
                "{:<10} {:>8} {:>8}  not run\n",
                stage.name, "-", stage.budget_s
            ),
        };
        text.push_str(&line);
    }
    let total_s: f64 = outcomes.iter().map(|outcome| outcome.took_s).sum();
    text.push_str(&format!("{:<10} {total_s:>8.1}\n", "total"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(stages: &[Stage]) -> Vec<&'static str> {
        stages.iter().map(|stage| stage.name).collect()
    }

    fn run_these(stages: &[Stage]) -> (anyhow::Result<()>, Vec<(&'static str, bool)>) {
        let mut outcomes = Vec::new();
        let ran = run_all(Path::new("."), stages, &Interrupt::default(), &mut outcomes);
        (
            ran,
            outcomes
                .iter()
                .map(|outcome| (outcome.stage.name, outcome.passed))
                .collect(),
        )
    }

    #[test]
    fn the_first_red_stage_is_the_last_one_run() {
        let stages = [
            run_stage("a", 9, &["true"]),
            run_stage("b", 9, &["false"]),
            run_stage("c", 9, &["true"]),
        ];
        let (ran, seen) = run_these(&stages);
        assert!(ran.is_ok());
        assert_eq!(seen, [("a", true), ("b", false)]);
    }

    #[test]
    fn a_stage_that_cannot_start_is_red_and_named() {
        let (ran, seen) = run_these(&[run_stage("a", 9, &["no-such-program-here"])]);
        assert_eq!(seen, [("a", false)]);
        assert!(format!("{:#}", ran.unwrap_err()).contains("stage a"));
    }

    #[test]
    fn tests_without_their_database_are_red_not_skipped() {
        let stage = Stage {
            needs_mariadb: true,
            ..run_stage("a", 9, &["true"])
        };
        let (ran, seen) = run_these(&[stage]);
        assert_eq!(seen, [("a", false)]);
        assert!(ran.is_err());
    }

    #[test]
    fn one_stage_alone_brings_the_database_it_needs() {
        assert_eq!(names(&select(STAGES, None).unwrap()), names(STAGES));
        assert_eq!(
            names(&select(STAGES, Some("tests")).unwrap()),
            ["mariadb", "tests"]
        );
        assert_eq!(names(&select(STAGES, Some("fmt")).unwrap()), ["fmt"]);
        let error = select(STAGES, Some("tset")).unwrap_err().to_string();
        assert!(error.contains("tidy") && error.contains("demo"), "{error}");
    }

    #[test]
    fn the_database_starts_before_the_stages_that_need_it() {
        let mut started = false;
        for stage in STAGES {
            started |= matches!(stage.act, Act::StartMariadb);
            assert!(started || !stage.needs_mariadb, "{}", stage.name);
        }
    }

    #[test]
    fn the_table_tells_green_slow_red_and_not_run_apart() {
        let stages = ["a", "b", "c", "d"].map(|name| run_stage(name, 5, &["true"]));
        let outcome = |i: usize, took_s, passed| Outcome {
            stage: stages[i],
            took_s,
            passed,
        };
        let text = table(
            &stages,
            &[
                outcome(0, 1.0, true),
                outcome(1, 6.0, true),
                outcome(2, 1.0, false),
            ],
        );
        let results: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split_once("5  "))
            .map(|(_, result)| result)
            .collect();
        assert_eq!(
            results,
            ["green", "green, over its budget", "RED", "not run"]
        );
        assert!(text.contains("total") && text.contains("8.0"), "{text}");
    }
}
