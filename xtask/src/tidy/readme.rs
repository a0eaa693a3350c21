//! Commands in documents are commands that exist, and CI runs what the README promises.
//!
//! Deliberately absent: running them, and commands of other programs.

use super::finding::{Finding, Measure, Rule};
use crate::repo::SourceFile;

const README: &str = "README.md";
const CI: &str = ".ci/run";

static COMMANDS: Rule = Rule {
    name: "documented-commands",
    why: "the first command a newcomer types must work",
    instead: "correct the document, or add the verb to xtask/src/main.rs",
    measure: Measure::Count,
};
static CI_COMMAND: Rule = Rule {
    name: "ci-command",
    why: "when CI runs something else than the README's test command, a green run at home proves nothing",
    instead: "let .ci/run end in the test command of the README, and put everything else into that command",
    measure: Measure::Count,
};

/// A `cargo xtask` line in a `sh` block of any document that does not parse, and a CI script that strays.
pub fn check(files: &[SourceFile], accepts: &dyn Fn(&[&str]) -> bool) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.has_ext("md")) {
        for (line, command) in commands(&file.text) {
            let Some(rest) = command.strip_prefix("cargo xtask") else {
                continue;
            };
            let words: Vec<&str> = std::iter::once("cargo xtask")
                .chain(rest.split_whitespace())
                .collect();
            if !accepts(&words) {
                found.push(Finding::new(
                    &COMMANDS,
                    &file.path,
                    line,
                    format!("`{command}` is not a command"),
                ));
            }
        }
    }
    found.extend(check_ci(files));
    found
}

fn check_ci(files: &[SourceFile]) -> Option<Finding> {
    let text = |path| {
        files
            .iter()
            .find(|file| file.path == path)
            .map(|file| file.text.as_str())
    };
    let last = text(CI)?
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty() && !line.starts_with('#'))?;
    let command = last.strip_prefix("exec ").unwrap_or(last);
    let promised = commands(text(README).unwrap_or_default());
    let strays = !promised.iter().any(|(_, promised)| *promised == command);
    strays.then(|| {
        Finding::new(
            &CI_COMMAND,
            CI,
            1,
            format!("`{command}` is not in a `sh` block of {README}"),
        )
    })
}

/// The lines of all fenced `sh` blocks, without comments.
fn commands(text: &str) -> Vec<(usize, &str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(fence) = line.strip_prefix("```") {
            inside = !inside && fence == "sh";
        } else if inside {
            let command = line.split(" #").next().unwrap_or_default().trim();
            found.push((i + 1, command));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<(&'static str, usize)> {
        let own = |(path, text): &(&str, &str)| SourceFile {
            path: (*path).into(),
            text: (*text).into(),
        };
        let files: Vec<SourceFile> = files.iter().map(own).collect();
        let accepts = |words: &[&str]| matches!(words, ["cargo xtask", "test"]);
        check(&files, &accepts)
            .iter()
            .map(|finding| (finding.rule.name, finding.line))
            .collect()
    }

    #[test]
    fn a_command_that_does_not_exist_is_found_in_sh_blocks_only() {
        let text = "cargo xtask prose\n```sh\ncargo xtask test   # all\n  cargo xtask tset\n```\ncargo xtask prose\n```text\ncargo xtask prose\n```\n";
        assert_eq!(found(&[("README.md", text)]), [("documented-commands", 4)]);
        assert_eq!(found(&[("docs/a.md", text)]), [("documented-commands", 4)]);
        assert_eq!(found(&[("docs/a.txt", text)]), []);
    }

    #[test]
    fn ci_runs_the_command_of_the_readme() {
        let readme = ("README.md", "```sh\ncargo xtask test\n```\n");
        assert_eq!(
            found(&[
                readme,
                (".ci/run", "#!/bin/sh\nset -e\nexec cargo xtask test\n")
            ]),
            []
        );
        assert_eq!(
            found(&[
                readme,
                (".ci/run", "#!/bin/sh\ncargo test\n# cargo xtask test\n")
            ]),
            [("ci-command", 1)]
        );
        assert_eq!(
            found(&[(".ci/run", "cargo xtask test\n")]),
            [("ci-command", 1)]
        );
    }
}
