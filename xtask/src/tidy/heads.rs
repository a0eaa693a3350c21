//! Every source file opens by saying what it owns; every crate also says what is absent.
//!
//! Deliberately absent: judging the sentence. A reviewer does that.

use super::finding::{Finding, Measure, Rule};
use crate::repo::SourceFile;

static FILE_HEAD: Rule = Rule {
    name: "file-head",
    why: "the first line is where a reader decides whether this is the right file",
    instead: "open the file with `//!`: what it owns and what is deliberately absent",
    measure: Measure::Count,
};
static CRATE_HEAD: Rule = Rule {
    name: "crate-head",
    why: "what a crate must never learn is invisible in its code; only its head can say so",
    instead: "say in the head of lib.rs what is deliberately absent, with that word",
    measure: Measure::Count,
};

/// Source files without a head, and crates whose head does not say what is absent.
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.has_ext("rs") && file.path.contains("/src/"))
    {
        let head: Vec<&str> = file
            .text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .collect();
        if head.is_empty() {
            found.push(Finding::new(
                &FILE_HEAD,
                &file.path,
                1,
                "does not open with `//!`",
            ));
        } else if file.path.ends_with("/src/lib.rs")
            && !head.concat().to_lowercase().contains("absent")
        {
            found.push(Finding::new(
                &CRATE_HEAD,
                &file.path,
                1,
                "does not say what is absent",
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<&'static str> {
        let file = SourceFile {
            path: path.into(),
            text: text.into(),
        };
        check(&[file])
            .iter()
            .map(|finding| finding.rule.name)
            .collect()
    }

    #[test]
    fn a_file_without_a_head_is_found() {
        assert_eq!(found("a/src/b.rs", "use x;\n//! late"), ["file-head"]);
        assert_eq!(found("a/src/b.rs", "//! Owns b."), [""; 0]);
        assert_eq!(found("a/tests/b.rs", "use x;"), [""; 0]);
    }

    #[test]
    fn a_crate_must_say_what_is_absent() {
        assert_eq!(
            found("a/src/lib.rs", "//! Owns a.\n\n// absent"),
            ["crate-head"]
        );
        assert_eq!(
            found("a/src/lib.rs", "//! Owns a.\n//! Deliberately absent: b."),
            [""; 0]
        );
    }
}
