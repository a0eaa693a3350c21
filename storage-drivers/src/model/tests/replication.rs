//! Replication: what a target sees, when, and what may be recovered from.

use super::*;

#[test]
fn a_group_shows_on_the_target_after_a_while_and_must_be_allowed() {
    let mut bench = bench();
    bench.volume("A", "v1");
    bench.ok(
        "A",
        Command::GroupsPost {
            names: names(&["pg"]),
        },
    );
    bench.ok("A", members_add("pg", &["v1"]));
    bench.refused("A", replicate_now("s0"), "no targets");
    bench.refused(
        "A",
        target_add("pg", "C"),
        "Array connection does not exist.",
    );
    bench.ok("A", target_add("pg", "B"));
    bench.refused("A", target_add("pg", "B"), "already includes");
    bench.refused("B", allow("A:pg", true), "Protection group does not exist.");
    bench.pass(Settings::default().replica_delay_ms);
    bench.ok("A", replicate_now("s1"));
    bench.pass(MINUTE_MS);
    assert!(bench.transfers(Query::default()).is_empty());
    bench.ok("B", allow("A:pg", true));
    bench.ok("B", allow("A:pg", true));
    bench.pass(MINUTE_MS);
    assert_eq!(bench.transfers(Query::default())[0].progress, 1.0);
    let group = Command::GroupsPost {
        names: names(&["A:pg"]),
    };
    bench.refused("B", group, "Invalid name");
    bench.refused("B", schedule_on("A:pg"), "not local");
}

fn schedule_on(group: &str) -> Command {
    let Command::GroupsPatch { patch, .. } = schedule(true, 300_000) else {
        panic!()
    };
    Command::GroupsPatch {
        names: names(&[group]),
        patch,
    }
}

#[test]
fn a_transfer_takes_bytes_by_bandwidth_and_is_of_no_use_before_its_end() {
    let mut bench = bench();
    let [v1, _] = bench.group();
    bench.write("A", &v1.serial, 1, 8 * MIB);
    bench.ok("A", replicate_now("s1"));
    bench.pass(2 * SECOND_MS);
    let row = bench.transfers(Query::named(["A:pg.s1"])).remove(0);
    assert_eq!(
        (row.progress, row.completed, row.data_transferred),
        (0.25, None, 2 * MIB)
    );
    assert_eq!(bench.group_snapshots("B", Query::named(["A:pg"])).len(), 1);
    bench.refused(
        "B",
        copy("c", "A:pg.s1.v1", false),
        "No such volume or snapshot",
    );
    bench.pass(6 * SECOND_MS - 1);
    assert!(bench.transfers(Query::default())[0].progress < 1.0);
    bench.refused(
        "B",
        copy("c", "A:pg.s1.v1", false),
        "No such volume or snapshot",
    );
    bench.pass(1);
    let row = bench.transfers(Query::default()).remove(0);
    assert_eq!((row.progress, row.completed), (1.0, Some(bench.now_ms)));
    bench.ok("B", copy("c", "A:pg.s1.v1", false));
    assert_eq!(
        bench.world.ground_truth().volume("B", "c").unwrap().counter,
        1
    );
}

#[test]
fn the_second_transfer_carries_only_what_changed() {
    let mut bench = bench();
    let [v1, v2] = bench.group();
    bench.write("A", &v1.serial, 1, 20 * MIB);
    bench.write("A", &v2.serial, 2, 20 * MIB);
    bench.ok("A", replicate_now("s1"));
    bench.pass(40 * SECOND_MS);
    bench.write("A", &v2.serial, 3, 3 * MIB);
    bench.ok("A", replicate_now("s2"));
    bench.pass(MINUTE_MS);
    let rows = bench.transfers(Query::default());
    assert_eq!(
        [rows[0].data_transferred, rows[1].data_transferred],
        [40 * MIB, 3 * MIB]
    );
}

