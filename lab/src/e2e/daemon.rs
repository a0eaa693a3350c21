//! The product at one site as an operator runs it: a configuration file, `protector-manage db sync`, and a
//! process that can be killed.
//!
//! Absent: what it is told (`story`).

use super::cloud::PASSWORD;
use super::places::Places;
use crate::world::Which;
use anyhow::{Context, Result, bail};
use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long a daemon may take until it answers, in looks.
const LOOKS_MAX: u32 = 240;
const LOOK_EVERY_MS: u64 = 250;

/// One site's daemon; killed with whoever holds it.
pub(super) struct Daemon {
    dir: PathBuf,
    programs: PathBuf,
    url: String,
    child: Option<Child>,
}

/// Both sites' daemons, which answer.
///
/// # Errors
/// As preparing and starting one.
pub(super) async fn up(
    places: &Places,
    http: &protector_runtime::remote::HttpService,
    state: &Path,
    programs: &Path,
    [a, b]: [&str; 2],
) -> Result<[Daemon; 2]> {
    let prepare = |which, database| Daemon::prepare(which, places, state, programs, database);
    let mut daemons = [prepare(Which::A, a)?, prepare(Which::B, b)?];
    for daemon in &mut daemons {
        daemon.start(http).await?;
    }
    Ok(daemons)
}

impl Daemon {
    /// Writes the configuration, and makes schema and identity. `programs`: the directory of the binaries.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub fn prepare(
        which: Which,
        places: &Places,
        state: &Path,
        programs: &Path,
        database: &str,
    ) -> Result<Self> {
        let dir = state.join(which.name());
        fs::create_dir_all(&dir)?;
        let file = dir.join("protector.conf");
        fs::write(&file, configuration(which, places, &dir, database)?)?;
        fs::set_permissions(&file, Permissions::from_mode(0o640))?;
        let daemon = Self {
            dir,
            programs: programs.to_owned(),
            url: places.api_url(which),
            child: None,
        };
        daemon.manage(&["db", "sync"])?;
        Ok(daemon)
    }

    fn manage(&self, words: &[&str]) -> Result<()> {
        let log = self.log()?;
        let status = self
            .command("protector-manage")
            .args(words)
            .stdout(log.try_clone()?)
            .stderr(log)
            .status()?;
        if !status.success() {
            let words = words.join(" ");
            bail!("protector-manage {words}: {status}; see {}", self.told());
        }
        Ok(())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command
            .arg("--config-file")
            .arg(self.dir.join("protector.conf"))
            .stdin(Stdio::null());
        command
    }

    fn log(&self) -> Result<File> {
        let mut options = OpenOptions::new();
        let options = options.create(true).append(true);
        Ok(options.open(self.dir.join("log"))?)
    }

    fn told(&self) -> String {
        self.dir.join("log").display().to_string()
    }

    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// It ends, or does not answer.
    pub async fn start(&mut self, http: &protector_runtime::remote::HttpService) -> Result<()> {
        let log = self.log()?;
        let mut command = self.command("protectord");
        let child = command.stdout(log.try_clone()?).stderr(log).spawn();
        self.child = Some(child.context("starting protectord")?);
        for _ in 0..LOOKS_MAX {
            if self.answers(http).await {
                return Ok(());
            }
            let ended = self.child.as_mut().map(Child::try_wait).transpose()?;
            if let Some(status) = ended.flatten() {
                bail!("protectord ended: {status}; see {}", self.told());
            }
            tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
        }
        bail!("protectord does not answer; see {}", self.told())
    }

    async fn answers(&self, http: &protector_runtime::remote::HttpService) -> bool {
        use tower::ServiceExt;
        let asked = http::Request::get(format!("{}/v1/health", self.url));
        let Ok(asked) = asked.body(bytes::Bytes::new()) else {
            return false;
        };
        let answer = http.clone().oneshot(asked).await;
        answer.is_ok_and(|a| a.status().is_success())
    }

    /// SIGKILL: it gets no chance to say anything.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

fn configuration(which: Which, places: &Places, dir: &Path, database: &str) -> Result<String> {
    let auth_url = &places.cloud(which)?.auth_url;
    let (name, port, dir) = (which.name(), places.api_port(which), dir.display());
    let url = places.api_url(which);
    Ok(format!(
        "[DEFAULT]\nstate_path = {dir}\n\
         [api]\nbind_host = 127.0.0.1\nbind_port = {port}\nworkers = 2\npublic_endpoint = {url}\n\
         [database]\nconnection = {database}\n\
         [keystone_authtoken]\nwww_authenticate_uri = {auth_url}\nauth_url = {auth_url}\n\
         username = protector\npassword = {PASSWORD}\nproject_name = service\n\
         region_name = RegionOne\ninterface = public\n\
         [engine]\nsite_name = {name}\nstorage_driver = pure\nallow_loopback_urls = True\n"
    ))
}
