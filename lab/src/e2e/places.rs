//! Where the two real clouds and the arrays are, as `cargo xtask openstack up` left it.
//!
//! Absent: starting them (`lab/openstack`).

use crate::world::Which;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the lab's daemons listen on: this, plus the base of the site, plus the pair's offset.
const API_PORT: u16 = 8_788;
const SITE_PORTS: [u16; 2] = [10_000, 20_000];
/// The longest file with certificates that is read, bytes.
const CERTIFICATE_BYTES_MAX: u64 = 1 << 20;

/// The longest answer of a verb, bytes.
const SAID_BYTES_MAX: usize = 16 << 20;

/// One cloud.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CloudPlace {
    pub auth_url: String,
}

/// One simulated array.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ArrayPlace {
    pub name: String,
    pub url: String,
    pub api_token: String,
    pub ca: PathBuf,
}

/// Both of each.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Places {
    pub port_offset: u16,
    /// Begins the command that starts, stops and kills; a verb follows.
    pub command: Vec<String>,
    pub arrays_program: PathBuf,
    pub arrays: Vec<ArrayPlace>,
    pub sites: BTreeMap<String, CloudPlace>,
}

impl Places {
    /// # Errors
    /// The clouds were never up.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path);
        let text = text.with_context(|| {
            let path = path.display();
            format!("{path} cannot be read: run `cargo xtask openstack up` first")
        })?;
        Ok(serde_json::from_str(&text)?)
    }

    pub fn cloud(&self, which: Which) -> Result<&CloudPlace> {
        let found = self.sites.get(which.name());
        found.with_context(|| format!("there is no cloud {}", which.name()))
    }

    pub fn api_port(&self, which: Which) -> u16 {
        let [a, b] = SITE_PORTS;
        let base = match which {
            Which::A => a,
            Which::B => b,
        };
        API_PORT + base + self.port_offset
    }

    pub fn api_url(&self, which: Which) -> String {
        format!("http://127.0.0.1:{}", self.api_port(which))
    }

    /// Runs a verb on the clouds.
    ///
    /// # Errors
    /// It says no.
    pub fn tell(&self, words: &[&str]) -> Result<()> {
        let [program, first @ ..] = self.command.as_slice() else {
            bail!("openstack.json names no command");
        };
        let status = Command::new(program).args(first).args(words).status()?;
        if !status.success() {
            bail!("`{}` failed: {status}", words.join(" "));
        }
        Ok(())
    }

    /// Runs a verb, and gives back what it printed.
    ///
    /// # Errors
    /// It says no, or too much.
    pub fn ask(&self, words: &[&str]) -> Result<String> {
        let [program, first @ ..] = self.command.as_slice() else {
            bail!("openstack.json names no command");
        };
        let mut command = Command::new(program);
        let said = command.args(first).args(words).stderr(Stdio::inherit());
        let said = said.output()?;
        if !said.status.success() || said.stdout.len() > SAID_BYTES_MAX {
            let (words, many) = (words.join(" "), said.stdout.len());
            bail!("`{words}`: {}, {many} bytes", said.status);
        }
        Ok(String::from_utf8(said.stdout)?)
    }

    /// Starts whatever of both clouds does not run.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(&self) -> Result<()> {
        let program = self.arrays_program.display().to_string();
        self.tell(&["up", "--arrays-program", &program])
    }
}

impl ArrayPlace {
    /// What its certificate is checked with.
    ///
    /// # Errors
    /// The file is not there, or not of a certificate's size.
    pub fn certificate(&self) -> Result<String> {
        let size = std::fs::metadata(&self.ca)?.len();
        if size > CERTIFICATE_BYTES_MAX {
            bail!("{} has {size} bytes", self.ca.display());
        }
        Ok(std::fs::read_to_string(&self.ca)?)
    }
}
