//! The schema: what the program says, what the database says, and what happens when they differ.

use crate::common::maria;
use crate::common::world::{Kind, World};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::AsyncConnection;
use protector_store::StoreError;
use std::collections::BTreeMap;

const SCHEMA: &str = include_str!("../../../src/schema.rs");
const NEWEST: &str = "2026-11-28-000008_suspect";

pub async fn a_migrated_store_is_checked_and_migrating_again_changes_nothing(w: &mut World) {
    let before = columns(w).await;
    assert_eq!(w.store.schema_check().await, Ok(()));
    w.store.migrate().await.unwrap();
    let (one, two) = (w.another(3).await, w.another(4).await);
    let (a, b) = futures::join!(one.migrate(), two.migrate());
    assert_eq!((a, b), (Ok(()), Ok(())));
    assert_eq!(columns(w).await, before);
}

pub async fn a_newer_schema_is_refused(w: &mut World) {
    w.sql("INSERT INTO schema_history (id, applied_us) VALUES ('2030-01-01-000000_later', 1)")
        .await;
    let newer = StoreError::SchemaMismatch {
        found: "2030-01-01-000000_later".to_owned(),
        wanted: NEWEST.to_owned(),
        newer: true,
    };
    assert!(newer.to_string().contains("newer"));
    assert_eq!(w.store.schema_check().await, Err(newer.clone()));
    assert_eq!(w.store.migrate().await, Err(newer));
}

pub async fn an_older_schema_is_refused_until_it_is_migrated(w: &mut World) {
    w.sql("ALTER TABLE protection_groups DROP COLUMN suspect")
        .await;
    w.sql(&format!("DELETE FROM schema_history WHERE id = '{NEWEST}'"))
        .await;
    let older = StoreError::SchemaMismatch {
        found: "2026-11-28-000007_default_mappings".to_owned(),
        wanted: NEWEST.to_owned(),
        newer: false,
    };
    assert_eq!(w.store.schema_check().await, Err(older));
    w.store.migrate().await.unwrap();
    assert_eq!(w.store.schema_check().await, Ok(()));
    if w.kind == Kind::MariaDb {
        // A migration that died after its statement is finished by the next one.
        w.sql(&format!("DELETE FROM schema_history WHERE id = '{NEWEST}'"))
            .await;
        w.store.migrate().await.unwrap();
        assert_eq!(w.store.schema_check().await, Ok(()));
    }
}

/// Table, column: type, may be null, place in the primary key (0: none).
type Columns = BTreeMap<(String, String), (String, bool, i64)>;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    nullable: i64,
    #[diesel(sql_type = BigInt)]
    key_place: i64,
}

const SQLITE: &str = "SELECT m.name AS table_name, c.name AS column_name, lower(c.type) AS kind, \
    CAST(c.\"notnull\" = 0 AS INTEGER) AS nullable, CAST(c.pk AS INTEGER) AS key_place \
    FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'";
const MARIADB: &str = "SELECT c.table_name AS table_name, c.column_name AS column_name, \
    lower(c.data_type) AS kind, CAST(c.is_nullable = 'YES' AS SIGNED) AS nullable, \
    CAST(COALESCE(k.ordinal_position, 0) AS SIGNED) AS key_place \
    FROM information_schema.columns c LEFT JOIN information_schema.key_column_usage k \
    ON k.table_schema = c.table_schema AND k.table_name = c.table_name \
    AND k.column_name = c.column_name AND k.constraint_name = 'PRIMARY' \
    WHERE c.table_schema = DATABASE()";

async fn columns(w: &World) -> Columns {
    let rows: Vec<Column> = if w.kind == Kind::MariaDb {
        let mut c = diesel_async::AsyncMysqlConnection::establish(&maria::plain(&w.url))
            .await
            .unwrap();
        diesel_async::RunQueryDsl::load(diesel::sql_query(MARIADB), &mut c)
            .await
            .unwrap()
    } else {
        let mut c = w.sqlite();
        diesel::RunQueryDsl::load(diesel::sql_query(SQLITE), &mut c).unwrap()
    };
    rows.into_iter()
        .filter(|row| row.table_name != "schema_history")
        .map(|row| {
            let key = (row.table_name, row.column_name);
            (key, (row.kind, row.nullable != 0, row.key_place))
        })
        .collect()
}

/// What `table!` says, in the words of the database.
fn declared(kind: Kind) -> Columns {
    let mut all = Columns::new();
    for block in SCHEMA.split("diesel::table!").skip(1) {
        let head = block.split('{').nth(1).unwrap();
        let (table, keys) = head.trim().split_once('(').unwrap();
        let keys: Vec<&str> = keys
            .trim()
            .trim_end_matches(')')
            .split(',')
            .map(str::trim)
            .collect();
        let inside = block.split('{').nth(2).unwrap().split('}').next().unwrap();
        for line in inside.lines().filter(|line| line.contains("->")) {
            let (name, ty) = line
                .trim()
                .trim_end_matches(',')
                .split_once(" -> ")
                .unwrap();
            let inner = ty
                .strip_prefix("Nullable<")
                .and_then(|ty| ty.strip_suffix('>'));
            let place = keys
                .iter()
                .position(|key| *key == name)
                .map_or(0, |at| at as i64 + 1);
            let word = sql_word(kind, inner.unwrap_or(ty));
            let key = (table.trim().to_owned(), name.to_owned());
            all.insert(key, (word.to_owned(), inner.is_some(), place));
        }
    }
    all
}

fn sql_word(kind: Kind, ty: &str) -> &'static str {
    match (kind, ty) {
        (_, "Text") => "text",
        (Kind::MariaDb, "BigInt") => "bigint",
        (Kind::MariaDb, "Integer") => "int",
        (Kind::MariaDb, "Bool") => "tinyint",
        (Kind::MariaDb, "Binary") => "longblob",
        (_, "BigInt" | "Integer" | "Bool") => "integer",
        (_, "Binary") => "blob",
        (_, other) => panic!("{other}: no word for it"),
    }
}

pub async fn the_tables_are_those_of_the_program(w: &mut World) {
    let found = columns(w)
        .await
        .into_iter()
        .map(|(key, (word, nullable, place))| {
            // MariaDB has one text type in the program and three in the database.
            let text = ["varchar", "char", "longtext"].contains(&word.as_str());
            (
                key,
                (if text { "text".to_owned() } else { word }, nullable, place),
            )
        });
    let (found, declared): (Columns, Columns) = (found.collect(), declared(w.kind));
    assert!(declared.len() > 100, "the declaration was read");
    for (key, said) in &declared {
        assert_eq!(found.get(key), Some(said), "{key:?}");
    }
    assert_eq!(found.len(), declared.len(), "columns nobody declared");
}