#[test]
fn all_members_are_frozen_at_one_moment() {
    let mut bench = bench();
    let [v1, v2] = bench.group();
    bench.write("A", &v1.serial, 1, MIB);
    bench.write("A", &v2.serial, 2, MIB);
    bench.ok("A", replicate_now("s1"));
    bench.write("A", &v1.serial, 3, MIB);
    bench.write("A", &v2.serial, 4, MIB);
    bench.pass(MINUTE_MS);
    let truth = bench.world.ground_truth();
    let replica = truth.group_snapshot("B", "A:pg.s1").unwrap();
    let counters: Vec<u64> = replica.parts.iter().map(|part| part.counter).collect();
    assert_eq!(counters, [1, 2]);
    let source = truth.group_snapshot("A", "pg.s1").unwrap();
    assert_eq!(replica.parts[0].hash, source.parts[0].hash);
}

#[test]
fn a_cut_link_stalls_the_transfer_and_it_goes_on_afterwards() {
    let mut bench = bench();
    let [v1, _] = bench.group();
    bench.write("A", &v1.serial, 1, 10 * MIB);
    bench.ok("A", replicate_now("s1"));
    bench.pass(5 * SECOND_MS);
    let link = |state| Control::LinkState {
        a: "A".to_owned(),
        b: "B".to_owned(),
        state,
    };
    bench.control(link(LinkState::Cut));
    bench.pass(60 * MINUTE_MS);
    assert_eq!(bench.transfers(Query::default())[0].progress, 0.5);
    let Answer::ArrayConnections(page) =
        bench.ok("B", Command::ArrayConnectionsGet(Query::default()))
    else {
        panic!()
    };
    assert_eq!(
        (page.items[0].name.as_str(), page.items[0].status.as_str()),
        ("A", "connecting")
    );
    bench.control(link(LinkState::Connected));
    bench.pass(5 * SECOND_MS);
    assert_eq!(bench.transfers(Query::default())[0].progress, 1.0);
}

#[test]
fn a_dead_source_answers_nobody_and_leaves_the_target_what_it_has() {
    let mut bench = bench();
    let [v1, _] = bench.group();
    bench.write("A", &v1.serial, 1, 10 * MIB);
    bench.ok("A", replicate_now("s1"));
    bench.pass(10 * SECOND_MS);
    bench.write("A", &v1.serial, 2, 10 * MIB);
    bench.ok("A", replicate_now("s2"));
    bench.pass(SECOND_MS);
    bench.control(Control::ArrayState {
        array: "A".to_owned(),
        state: ArrayState::Offline,
    });
    bench.pass(MINUTE_MS);
    assert_eq!(
        bench.call("A", Command::ArraysGet),
        Err(ArrayError::Unreachable)
    );
    let progress: Vec<f64> = bench
        .transfers(Query::default())
        .iter()
        .map(|t| t.progress)
        .collect();
    assert_eq!(progress, [1.0, 0.1]);
    bench.ok("B", copy("c", "A:pg.s1.v1", false));
    bench.refused(
        "B",
        copy("d", "A:pg.s2.v1", false),
        "No such volume or snapshot",
    );
}

#[test]
fn the_schedule_runs_at_its_interval_and_a_missed_run_happens_once() {
    let mut bench = bench();
    bench.group();
    bench.refused("A", schedule(true, 60_000), "Invalid frequency");
    bench.ok("A", schedule(true, 300_000));
    bench.pass(10 * MINUTE_MS);
    assert_eq!(bench.transfers(Query::default()).len(), 3);
    let power = |state| Control::ArrayState {
        array: "A".to_owned(),
        state,
    };
    bench.control(power(ArrayState::Offline));
    bench.pass(60 * MINUTE_MS);
    bench.control(power(ArrayState::Online));
    bench.pass(MINUTE_MS);
    assert_eq!(bench.transfers(Query::default()).len(), 4);
    bench.pass(4 * MINUTE_MS);
    assert_eq!(bench.transfers(Query::default()).len(), 5);
}

#[test]
fn a_daily_schedule_keeps_to_its_hour() {
    let mut bench = bench();
    bench.group();
    let daily = GroupPatch {
        replication_schedule: SchedulePatch {
            enabled: Some(true),
            frequency_ms: Some(86_400_000),
            at_s: Some(7_200),
        },
        ..GroupPatch::default()
    };
    let names = names(&["pg"]);
    bench.ok(
        "A",
        Command::GroupsPatch {
            names,
            patch: daily,
        },
    );
    bench.pass(3 * 86_400_000);
    let created: Vec<i64> = bench
        .group_snapshots("A", Query::named(["pg"]).live())
        .iter()
        .map(|row| (row.created - START_MS) % 86_400_000)
        .collect();
    assert!(
        !created.is_empty() && created.iter().all(|at| *at == 7_200_000),
        "{created:?}"
    );
}

