//! One private server from nothing to ready, and down again.
//!
//! Ready means: a login with the password succeeded and the durability setting reads back. Deliberately absent: schemas
//! and databases; whoever tests makes its own.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use tempfile::TempDir;

use super::record::{self, Record};
use crate::clock;
use crate::debian;
use crate::process::{Group, Interrupt};

/// The account the tests log in with.
const USER: &str = "protector";
/// Most time to make an empty data directory.
const CREATE_LIMIT: Duration = Duration::from_secs(120);
/// Most time from start to the first login.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// Between choosing a free port and binding it another process can take it: how often to choose again.
const PORT_TRIES: usize = 3;
/// Lines of the server's log that an error shows.
const LOG_TAIL_LINES: usize = 15;

/// A running server, stopped and removed on drop.
pub struct Server {
    record: Record,
    password: String,
    root: PathBuf,
    process: Option<Group>,
    dir: Option<TempDir>,
}

impl Server {
    /// Installs the program if need be, makes a data directory and waits until a login works.
    ///
    /// Errors: any of that fails, or a signal came; nothing is left behind then.
    pub fn start(root: &Path, interrupt: &Interrupt) -> anyhow::Result<Self> {
        record::sweep(root)?;
        debian::ensure(&[super::NEED])?;
        let program = debian::find("mariadbd").context("there is no mariadbd")?;
        let private = Permissions::from_mode(0o700);
        let dir = tempfile::Builder::new()
            .prefix("protector-mariadb-")
            .permissions(private)
            .tempdir()?;
        let password = random_hex()?;
        create_data(dir.path(), interrupt)?;
        write_private(&dir.path().join("init.sql"), &init_sql(&password))?;
        let (process, port) = launch(&program, dir.path(), &password, interrupt)?;
        let pid = process.pid();
        let url = format!("mysql://{USER}:{password}@127.0.0.1:{port}/");
        let owner = std::process::id();
        let name = format!("run-{owner}");
        let record = Record {
            name,
            pid,
            port,
            dir: dir.path().to_owned(),
            url,
            owner: Some(owner),
        };
        let server = Self {
            record,
            password,
            root: root.to_owned(),
            process: Some(process),
            dir: Some(dir),
        };
        server.record.write(root)?;
        Ok(server)
    }

    /// URL with user and password; no database in its path.
    pub fn url(&self) -> &str {
        &self.record.url
    }

    /// Makes an empty database and returns its URL, with user and password.
    ///
    /// Errors: the server does not make it.
    pub fn database(&self, name: &str) -> anyhow::Result<String> {
        let (port, password) = (self.record.port, &self.password);
        let make = format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4");
        let made = client(port, password, &make)?.output()?;
        if !made.status.success() {
            bail!("{}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(format!(
            "mysql+pymysql://{USER}:{password}@127.0.0.1:{port}/{name}"
        ))
    }

    /// Lets the server live on after this process, under the record that `down` reads.
    ///
    /// Errors: the record cannot be written; the server is stopped then.
    pub fn keep(mut self, root: &Path) -> anyhow::Result<Record> {
        let kept = self.record.clone().kept();
        kept.write(root)?;
        self.record.forget(root);
        if let Some(process) = self.process.take() {
            process.release();
        }
        if let Some(dir) = self.dir.take() {
            let _ = dir.keep();
        }
        Ok(kept)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.take().is_none() {
            return; // kept
        }
        // The group is gone; this removes data and record.
        if let Err(error) = self.record.take_down(&self.root) {
            eprintln!("warning: {error:#}");
        }
    }
}

fn create_data(dir: &Path, interrupt: &Interrupt) -> anyhow::Result<()> {
    let program = debian::find("mariadb-install-db")
        .context("mariadb-install-db is missing beside mariadbd")?;
    let log = open_log(dir)?;
    let mut command = Command::new(program);
    command
        .arg("--no-defaults")
        .arg(format!("--datadir={}", dir.join("data").display()))
        .args([
            "--auth-root-authentication-method=socket",
            "--skip-test-db",
            "--skip-name-resolve",
        ])
        .args(run_as())
        .stdout(Stdio::from(log.try_clone()?))
        .stderr(Stdio::from(log));
    let status = Group::spawn(&mut command)?.wait(CREATE_LIMIT, interrupt)?;
    if !status.success() {
        bail!("mariadb-install-db failed ({status}):\n{}", log_tail(dir));
    }
    Ok(())
}

/// Starts the server on a free port and waits for the first login.
fn launch(
    program: &Path,
    dir: &Path,
    password: &str,
    interrupt: &Interrupt,
) -> anyhow::Result<(Group, u16)> {
    for _ in 0..PORT_TRIES {
        let port = free_port()?;
        let log = open_log(dir)?;
        let mut command = Command::new(program);
        command
            .args(server_args(dir, port))
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log));
        let mut process = Group::spawn(&mut command)?;
        let ready = clock::wait_until(READY_LIMIT, || {
            interrupt.check()?;
            if process.ended()?.is_some() {
                return Ok(Some(false));
            }
            Ok(log_in(port, password).then_some(true))
        })?;
        match ready {
            Some(true) => return Ok((process, port)),
            Some(false) if log_tail(dir).contains("Address already in use") => {}
            Some(false) => bail!("mariadbd ended while starting:\n{}", log_tail(dir)),
            None => bail!(
                "no login within {} s; its log ends:\n{}",
                READY_LIMIT.as_secs(),
                log_tail(dir)
            ),
        }
    }
    bail!("every one of {PORT_TRIES} free ports was taken before mariadbd could bind it")
}

