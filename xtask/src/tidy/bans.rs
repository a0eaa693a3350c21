//! Calls and words that do not belong in our Rust, each with its reason.
//!
//! Test code is what `#[cfg(test)]` covers (also out-of-line modules), what lies in `tests/` or `benches/`, the
//! shared suites (`conformance`, `test_support`) and the crate `chaos-tests`. Deliberately absent: types. clippy sees
//! the same bans with full knowledge; here they also hold where somebody silenced clippy.

use std::collections::BTreeSet;

use super::finding::{Finding, Measure, Rule};
use super::scan_rust::{Shape, has_word};
use crate::repo::SourceFile;

/// A Rust file with its shape.
pub struct RustFile<'a> {
    /// Path and text.
    pub file: &'a SourceFile,
    /// What was read from it.
    pub shape: Shape,
    /// True when the whole file is test code.
    is_test: bool,
}

impl RustFile<'_> {
    fn is_test_line(&self, line: usize) -> bool {
        self.is_test || self.shape.is_test_line(line)
    }

    /// True when it pauses time somewhere.
    fn is_paused(&self) -> bool {
        let pauses = |line: &String| line.contains("start_paused") || has_word(line, "pause()");
        self.shape.lines.iter().any(pauses)
    }

    /// True when it holds a test function.
    fn has_tests(&self) -> bool {
        let opens = |line: &String| {
            line.contains("#[test]") || line.contains("::test(") || line.contains("::test]")
        };
        self.shape.lines.iter().any(opens)
    }
}

/// Where a word is banned.
#[derive(PartialEq, Eq)]
enum Place {
    Everywhere,
    OutsideTests,
}

struct Ban {
    rule: Rule,
    words: &'static [&'static str],
    place: Place,
}

const fn rule(name: &'static str, why: &'static str, instead: &'static str) -> Rule {
    Rule {
        name,
        why,
        instead,
        measure: Measure::Count,
    }
}

static BANS: &[Ban] = &[
    Ban {
        rule: rule(
            "panics",
            "a panic in a daemon is an unplanned failover of our own; half-done work then waits for crash recovery",
            "return an error that names the operation, or match on the case",
        ),
        words: &[".unwrap()", ".expect(", "panic!", "todo!", "unimplemented!"],
        place: Place::OutsideTests,
    },
    Ban {
        rule: rule(
            "unsafe",
            "nothing here is worth memory errors in a service that moves other people's machines",
            "use a crate that has a safe interface for it",
        ),
        words: &["unsafe"],
        place: Place::Everywhere,
    },
    Ban {
        rule: rule(
            "silenced-lints",
            "the lint is how we know that no input can bring the process down",
            "handle the case; only test files may allow these",
        ),
        words: &[
            "clippy::unwrap_used",
            "clippy::expect_used",
            "clippy::panic",
            "clippy::indexing_slicing",
        ],
        place: Place::OutsideTests,
    },
    Ban {
        rule: rule(
            "ignored-tests",
            "a test that does not run holds no promise, and nobody remembers to switch it on",
            "make it run everywhere, or delete it",
        ),
        words: &["#[ignore"],
        place: Place::Everywhere,
    },
    Ban {
        rule: rule(
            "hash-order",
            "the order of a hash map differs from run to run, so a seed would no longer replay a failure",
            "use BTreeMap or BTreeSet",
        ),
        words: &["HashMap", "HashSet"],
        place: Place::Everywhere,
    },
];

static BIASED: Rule = rule(
    "biased-select",
    "without `biased;` tokio picks a ready branch by its own random numbers, so a seed would no longer replay a failure",
    "open the body with `biased;` and put the branch that must win first",
);
static TEST_SLEEPS: Rule = rule(
    "test-sleeps",
    "a sleep in a test is slow when it works and flaky when it does not",
    "wait for the condition with a deadline, or pause time (`start_paused = true`)",
);

/// Reads the Rust files among `files`.
pub fn read(files: &[SourceFile]) -> Vec<RustFile<'_>> {
    let rust = files.iter().filter(|file| file.has_ext("rs"));
    let mut read: Vec<RustFile<'_>> = rust
        .map(|file| RustFile {
            file,
            shape: Shape::read(&file.text),
            is_test: is_test_path(&file.path),
        })
        .collect();
    let declared: BTreeSet<String> = read
        .iter()
        .flat_map(|file| test_module_roots(file))
        .collect();
    for file in &mut read {
        let stem = file.file.path.trim_end_matches(".rs");
        // `src/a/tests/b` lies under a test module when any of its parents was declared one.
        let mut parents = stem.match_indices('/').filter_map(|(at, _)| stem.get(..at));
        file.is_test |= declared.contains(stem) || parents.any(|parent| declared.contains(parent));
    }
    read
}

