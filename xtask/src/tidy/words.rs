//! Words that tell of a machine or a meeting instead of the project.
//!
//! Deliberately absent: style. Only what a stranger with nothing but this repository could not follow.

use super::finding::{Finding, Measure, Rule};
use super::scan_rust::is_name;
use crate::repo::SourceFile;

static WORDS: Rule = Rule {
    name: "foreign-words",
    why: "the repository must explain itself: private paths, ticket numbers and hosts mean nothing to the next reader",
    instead: "say the thing itself, or name a file of this repository",
    measure: Measure::Count,
};

/// Every line with such a word, in every text file.
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in files {
        for (i, line) in file.text.lines().enumerate() {
            let hit = judge(line);
            found.extend(hit.map(|what| {
                Finding::new(
                    &WORDS,
                    &file.path,
                    i + 1,
                    format!("{what}: {}", line.trim()),
                )
            }));
        }
    }
    found
}

fn judge(line: &str) -> Option<&'static str> {
    let line = line.to_lowercase();
    if has_machine_path(&line) {
        Some("a path of one machine")
    } else if has_ticket(&line) {
        Some("a ticket number")
    } else if has_meeting(&line) {
        Some("how it was made")
    } else if has_registry_host(&line) {
        Some("a package mirror")
    } else {
        None
    }
}

/// What follows each `needle` in `text`, and the character before it.
fn after<'a>(text: &'a str, needle: &'a str) -> impl Iterator<Item = (Option<char>, &'a str)> {
    text.match_indices(needle).filter_map(move |(at, _)| {
        Some((
            text.get(..at)?.chars().next_back(),
            text.get(at + needle.len()..)?,
        ))
    })
}

fn has_machine_path(line: &str) -> bool {
    let folders = ["main", "steering", "shared", ".library"];
    after(line, "/work/").any(|(_, rest)| {
        let mut names = folders
            .iter()
            .filter_map(|folder| rest.strip_prefix(folder));
        names.any(|rest| !rest.starts_with(is_name))
    })
}

fn has_ticket(line: &str) -> bool {
    after(line, "issue ").any(|(before, rest)| {
        let number = rest.trim_start().trim_start_matches('#');
        !before.is_some_and(is_name) && number.starts_with(|c: char| c.is_ascii_digit())
    })
}

fn has_meeting(line: &str) -> bool {
    after(line, "developer").any(|(_, rest)| {
        let rest = rest.strip_prefix('\'').unwrap_or(rest);
        rest.strip_prefix('s')
            .unwrap_or(rest)
            .starts_with(" session")
    })
}

fn has_registry_host(line: &str) -> bool {
    let signs = [
        "registry",
        "artifactory",
        "nexus",
        "mirror",
        "index.crates",
        "static.crates",
    ];
    after(line, "://").any(|(_, rest)| {
        let ends = |c: char| c.is_whitespace() || "/?#\"'`)>]".contains(c);
        let host = rest.split(ends).next().unwrap_or_default();
        signs.iter().any(|sign| host.contains(sign))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_found() {
        // Put together here, so that this file does not find itself.
        let lines = [
            ["see /work", "/main/x"],
            ["cd /work", "/.library"],
            ["as Issue", " 12 says"],
            ["fixes issue", " #7"],
            ["the developer", "'s session"],
            ["developer", " session"],
            ["url = \"https:/", "/registry.example.net/a\""],
            ["http:/", "/u:p@nexus3.local:8081"],
        ];
        for parts in lines {
            let line = parts.concat();
            let file = SourceFile {
                path: "docs/a.md".into(),
                text: format!("fine\n{line}\n"),
            };
            let found = check(&[file]);
            assert_eq!(
                found.iter().map(|finding| finding.line).collect::<Vec<_>>(),
                [2],
                "{line}"
            );
        }
    }

    #[test]
    fn ordinary_text_passes() {
        let lines = [
            "network/main.rs and /work/mainly",
            "the issue is 3 days old",
            "tissue 4",
            "source = \"registry+https://github.com/rust-lang/crates.io-index\"",
            "https://docs.rs/registry",
        ];
        for line in lines {
            assert_eq!(judge(line), None, "{line}");
        }
    }
}
