//! Retention on source and target.

use super::*;

const HOUR_MS: i64 = 60 * MINUTE_MS;

fn retain(source_s: i64, target_s: i64, days: i64, per_day: i64) -> Command {
    let patch = |all_for_s| RetentionPatch {
        all_for_s: Some(all_for_s),
        days: Some(days),
        per_day: Some(per_day),
    };
    Command::GroupsPatch {
        names: names(&["pg"]),
        patch: GroupPatch {
            source_retention: patch(source_s),
            target_retention: patch(target_s),
            ..GroupPatch::default()
        },
    }
}

fn live(bench: &mut Bench, array: &str, group: &str) -> usize {
    bench
        .group_snapshots(array, Query::named([group]).live())
        .len()
}

#[test]
fn each_side_keeps_by_its_own_retention() {
    let mut bench = bench();
    bench.group();
    bench.ok("A", retain(3_600, 2 * 3_600, 0, 0));
    bench.ok("A", schedule(true, 600_000));
    bench.pass(6 * HOUR_MS);
    assert_eq!(live(&mut bench, "A", "pg"), 6);
    assert_eq!(live(&mut bench, "B", "A:pg"), 12);
}

#[test]
fn an_expired_point_is_in_the_bin_and_cannot_be_copied() {
    let mut bench = bench();
    bench.group();
    bench.ok("A", retain(3_600, 3_600, 0, 0));
    bench.ok("A", replicate_now("s1"));
    bench.pass(HOUR_MS - 1);
    bench.ok("B", copy("c", "A:pg.s1.v1", false));
    bench.pass(1);
    bench.refused("B", copy("d", "A:pg.s1.v1", false), "has been destroyed");
    bench.pass(Settings::default().eradication_delay_ms);
    bench.refused(
        "B",
        copy("d", "A:pg.s1.v1", false),
        "No such volume or snapshot",
    );
}

#[test]
fn a_few_of_each_day_stay_longer() {
    let mut bench = bench();
    bench.group();
    bench.ok("A", retain(3_600, 3_600, 2, 3));
    bench.ok("A", schedule(true, 3_600_000));
    bench.pass(24 * HOUR_MS);
    bench.ok("A", schedule(false, 3_600_000));
    bench.pass(2 * HOUR_MS);
    assert_eq!(
        live(&mut bench, "A", "pg"),
        4,
        "three of the first day, one of the next"
    );
    bench.pass(48 * HOUR_MS);
    assert_eq!(live(&mut bench, "A", "pg"), 0);
}

#[test]
fn without_apply_retention_a_snapshot_stays() {
    let mut bench = bench();
    bench.group();
    bench.ok("A", retain(60, 60, 0, 0));
    let body = GroupSnapshotBody {
        suffix: Some("keep".to_owned()),
        replicate: true,
        ..GroupSnapshotBody::default()
    };
    let source_names = names(&["pg"]);
    bench.ok("A", Command::GroupSnapshotsPost { source_names, body });
    bench.pass(400 * 24 * HOUR_MS);
    assert_eq!(live(&mut bench, "B", "A:pg"), 1);
}

/// `D3`: the array's clock jumps by a year, ahead and back.
#[test]
fn a_jumping_clock_expires_nothing() {
    let mut bench = bench();
    bench.group();
    bench.ok("A", replicate_now("s1"));
    bench.pass(MINUTE_MS);
    for skew_ms in [365 * 24 * HOUR_MS, -365 * 24 * HOUR_MS] {
        for array in ["A", "B"] {
            bench.settings(array, |settings| settings.clock_skew_ms = skew_ms);
        }
        let suffix = if skew_ms > 0 { "ahead" } else { "behind" };
        bench.ok("A", replicate_now(suffix));
        bench.pass(MINUTE_MS);
    }
    assert_eq!(live(&mut bench, "A", "pg"), 3);
    assert_eq!(live(&mut bench, "B", "A:pg"), 3);
}
