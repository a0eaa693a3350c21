//! `cargo xtask tidy`: the house rules that a reader should never have to check by eye.
//!
//! Each check is a pure function from file texts to findings, in its own file, with a test that shows it failing.
//! This file gathers the input, runs them all and prints every finding with its reason and the way out.
//! Deliberately absent: anything rustfmt, clippy or the compiler already say.

mod allow;
mod bans;
mod edges;
mod finding;
mod heads;
mod migrations;
mod readme;
mod scan_python;
mod scan_rust;
mod sizes;
mod words;

use std::path::Path;
use std::process::ExitCode;

use crate::repo::{self, SourceFile};
use finding::Finding;

/// Paths that may break a rule for now, and by how much.
const ALLOW_FILE: &str = "xtask/tidy-allow.txt";

/// Checks the whole repository; prints all findings, grouped by rule.
///
/// `accepts` says whether a command line (first word: the program) parses.
/// Errors: the input could not be read (which is not the same as "clean").
pub fn run(root: &Path, accepts: &dyn Fn(&[&str]) -> bool) -> anyhow::Result<ExitCode> {
    let files = repo::files(root)?;
    let mut found = edges::check(&edges::read(root)?);
    found.extend(check_files(&files, accepts));
    let allowed = files
        .iter()
        .find(|file| file.path == ALLOW_FILE)
        .map_or("", |file| file.text.as_str());
    let found = allow::apply(ALLOW_FILE, allowed, found);
    print!("{}", finding::report(&found));
    if found.is_empty() {
        println!("tidy: {} files, no finding", files.len());
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "tidy: {} findings in {} files looked at",
        found.len(),
        files.len()
    );
    Ok(ExitCode::FAILURE)
}

/// All checks that need nothing but the texts.
fn check_files(files: &[SourceFile], accepts: &dyn Fn(&[&str]) -> bool) -> Vec<Finding> {
    let rust: Vec<bans::RustFile<'_>> = bans::read(files);
    let mut found = Vec::new();
    found.extend(bans::check(&rust));
    found.extend(sizes::check(files, &rust));
    found.extend(heads::check(files));
    found.extend(words::check(files));
    found.extend(migrations::check(files));
    found.extend(readme::check(files, accepts));
    found
}