fn server_args(dir: &Path, port: u16) -> Vec<String> {
    let inside = |option: &str, name: &str| format!("--{option}={}", dir.join(name).display());
    let mut args = vec![
        "--no-defaults".to_owned(), // must be first; nothing of the machine's configuration counts
        inside("datadir", "data"),
        inside("socket", "socket"),
        inside("pid-file", "pid"),
        inside("init-file", "init.sql"),
        format!("--port={port}"),
    ];
    let fixed = [
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        // A commit is on disk when it returns, as in production: crash tests rely on it.
        "--innodb-flush-log-at-trx-commit=1",
        "--innodb-buffer-pool-size=64M",
        "--character-set-server=utf8mb4",
        "--max-connections=500",
    ];
    args.extend(fixed.map(str::to_owned));
    args.extend(run_as());
    args
}

/// mariadbd refuses to run as root unless told so.
fn run_as() -> Option<String> {
    debian::is_root().then(|| "--user=root".to_owned())
}

/// One statement per line, as `--init-file` wants it. Runs before the server accepts a connection.
fn init_sql(password: &str) -> String {
    [
        // An anonymous account for localhost would win over ours.
        "DELETE FROM mysql.global_priv WHERE User = '';".to_owned(),
        "FLUSH PRIVILEGES;".to_owned(),
        format!("CREATE USER IF NOT EXISTS '{USER}'@'127.0.0.1' IDENTIFIED BY '{password}';"),
        format!("GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'127.0.0.1';"),
    ]
    .map(|statement| statement + "\n")
    .concat()
}

/// True when the account can log in over TCP and commits are durable.
fn log_in(port: u16, password: &str) -> bool {
    let asked = client(port, password, "SELECT @@innodb_flush_log_at_trx_commit");
    let asked = asked.and_then(|mut client| Ok(client.output()?));
    asked.is_ok_and(|answer| answer.status.success() && answer.stdout.trim_ascii() == b"1")
}

/// The stock client with one statement.
fn client(port: u16, password: &str, statement: &str) -> anyhow::Result<Command> {
    let program = debian::find("mariadb").context("there is no mariadb client")?;
    let mut client = Command::new(program);
    client
        .args([
            "--no-defaults",
            "--protocol=tcp",
            "--host=127.0.0.1",
            "--batch",
            "--skip-column-names",
        ])
        .args([
            &format!("--port={port}"),
            &format!("--user={USER}"),
            "--connect-timeout=5",
        ])
        .args(["--execute", statement])
        .env("MYSQL_PWD", password) // not an argument: those are public
        .stdin(Stdio::null());
    Ok(client)
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

/// 32 hexadecimal digits from the system's random source.
fn random_hex() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 16];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("no random source")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))
}

fn log_path(dir: &Path) -> PathBuf {
    dir.join("log")
}

fn open_log(dir: &Path) -> anyhow::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(log_path(dir))
        .context("cannot open the server's log")
}

fn log_tail(dir: &Path) -> String {
    let text = std::fs::read_to_string(log_path(dir)).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let skip = lines.len().saturating_sub(LOG_TAIL_LINES);
    lines.into_iter().skip(skip).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_listens_on_loopback_only_with_private_files_and_durable_commits() {
        let args = server_args(Path::new("/x"), 4);
        assert_eq!(args[0], "--no-defaults");
        for wanted in [
            "--bind-address=127.0.0.1",
            "--innodb-flush-log-at-trx-commit=1",
            "--port=4",
            "--datadir=/x/data",
            "--socket=/x/socket",
            "--pid-file=/x/pid",
        ] {
            assert!(args.iter().any(|arg| arg == wanted), "{wanted}");
        }
        assert_eq!(
            args.iter().any(|arg| arg == "--user=root"),
            debian::is_root()
        );
    }

    #[test]
    fn passwords_differ_and_need_no_quoting() {
        let (a, b) = (random_hex().unwrap(), random_hex().unwrap());
        assert_ne!(a, b);
        assert!(a.len() == 32 && a.chars().all(|c| c.is_ascii_hexdigit()));
        assert!(init_sql(&a).lines().all(|line| line.ends_with(';')));
    }

    #[test]
    fn an_error_shows_the_end_of_the_log() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(log_tail(dir.path()), "");
        for i in 0..20 {
            writeln!(open_log(dir.path()).unwrap(), "line {i}").unwrap();
        }
        let tail = log_tail(dir.path());
        assert!(
            tail.starts_with("line 5\n") && tail.ends_with("line 19"),
            "{tail}"
        );
    }

    #[test]
    fn nobody_logs_in_where_nobody_listens() {
        assert!(!log_in(free_port().unwrap(), "x"));
    }
}
