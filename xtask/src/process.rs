//! Child processes that never outlive us, and the signals that end us.
//!
//! Every child leads its own process group; dropping the guard takes the whole group down by that number, so that
//! nothing a stage started stays behind after success, failure, SIGINT or SIGTERM.
//! Deliberately absent: finding processes by name. A SIGKILL of this tool runs no guard; what then stays is the
//! database server, once ready, and the next start sweeps it (`mariadb::record`).

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::clock;

/// How long a group may take to end after SIGTERM before it gets SIGKILL.
const TERM_GRACE: Duration = Duration::from_secs(10);

/// The signal that asked us to end, if any came.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicUsize>);

/// The error a wait ends with when a signal came.
#[derive(Debug)]
pub struct Interrupted(usize);

impl Interrupted {
    /// What a shell reports for this signal: 128 plus its number.
    pub fn exit_code(&self) -> u8 {
        u8::try_from(128 + self.0).unwrap_or(u8::MAX)
    }
}

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "interrupted by signal {}", self.0)
    }
}

impl std::error::Error for Interrupted {}

impl Interrupt {
    /// From here on SIGINT, SIGTERM and SIGHUP are noted instead of ending the process on the spot.
    ///
    /// Errors: the handlers cannot be installed.
    pub fn install() -> anyhow::Result<Self> {
        let noted = Self::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = usize::try_from(signal)?;
            signal_hook::flag::register_usize(signal, Arc::clone(&noted.0), number)
                .with_context(|| format!("cannot listen for signal {signal}"))?;
        }
        Ok(noted)
    }

    /// Errors: a signal came (`Interrupted`).
    pub fn check(&self) -> anyhow::Result<()> {
        match self.0.load(Ordering::SeqCst) {
            0 => Ok(()),
            signal => Err(Interrupted(signal).into()),
        }
    }
}

/// A running child that leads its own process group.
#[derive(Debug)]
pub struct Group {
    child: Child,
    name: String,
}

impl Group {
    /// Starts `command` without a terminal to read from.
    ///
    /// Errors: the program is not there or cannot be started.
    pub fn spawn(command: &mut Command) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).process_group(0);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, name })
    }

    /// Number of the process and of its group.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How the child ended, `None` while it runs.
    ///
    /// Errors: the system cannot say.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .with_context(|| format!("cannot wait for {}", self.name))
    }

    /// Waits for the end of the child; the rest of its group ends when the guard is dropped.
    ///
    /// Errors: a signal came, or `limit` has passed.
    pub fn wait(&mut self, limit: Duration, interrupt: &Interrupt) -> anyhow::Result<ExitStatus> {
        let ended = clock::wait_until(limit, || {
            interrupt.check()?;
            self.ended()
        })?;
        ended.with_context(|| format!("{} did not end within {} s", self.name, limit.as_secs()))
    }

    /// Lets the child live on after us and returns its number.
    pub fn release(self) -> u32 {
        let pid = self.pid();
        std::mem::forget(self); // its drop would end it
        pid
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let group = self.pid();
        if is_living(group) {
            send(group, "TERM");
            let gone = clock::wait_until(TERM_GRACE, || Ok((!is_living(group)).then_some(())));
            if !matches!(gone, Ok(Some(()))) {
                send(group, "KILL");
            }
        }
        let _ = self.child.wait();
    }
}

/// Runs `command` to its end.
///
/// Errors: as `Group::wait`; it fails.
pub fn finish(command: &mut Command, limit: Duration, interrupt: &Interrupt) -> anyhow::Result<()> {
    let status = Group::spawn(command)?.wait(limit, interrupt)?;
    if !status.success() {
        let name = command.get_program().to_string_lossy();
        bail!("{name} failed: {status}");
    }
    Ok(())
}

/// Sends `signal` to the group led by `pid`.
fn send(pid: u32, signal: &str) {
    // The shell's own `kill`: a slim container has no program of that name.
    let line = format!("kill -s {signal} -- -{pid}");
    let _ = Command::new("sh")
        .args(["-c", &line])
        .stderr(Stdio::null())
        .status();
}

/// True while a process of the group does something. A zombie does not: whoever adopts our orphans may take seconds
/// to notice their end, and signal 0 would count them all that time.
fn is_living(group: u32) -> bool {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return false;
    };
    let stats =
        entries.filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("stat")).ok());
    stats.into_iter().any(|stat| {
        // `pid (name) state parent group ...`; the name may hold anything, so read from its last bracket.
        let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let state = fields.next();
        let found = fields.nth(1).and_then(|found| found.parse().ok());
        found == Some(group) && !matches!(state, Some("Z" | "X"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::path::Path;

    fn is_alive(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        Path::new(&format!("/proc/{pid}")).exists() && !stat.contains(") Z ")
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped());
        command
    }

    #[test]
    fn dropping_a_group_ends_the_grandchildren_too() {
        let mut group = Group::spawn(&mut shell("sleep 1000 & echo $!; wait")).unwrap();
        let mut grandchild = String::new();
        BufReader::new(group.child.stdout.take().unwrap())
            .read_line(&mut grandchild)
            .unwrap();
        let grandchild = grandchild.trim();
        assert!(is_alive(grandchild));
        drop(group);
        let gone =
            clock::wait_until(TERM_GRACE, || Ok((!is_alive(grandchild)).then_some(()))).unwrap();
        assert_eq!(gone, Some(()), "process {grandchild} outlived its group");
    }

    #[test]
    fn what_a_finished_child_left_behind_ends_with_the_guard() {
        let mut group = Group::spawn(&mut shell("sleep 1000 >/dev/null & echo $!")).unwrap();
        let mut left = String::new();
        BufReader::new(group.child.stdout.take().unwrap())
            .read_line(&mut left)
            .unwrap();
        assert!(
            group
                .wait(TERM_GRACE, &Interrupt::default())
                .unwrap()
                .success()
        );
        assert!(is_alive(left.trim()));
        drop(group);
        let gone =
            clock::wait_until(TERM_GRACE, || Ok((!is_alive(left.trim())).then_some(()))).unwrap();
        assert_eq!(gone, Some(()));
    }

    #[test]
    fn a_signal_ends_a_wait() {
        let interrupt = Interrupt::default();
        let mut group = Group::spawn(&mut shell("sleep 1000")).unwrap();
        interrupt.0.store(15, Ordering::SeqCst);
        let error = group.wait(Duration::from_secs(60), &interrupt).unwrap_err();
        assert_eq!(
            error.downcast_ref::<Interrupted>().unwrap().exit_code(),
            143
        );
    }

    #[test]
    fn a_child_that_never_ends_runs_into_its_limit() {
        let mut group = Group::spawn(&mut shell("sleep 1000")).unwrap();
        let error = group
            .wait(Duration::ZERO, &Interrupt::default())
            .unwrap_err();
        assert!(
            error.to_string().contains("did not end within 0 s"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Group::spawn(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(format!("{error:#}").contains("no-such-program-here"));
    }
}
