//! Ceilings for files and functions, Rust and Python.
//!
//! Deliberately absent: a wish for small. Near 200 lines a file and near 10 a function are what we like; only the
//! ceiling is enforced.

use super::bans::RustFile;
use super::finding::{Finding, Measure, Rule};
use super::scan_python;
use super::scan_rust::Function;
use crate::repo::SourceFile;

/// Most lines a file may have.
const FILE_LINES_MAX: usize = 600;
/// Most lines a function may have, from `fn` to its closing brace.
const FN_LINES_MAX: usize = 70;

static FILE_LINES: Rule = Rule {
    name: "file-lines",
    why: "a file of more than 600 lines holds a second idea, and everybody meets there",
    instead: "find the second idea and give it its own file; the list in xtask/tidy-allow.txt is meant to stay empty",
    measure: Measure::Most,
};
static FN_LINES: Rule = Rule {
    name: "fn-lines",
    why: "a function of more than 70 lines does not fit on a screen or in a head",
    instead: "name the steps inside it and call them",
    measure: Measure::Most,
};

/// Files and functions above their ceiling.
pub fn check(files: &[SourceFile], rust: &[RustFile<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.has_ext("rs") || file.has_ext("py"))
    {
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX {
            let what = format!("{lines} lines; the ceiling is {FILE_LINES_MAX}");
            found.push(Finding {
                size: lines,
                ..Finding::new(&FILE_LINES, &file.path, 1, what)
            });
        }
        if file.has_ext("py") {
            found.extend(long_functions(
                &file.path,
                &scan_python::functions(&file.text),
            ));
        }
    }
    found.extend(
        rust.iter()
            .flat_map(|file| long_functions(&file.file.path, &file.shape.functions)),
    );
    found
}

fn long_functions(path: &str, functions: &[Function]) -> Vec<Finding> {
    let measured = functions
        .iter()
        .map(|function| (function, 1 + function.last - function.first));
    let long = measured.filter(|(_, lines)| *lines > FN_LINES_MAX);
    let finding = |(function, lines): (&Function, usize)| {
        let what = format!(
            "`{}` takes {lines} lines; the ceiling is {FN_LINES_MAX}",
            function.name
        );
        Finding {
            size: lines,
            ..Finding::new(&FN_LINES, path, function.first, what)
        }
    };
    long.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::bans;

    fn found(path: &str, text: String) -> Vec<(&'static str, usize)> {
        let files = [SourceFile {
            path: path.to_owned(),
            text,
        }];
        check(&files, &bans::read(&files))
            .iter()
            .map(|f| (f.rule.name, f.size))
            .collect()
    }

    fn rust_fn(lines: usize) -> String {
        format!("fn a() {{\n{}}}\n", "x;\n".repeat(lines - 2))
    }

    fn python_fn(lines: usize) -> String {
        format!("def a():\n{}y = 1\n", "    x = 1\n".repeat(lines - 1))
    }

    #[test]
    fn the_ceiling_itself_is_fine_and_one_more_is_not() {
        assert_eq!(found("a.rs", "x;\n".repeat(600)), []);
        assert_eq!(found("a.rs", "x;\n".repeat(601)), [("file-lines", 601)]);
        assert_eq!(found("a.py", "x\n".repeat(601)), [("file-lines", 601)]);
        assert_eq!(found("a.md", "x\n".repeat(601)), []);
        assert_eq!(found("a.rs", rust_fn(70)), []);
        assert_eq!(found("a.rs", rust_fn(71)), [("fn-lines", 71)]);
        assert_eq!(found("a.py", python_fn(70)), []);
        assert_eq!(found("a.py", python_fn(71)), [("fn-lines", 71)]);
    }
}
