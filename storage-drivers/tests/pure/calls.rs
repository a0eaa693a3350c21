//! Lists, refusals, lost answers: what is concluded from what comes back.

use protector_domain::ids::{PointSuffix, Serial};
use protector_domain::ports::{ErrorKind, StorageDriver};
use serde_json::{Value, json};

use crate::world::{Reply, START_MS, Seen, World, items, refusal, spec, volume};

#[tokio::test(start_paused = true)]
async fn a_list_is_read_to_its_end() {
    let world = World::new(|seen| match seen.path.as_str() {
        path if path.contains("continuation_token=two%3D") => items(json!([volume("dr-2", "S2")])),
        path if path.starts_with("/volumes") => Reply::Json(
            200,
            json!({
            "items": [volume("dr-1", "S1")], "more_items_remaining": true,
            "continuation_token": "two="}),
        ),
        _ => Reply::Usual,
    });
    let found = world
        .driver()
        .find_by_key(&"id-a".into(), "dr-")
        .await
        .unwrap();
    assert_eq!(found.len(), 2);
    let asked = "a GET /volumes?filter=name%3D%27dr-%2A%27&destroyed=false";
    assert_eq!(
        world.lines(),
        [
            asked.to_owned(),
            format!("{asked}&continuation_token=two%3D")
        ]
    );
}

/// B14: a list that goes round, or promises more and does not say where, is no list.
#[tokio::test(start_paused = true)]
async fn a_list_without_an_end_is_never_taken_for_a_whole_one() {
    for token in [json!("same"), Value::Null] {
        let world = World::new(move |seen| match seen.is("GET /volumes") {
            true => Reply::Json(
                200,
                json!({"items": [volume("dr-1", "S1")],
                "more_items_remaining": true, "continuation_token": token}),
            ),
            false => Reply::Usual,
        });
        let error = world
            .driver()
            .find_by_key(&"id-a".into(), "dr-")
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unknown);
        assert!(world.calls().len() <= 2);
    }
}

/// Arrays match looser than they are asked: what only looks alike is never touched.
#[tokio::test(start_paused = true)]
async fn every_hit_is_checked_again() {
    let world = World::new(|seen| match seen.is("GET /volumes") {
        true => items(json!([
            volume("dr-1", "S1"),
            volume("xdr-1", "S2"),
            volume("DR-1", "S3")
        ])),
        false if seen.is("PATCH /volumes?names=dr-1") => items(json!([])),
        false => Reply::Usual,
    });
    let driver = world.driver();
    let found = driver.find_by_key(&"id-a".into(), "dr-").await.unwrap();
    assert_eq!(
        found.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(),
        ["dr-1"]
    );
    let serial = Serial("S2".to_owned());
    let one = driver
        .volume_by_serial(&"id-a".into(), &serial)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(one.name, "xdr-1");
    let (other, ours) = ([Serial("s1".to_owned())], ["dr-".to_owned()]);
    let left = driver.release(&"id-a".into(), &other, &ours).await.unwrap();
    assert!(left.is_empty());
    assert!(world.writes().is_empty(), "{:?}", world.writes());
}

/// Values of others stand inside quotes and stay there.
#[tokio::test(start_paused = true)]
async fn a_chosen_name_cannot_leave_its_quotes() {
    let world = World::new(|seen| {
        if seen.is("GET /volumes") {
            items(json!([]))
        } else {
            Reply::Usual
        }
    });
    let evil = "x' or name='*&destroyed=true#";
    world
        .driver()
        .locate(&"id-a".into(), &evil.into())
        .await
        .unwrap();
    let asked = world.lines().remove(0);
    assert!(
        asked.ends_with("%5C%27%2A%26destroyed%3Dtrue%23-cinder%27"),
        "{asked}"
    );
    assert!(!asked.contains('&') && !asked.contains('#'), "{asked}");
}

/// The same answer to a question and to a change.
#[tokio::test(start_paused = true)]
async fn what_a_lost_or_refused_change_means() {
    let busy = |retry_after_ms| ErrorKind::Busy { retry_after_ms };
    type Case = (fn() -> Reply, ErrorKind);
    let cases: [Case; 9] = [
        (|| Reply::NotSent, ErrorKind::Unreachable),
        (|| Reply::Broken, ErrorKind::Unknown),
        (|| Reply::Raw(500, "boom"), ErrorKind::Unknown),
        (|| Reply::Raw(502, "<html>"), ErrorKind::Unknown),
        (|| Reply::Raw(207, "{}"), ErrorKind::Unknown),
        (|| Reply::Raw(404, ""), ErrorKind::Refused),
        (|| Reply::Header(503, "retry-after", "2"), busy(Some(2_000))),
        (
            || Reply::Json(500, json!({"errors": [{"message": "Server is busy"}]})),
            busy(None),
        ),
        (
            || refusal("Protection group snapshot limit reached.", "pg"),
            ErrorKind::Refused,
        ),
    ];
    for (reply, expected) in cases {
        let world = World::new(
            move |seen| match seen.is("POST /protection-group-snapshots") {
                true => reply(),
                false => Reply::Usual,
            },
        );
        let error = world
            .driver()
            .snapshot_now(&spec(), &PointSuffix("p1".to_owned()))
            .await
            .unwrap_err();
        assert_eq!(error.kind, expected, "{error}");
        assert_eq!(world.writes().len(), 1, "never sent again by itself");
    }
}

