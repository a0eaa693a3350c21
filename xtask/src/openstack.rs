//! `cargo xtask openstack`: two real OpenStack clouds on this machine, over two simulated arrays. `lab/openstack/`
//! runs them; this makes present what that needs: packages, a virtual environment of pinned services, the arrays.
//!
//! Deliberately absent: skipping. What cannot be had is an error that says what to do.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use crate::debian::{self, Need};
use crate::mariadb;
use crate::process::{Group, Interrupt, finish};

/// Most time to make the environment: some of the services are compiled.
const INSTALL_LIMIT: Duration = Duration::from_secs(20 * 60);
/// Most time of one verb.
const VERB_LIMIT: Duration = Duration::from_secs(15 * 60);
/// Names another directory for what all clouds of a user share.
const CACHE_VARIABLE: &str = "PROTECTOR_OPENSTACK_CACHE";

/// The pinned services are proven on this Python.
const PYTHON: &str = "python3.11";
const SCRIPTS: &str = "lab/openstack";
const PACKAGES: &str = "lab/openstack/constraints.txt";

const fn program(what: &'static str, package: &'static str, is_there: fn() -> bool) -> Need {
    Need {
        what,
        package,
        is_there,
    }
}

/// What the machine must have.
const NEEDS: &[Need] = &[
    mariadb::NEED,
    program("rabbitmq-server", "rabbitmq-server", || {
        Path::new("/usr/lib/rabbitmq/bin/rabbitmq-server").exists()
    }),
    program("memcached", "memcached", || {
        debian::find("memcached").is_some()
    }),
    program("gcc", "gcc", || debian::find("gcc").is_some()),
    program(PYTHON, PYTHON, || python().is_some()),
    program("Python's headers", "python3.11-dev", || {
        asks_python("import sysconfig,os; os.stat(sysconfig.get_path('include') + '/Python.h')")
    }),
    program("Python's venv", "python3.11-venv", || {
        asks_python("import venv, ensurepip")
    }),
];

/// Where the clouds are.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Directory with all state of both clouds and the arrays; default: target/openstack
    #[arg(long, global = true)]
    pub dir: Option<PathBuf>,
}

/// What can be asked on the command line.
#[derive(Debug, Subcommand)]
pub enum Ask {
    /// Install what is missing, and start whatever does not run; writes clouds.yaml and openstack.json
    Up {
        /// Added to every port: a second pair beside the first needs its own, and its own --dir
        #[arg(long)]
        port_offset: Option<u16>,
    },
    /// Stop everything; what was made stays
    Down {
        /// Kill this site at once, as if it were lost
        #[arg(long, value_name = "SITE")]
        kill: Option<String>,
    },
    /// Say what runs
    Status,
    /// Give the tenant of a site three servers
    SeedServers {
        site: String,
        /// fidelity: five volumes, and all that there is to tell of a server; tour: those of the client's README
        #[arg(long, default_value = "fidelity")]
        set: String,
    },
    /// Prove on both clouds what recovery builds on, and remove it again
    Smoke,
}

/// Performs one command.
///
/// Errors: something cannot be installed or started; the text says which and why.
pub fn run(
    root: &Path,
    place: &Place,
    ask: &Ask,
    interrupt: &Interrupt,
) -> anyhow::Result<ExitCode> {
    let dir = match &place.dir {
        Some(dir) => std::path::absolute(dir)?,
        None => root.join("target/openstack"),
    };
    let mut words: Vec<OsString> = Vec::new();
    match ask {
        Ask::Up { port_offset } => {
            install(root, interrupt)?;
            words.extend(["up".into(), "--arrays-program".into()]);
            words.push(product(root, interrupt)?.into());
            if let Some(offset) = port_offset {
                words.extend(["--port-offset".into(), offset.to_string().into()]);
            }
        }
        Ask::Down { kill } => {
            words.push("down".into());
            if let Some(site) = kill {
                words.extend(["--kill".into(), site.into()]);
            }
        }
        Ask::Status => words.push("status".into()),
        Ask::SeedServers { site, set } => {
            words.extend([
                "seed-servers".into(),
                site.into(),
                "--set".into(),
                set.into(),
            ]);
        }
        Ask::Smoke => words.push("smoke".into()),
    }
    let status = verb(root, Some(&dir), &words, interrupt)?;
    Ok(ExitCode::from(u8::from(!status)))
}

/// Packages, environment and database template. Quick when all is there.
fn install(root: &Path, interrupt: &Interrupt) -> anyhow::Result<()> {
    debian::ensure(NEEDS)?;
    let venv = cache()?.join("venv");
    let stamp = venv.join("packages.txt");
    let wanted = fs::read_to_string(root.join(PACKAGES))?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return template(root, interrupt);
    }
    eprintln!("making {}", venv.display());
    let python = python().with_context(|| format!("there is no {PYTHON}"))?;
    let mut make = Command::new(python);
    make.args(["-m", "venv", "--clear"]).arg(&venv);
    finish(&mut make, INSTALL_LIMIT, interrupt)?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps"]) // all of them are named
        .args(["--disable-pip-version-check", "--requirement"])
        .arg(root.join(PACKAGES));
    finish(&mut pip, INSTALL_LIMIT, interrupt)
        .context("the Python package index has to be reachable")?;
    fs::write(&stamp, wanted)?;
    template(root, interrupt)
}

fn template(root: &Path, interrupt: &Interrupt) -> anyhow::Result<()> {
    if !verb(root, None, &["template".into()], interrupt)? {
        bail!("the database template could not be made");
    }
    Ok(())
}

/// Runs `clouds.py`; true when it says all is well.
fn verb(
    root: &Path,
    dir: Option<&Path>,
    words: &[OsString],
    interrupt: &Interrupt,
) -> anyhow::Result<bool> {
    let cache = cache()?;
    let python = cache.join("venv/bin/python");
    if !python.exists() {
        bail!("nothing is installed yet: run `cargo xtask openstack up`");
    }
    let mut command = Command::new(python);
    command
        .arg(root.join(SCRIPTS).join("clouds.py"))
        .arg("--cache")
        .arg(&cache)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1");
    if let Some(dir) = dir {
        command.arg("--dir").arg(dir);
    }
    command.args(words);
    let status = Group::spawn(&mut command)?.wait(VERB_LIMIT, interrupt)?;
    Ok(status.success())
}

/// Builds the lab's program, with the daemon beside it.
///
/// Errors: it cannot be built.
pub fn product(root: &Path, interrupt: &Interrupt) -> anyhow::Result<PathBuf> {
    let mut build = Command::new("cargo");
    build
        .args(["build", "--quiet", "--locked", "--bins"])
        .args(["-p", "protector-lab", "-p", "protectord"])
        .current_dir(root);
    finish(&mut build, INSTALL_LIMIT, interrupt)?;
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("debug/protector-lab"))
}

/// What all pairs of clouds of a user share.
fn cache() -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os(CACHE_VARIABLE) {
        return Ok(PathBuf::from(named));
    }
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    let base = base
        .or_else(home)
        .with_context(|| format!("neither HOME nor {CACHE_VARIABLE} is set"))?;
    Ok(base.join("protector-openstack"))
}

/// The system's own, with its headers; a version manager's shim in PATH may lead nowhere.
fn python() -> Option<PathBuf> {
    let own = Path::new("/usr/bin").join(PYTHON);
    if own.exists() {
        return Some(own);
    }
    debian::find(PYTHON)
}

fn asks_python(line: &str) -> bool {
    let Some(python) = python() else { return false };
    let asked = Command::new(python).args(["-c", line]).output();
    asked.is_ok_and(|answer| answer.status.success())
}
