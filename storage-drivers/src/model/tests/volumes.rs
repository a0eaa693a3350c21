//! Volumes: identity, copies, overwrites, sizes, tags.

use super::*;

fn tag(key: &str, value: &str, copyable: bool) -> Tag {
    Tag {
        key: key.to_owned(),
        value: value.to_owned(),
        namespace: DEFAULT_NAMESPACE.to_owned(),
        copyable,
    }
}

#[test]
fn a_rename_keeps_the_serial_and_renames_snapshots() {
    let mut bench = bench();
    let [v1, _] = bench.group();
    bench.ok("A", replicate_now("s1"));
    bench.ok("A", rename("v1", "other"));
    let filter = Filter::any_of("serial", [&v1.serial]);
    assert_eq!(bench.volumes("A", Query::filtered(filter))[0].name, "other");
    bench.ok("A", copy("c", "pg.s1.other", false));
    bench.refused(
        "A",
        copy("d", "pg.s1.v1", false),
        "No such volume or snapshot",
    );
}

#[test]
fn a_replica_keeps_the_name_of_the_moment_it_was_taken() {
    let mut bench = bench();
    let [v1, _] = bench.group();
    bench.write("A", &v1.serial, 1, 4 * MIB);
    bench.ok("A", replicate_now("s1"));
    bench.pass(SECOND_MS);
    bench.ok("A", rename("v1", "other"));
    bench.pass(MINUTE_MS);
    bench.ok("B", copy("c", "A:pg.s1.v1", false));
}

#[test]
fn an_overwrite_keeps_identity_and_takes_contents() {
    let mut bench = bench();
    let (old, new) = (bench.volume("A", "old"), bench.volume("A", "new"));
    bench.write("A", &new.serial, 5, MIB);
    bench.refused("A", copy("old", "new", false), "already exists");
    bench.ok("A", copy("old", "new", true));
    let truth = bench.world.ground_truth();
    let (old_now, new_now) = (
        truth.volume("A", "old").unwrap(),
        truth.volume("A", "new").unwrap(),
    );
    assert_eq!(old_now.serial, old.serial);
    assert_eq!((old_now.counter, &old_now.hash), (5, &new_now.hash));
    bench.ok("A", copy("fresh", "new", true));
}

#[test]
fn a_copy_is_frozen_at_its_moment() {
    let mut bench = bench();
    let v1 = bench.volume("A", "v1");
    bench.write("A", &v1.serial, 1, MIB);
    bench.ok("A", copy("c", "v1", false));
    bench.write("A", &v1.serial, 2, MIB);
    let truth = bench.world.ground_truth();
    assert_eq!(truth.volume("A", "c").unwrap().counter, 1);
    assert_ne!(
        truth.volume("A", "c").unwrap().hash,
        truth.volume("A", "v1").unwrap().hash
    );
}

#[test]
fn sizes_are_raised_checked_and_not_shrunk_by_accident() {
    let mut bench = bench();
    bench.refused("A", make(&["v1"], 1_000), "Invalid size");
    bench.ok("A", make(&["v1"], 512));
    assert_eq!(bench.volumes("A", Query::named(["v1"]))[0].provisioned, MIB);
    let resize = |bytes, truncate| Command::VolumesPatch {
        names: names(&["v1"]),
        patch: VolumePatch {
            provisioned: Some(bytes),
            truncate,
            ..VolumePatch::default()
        },
    };
    bench.ok("A", resize(4 * MIB, false));
    bench.refused("A", resize(2 * MIB, false), "truncate");
    bench.ok("A", resize(2 * MIB, true));
}

#[test]
fn only_copyable_tags_follow_a_copy() {
    let mut bench = bench();
    bench.volume("A", "v1");
    let put = Command::TagsPut {
        resource_names: names(&["v1"]),
        tags: vec![tag("mine", "1", false), tag("theirs", "1", true)],
    };
    bench.ok("A", put);
    bench.ok(
        "A",
        Command::TagsPut {
            resource_names: names(&["v1"]),
            tags: vec![tag("mine", "2", false)],
        },
    );
    bench.ok("A", copy("c", "v1", false));
    let truth = bench.world.ground_truth();
    assert_eq!(
        truth.volume("A", "c").unwrap().tags,
        vec![tag("theirs", "1", true)]
    );
    let tagged = |value: &str| {
        Query::filtered(Filter::Tags {
            key: "mine".to_owned(),
            value: value.to_owned(),
        })
    };
    assert!(bench.volumes("A", tagged("1")).is_empty());
    assert_eq!(bench.volumes("A", tagged("2"))[0].name, "v1");
}

#[test]
fn one_bad_name_refuses_the_whole_call_with_every_reason() {
    let mut bench = bench();
    bench.volume("A", "v1");
    let before = bench.json();
    let command = Command::VolumesBatchPost {
        items: vec![
            VolumeItem::copy("c1", "v1"),
            VolumeItem::copy("c2", "nowhere"),
            VolumeItem::copy("v1", "v1"),
            VolumeItem::copy("c1", "v1"),
        ],
        overwrite: false,
    };
    let ArrayError::Refused(items) = bench.call("A", command).unwrap_err() else {
        panic!()
    };
    let contexts: Vec<&str> = items.iter().map(|item| item.context.as_str()).collect();
    assert_eq!(contexts, ["nowhere", "v1", "c1"]);
    assert_eq!(bench.json(), before);
}

#[test]
fn an_empty_list_of_members_never_means_all() {
    let mut bench = bench();
    bench.group();
    let remove = |members: &[&str]| Command::GroupMembersDelete {
        group_names: names(&["pg"]),
        member_names: names(members),
    };
    assert!(bench.call("A", remove(&[])).is_err());
    bench.ok("A", members_add("pg", &["v1"]));
    assert_eq!(
        bench.world.ground_truth().arrays["A"].groups[0]
            .member_serials
            .len(),
        2
    );
    bench.ok("A", remove(&["v1"]));
    bench.refused("A", remove(&["v1"]), "could not be found");
}
