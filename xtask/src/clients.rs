//! `cargo xtask clients`: other people's clients, unmodified, against what the lab pretends to be. They live in a
//! virtual environment below `target/`, made from pinned requirements.
//!
//! Deliberately absent: skipping. Without Python, or without a way to the package index, this is red.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::clock;
use crate::process::{Group, Interrupt};

/// Most time to make the environment, and to build and start the arrays.
const SETUP_LIMIT: Duration = Duration::from_secs(15 * 60);
/// Most time of one client's check.
const CHECK_LIMIT: Duration = Duration::from_secs(5 * 60);

const REQUIREMENTS: &str = "lab/purity-client/requirements.txt";
const CHECK: &str = "lab/purity-client/check.py";

/// Runs every client's check.
///
/// Errors: Python is not there, the requirements cannot be had, or the arrays do not come up.
pub fn run(root: &Path, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    let home = root.join("target/clients");
    fs::create_dir_all(&home)?;
    let python = environment(root, &home, interrupt)?;
    let (arrays, line) = arrays(root, &home, interrupt)?;
    let mut check = Command::new(python);
    check.arg(root.join(CHECK)).arg(line);
    let status = Group::spawn(&mut check)?.wait(CHECK_LIMIT, interrupt)?;
    drop(arrays);
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The environment's Python, with everything in it that the requirements name.
fn environment(root: &Path, home: &Path, interrupt: &Interrupt) -> anyhow::Result<PathBuf> {
    let venv = home.join("venv");
    let python = venv.join("bin/python");
    if !python.exists() {
        let mut make = Command::new("python3");
        make.args(["-m", "venv"]).arg(&venv);
        finish(&mut make, interrupt)
            .context("making a virtual environment needs Python 3.9 or later with venv")?;
    }
    let mut install = Command::new(&python);
    install
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ])
        .arg(root.join(REQUIREMENTS));
    finish(&mut install, interrupt).context("the Python package index has to be reachable")?;
    Ok(python)
}

/// Two simulated arrays on free loopback ports, and the line with which they say where.
fn arrays(root: &Path, home: &Path, interrupt: &Interrupt) -> anyhow::Result<(Group, String)> {
    let state = home.join("arrays");
    if state.exists() {
        fs::remove_dir_all(&state)?;
    }
    let told = home.join("arrays.out");
    let mut serve = Command::new("cargo");
    serve
        .args([
            "run",
            "--quiet",
            "--locked",
            "-p",
            "protector-lab",
            "--",
            "arrays",
            "--count",
            "2",
            "--state",
        ])
        .arg(&state)
        .current_dir(root)
        .stdout(File::create(&told)?);
    let mut group = Group::spawn(&mut serve)?;
    let line = clock::wait_until(SETUP_LIMIT, || {
        interrupt.check()?;
        if let Some(status) = group.ended()? {
            bail!("the arrays ended at once: {status}");
        }
        let text = fs::read_to_string(&told)?;
        Ok(text.split_once('\n').map(|(line, _)| line.to_owned()))
    })?;
    let line = line.context("the arrays did not come up")?;
    Ok((group, line))
}

fn finish(command: &mut Command, interrupt: &Interrupt) -> anyhow::Result<()> {
    let status = Group::spawn(command)?.wait(SETUP_LIMIT, interrupt)?;
    if !status.success() {
        bail!(
            "{} failed: {status}",
            command.get_program().to_string_lossy()
        );
    }
    Ok(())
}
