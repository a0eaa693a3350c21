//! Which crate may know which: the arrows of ARCHITECTURE.md as a table.
//!
//! Read from `cargo metadata`, so renamed, optional and target-only dependencies count too. Deliberately absent: what
//! a crate does with an allowed edge.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

use super::finding::{Finding, Measure, Rule};

/// One dependency written in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The crate that depends.
    pub from: String,
    /// The crate it depends on.
    pub to: String,
    /// True for `[dev-dependencies]`; build dependencies count as normal ones.
    pub dev: bool,
    /// The manifest, relative to the root.
    pub manifest: String,
    /// Line of the dependency in it.
    pub line: usize,
}

/// The crates of the workspace and their dependencies.
#[derive(Debug, Default)]
pub struct Graph {
    /// Every workspace member with its manifest.
    pub members: Vec<(String, String)>,
    /// Every dependency of every member.
    pub edges: Vec<Edge>,
}

/// What one crate may depend on.
struct Room {
    name: &'static str,
    normal: &'static [&'static str],
    /// In addition to `normal`, for tests only.
    dev: &'static [&'static str],
    why: &'static str,
}

const PRODUCT: &[&str] = &[
    "protector-domain",
    "protector-runtime",
    "protector-store",
    "protector-storage-drivers",
    "protector-openstack",
    "protector-actors",
    "protector-http",
];
const BASE: &[&str] = &["protector-domain", "protector-runtime"];

static HOUSE: &[Room] = &[
    Room {
        name: "protector-domain",
        normal: &[],
        dev: &[],
        why: "domain decides and knows nobody: same facts, same answer, nothing to mock",
    },
    Room {
        name: "protector-runtime",
        normal: &[],
        dev: &[],
        why: "runtime would make sense in any product; it knows no word of disaster recovery",
    },
    Room {
        name: "protector-store",
        normal: BASE,
        dev: &[],
        why: "store remembers records; who asks and why is not its business",
    },
    Room {
        name: "protector-storage-drivers",
        normal: BASE,
        dev: &[],
        why: "a driver turns port calls into array calls; policy and memory stay with its callers",
    },
    Room {
        name: "protector-openstack",
        normal: BASE,
        dev: &[],
        why: "a client turns port calls into cloud calls; policy and memory stay with its callers",
    },
    Room {
        name: "protector-actors",
        normal: &["protector-domain", "protector-runtime", "protector-store"],
        dev: &["protector-storage-drivers"],
        why: "actors reach the world through ports, so that they run over models and never learn a vendor",
    },
    Room {
        name: "protector-http",
        normal: BASE,
        dev: &[],
        why: "http talks to the engine through its port, so that API and engine can be two processes",
    },
    Room {
        name: "protectord",
        normal: PRODUCT,
        dev: &[],
        why: "protectord wires the product; a simulator never ships in a daemon",
    },
    Room {
        name: "protector-lab",
        normal: &[
            "protector-domain",
            "protector-runtime",
            "protector-store",
            "protector-storage-drivers",
            "protector-openstack",
            "protector-actors",
            "protector-http",
            "protectord",
        ],
        dev: &[],
        why: "lab pretends to be the world around whole sites; tests over it live in chaos-tests",
    },
    Room {
        name: "protector-model",
        normal: &["protector-domain"],
        dev: &[],
        why: "model explores the rules alone; what a whole site makes of them is for chaos-tests",
    },
    Room {
        name: "protector-chaos-tests",
        normal: &[
            "protector-domain",
            "protector-runtime",
            "protector-store",
            "protector-storage-drivers",
            "protector-openstack",
            "protector-actors",
            "protector-http",
            "protectord",
            "protector-lab",
            "protector-model",
        ],
        dev: &[],
        why: "chaos-tests stands at the top: nothing depends on it",
    },
    Room {
        name: "xtask",
        normal: &[],
        dev: &[],
        why: "the checker must build and run while the product does not",
    },
];

/// Foreign crates that only the named crates may use.
static FOREIGN: &[(&str, &[&str], &str)] = &[
    (
        "tokio",
        &["!protector-domain"],
        "domain has no I/O and no clock",
    ),
    (
        "ractor",
        &["protector-runtime", "protector-actors", "protectord"],
        "actors live in actors and are kept alive by runtime; others hold handles",
    ),
    (
        "diesel-async",
        &["protector-store"],
        "a site's rows have one author: a second one would go around the epoch check",
    ),
    (
        "reqwest",
        &["protector-runtime"],
        "all calls out go through runtime::remote: limits, redaction and the call log hold for everybody",
    ),
];

static EDGE: Rule = Rule {
    name: "crate-edge",
    why: "arrows that point one way keep decisions testable and vendors out of the workflow (ARCHITECTURE.md)",
    instead: "move the shared thing down, or pass it through a port; a truly new arrow needs a record in docs/decisions and a line in xtask/src/tidy/edges.rs",
    measure: Measure::Count,
};

/// Every edge that the table does not hold.
pub fn check(graph: &Graph) -> Vec<Finding> {
    let mut found = Vec::new();
    for (member, manifest) in &graph.members {
        if room(member).is_none() {
            found.push(Finding::new(
                &EDGE,
                manifest,
                1,
                format!("crate `{member}` has no place in the house yet"),
            ));
        }
    }
    let ours = |name: &str| graph.members.iter().any(|(member, _)| member == name);
    for edge in &graph.edges {
        let reason = if ours(&edge.to) {
            refuse_ours(edge)
        } else {
            refuse_foreign(edge)
        };
        let kind = if edge.dev { " (in tests)" } else { "" };
        let text = |why| format!("`{}` -> `{}`{kind}: {why}", edge.from, edge.to);
        found.extend(reason.map(|why| Finding::new(&EDGE, &edge.manifest, edge.line, text(why))));
    }
    found
}