/// Every finding of every ban.
pub fn check(rust: &[RustFile<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    let paused = rust.iter().filter(|file| file.is_paused());
    let paused_folders = paused
        .filter_map(|file| test_folder(&file.file.path))
        .collect();
    for file in rust {
        let path = &file.file.path;
        for (i, line) in file.shape.lines.iter().enumerate() {
            let (number, is_test) = (i + 1, file.is_test_line(i + 1));
            for ban in BANS
                .iter()
                .filter(|ban| ban.place == Place::Everywhere || !is_test)
            {
                let hit = ban.words.iter().find(|word| has_word(line, word));
                found.extend(
                    hit.map(|word| Finding::new(&ban.rule, path, number, format!("`{word}`"))),
                );
            }
        }
        let unbiased = file.shape.unbiased_selects();
        found.extend(
            unbiased
                .into_iter()
                .map(|line| Finding::new(&BIASED, path, line, "`select!` without `biased;`")),
        );
        found.extend(sleeps(file, &paused_folders));
    }
    found
}

/// Sleeps in test code, unless the file works on paused time; a thread's sleep is always real.
fn sleeps(file: &RustFile<'_>, paused_folders: &BTreeSet<&str>) -> Vec<Finding> {
    // Helpers without a test of their own run on the time of the tests beside them.
    let helps_paused = !file.has_tests()
        && test_folder(&file.file.path).is_some_and(|folder| paused_folders.contains(folder));
    let paused = file.is_paused() || helps_paused;
    // The sources of `chaos-tests` run inside the simulated clock of the lab; its `tests/` are held to the rule.
    let in_tests = |line| {
        let by_path = file.is_test && !file.file.path.starts_with("chaos-tests/src/");
        by_path || file.shape.is_test_line(line)
    };
    let lines = file
        .shape
        .lines
        .iter()
        .enumerate()
        .map(|(i, line)| (i + 1, line));
    let slept = lines.filter(|(number, line)| {
        let sleeps = has_word(line, "sleep(") || has_word(line, "sleep_until(");
        in_tests(*number) && sleeps && (!paused || line.contains("thread::sleep("))
    });
    slept
        .map(|(number, line)| Finding::new(&TEST_SLEEPS, &file.file.path, number, line.trim()))
        .collect()
}

/// The path up to and with its first folder `tests`.
fn test_folder(path: &str) -> Option<&str> {
    let at = path.find("/tests/")?;
    path.get(..at + "/tests/".len())
}

fn is_test_path(path: &str) -> bool {
    let mut parts = path.trim_end_matches(".rs").split('/');
    parts.any(|part| {
        matches!(
            part,
            "tests" | "benches" | "chaos-tests" | "conformance" | "test_support"
        )
    })
}

/// Paths without `.rs` of the modules that `file` declares under `#[cfg(test)]`.
fn test_module_roots(file: &RustFile<'_>) -> Vec<String> {
    let stem = file.file.path.trim_end_matches(".rs");
    let folder = match stem.rsplit_once('/') {
        Some((folder, "lib" | "main" | "mod")) => folder,
        _ => stem,
    };
    file.shape
        .test_modules
        .iter()
        .map(|name| format!("{folder}/{name}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let own = |(path, text): &(&str, &str)| SourceFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        let files: Vec<SourceFile> = files.iter().map(own).collect();
        check(&read(&files))
            .iter()
            .map(|f| (f.rule.name, format!("{}:{}", f.path, f.line)))
            .collect()
    }

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        found(&[(path, text)])
            .into_iter()
            .map(|(rule, _)| rule)
            .collect()
    }

    #[test]
    fn every_banned_word_is_found_in_product_code() {
        for ban in BANS {
            for word in ban.words {
                assert_eq!(
                    rules("a/src/b.rs", &format!("fn a() {{\n    x{word} y;\n}}")).len(),
                    usize::from(!word.starts_with(|c: char| c.is_alphabetic())),
                    "glued {word}"
                );
                assert_eq!(
                    rules("a/src/b.rs", &format!("fn a() {{\n    x {word} y;\n}}")),
                    [ban.rule.name],
                    "{word}"
                );
                assert_eq!(
                    rules(
                        "a/src/b.rs",
                        &format!("// {word}\nfn a() {{ \"{word}\"; }}")
                    ),
                    [""; 0],
                    "{word}"
                );
            }
        }
    }

    #[test]
    fn tests_may_panic_but_not_be_unsafe_ignored_or_hashed() {
        let inside = |line: &str| format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{line}\n}}\n");
        assert_eq!(
            rules(
                "a/src/b.rs",
                &inside("x.unwrap(); panic!(); #![allow(clippy::unwrap_used)]")
            ),
            [""; 0]
        );
        assert_eq!(rules("a/tests/b.rs", "x.unwrap(); panic!();"), [""; 0]);
        assert_eq!(
            rules("a/src/b.rs", &format!("{}x.unwrap();", inside(""))),
            ["panics"]
        );
        assert_eq!(rules("a/src/b.rs", &inside("unsafe")), ["unsafe"]);
        assert_eq!(
            rules("a/src/b.rs", &inside("#[ignore = \"later\"]")),
            ["ignored-tests"]
        );
        assert_eq!(rules("a/tests/b.rs", "HashMap"), ["hash-order"]);
    }

    #[test]
    fn a_test_module_in_its_own_file_is_test_code() {
        let bad = "x.unwrap();";
        let declared = "#[cfg(test)]\nmod probe;\nmod other;\n";
        let files = [
            ("a/src/lib.rs", declared),
            ("a/src/probe.rs", bad),
            ("a/src/probe/deep.rs", bad),
            ("a/src/other.rs", bad),
            ("a/src/x.rs", declared),
            ("a/src/x/probe.rs", bad),
            ("b/src/probe.rs", bad),
        ];
        let expected =
            ["a/src/other.rs:1", "b/src/probe.rs:1"].map(|place| ("panics", place.to_owned()));
        assert_eq!(found(&files), expected);
    }

    #[test]
    fn a_sleep_in_a_test_needs_paused_time() {
        let nap = "tokio::time::sleep(Duration::from_secs(1)).await;";
        assert_eq!(rules("a/tests/b.rs", nap), ["test-sleeps"]);
        assert_eq!(
            rules(
                "a/tests/b.rs",
                &format!("#[tokio::test(start_paused = true)]\nasync fn a() {{ {nap} }}")
            ),
            [""; 0]
        );
        assert_eq!(
            rules(
                "a/tests/b.rs",
                "#[tokio::test(start_paused = true)]\nstd::thread::sleep(d);"
            ),
            ["test-sleeps"]
        );
        assert_eq!(
            rules(
                "a/src/b.rs",
                &format!("#[cfg(test)]\nmod tests {{\n{nap}\n}}")
            ),
            ["test-sleeps"]
        );
        assert_eq!(rules("a/src/b.rs", nap), [""; 0]);
        assert_eq!(rules("chaos-tests/src/b.rs", nap), [""; 0]);
        assert_eq!(rules("chaos-tests/tests/b.rs", nap), ["test-sleeps"]);
    }

    #[test]
    fn helpers_run_on_the_time_of_the_tests_beside_them() {
        let nap = "sleep(d).await;";
        let paused = (
            "a/tests/calls.rs",
            "#[tokio::test(start_paused = true)]\nasync fn a() {}",
        );
        assert_eq!(found(&[paused, ("a/tests/world/mod.rs", nap)]), []);
        let real = format!("#[tokio::test]\nasync fn b() {{ {nap} }}");
        assert_eq!(found(&[paused, ("a/tests/real.rs", &real)]).len(), 1);
        assert_eq!(found(&[paused, ("b/tests/world/mod.rs", nap)]).len(), 1);
        assert_eq!(
            found(&[paused, ("a/tests/world/mod.rs", "std::thread::sleep(d);")]).len(),
            1
        );
    }

    #[test]
    fn a_select_without_bias_is_found_in_tests_too() {
        assert_eq!(
            rules("a/tests/b.rs", "select! { x => {} }"),
            ["biased-select"]
        );
        assert_eq!(
            rules("a/tests/b.rs", "select! { biased; x => {} }"),
            [""; 0]
        );
    }
}
