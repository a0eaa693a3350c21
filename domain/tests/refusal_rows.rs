//! `docs/refusals.md` names, for each row of the requirements' error table, tests that are there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

const DOCUMENT: &str = include_str!("../../docs/refusals.md");
/// Rows of the table in requirements 1.24.
const ROWS: usize = 11;

/// Whether `file` declares a test of that name, in Rust or Python.
fn declares(file: &Path, name: &str) -> bool {
    let text = fs::read_to_string(file).unwrap_or_default();
    [format!("fn {name}("), format!("def {name}(")]
        .iter()
        .any(|declaration| text.contains(declaration))
}

#[test]
fn each_row_is_shown_by_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let lines = DOCUMENT.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<&str> = lines.skip(1).collect();
    assert_eq!(rows.len(), ROWS);
    for row in rows {
        let shown = row.rsplit('|').nth(1).unwrap();
        let named: Vec<&str> = shown.split('`').filter(|t| t.contains("::")).collect();
        assert!(!named.is_empty(), "nothing shows {row}");
        for test in named {
            let (file, name) = test.split_once("::").unwrap();
            assert!(declares(&root.join(file), name), "there is no {test}");
        }
    }
}