fn room(name: &str) -> Option<&'static Room> {
    HOUSE.iter().find(|room| room.name == name)
}

/// Why this edge between two of our crates is not allowed.
fn refuse_ours(edge: &Edge) -> Option<&'static str> {
    let room = room(&edge.from)?;
    let to = edge.to.as_str();
    let allowed = room.normal.contains(&to) || edge.dev && room.dev.contains(&to);
    (!allowed).then_some(room.why)
}

/// Why this use of somebody else's crate is not allowed; tests are free in it.
fn refuse_foreign(edge: &Edge) -> Option<&'static str> {
    let (_, users, why) = FOREIGN
        .iter()
        .find(|(name, _, _)| *name == edge.to && !edge.dev)?;
    let named = |name: &&str| match name.strip_prefix('!') {
        Some(banned) => banned != edge.from,
        None => *name == edge.from,
    };
    (!users.iter().any(named)).then_some(why)
}

/// The graph of the workspace at `root`.
///
/// Errors: cargo is missing or a manifest is broken.
pub fn read(root: &Path) -> anyhow::Result<Graph> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let args = [
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ];
    let out = Command::new(cargo)
        .args(args)
        .current_dir(root)
        .output()
        .context("cargo cannot be started")?;
    if !out.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&out.stderr).trim()
        );
    }
    let metadata: Value =
        serde_json::from_slice(&out.stdout).context("cargo metadata is not JSON")?;
    let mut graph = Graph::default();
    for package in list(&metadata, "packages") {
        let path = Path::new(text(package, "manifest_path"));
        let manifest = path
            .strip_prefix(root)
            .unwrap_or(path)
            .to_string_lossy()
            .into_owned();
        let content =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {manifest}"))?;
        let from = text(package, "name").to_owned();
        graph
            .edges
            .extend(list(package, "dependencies").iter().map(|dependency| {
                let to = text(dependency, "name").to_owned();
                let (dev, line) = (text(dependency, "kind") == "dev", line_of(&content, &to));
                Edge {
                    from: from.clone(),
                    to,
                    dev,
                    manifest: manifest.clone(),
                    line,
                }
            }));
        graph.members.push((from, manifest));
    }
    Ok(graph)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn line_of(manifest: &str, name: &str) -> usize {
    manifest
        .lines()
        .position(|line| line.starts_with(name))
        .map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(from: &str, to: &str, dev: bool) -> Vec<String> {
        let names = HOUSE
            .iter()
            .map(|room| (room.name.to_owned(), "x/Cargo.toml".to_owned()));
        let edge = Edge {
            from: from.into(),
            to: to.into(),
            dev,
            manifest: "x/Cargo.toml".into(),
            line: 9,
        };
        let graph = Graph {
            members: names.collect(),
            edges: vec![edge],
        };
        check(&graph)
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    fn is_refused(from: &str, to: &str, dev: bool) -> bool {
        !found(from, to, dev).is_empty()
    }

    #[test]
    fn an_edge_outside_the_table_is_refused_with_its_reason() {
        let refused = found("protector-domain", "protector-runtime", false);
        assert_eq!(refused.len(), 1);
        assert!(
            refused.concat().contains("domain decides and knows nobody"),
            "{refused:?}"
        );
        assert!(!is_refused("protector-actors", "protector-store", false));
        assert!(is_refused("protector-http", "protector-store", false));
        assert!(is_refused("protectord", "protector-lab", false));
        assert!(is_refused("xtask", "protector-domain", true));
    }

    #[test]
    fn a_test_edge_is_not_a_product_edge() {
        assert!(!is_refused(
            "protector-actors",
            "protector-storage-drivers",
            true
        ));
        assert!(is_refused(
            "protector-actors",
            "protector-storage-drivers",
            false
        ));
    }

    #[test]
    fn the_table_has_no_circle() {
        // Rooms are listed so that each may only name rooms above it.
        for (i, room) in HOUSE.iter().enumerate() {
            for to in room.normal {
                assert!(
                    HOUSE.iter().take(i).any(|above| above.name == *to),
                    "{} -> {to}",
                    room.name
                );
            }
        }
    }

    #[test]
    fn foreign_crates_stay_where_they_belong() {
        assert!(is_refused("protector-domain", "tokio", false));
        assert!(!is_refused("protector-store", "tokio", false));
        assert!(is_refused("protector-actors", "diesel-async", false));
        assert!(!is_refused("protector-actors", "diesel-async", true));
        assert!(is_refused("protector-openstack", "reqwest", false));
        assert!(!is_refused("protector-domain", "serde", false));
    }

    #[test]
    fn an_unknown_member_is_a_finding() {
        let graph = Graph {
            members: vec![("protector-new".into(), "new/Cargo.toml".into())],
            edges: Vec::new(),
        };
        assert_eq!(check(&graph).len(), 1);
    }

    #[test]
    fn the_manifests_are_really_read() {
        let graph = read(&crate::repo::root().unwrap()).unwrap();
        let own = graph
            .edges
            .iter()
            .find(|edge| edge.from == "xtask" && edge.to == "clap")
            .unwrap();
        assert_eq!(
            (own.manifest.as_str(), own.dev),
            ("xtask/Cargo.toml", false)
        );
        assert!(own.line > 1);
    }
}
