//! What is remembered of a server between two runs: one small JSON file per server, readable by its owner only.
//!
//! A record without an owner stays until `down`. A record whose owner (the process that started the server for its
//! own tests) is dead belongs to a run that was killed; the next start sweeps it.
//! Deliberately absent: trusting a process number. A server counts as ours only while it runs on our data directory.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::{clock, repo};

/// Most time a server may take to shut down before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// Name of the record that `up` leaves.
const KEPT: &str = "kept";

/// One server.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Name of its file, without `.json`.
    pub name: String,
    /// Process number of the server.
    pub pid: u32,
    /// TCP port on 127.0.0.1.
    pub port: u16,
    /// Private folder with data, socket, log and pid file.
    pub dir: PathBuf,
    /// URL with user and password.
    pub url: String,
    /// The process it serves; `None`: stays until `down`.
    pub owner: Option<u32>,
}

impl Record {
    /// True while the process runs on this record's data directory.
    pub fn is_running(&self) -> bool {
        runs_with(self.pid, &self.dir.to_string_lossy())
    }

    /// The record that `up` leaves.
    pub fn kept(self) -> Self {
        Self {
            name: KEPT.to_owned(),
            owner: None,
            ..self
        }
    }

    fn file(&self, root: &Path) -> PathBuf {
        folder(root).join(format!("{}.json", self.name))
    }

    /// Writes the record; replaces an older one of the same name.
    ///
    /// Errors: the file cannot be written.
    pub fn write(&self, root: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(folder(root))?;
        let dir = self.dir.to_string_lossy();
        let value = json!({ "pid": self.pid, "port": self.port, "dir": dir, "url": self.url, "owner": self.owner });
        let path = self.file(root);
        let _ = std::fs::remove_file(&path); // so that the mode below holds for a new file
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let mut file = file.with_context(|| format!("cannot write {}", path.display()))?;
        file.write_all(value.to_string().as_bytes())
            .context("cannot write the record")
    }

    /// Forgets the record.
    pub fn forget(&self, root: &Path) {
        let _ = std::fs::remove_file(self.file(root));
    }

    /// Stops the server by its process number, removes its data and the record. Twice is as good as once.
    ///
    /// Errors: it cannot be stopped, or the data cannot be removed.
    pub fn take_down(&self, root: &Path) -> anyhow::Result<()> {
        for signal in ["TERM", "KILL"] {
            if !self.is_running() {
                break;
            }
            Command::new("sh")
                .args(["-c", &format!("kill -s {signal} {}", self.pid)])
                .status()?;
            clock::wait_until(STOP_LIMIT, || Ok((!self.is_running()).then_some(())))?;
        }
        if self.is_running() {
            bail!("the server with pid {} does not stop", self.pid);
        }
        if self.dir.exists() {
            let removed = std::fs::remove_dir_all(&self.dir);
            removed.with_context(|| format!("cannot remove {}", self.dir.display()))?;
        }
        self.forget(root);
        Ok(())
    }
}

/// The server that `up` left, if any.
///
/// Errors: there is a record and it cannot be read.
pub fn read_kept(root: &Path) -> anyhow::Result<Option<Record>> {
    let path = folder(root).join(format!("{KEPT}.json"));
    if !path.exists() {
        return Ok(None);
    }
    read(&path).map(Some)
}

/// Takes down what killed runs left behind.
///
/// Errors: a leftover cannot be stopped or removed.
pub fn sweep(root: &Path) -> anyhow::Result<()> {
    let Ok(entries) = std::fs::read_dir(folder(root)) else {
        return Ok(());
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        // A record that cannot be read was being written when its run died: nothing is known of it.
        let Ok(record) = read(&path) else { continue };
        if record.owner.is_some_and(|owner| !runs_with(owner, "xtask")) {
            eprintln!(
                "sweeping the database server of a run that was killed (pid {})",
                record.pid
            );
            record.take_down(root)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Record> {
    let unreadable = || format!("cannot read {}", path.display());
    let value: Value =
        serde_json::from_str(&std::fs::read_to_string(path).with_context(unreadable)?)?;
    let number = |key: &str| value.get(key).and_then(Value::as_u64);
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    Ok(Record {
        name: path
            .file_stem()
            .with_context(unreadable)?
            .to_string_lossy()
            .into_owned(),
        pid: u32::try_from(number("pid").with_context(unreadable)?)?,
        port: u16::try_from(number("port").with_context(unreadable)?)?,
        dir: PathBuf::from(text("dir").with_context(unreadable)?),
        url: text("url").with_context(unreadable)?,
        owner: number("owner").map(u32::try_from).transpose()?,
    })
}

fn folder(root: &Path) -> PathBuf {
    repo::scratch(root).join("mariadb")
}

/// True when process `pid` runs and its command line holds `word`; a zombie's is empty.
fn runs_with(pid: u32, word: &str) -> bool {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Group;

    fn record(dir: &Path, pid: u32, owner: Option<u32>) -> Record {
        Record {
            name: "test-1".into(),
            pid,
            port: 1,
            dir: dir.join("data"),
            url: "mysql://u:p@127.0.0.1:1/".into(),
            owner,
        }
    }

    /// A process whose command line names `dir`, as a server's would.
    fn stand_in(dir: &Path) -> Group {
        std::fs::create_dir_all(dir).unwrap();
        let mut command = Command::new("sh");
        command
            .args(["-c", "while :; do sleep 0.05; done"])
            .arg(dir);
        let process = Group::spawn(&mut command).unwrap();
        // The command line can be read a moment after the start, not at once.
        let named = || Ok(runs_with(process.pid(), &dir.to_string_lossy()).then_some(()));
        assert_eq!(clock::wait_until(STOP_LIMIT, named).unwrap(), Some(()));
        process
    }

    /// A process is off our data a moment before the system reports its end.
    fn assert_ended(process: &mut Group) {
        assert!(
            clock::wait_until(STOP_LIMIT, || process.ended())
                .unwrap()
                .is_some()
        );
    }

    #[test]
    fn a_record_comes_back_as_it_was_and_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let written = record(root.path(), 7, Some(9));
        written.write(root.path()).unwrap();
        written.write(root.path()).unwrap();
        assert!(read(&written.file(root.path())).unwrap() == written);
        let mode = std::fs::metadata(written.file(root.path()))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn only_a_process_on_our_data_is_stopped() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("data");
        let mut stranger = stand_in(&root.path().join("other"));
        record(root.path(), stranger.pid(), None)
            .take_down(root.path())
            .unwrap();
        assert_eq!(stranger.ended().unwrap(), None, "a stranger was stopped");

        let mut server = stand_in(&data);
        record(root.path(), server.pid(), None)
            .take_down(root.path())
            .unwrap();
        assert_ended(&mut server);
        assert!(!data.exists());
    }

    #[test]
    fn the_sweep_takes_what_a_dead_run_left_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let mut server = stand_in(&root.path().join("data"));
        let of = |owner| record(root.path(), server.pid(), owner);
        let own = std::process::id(); // this test's own program is called xtask-...
        for kept in [of(None), of(Some(own))] {
            kept.write(root.path()).unwrap();
            sweep(root.path()).unwrap();
            assert!(kept.is_running() && kept.file(root.path()).exists());
        }
        let dead = of(Some(u32::MAX));
        dead.write(root.path()).unwrap();
        sweep(root.path()).unwrap();
        assert!(!dead.is_running() && !dead.file(root.path()).exists());
        assert_ended(&mut server);
    }
}