#[test]
fn patches_merge_into_nested_bodies() {
    let mut bench = bench();
    bench.group();
    bench.ok("A", schedule(false, 900_000));
    let enable = GroupPatch {
        replication_schedule: SchedulePatch {
            enabled: Some(true),
            ..SchedulePatch::default()
        },
        ..GroupPatch::default()
    };
    let names = names(&["pg"]);
    let answer = bench.ok(
        "A",
        Command::GroupsPatch {
            names,
            patch: enable,
        },
    );
    let Answer::Groups(page) = answer else {
        panic!()
    };
    let schedule = page.items[0].replication_schedule;
    assert_eq!((schedule.enabled, schedule.frequency_ms), (true, 900_000));
}

#[test]
fn replicate_now_passes_other_groups_but_keeps_the_order_of_its_own() {
    let mut bench = bench();
    let [v1, v2] = bench.group();
    let big = bench.volume("A", "big");
    bench.ok(
        "A",
        Command::GroupsPost {
            names: names(&["other"]),
        },
    );
    bench.ok("A", members_add("other", &["big"]));
    bench.ok("A", target_add("other", "B"));
    bench.pass(5 * SECOND_MS);
    bench.ok("B", allow("A:other", true));
    bench.write("A", &big.serial, 1, 60 * MIB);
    bench.write("A", &v1.serial, 2, 5 * MIB);
    bench.write("A", &v2.serial, 3, 5 * MIB);
    let queued = |group: &str, suffix: &str| Command::GroupSnapshotsPost {
        source_names: names(&[group]),
        body: GroupSnapshotBody {
            suffix: Some(suffix.to_owned()),
            replicate: true,
            ..GroupSnapshotBody::default()
        },
    };
    bench.ok("A", queued("other", "slow"));
    bench.ok("A", queued("pg", "first"));
    bench.pass(SECOND_MS);
    bench.ok("A", replicate_now("second"));
    bench.pass(10 * SECOND_MS);
    let rows = bench.transfers(Query::default());
    let seen: Vec<(&str, bool)> = rows
        .iter()
        .map(|t| (t.name.as_str(), t.progress == 1.0))
        .collect();
    assert_eq!(
        seen,
        [
            ("A:other.slow", false),
            ("A:pg.first", true),
            ("A:pg.second", true)
        ]
    );
}

#[test]
fn a_wrong_clock_shows_in_dates_and_nowhere_else() {
    let mut bench = bench();
    bench.group();
    bench.ok("A", replicate_now("s1"));
    bench.settings("A", |settings| settings.clock_skew_ms = -3_600_000);
    bench.pass(SECOND_MS);
    bench.ok("A", replicate_now("s2"));
    bench.pass(MINUTE_MS);
    let rows = bench.group_snapshots("B", Query::named(["A:pg"]));
    assert!(rows[1].created < rows[0].created);
    assert_eq!(
        (rows[0].suffix.as_str(), rows[1].suffix.as_str()),
        ("s1", "s2")
    );
    let truth = bench.world.ground_truth();
    let taken = |name| truth.group_snapshot("B", name).unwrap().taken_ms;
    assert!(taken("A:pg.s2") > taken("A:pg.s1"));
}

#[test]
fn a_snapshot_destroyed_on_the_way_leaves_half_a_replica() {
    let mut bench = bench();
    let [v1, _] = bench.group();
    bench.write("A", &v1.serial, 1, 10 * MIB);
    bench.ok("A", replicate_now("s1"));
    bench.pass(5 * SECOND_MS);
    let names = names(&["pg.s1"]);
    bench.ok(
        "A",
        Command::GroupSnapshotsPatch {
            names,
            destroyed: true,
        },
    );
    bench.pass(MINUTE_MS);
    assert_eq!(bench.transfers(Query::default())[0].progress, 0.5);
    assert_eq!(bench.world.ground_truth().transfers_open, 0);
    bench.ok("A", replicate_now("s2"));
    bench.pass(MINUTE_MS);
    assert_eq!(bench.transfers(Query::default())[1].progress, 1.0);
}
