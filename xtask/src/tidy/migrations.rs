//! One migration history in two dialects: both folders hold the same names.
//!
//! Deliberately absent: comparing the schemas they make; the store's own tests do that on both databases.

use std::collections::BTreeSet;

use super::finding::{Finding, Measure, Rule};
use crate::repo::SourceFile;

const DIALECTS: [&str; 2] = ["migrations/sqlite/", "migrations/mariadb/"];

static TWINS: Rule = Rule {
    name: "migration-twins",
    why: "a change that exists for one database only makes the other one a different product",
    instead: "add the same folder with the same files to both migrations/sqlite and migrations/mariadb",
    measure: Measure::Count,
};

/// Every file under one dialect that is missing under the other.
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let [sqlite, mariadb] = DIALECTS.map(|folder| names(files, folder));
    let missing = |folder: &str, other: &str, name: &String| {
        Finding::new(
            &TWINS,
            &format!("{folder}{name}"),
            1,
            format!("has no twin in {other}"),
        )
    };
    let [a, b] = DIALECTS;
    let mut found: Vec<Finding> = sqlite
        .difference(&mariadb)
        .map(|name| missing(a, b, name))
        .collect();
    found.extend(mariadb.difference(&sqlite).map(|name| missing(b, a, name)));
    found
}

fn names(files: &[SourceFile], folder: &str) -> BTreeSet<String> {
    files
        .iter()
        .filter_map(|file| file.path.strip_prefix(folder))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[&str]) -> Vec<String> {
        let file = |path: &&str| SourceFile {
            path: (*path).to_owned(),
            text: String::new(),
        };
        check(&paths.iter().map(file).collect::<Vec<_>>())
            .into_iter()
            .map(|finding| finding.path)
            .collect()
    }

    #[test]
    fn a_migration_without_its_twin_is_found_in_either_direction() {
        let twins = [
            "migrations/sqlite/1_a/up.sql",
            "migrations/mariadb/1_a/up.sql",
        ];
        assert_eq!(found(&twins), [""; 0]);
        assert_eq!(
            found(&[&twins[..], &["migrations/sqlite/2_b/up.sql"]].concat()),
            ["migrations/sqlite/2_b/up.sql"]
        );
        assert_eq!(
            found(&[&twins[..], &["migrations/mariadb/1_a/down.sql"]].concat()),
            ["migrations/mariadb/1_a/down.sql"]
        );
    }
}
