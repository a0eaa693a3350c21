//! The one history of the schema, in two dialects, as part of the program. Absent: running it
//! (`q::migrate`), and ways back: a newer schema is refused (J9).

/// One step of the history.
pub(crate) struct Migration {
    /// Its folder's name in both dialects.
    pub id: &'static str,
    pub sqlite: &'static str,
    pub mariadb: &'static str,
}

/// Which of the two texts of a migration applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    MariaDb,
}

impl Migration {
    pub fn sql(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::MariaDb => self.mariadb,
        }
    }
}

macro_rules! history {
    ($($id:literal),+ $(,)?) => {
        /// Oldest first; names sort by age.
        pub(crate) const HISTORY: &[Migration] = &[$(Migration {
            id: $id,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $id, "/up.sql")),
            mariadb: include_str!(concat!("../../migrations/mariadb/", $id, "/up.sql")),
        }),+];
    };
}

history![
    "2026-11-20-000001_sites",
    "2026-11-20-000002_groups",
    "2026-11-20-000003_operations",
    "2026-11-20-000004_effects",
    "2026-11-20-000005_logs",
    "2026-11-28-000006_delegations",
    "2026-11-28-000007_default_mappings",
    "2026-11-28-000008_suspect",
];

/// The statements of a script: each ends with `;` at the end of a line.
pub(crate) fn statements(script: &str) -> impl Iterator<Item = &str> {
    script
        .split_inclusive(";\n")
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// How the applied migrations stand to the ones of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Same,
    Older,
    /// The database has what this program does not know.
    Newer,
}

pub(crate) fn standing(applied: &[String]) -> Standing {
    let known = |id: &String| HISTORY.iter().any(|migration| migration.id == id);
    if !applied.iter().all(known) {
        Standing::Newer
    } else if applied.len() < HISTORY.len() {
        Standing::Older
    } else {
        Standing::Same
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn folders(dialect: &str) -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../migrations")
            .join(dialect);
        std::fs::read_dir(root)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn both_dialects_have_the_same_history_and_it_is_all_in_the_program() {
        let listed: BTreeSet<String> = HISTORY.iter().map(|m| m.id.to_owned()).collect();
        assert_eq!(folders("sqlite"), listed);
        assert_eq!(folders("mariadb"), listed);
        assert!(
            HISTORY.windows(2).all(|two| two[0].id < two[1].id),
            "sorted by age"
        );
    }

    #[test]
    fn every_mariadb_statement_can_be_repeated_and_names_its_collation() {
        for migration in HISTORY {
            for statement in statements(migration.mariadb) {
                let ddl = statement
                    .lines()
                    .filter(|l| !l.starts_with("--"))
                    .collect::<String>();
                // A column takes its table's collation.
                let adds =
                    ddl.starts_with("ALTER TABLE") && ddl.contains("ADD COLUMN IF NOT EXISTS");
                let makes = ddl.starts_with("CREATE TABLE IF NOT EXISTS")
                    && ddl.contains(
                        "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin",
                    );
                assert!(adds || makes, "{}", migration.id);
            }
        }
    }

    #[test]
    fn newer_wins_over_older() {
        let all: Vec<String> = HISTORY.iter().map(|m| m.id.to_owned()).collect();
        assert_eq!(standing(&all), Standing::Same);
        assert_eq!(standing(&all[..2]), Standing::Older);
        assert_eq!(
            standing(&["2030-01-01-000000_later".to_owned()]),
            Standing::Newer
        );
        assert_eq!(standing(&[]), Standing::Older);
    }
}
