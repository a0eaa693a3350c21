//! Every way to say no: made from its own declaration, so that a new one is looked at as well. Each names
//! what it is about, has a remedy, and stands in a test by its code or its name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods
)]

use protector_domain::refusal::Refusal;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const SOURCE: &str = include_str!("../src/refusal.rs");
/// Folders of the workspace that are looked through for tests.
const LOOKED_THROUGH: &[&str] = &[
    "domain",
    "actors",
    "http",
    "lab",
    "chaos-tests",
    "protectord",
    "clients",
];
/// A variant as it is declared: its name, and its fields with their types.
struct Declared {
    name: String,
    fields: Vec<(String, String)>,
}

fn declared() -> Vec<Declared> {
    let start = SOURCE.find("pub enum Refusal {").unwrap();
    let body = &SOURCE[start..];
    let body = &body[..body.find("\n}\n").unwrap()];
    let mut found: Vec<Declared> = Vec::new();
    let mut in_attribute = false;
    for line in body.lines().skip(1).map(str::trim) {
        if line.starts_with("#[") || in_attribute {
            in_attribute = !line.ends_with(")]");
            continue;
        }
        let first = line.chars().next().unwrap_or(' ');
        if first.is_ascii_uppercase() {
            let (name, rest) = line.split_at(
                line.find(|c: char| !c.is_ascii_alphanumeric())
                    .unwrap_or(line.len()),
            );
            found.push(Declared {
                name: name.to_owned(),
                fields: fields(rest),
            });
        } else if first.is_ascii_lowercase() {
            found.last_mut().unwrap().fields.extend(fields(line));
        }
    }
    found
}

fn fields(text: &str) -> Vec<(String, String)> {
    let text = text.trim_matches(|c: char| "{}, ".contains(c));
    let pairs = text.split(',').filter_map(|pair| pair.split_once(':'));
    pairs
        .map(|(name, kind)| (name.trim().to_owned(), kind.trim().to_owned()))
        .collect()
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for (at, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && at > 0 {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

/// An example with a word in each field that can be told from all others.
fn example(declared: &Declared) -> (Refusal, Vec<String>) {
    let mut value = Map::from_iter([("code".to_owned(), json!(snake(&declared.name)))]);
    let mut words = Vec::new();
    for (at, (field, kind)) in declared.fields.iter().enumerate() {
        let given: Value = match kind.as_str() {
            "String" => json!(format!("canary{at}")),
            "u64" | "i64" => json!(9_000 + at),
            other => panic!("{}: a field of type {other}", declared.name),
        };
        words.push(given.as_str().map_or(given.to_string(), str::to_owned));
        value.insert(field.clone(), given);
    }
    (serde_json::from_value(Value::Object(value)).unwrap(), words)
}

#[test]
fn each_names_what_it_is_about_and_has_a_remedy() {
    let all = declared();
    assert!(all.len() > 65, "only {} were found", all.len());
    for declared in &all {
        let (refusal, words) = example(declared);
        assert_eq!(refusal.code(), snake(&declared.name));
        let text = refusal.to_string();
        for word in words {
            assert!(
                text.contains(&word),
                "{}: {text} lacks {word}",
                declared.name
            );
        }
        assert!(
            refusal.remedy().len() > 10,
            "{} has no remedy",
            declared.name
        );
    }
}

#[test]
fn each_stands_in_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for folder in LOOKED_THROUGH {
        tests_under(&root.join(folder), 0, &mut files);
    }
    let me = file!().rsplit('/').next().unwrap();
    files.retain(|path| path.file_name().unwrap() != me);
    assert!(files.len() > 50, "only {} tests were found", files.len());
    let told: String = files
        .iter()
        .map(|f| fs::read_to_string(f).unwrap())
        .collect();
    let is_tried = |declared: &&Declared| {
        let code = snake(&declared.name);
        // In quotes by itself, behind a status or a word in an expected line, or before its text.
        [
            format!("\"{code}\""),
            format!(" {code}\""),
            format!("{code} |"),
            format!("\"{code} "),
            format!("\"{code}: "),
        ]
        .iter()
        .any(|quoted| told.contains(quoted))
            || told.contains(&format!("Refusal::{} ", declared.name))
            || told.contains(&format!("Refusal::{},", declared.name))
            || told.contains(&format!("R::{} ", declared.name))
    };
    let all = declared();
    let untried: Vec<String> = all
        .iter()
        .filter(|d| !is_tried(d))
        .map(|d| snake(&d.name))
        .collect();
    assert!(untried.is_empty(), "codes without a test: {untried:?}");
}

fn tests_under(folder: &Path, depth: usize, into: &mut Vec<PathBuf>) {
    assert!(depth < 12, "{} is too deep", folder.display());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" && !name.ends_with(".egg-info") {
                tests_under(&path, depth + 1, into);
            }
            continue;
        }
        let is_source = name.ends_with(".rs") || name.ends_with(".py");
        let shown = path.to_string_lossy();
        if is_source && (shown.contains("/tests/") || name.starts_with("tests")) {
            into.push(path);
        }
    }
}