/// B4: a repeated POST finds its own effect.
#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_there_is_the_one_that_was_asked_for() {
    let world = World::new(|seen| match seen.is("POST /protection-group-snapshots") {
        true => refusal("Protection group snapshot already exists.", "pg.p1"),
        false => Reply::Usual,
    });
    world
        .driver()
        .snapshot_now(&spec(), &PointSuffix("p1".to_owned()))
        .await
        .unwrap();
    assert_eq!(
        world.writes(),
        [
            "a POST /protection-group-snapshots?source_names=pg&replicate_now=true&apply_retention=true"
        ]
    );
    assert_eq!(world.calls().last().unwrap().body, json!({"suffix": "p1"}));
}

fn replica(seen: &Seen) -> Reply {
    let row = |suffix: &str, age_s: i64, progress: f64, completed: Option<i64>| {
        let created = START_MS - age_s * 1_000;
        (
            json!({"name": format!("A:pg.{suffix}"), "started": created, "completed": completed,
                "progress": progress, "destroyed": false}),
            json!({"name": format!("A:pg.{suffix}"), "suffix": suffix, "created": created,
                "destroyed": false, "source": {"name": "A:pg"}}),
        )
    };
    let rows = [
        row("whole", 600, 1.0, Some(START_MS - 500_000)),
        row("no-date", 300, 1.0, None),
        row("no-end", 200, 0.999, Some(START_MS)),
        row("begun", 100, 0.0, None),
    ];
    match seen.path.as_str() {
        path if path.starts_with("/protection-group-snapshots/transfer") => {
            items(rows.iter().map(|r| r.0.clone()).collect())
        }
        path if path.starts_with("/protection-group-snapshots") => {
            items(rows.iter().map(|r| r.1.clone()).collect())
        }
        _ => Reply::Usual,
    }
}

/// F1, D1, L3: complete by both signs or not at all; ages by the array's `Date`, never too young;
/// the source is not asked.
#[tokio::test(start_paused = true)]
async fn points_are_judged_at_the_target_alone() {
    let world = World::new(replica);
    let points = world.driver().recovery_points(&spec()).await.unwrap();
    let seen: Vec<_> = points
        .iter()
        .map(|p| (p.suffix.as_str(), p.completed_ms.is_some(), p.age_s))
        .collect();
    assert_eq!(
        seen,
        [
            ("begun", false, Some(101)),
            ("no-end", false, Some(201)),
            ("no-date", false, Some(301)),
            ("whole", true, Some(601))
        ]
    );
    assert!(world.seen().iter().all(|s| s.host == "b"));
}

/// REST below 2.54 has no status, and some versions name members without ids.
#[tokio::test(start_paused = true)]
async fn health_is_read_from_old_answers_too() {
    for (link, status, expected) in [
        ("connected", Value::Null, true),
        ("connecting", Value::Null, false),
        ("connecting", json!("replicating"), true),
        ("connected", json!("suspended"), false),
    ] {
        let world = World::new(move |seen| match seen.path.as_str() {
            "/array-connections" => {
                items(json!([{"status": link, "remote": {"name": "A", "id": "id-a"}}]))
            }
            path if path.starts_with("/protection-groups/targets") => {
                items(json!([{"member": {"name": "B"}, "allowed": true, "status": status}]))
            }
            path if path.starts_with("/protection-groups/volumes") => {
                items(json!([{"member": {"name": "v1"}}]))
            }
            path if path.starts_with("/protection-groups?") => items(json!([{"name": "A:pg",
                "destroyed": false, "volume_count": 1, "target_count": 1,
                "replication_schedule": {"enabled": true, "frequency": 900_000}}])),
            path if path.starts_with("/volumes?") => {
                items(json!([volume("v1", "S1"), volume("v2", "S2")]))
            }
            _ => replica(seen),
        });
        let health = world.driver().health(&spec()).await.unwrap();
        assert_eq!(health.replicating, expected, "{link}");
        assert_eq!(health.member_serials, Some(vec![Serial("S1".to_owned())]));
        assert_eq!(health.newest_complete.unwrap().suffix.as_str(), "whole");
    }
}
