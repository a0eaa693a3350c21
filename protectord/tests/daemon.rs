//! The programs as an operator runs them: real processes, a SQLite file, a free port.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const PASSPHRASE: &str = "correct horse battery";

/// A site's directory with its configuration.
struct Home(tempfile::TempDir);

impl Home {
    fn new(more: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let at = home.path("");
        let at = at.display();
        let text = format!(
            "[DEFAULT]\nstate_path = {at}\n[api]\nbind_host = 127.0.0.1\nbind_port = 0\n\
             [database]\nconnection = sqlite:///{at}protector.db\n[keystone_authtoken]\n\
             auth_url = http://127.0.0.1:9\npassword = canary-password\n\
             [engine]\nstorage_driver = mock\n{more}"
        );
        let file = home.path("protector.conf");
        std::fs::write(&file, text).unwrap();
        let owner = std::fs::Permissions::from_mode(0o640);
        std::fs::set_permissions(&file, owner).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn manage(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_protector-manage"))
            .arg("--config-file")
            .arg(self.path("protector.conf"))
            .args(arguments)
            .env_remove("PROTECTOR_PASSPHRASE")
            .output()
            .unwrap();
        said(&output)
    }

    fn key(&self, verb: &str, file: &Path, phrase: &str) -> (bool, String) {
        let phrase_file = self.path("phrase");
        std::fs::write(&phrase_file, format!("{phrase}\nsecond line\n")).unwrap();
        let [file, phrase_file] = [file, &phrase_file].map(|p| p.to_str().unwrap());
        self.manage(&["key", verb, file, "--passphrase-file", phrase_file])
    }

    fn daemon(&self) -> Child {
        Command::new(env!("CARGO_BIN_EXE_protectord"))
            .arg("--config-file")
            .arg(self.path("protector.conf"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

fn said(output: &Output) -> (bool, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains("canary-password") && !text.contains(PASSPHRASE));
    (output.status.success(), text)
}

/// Reads the log until the daemon says where it listens.
fn address(daemon: &mut Child) -> String {
    let seen = said_until(daemon, "listening address=");
    let (_, rest) = seen.split_once("listening address=").unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

/// Its log up to the line with this word; the rest is read on, so that it never waits.
fn said_until(daemon: &mut Child, word: &str) -> String {
    let mut lines = BufReader::new(daemon.stderr.take().unwrap()).lines();
    let mut seen = String::new();
    for line in lines.by_ref().map_while(Result::ok) {
        seen.push_str(&line);
        seen.push('\n');
        if line.contains(word) {
            std::thread::spawn(move || lines.for_each(drop));
            return seen;
        }
    }
    panic!("it never said {word}: {seen}");
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// INS-10, PURE-07 in our form: a driver that is not in the program is named, with those that are.
#[test]
fn an_unknown_driver_is_named_with_those_there_are() {
    let home = Home::new("");
    let file = home.path("protector.conf");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("= mock", "= netapp")).unwrap();
    let mut daemon = home.daemon();
    let mut said = String::new();
    let log = daemon.stderr.as_mut().unwrap();
    log.read_to_string(&mut said).unwrap();
    assert!(!daemon.wait().unwrap().success());
    for word in ["storage_driver", "pure", "mock"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}

/// Requirements 1.24: simulated arrays in memory are gone after a restart, and that is said at every start.
#[test]
fn simulated_arrays_that_are_not_kept_are_warned_of() {
    let kept = tempfile::tempdir().unwrap();
    let file = kept.path().join("arrays.db");
    let file = format!("mock_db_path = {}\n", file.display());
    for (more, is_kept) in [
        ("mock_db_path = :memory:\n", false),
        ("", false),
        (&file, true),
    ] {
        let home = Home::new(more);
        assert!(home.manage(&["db", "sync"]).0);
        let mut daemon = home.daemon();
        let said = said_until(&mut daemon, "Storage driver: mock");
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        for word in [
            "mock_db_path = :memory: keeps no",
            "give the path of a file",
        ] {
            assert_eq!(said.contains(word), !is_kept, "{more:?}: {word}: {said}");
        }
        assert!(said.contains("NO DATA IS PROTECTED"), "{said}");
    }
}

/// INS-12: versions and health are open, everything else wants a token; SIGTERM ends it in order.
#[test]
fn a_daemon_answers_and_ends_in_order() {
    let home = Home::new("");
    assert!(home.manage(&["db", "sync"]).0);
    let mut daemon = home.daemon();
    let at = address(&mut daemon);
    assert!(get(&at, "/").starts_with("HTTP/1.1 300 "));
    assert!(get(&at, "/v1/health").starts_with("HTTP/1.1 200 "));
    let refused = get(&at, "/v1/p/protection-groups");
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    assert!(
        refused.to_lowercase().contains("http://127.0.0.1:9"),
        "{refused}"
    );
    let pid = daemon.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
    assert!(TcpStream::connect(&at).is_err());
}

/// What keeps a daemon from starting is said with the command that helps, and nothing is made.
#[test]
fn what_a_daemon_refuses_to_start_with() {
    for (more, status, expected) in [
        (
            "[api]\nworkers = 0\n",
            78,
            "protector.conf: [api] workers: ",
        ),
        ("[api]\nbind_host = 203.0.113.1\n", 1, "[api] bind_host"),
        (
            "[oslo_policy]\nfoo = 1\n",
            -1,
            "[oslo_policy] foo is unknown",
        ),
    ] {
        let home = Home::new(more);
        if status != 78 {
            assert!(home.manage(&["db", "sync"]).0);
        }
        if status == -1 {
            let (done, text) = home.manage(&["db", "version"]);
            assert!(done && text.contains(expected), "{text}");
            continue;
        }
        let ended = home.daemon().wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(status), "{more}");
        let (_, text) = said(&ended);
        assert!(text.contains(expected), "{text}");
    }
    let fresh = Home::new("");
    let (_, text) = said(&fresh.daemon().wait_with_output().unwrap());
    assert!(text.contains("run protector-manage db sync"), "{text}");
    let (done, text) = fresh.manage(&["site", "identity"]);
    assert!(!done && text.contains("protector-manage db sync"), "{text}");
}

#[test]
fn the_schema_is_synced_twice_and_the_identity_stays() {
    let home = Home::new("");
    let (done, text) = home.manage(&["db", "version"]);
    assert!(done && text.contains("database none"), "{text}");
    let (done, first) = home.manage(&["db", "sync"]);
    assert!(done, "{first}");
    let (done, text) = home.manage(&["db", "version"]);
    assert!(
        done && !text.contains("none") && !text.contains("db sync"),
        "{text}"
    );
    let identity = home.manage(&["site", "identity"]);
    assert!(
        identity.0 && identity.1.contains("fingerprint"),
        "{}",
        identity.1
    );
    assert!(home.manage(&["db", "sync"]).0);
    assert_eq!(home.manage(&["site", "identity"]), identity);
    let mode = std::fs::metadata(home.path("encryption.key")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    let (done, text) = home.manage(&["driver", "list"]);
    assert!(done && text.contains("MockStorageDriver OK"), "{text}");
}

/// A lost database gets its identity back; another's is never overwritten.
#[test]
fn an_identity_goes_out_and_comes_home() {
    let (home, other) = (Home::new(""), Home::new(""));
    let file = home.path("site.identity");
    assert!(
        !home.key("export", &file, PASSPHRASE).0,
        "nothing to export yet"
    );
    assert!(home.manage(&["db", "sync"]).0 && other.manage(&["db", "sync"]).0);
    assert!(!home.key("export", &file, "short").0 && !file.exists());
    let (done, text) = home.key("export", &file, PASSPHRASE);
    assert!(done, "{text}");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        !home.key("export", &file, PASSPHRASE).0,
        "a file is never overwritten"
    );

    let empty = Home::new("");
    let (done, text) = empty.key("import", &file, "wrong horse battery");
    assert!(!done && text.contains("does not open"), "{text}");
    let (_, version) = empty.manage(&["db", "version"]);
    assert!(version.contains("database none"), "{version}");
    let (done, text) = empty.key("import", &file, PASSPHRASE);
    assert!(done, "{text}");
    assert!(empty.key("import", &file, PASSPHRASE).0, "twice is once");
    assert!(empty.manage(&["db", "sync"]).0);
    let identity = home.manage(&["site", "identity"]);
    assert_eq!(empty.manage(&["site", "identity"]), identity);

    let before = other.manage(&["site", "identity"]);
    let (done, text) = other.key("import", &file, PASSPHRASE);
    assert!(!done && text.contains("nothing was changed"), "{text}");
    assert_eq!(other.manage(&["site", "identity"]), before);

    // Whose it is cannot be changed in the file either.
    let text = std::fs::read_to_string(&file).unwrap();
    let site = identity.1.split_whitespace().nth(1).unwrap();
    let forged = text.replace(site, "0197a2b0-0000-7000-8000-000000000001");
    assert_ne!(forged, text);
    let forged_file = home.path("forged.identity");
    std::fs::write(&forged_file, forged).unwrap();
    let (done, text) = Home::new("").key("import", &forged_file, PASSPHRASE);
    assert!(!done && text.contains("does not open"), "{text}");
}

/// What stands in a line of what `db restored` says.
fn value(text: &str, of: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(of)).unwrap();
    line.split_whitespace().nth(1).unwrap().to_owned()
}

/// J5: each refusal has a code, its cause and what helps; nothing is written by one.
#[test]
fn a_restore_is_told_to_a_whole_stopped_site_only() {
    let home = Home::new("");
    let mark = home.path("encryption.key.mark");
    let refused = |home: &Home, code: &str, help: &str| {
        let (done, text) = home.manage(&["db", "restored"]);
        assert!(
            !done && text.contains(code) && text.contains(help),
            "{text}"
        );
    };
    refused(&home, "no_database: ", "restore the backup");
    assert!(home.manage(&["db", "sync"]).0 && !mark.exists());
    let mut daemon = home.daemon();
    let at = address(&mut daemon);
    let port = at.rsplit(':').next().unwrap();
    let file = home.path("protector.conf");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace("bind_port = 0", &format!("bind_port = {port}")),
    )
    .unwrap();
    refused(&home, "daemon_runs: ", "stop protectord");
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert!(!mark.exists());
    std::fs::create_dir(&mark).unwrap();
    refused(&home, "mark_file: ", "mend that");
    std::fs::remove_dir(&mark).unwrap();
    let (done, text) = home.manage(&["db", "restored"]);
    assert!(done && text.contains("sync-force <group>"), "{text}");
}

/// The mark is in the file and in the database, and rises each time; a file that is damaged keeps the daemon
/// from starting until the command has written it anew.
#[test]
fn the_mark_rises_and_a_damaged_file_is_not_taken_for_none() {
    let home = Home::new("");
    assert!(home.manage(&["db", "sync"]).0);
    let (done, first) = home.manage(&["db", "restored"]);
    let (again, second) = home.manage(&["db", "restored"]);
    assert!(done && again, "{first}{second}");
    let mark = |text: &str| value(text, "mark").parse::<u64>().unwrap();
    assert!(mark(&second) > mark(&first));
    let file = home.path("encryption.key.mark");
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.ends_with(&format!(" {}\n", mark(&second))), "{kept}");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    std::fs::write(&file, "damaged").unwrap();
    let ended = home.daemon().wait_with_output().unwrap();
    let (done, text) = said(&ended);
    assert!(!done && text.contains("is no restore mark"), "{text}");
    assert!(text.contains("protector-manage db restored"), "{text}");
    let (done, third) = home.manage(&["db", "restored"]);
    assert!(done && mark(&third) > mark(&second), "{third}");
    let mut daemon = home.daemon();
    address(&mut daemon);
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}
