//! Lists: names, filters, sorts, pages.

use super::*;
use serde_json::json;

fn listed(bench: &mut Bench, query: Query) -> Vec<String> {
    bench
        .volumes("A", query)
        .into_iter()
        .map(|row| row.name)
        .collect()
}

fn page_of(bench: &mut Bench, query: Query) -> Page<VolumeRow> {
    let answer = bench.ok("A", Command::VolumesGet(query));
    let Answer::Volumes(page) = answer else {
        panic!("{answer:?}")
    };
    page
}

#[test]
fn filters_say_what_they_mean() {
    let mut bench = bench();
    for (name, mib) in [("vol-a", 1), ("vol-b", 2), ("other", 3)] {
        bench.ok("A", make(&[name], mib * MIB));
    }
    bench.ok("A", volumes_bin(&["other"], true));
    let compare = |field: &str, op, value| Filter::Compare {
        field: field.to_owned(),
        op,
        value,
    };
    let cases = [
        (Filter::eq("name", "VOL*"), vec!["vol-a", "vol-b"]),
        (Filter::eq("name", "*-b"), vec!["vol-b"]),
        (Filter::eq("name", "v*l*a"), vec!["vol-a"]),
        (Filter::eq("name", "vol"), vec![]),
        (
            Filter::any_of("name", ["other", "vol-b"]),
            vec!["vol-b", "other"],
        ),
        (
            compare("provisioned", Op::Gt, json!("1048576")),
            vec!["vol-b", "other"],
        ),
        (compare("name", Op::Ne, json!("vol*")), vec!["other"]),
        (Filter::Set("destroyed".to_owned()), vec!["other"]),
        (
            Filter::Not(Box::new(Filter::Set("time_remaining".to_owned()))),
            vec!["vol-a", "vol-b"],
        ),
        (
            Filter::And(vec![
                Filter::eq("destroyed", "false"),
                Filter::eq("name", "*a"),
            ]),
            vec!["vol-a"],
        ),
        (
            Filter::Or(vec![Filter::eq("name", "other"), Filter::eq("name", "*a")]),
            vec!["vol-a", "other"],
        ),
        (
            Filter::Contains {
                field: "name".to_owned(),
                text: "OL-".to_owned(),
            },
            vec!["vol-a", "vol-b"],
        ),
    ];
    for (filter, wanted) in cases {
        assert_eq!(
            listed(&mut bench, Query::filtered(filter.clone())),
            wanted,
            "{filter:?}"
        );
    }
}

#[test]
fn names_must_each_match_in_the_asked_state() {
    let mut bench = bench();
    bench.ok("A", make(&["v1", "v2"], MIB));
    bench.ok("A", volumes_bin(&["v2"], true));
    assert_eq!(listed(&mut bench, Query::named(["v2", "v1"])).len(), 2);
    let get = |query| Command::VolumesGet(query);
    bench.refused(
        "A",
        get(Query::named(["v1", "v3"])),
        "Volume does not exist.",
    );
    bench.refused(
        "A",
        get(Query::named(["v1", "v2"]).live()),
        "has been destroyed",
    );
    bench.refused("A", get(Query::named(["v*"])), "Volume does not exist.");
}

#[test]
fn a_walk_by_token_sees_each_survivor_once_whatever_changes() {
    let mut bench = bench();
    let all: Vec<String> = (0..25).map(|n| format!("v{n}")).collect();
    let refs: Vec<&str> = all.iter().map(String::as_str).collect();
    bench.ok("A", make(&refs, MIB));
    let mut query = Query {
        limit: Some(10),
        total_item_count: true,
        ..Query::default()
    };
    let mut seen = Vec::new();
    for round in 0..4 {
        let page = page_of(&mut bench, query.clone());
        seen.extend(page.items.into_iter().map(|row| row.name));
        assert_eq!(page.continuation_token.is_some(), page.more_items_remaining);
        query.continuation_token = page.continuation_token;
        if query.continuation_token.is_none() {
            break;
        }
        // An item already seen goes, another one comes.
        bench.ok("A", volumes_bin(&[&format!("v{round}")], true));
        let names = names(&[&format!("v{round}")]);
        bench.ok("A", Command::VolumesDelete { names });
        bench.ok("A", make(&[&format!("late{round}")], MIB));
    }
    let old: Vec<&String> = seen
        .iter()
        .filter(|name| !name.starts_with("late"))
        .collect();
    assert_eq!(old, all.iter().collect::<Vec<_>>());
}

#[test]
fn sorts_walk_by_offset_and_limits_are_clipped() {
    let mut bench = bench();
    bench.ok("A", make(&["b", "C", "a"], MIB));
    let sorted = |sort, offset| Query {
        sort: vec![sort],
        offset,
        limit: Some(2),
        ..Query::default()
    };
    assert_eq!(
        listed(&mut bench, sorted(SortKey::up("name"), 0)),
        ["a", "b"]
    );
    assert_eq!(
        listed(&mut bench, sorted(SortKey::down("name"), 0)),
        ["C", "b"]
    );
    assert_eq!(listed(&mut bench, sorted(SortKey::up("name"), 2)), ["C"]);
    bench.settings("A", |settings| settings.page_max = 2);
    let page = page_of(
        &mut bench,
        Query {
            limit: Some(1_000),
            total_item_count: true,
            ..Query::default()
        },
    );
    assert_eq!((page.items.len(), page.total_item_count), (2, Some(3)));
    assert!(page.more_items_remaining);
}

#[test]
fn transfers_are_found_as_cinder_looks_for_them() {
    let mut bench = bench();
    let [v1, _] = bench.group();
    for suffix in ["s1", "s2"] {
        bench.ok("A", replicate_now(suffix));
        bench.pass(MINUTE_MS);
    }
    bench.write("A", &v1.serial, 1, 60 * MIB);
    bench.ok("A", replicate_now("s3"));
    bench.pass(SECOND_MS);
    let query = Query {
        names: names(&["A:pg"]),
        destroyed: Some(false),
        filter: Some(Filter::eq("progress", "1.0")),
        sort: vec![SortKey::down("started")],
        limit: Some(1),
        ..Query::default()
    };
    let found = bench.transfers(query);
    assert_eq!(found[0].name, "A:pg.s2");
}
