//! Builds a copy of the rules in which each guard has a switch, and runs the explorer and the rules'
//! own tests over it, with one guard off at a time.
//!
//! Deliberately absent: a guard that nothing misses. One is red.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use super::guards::{GUARDS, Guard, ON};
use crate::process::{Group, Interrupt, finish};
use crate::repo;

/// Most time to build the copy, and then of one look at one guard.
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);
const LOOK_LIMIT: Duration = Duration::from_secs(10 * 60);
/// States that are explored in runs without an end of their own.
const STATES: &str = "5000";
/// The variable that names the guard that is off.
const OFF: &str = "PROTECTOR_GUARD_OFF";
/// The table that is written.
const TABLE: &str = "docs/guards.md";
/// What is copied of the rules.
const SYNC: &str = "domain/src/sync";

/// The switches, as the copy has them.
const SWITCHES: &str = "//! Switches of guards.

use std::sync::OnceLock;

static OFF: OnceLock<Option<usize>> = OnceLock::new();

/// Whether this guard is on.
pub fn on(number: usize) -> bool {
    let off = OFF.get_or_init(|| std::env::var(\"PROTECTOR_GUARD_OFF\").ok()?.parse().ok());
    *off != Some(number)
}
";

/// Programs over the copy.
struct Built {
    explorer: PathBuf,
    tests: PathBuf,
    home: PathBuf,
}

/// Switches off one guard after the other and writes the table.
///
/// Errors: a place is not where the list says, the copy cannot be built, a signal came, or the
/// rules are broken with all guards on.
pub fn run(root: &Path, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    let built = build(root, interrupt)?;
    if let Some(what) = caught(&built, None, interrupt)? {
        bail!("with all guards on: {what}");
    }
    let mut rows = Vec::new();
    for (number, guard) in GUARDS.iter().enumerate() {
        let what = caught(&built, Some(number), interrupt)?;
        println!(
            "{}: {}",
            guard.name,
            what.as_deref().unwrap_or("nothing catches it")
        );
        rows.push((guard.name, what));
    }
    fs::write(root.join(TABLE), table(&rows))?;
    let missed = rows.iter().filter(|(_, what)| what.is_none()).count();
    println!("{} guards, {missed} that nothing misses", rows.len());
    Ok(ExitCode::from(u8::from(missed > 0)))
}

fn table(rows: &[(&str, Option<String>)]) -> String {
    let mut text = "# What catches a missing guard\n\nWritten by `cargo xtask model --guards`: each guard of the rules \
                    between two sites is switched off in a copy of\nthem. First the explorer looks for a broken \
                    property; what it does not find within its bounds, a test of the rules does.\n\n| guard | \
                    caught by |\n|---|---|\n"
        .to_owned();
    for (name, what) in rows {
        let _ = writeln!(
            text,
            "| {name} | {} |",
            what.as_deref().unwrap_or("**nothing**")
        );
    }
    text
}

/// A copy with switches, built.
fn build(root: &Path, interrupt: &Interrupt) -> anyhow::Result<Built> {
    let home = repo::scratch(root).join("guards");
    copy(root, &home)?;
    let mut explorer = cargo(&home, &["build", "--release", "-p", "protector-guards"]);
    finish(&mut explorer, BUILD_LIMIT, interrupt)?;
    let said = home.join("built.json");
    let args = [
        "test",
        "--release",
        "--no-run",
        "-p",
        "protector-domain",
        "--lib",
        "--message-format=json",
    ];
    let mut tests = cargo(&home, &args);
    tests.stdout(File::create(&said)?);
    finish(&mut tests, BUILD_LIMIT, interrupt)?;
    let tests = fs::read_to_string(&said)?
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|said| said.get("executable")?.as_str().map(PathBuf::from))
        .next_back()
        .context("cargo built no tests")?;
    Ok(Built {
        explorer: target(&home).join("release/protector-guards"),
        tests,
        home,
    })
}

fn cargo(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command
        .args(args)
        .arg("--quiet")
        .current_dir(home)
        .env("CARGO_TARGET_DIR", target(home));
    command
}

/// Where everything is built: what the copy needs of others is there already.
fn target(home: &Path) -> PathBuf {
    home.ancestors().nth(2).unwrap_or(home).to_path_buf()
}

/// The rules, what they need, and the explorer, as a workspace of their own.
fn copy(root: &Path, home: &Path) -> anyhow::Result<()> {
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let (_, rest) = manifest
        .split_once("\n]\n")
        .context("the workspace has no list of members")?;
    let head = "[workspace]\nresolver = \"3\"\nmembers = [\"domain\", \"model\"]\n";
    write(&home.join("Cargo.toml"), &format!("{head}{rest}"))?;
    write(
        &home.join("Cargo.lock"),
        &fs::read_to_string(root.join("Cargo.lock"))?,
    )?;
    for part in ["domain", "model"] {
        let text = fs::read_to_string(root.join(part).join("Cargo.toml"))?;
        let named = text.replace("name = \"protector-model\"", "name = \"protector-guards\"");
        let lib = format!("\n[lib]\nname = \"protector_{part}\"\n");
        write(
            &home.join(part).join("Cargo.toml"),
            &format!("{named}{lib}"),
        )?;
    }
    write(
        &home.join("domain/src/lib.rs"),
        "pub mod guards;\npub mod ids;\npub mod sync;\n",
    )?;
    write(&home.join("domain/src/guards.rs"), SWITCHES)?;
    for file in repo::files(root)? {
        let is_rules = file.path.starts_with(SYNC) || file.path == "domain/src/ids.rs";
        if is_rules || file.path.starts_with("model/src") {
            write(&home.join(&file.path), &switched(&file.path, file.text)?)?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(()); // what is as it was is not built again
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// A file of the rules with the switches of its guards.
///
/// Errors: a place is not there exactly once.
fn switched(path: &str, mut text: String) -> anyhow::Result<String> {
    let own = |guard: &Guard| format!("{SYNC}/{}", guard.file) == path;
    for (number, guard) in GUARDS.iter().enumerate().filter(|(_, guard)| own(guard)) {
        let times = text.matches(guard.place).count();
        if times != 1 {
            bail!(
                "`{}`: its place is {times} times in {path}, not once",
                guard.name
            );
        }
        let call = format!("crate::guards::on({number})");
        text = text.replace(guard.place, &guard.replaced_by.replace(ON, &call));
    }
    Ok(text)
}

/// What notices that a guard is off; with none off, what is wrong anyway.
fn caught(
    built: &Built,
    off: Option<usize>,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<String>> {
    let explorer = [
        built.explorer.as_os_str().to_owned(),
        "--brief".into(),
        "--states".into(),
        STATES.into(),
    ];
    let said = look(built, &explorer, off, interrupt)?;
    if let Some(line) = said.lines().find_map(|line| line.strip_prefix("broken: ")) {
        return Ok(Some(line.to_owned()));
    }
    // The random walks take longest, so they come last.
    let quick = failed_test(built, &["--skip", "walk"], off, interrupt)?;
    match quick {
        Some(failed) => Ok(Some(failed)),
        None => failed_test(built, &["walk"], off, interrupt),
    }
}

/// The first of the rules' own tests that fails.
fn failed_test(
    built: &Built,
    filter: &[&str],
    off: Option<usize>,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<String>> {
    let mut tests = vec![built.tests.as_os_str().to_owned()];
    tests.extend(filter.iter().map(Into::into));
    let said = look(built, &tests, off, interrupt)?;
    let failed = said.lines().find_map(|line| {
        let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
        let name = name.strip_prefix("sync::tests::").unwrap_or(name);
        Some(format!("test `{name}`"))
    });
    if failed.is_none() && !said.contains("test result: ok") {
        bail!("the tests came to no end; see {}", built.home.display());
    }
    Ok(failed)
}

fn look(
    built: &Built,
    words: &[std::ffi::OsString],
    off: Option<usize>,
    interrupt: &Interrupt,
) -> anyhow::Result<String> {
    let [program, args @ ..] = words else {
        bail!("nothing to run");
    };
    let (said, errors) = (built.home.join("said.txt"), built.home.join("errors.txt"));
    let mut command = Command::new(program);
    command
        .args(args)
        .stdout(File::create(&said)?)
        .stderr(File::create(errors)?);
    if let Some(number) = off {
        command.env(OFF, number.to_string());
    }
    Group::spawn(&mut command)?.wait(LOOK_LIMIT, interrupt)?;
    Ok(fs::read_to_string(said)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_guard_stands_where_the_list_says() {
        let root = repo::root().unwrap();
        let mut switches = 0;
        for file in repo::files(&root).unwrap() {
            if file.path.starts_with(SYNC) {
                let text = switched(&file.path, file.text).unwrap();
                switches += text.matches("crate::guards::on(").count();
            }
        }
        assert!(switches >= GUARDS.len());
    }

    #[test]
    fn a_place_that_moved_is_an_error() {
        let path = format!("{SYNC}/{}", GUARDS[0].file);
        assert!(switched(&path, "fn f() {}".to_owned()).is_err());
    }

    #[test]
    fn no_guard_is_named_twice() {
        for guard in GUARDS {
            let same = GUARDS.iter().filter(|other| other.name == guard.name);
            assert_eq!(same.count(), 1, "{}", guard.name);
        }
    }
}
