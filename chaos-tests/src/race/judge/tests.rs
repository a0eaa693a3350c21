//! The judge of races: what it accepts, and each thing that it has to see.

use super::*;
use protector_domain::sync::{Epoch, Lineage, RecordHeader, Role, Version};
use serde_json::json;

/// A group with one server, made in peace at (1,1).
struct Case {
    history: History,
    newest: Record,
}

fn at(record: &Record) -> RecordRef {
    let header = &record.header;
    RecordRef {
        epoch: header.epoch,
        version: header.version,
        digest: record.digest().unwrap(),
    }
}

fn header(epoch: u64, version: u64, kind: RecordKind, parent: Option<RecordRef>) -> RecordHeader {
    let author = if epoch % 2 == 1 {
        Role::Home
    } else {
        Role::Other
    };
    RecordHeader {
        group: "00000000-0000-7000-8000-000000000007".parse().unwrap(),
        epoch: Epoch(epoch),
        version: Version(version),
        parent,
        lineage: Lineage::default(),
        author,
        kind,
        lock: None,
        deleted: false,
    }
}

impl Case {
    fn made() -> Self {
        let body = json!({
            "name": "shop",
            "description": "",
            "status": "active",
            "members": [{ "captured": {}, "places": { "home": "x" }, "tier": 0 }],
        });
        let newest = Record {
            header: header(1, 1, RecordKind::Create, None),
            body,
            sealed: BTreeMap::new(),
        };
        let cast = Cast {
            servers: vec!["x".to_owned()],
            ..Cast::default()
        };
        let history = History {
            cast,
            records: BTreeMap::new(),
            heads: [Head::default(), Head::default()],
            kept: BTreeSet::new(),
            promised: BTreeMap::new(),
            committed: BTreeSet::new(),
            synced: BTreeSet::new(),
            given: Pair::new(1, 1),
            forced: false,
        };
        let mut case = Self { history, newest };
        case.stand();
        case
    }

    /// Both sites stand at the newest record.
    fn stand(&mut self) {
        let record = self.newest.clone();
        let head = Head {
            at: Some(at(&record)),
            synced: true,
            ..Head::default()
        };
        let leads = Head {
            leads: true,
            ..head.clone()
        };
        self.history
            .records
            .insert(record.digest().unwrap(), record);
        self.history.heads = [leads, head];
    }

    /// The next record on the newest, with these words changed. Nobody stands there yet.
    fn next(&self, epoch: u64, kind: RecordKind, change: impl FnOnce(&mut Value)) -> Record {
        let mut next = self.newest.clone();
        let version = next.header.version.0 + 1;
        next.header = header(epoch, version, kind, Some(at(&self.newest)));
        change(&mut next.body);
        next
    }

    /// A change that somebody asked for, and was told of to the end.
    fn done(mut self, want: Want, change: impl FnOnce(&mut Value)) -> Self {
        let next = self.next(1, RecordKind::Edit, change);
        let digest = next.digest().unwrap();
        self.history.promised.insert(digest.clone(), want);
        self.history.committed.insert(digest.clone());
        self.history.synced.insert(digest);
        self.newest = next;
        self.stand();
        self
    }

    fn said(&self) -> Vec<String> {
        violations(&self.history)
    }
}

fn renamed(n: u32) -> impl FnOnce(&mut Value) {
    move |body| body["name"] = json!(format!("shop-{n}"))
}

/// One line that begins so.
fn assert_one(found: &[String], begins: &str) {
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with(begins), "{found:#?}");
}

#[test]
fn what_was_asked_for_and_nothing_else_holds() {
    let case = Case::made().done(Want::Name(1), renamed(1)).done(
        Want::Tier { member: 0, tier: 9 },
        |body| {
            body["members"][0]["tier"] = json!(9);
        },
    );
    assert_eq!(case.said(), Vec::<String>::new());
}

#[test]
fn one_pair_with_two_contents_is_seen_wherever_it_was_signed() {
    let mut case = Case::made().done(Want::Name(1), renamed(1));
    let mut twin = case.newest.clone();
    renamed(2)(&mut twin.body);
    let digest = twin.digest().unwrap();
    case.history.promised.insert(digest.clone(), Want::Name(2));
    case.history.records.insert(digest, twin);
    assert_one(&case.said(), "P1: 2 (epoch 1)");
}

#[test]
fn a_change_that_takes_an_older_one_back_is_seen() {
    let case = Case::made()
        .done(Want::Name(1), renamed(1))
        .done(Want::Description(2), |body| {
            body["description"] = json!("words 2");
            // Drafted on the record before the last one.
            body["name"] = json!("shop");
        });
    let found = case.said();
    assert!(
        found[0].contains("changes /name, which nobody asked for"),
        "{found:#?}"
    );
    assert!(
        found[1].contains("in force is Some(String(\"shop\")) at /name"),
        "{found:#?}"
    );
    assert_eq!(found.len(), 2);
}

#[test]
fn what_a_courier_was_told_is_in_force_or_shown() {
    let mut case = Case::made();
    let pending = case.next(1, RecordKind::Edit, renamed(1));
    let digest = pending.digest().unwrap();
    case.history.promised.insert(digest.clone(), Want::Name(1));
    case.history.committed.insert(digest.clone());
    case.history.records.insert(digest.clone(), pending);
    case.newest = case.next(2, RecordKind::Mint, |body| {
        body["status"] = json!("failed_over")
    });
    case.stand();
    assert_one(&case.said(), "P4: 2 (epoch 1) Edit (Name(1)) was committed");

    case.history.kept.insert(digest.clone());
    assert_one(
        &case.said(),
        "P4: 2 (epoch 1) Edit (Name(1)) was left out, and nobody",
    );
    case.history.forced = true;
    assert_eq!(case.said(), Vec::<String>::new());
    case.history.synced.insert(digest);
    assert_one(
        &case.said(),
        "P3: 2 (epoch 1) Edit (Name(1)) was at both sites",
    );
}

#[test]
fn a_change_that_does_not_say_what_was_asked_for_is_seen() {
    let case = Case::made().done(Want::Name(1), renamed(3));
    let found = case.said();
    assert_eq!(found.len(), 2, "{found:#?}");
    let case = Case::made().done(Want::Leaves, |body| body["members"][0]["tier"] = json!(1));
    assert!(
        case.said()[0].contains("asked for was None"),
        "{:#?}",
        case.said()
    );
}

#[test]
fn a_move_writes_where_things_are_and_no_words_of_the_tenant() {
    let mut case = Case::made();
    case.newest = case.next(2, RecordKind::Mint, |body| {
        body["status"] = json!("failed_over");
        body["members"][0]["places"]["other"] = json!("y");
    });
    case.stand();
    assert_eq!(case.said(), Vec::<String>::new());
    let mut case = Case::made();
    case.newest = case.next(2, RecordKind::Mint, renamed(1));
    case.stand();
    assert_one(&case.said(), "S9: 2 (epoch 2) Mint changes /name");
}

#[test]
fn sites_apart_a_pending_record_and_a_record_that_is_nowhere_are_seen() {
    let mut case = Case::made().done(Want::Name(1), renamed(1));
    case.history.heads[1].synced = false;
    assert_one(&case.said(), "S9: not at rest");
    case.history.heads[1] = Head::default();
    assert!(case.said()[0].starts_with("S8: the sites hold"));
    let mut case = Case::made().done(Want::Name(1), renamed(1));
    case.history
        .records
        .retain(|_, record| record.header.version.0 == 2);
    assert_one(&case.said(), "P4: 1 (epoch 1) is nowhere");
}
