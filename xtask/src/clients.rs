//! `cargo xtask clients`: other people's clients, unmodified, against what the lab pretends to be, and our own plugin
//! of the stock `openstack` command against both pretend sites. Each lives in a virtual environment of its own below
//! `target/`, with pinned versions.
//!
//! Deliberately absent: skipping. Without Python, or without a way to the package index, this is red.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::clock;
use crate::openstack;
use crate::process::{Group, Interrupt, finish};

/// Most time to make the environment, and to build and start the arrays.
const SETUP_LIMIT: Duration = Duration::from_secs(15 * 60);
/// Most time of one client's check.
const CHECK_LIMIT: Duration = Duration::from_secs(5 * 60);

const REQUIREMENTS: &str = "lab/purity-client/requirements.txt";
const CHECK: &str = "lab/purity-client/check.py";

/// Our plugin's folder.
pub const PLUGIN: &str = "clients/python-protectorclient";
/// What the stock command and its libraries are pinned to; also what the real clouds run.
const VERSIONS: &str = "lab/openstack/constraints.txt";
/// What tries the OpenAPI document is pinned to: other versions draw other cases from a seed.
const CONTRACT_VERSIONS: &str = "clients/python-protectorclient/tests/constraints.txt";
/// Most time of the plugin's tests.
const PLUGIN_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Runs every client's check.
///
/// Errors: Python is not there, the requirements cannot be had, or the arrays do not come up.
pub fn run(root: &Path, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    let home = root.join("target/clients");
    fs::create_dir_all(&home)?;
    let python = environment(&home.join("venv"), interrupt)?;
    let wanted = ["-r".into(), root.join(REQUIREMENTS).into()];
    install(&python, &wanted, interrupt)?;
    let (arrays, line) = arrays(root, &home, interrupt)?;
    let mut check = Command::new(python);
    check.arg(root.join(CHECK)).arg(line);
    let status = Group::spawn(&mut check)?.wait(CHECK_LIMIT, interrupt)?;
    drop(arrays);
    let well = status.success() && plugin(root, interrupt)?;
    Ok(ExitCode::from(u8::from(!well)))
}

/// The Python of an environment with the stock command, our plugin, and what its tests need.
///
/// Errors: Python or the package index is not there.
pub fn plugin_python(root: &Path, interrupt: &Interrupt) -> anyhow::Result<PathBuf> {
    let home = root.join("target/clients");
    fs::create_dir_all(&home)?;
    let python = environment(&home.join("plugin"), interrupt)?;
    let mut named = root.join(PLUGIN).into_os_string();
    named.push("[test]");
    // A folder, so that what is tested is what is here.
    let pins = [VERSIONS, CONTRACT_VERSIONS].map(|file| root.join(file).into_os_string());
    let [stock, contract] = pins;
    let wanted = [
        "-c".into(),
        stock,
        "-c".into(),
        contract,
        "-e".into(),
        named,
    ];
    install(&python, &wanted, interrupt)?;
    Ok(python)
}

/// The tests of `openstack protector`, which bring up the pretend sites themselves.
fn plugin(root: &Path, interrupt: &Interrupt) -> anyhow::Result<bool> {
    let mut tests = Command::new(plugin_python(root, interrupt)?);
    tests
        .args(["-m", "pytest", "-q", "-n", "2", "--dist", "loadfile"])
        .arg(root.join(PLUGIN))
        .env("PROTECTOR_LAB", openstack::product(root, interrupt)?);
    Ok(Group::spawn(&mut tests)?
        .wait(PLUGIN_LIMIT, interrupt)?
        .success())
}

/// The Python of an environment, which is made if it is not there.
fn environment(venv: &Path, interrupt: &Interrupt) -> anyhow::Result<PathBuf> {
    let python = venv.join("bin/python");
    if !python.exists() {
        let mut make = Command::new("python3");
        make.args(["-m", "venv"]).arg(venv);
        finish(&mut make, SETUP_LIMIT, interrupt)
            .context("making a virtual environment needs Python 3.9 or later with venv")?;
    }
    Ok(python)
}

fn install(python: &Path, wanted: &[OsString], interrupt: &Interrupt) -> anyhow::Result<()> {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet"])
        .arg("--disable-pip-version-check")
        .args(wanted);
    finish(&mut pip, SETUP_LIMIT, interrupt).context("the Python package index has to be reachable")
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
