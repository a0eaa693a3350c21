//! The way back, as far as only the mock driver promises it: races that need the model to look
//! at, and sizes beyond one page.

use protector_domain::ids::Serial;
use protector_domain::ports::ErrorKind;
use protector_domain::ports::storage::OverwriteAsk;

use super::{MockFixture, in_memory, spec};
use crate::conformance::{Fixture, Side};
use crate::model::{Command, Control, GroupPatch, SnapshotPatch, VolumeItem};

const SIZE: u64 = 1 << 20;

/// A group of `count` volumes with a point `p`, and as many guarded targets `h0`, `h1`, ..
async fn home(fixture: &MockFixture, count: usize) -> Vec<OverwriteAsk> {
    let (driver, spec) = (fixture.driver(), spec(fixture));
    let (mut members, mut targets): (Vec<Serial>, Vec<Serial>) = (Vec::new(), Vec::new());
    for number in 0..count {
        let member = format!("v{number}");
        members.push(fixture.volume_make(Side::Source, &member, SIZE).await);
        let target = format!("h{number}");
        targets.push(fixture.volume_make(Side::Target, &target, SIZE).await);
    }
    for (counter, serial) in (1..).zip(&members) {
        fixture.write(Side::Source, serial, counter, 512).await;
    }
    driver.ensure_group(&spec, false).await.unwrap();
    driver.set_members(&spec, &members).await.unwrap();
    driver.snapshot_now(&spec, &"p".into()).await.unwrap();
    driver
        .safety_snapshot(&spec.target, &targets, &"guard".into())
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let ask = |(number, target): (usize, &Serial)| OverwriteAsk {
        source_name: format!("v{number}"),
        target: target.clone(),
    };
    targets.iter().enumerate().map(ask).collect()
}

fn snapshot_destroy(whole: &str) -> Command {
    Command::VolumeSnapshotsPatch {
        names: vec![whole.to_owned()],
        patch: SnapshotPatch {
            destroyed: Some(true),
            ..SnapshotPatch::default()
        },
    }
}

fn counters(fixture: &MockFixture, asks: &[OverwriteAsk]) -> Vec<u64> {
    let truth = fixture.world.look();
    let counter = |ask: &OverwriteAsk| {
        let volumes = &truth.arrays["B"].volumes;
        volumes
            .iter()
            .find(|v| v.serial == ask.target.0)
            .unwrap()
            .counter
    };
    asks.iter().map(counter).collect()
}

/// An array overwrites by name. When somebody else's volume took the name since the look, it is
/// hit, and the driver must say so instead of calling it done; it never destroys that volume.
#[tokio::test(start_paused = true)]
async fn a_foreign_volume_under_the_old_name_is_reported() {
    let fixture = in_memory().await;
    fixture.volume_make(Side::Target, "foreign", SIZE).await;
    let asks = home(&fixture, 2).await;
    fixture.rival_rename("h0", "moved");
    fixture.rival_rename("foreign", "h0");
    let (driver, spec) = (fixture.driver(), spec(&fixture));
    let (p, guard) = ("p".into(), "guard".into());
    let done = driver.overwrite_from_point(&spec, &p, &asks, &guard).await;
    let error = done.unwrap_err();
    let truth = fixture.world.look();
    let hit = truth.volume("B", "h0").unwrap();
    assert_eq!(error.kind, ErrorKind::Unknown);
    assert!(error.what.contains(&hit.serial), "{error}");
    assert_eq!(counters(&fixture, &asks), [0, 2]);
    driver
        .overwrite_from_point(&spec, &p, &asks, &guard)
        .await
        .unwrap();
    assert_eq!(counters(&fixture, &asks), [1, 2]);
}

/// When the second look finds that a guard went meanwhile, the first call has changed the fellows
/// already: that is not a refusal with which nothing happened.
#[tokio::test(start_paused = true)]
async fn half_an_overwrite_is_never_called_a_refusal() {
    let fixture = in_memory().await;
    let asks = home(&fixture, 2).await;
    fixture.rival_rename("h0", "moved");
    let deed = snapshot_destroy("moved.guard");
    fixture.rival.lock().unwrap().push(deed);
    let (driver, spec) = (fixture.driver(), spec(&fixture));
    let done = driver
        .overwrite_from_point(&spec, &"p".into(), &asks, &"guard".into())
        .await;
    assert_eq!(done.unwrap_err().kind, ErrorKind::Unknown);
    assert_eq!(counters(&fixture, &asks), [0, 2]);
    let truth = fixture.world.look();
    assert!(truth.volume("B", "h0").is_none(), "no stray stays");
}

/// More volumes than fit into one page and one call's names.
#[tokio::test(start_paused = true)]
async fn large_groups_come_back() {
    const VOLUMES: usize = 130;
    let fixture = in_memory().await;
    fixture.settings(Side::Target, |settings| settings.page_max = 7);
    let asks = home(&fixture, VOLUMES).await;
    let targets: Vec<Serial> = asks.iter().map(|ask| ask.target.clone()).collect();
    let (driver, spec, guard) = (fixture.driver(), spec(&fixture), "guard".into());
    driver
        .overwrite_from_point(&spec, &"p".into(), &asks, &guard)
        .await
        .unwrap();
    let wanted: Vec<u64> = (1..).take(VOLUMES).collect();
    assert_eq!(counters(&fixture, &asks), wanted);
    driver
        .restore_safety(&spec.target, &targets, &guard)
        .await
        .unwrap();
    assert_eq!(counters(&fixture, &asks), [0; VOLUMES]);
    driver
        .release_safety(&spec.target, &targets, &guard)
        .await
        .unwrap();
    let truth = fixture.world.look();
    assert!(
        truth.arrays["B"]
            .volume_snapshots
            .iter()
            .all(|s| s.destroyed)
    );
}

/// `C6`: a group of that name which somebody else sends to the same array, with keeping times of
/// his own; and one that goes to yet another array, whose points would be cut off there.
#[tokio::test(start_paused = true)]
async fn a_group_that_is_not_as_we_make_them_is_not_retired() {
    let fixture = in_memory().await;
    let (driver, spec) = (fixture.driver(), spec(&fixture));
    fixture.group_make(spec.name.as_str()).await;
    let command = Command::GroupTargetsPost {
        group_names: vec![spec.name.0.clone()],
        member_names: vec!["B".to_owned()],
    };
    fixture.array_call(Side::Source, command).await;
    let refused = driver.retire_group(&spec).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Refused);
    assert!(!fixture.world.look().arrays["A"].groups[0].destroyed);
    driver.ensure_group(&spec, true).await.unwrap();
    let name = || "C".to_owned();
    fixture.world.turn(Control::ArrayAdd { name: name() });
    fixture.world.turn(Control::LinkAdd {
        a: "A".to_owned(),
        b: name(),
        bandwidth_bytes_per_s: 1,
    });
    let elsewhere = Command::GroupTargetsPost {
        group_names: vec![spec.name.0.clone()],
        member_names: vec![name()],
    };
    fixture.array_call(Side::Source, elsewhere).await;
    for gone in ["B", "C"] {
        let refused = driver.retire_group(&spec).await;
        assert_eq!(refused.unwrap_err().kind, ErrorKind::Refused);
        let command = Command::GroupTargetsDelete {
            group_names: vec![spec.name.0.clone()],
            member_names: vec![gone.to_owned()],
        };
        fixture.array_call(Side::Source, command).await;
    }
    let nowhere = driver.retire_group(&spec).await;
    assert_eq!(nowhere.unwrap_err().kind, ErrorKind::Refused);
    driver.ensure_group(&spec, true).await.unwrap();
    driver.retire_group(&spec).await.unwrap();
    assert!(fixture.world.look().arrays["A"].groups[0].destroyed);
}

/// Somebody destroyed the group while it replicated; taken out of the bin it must stand still.
#[tokio::test(start_paused = true)]
async fn a_group_out_of_the_bin_stands_still() {
    let fixture = in_memory().await;
    home(&fixture, 1).await;
    let (driver, spec) = (fixture.driver(), spec(&fixture));
    driver.set_replication(&spec, true).await.unwrap();
    let destroy = Command::GroupsPatch {
        names: vec![spec.name.0.clone()],
        patch: GroupPatch {
            destroyed: Some(true),
            ..GroupPatch::default()
        },
    };
    fixture.array_call(Side::Source, destroy).await;
    driver.ensure_group(&spec, true).await.unwrap();
    let truth = fixture.world.look();
    let group = &truth.arrays["A"].groups[0];
    assert!(!group.destroyed && !group.replicates);
}

/// The array refuses the whole call when somebody else destroyed one of the snapshots meanwhile;
/// its fellows must go all the same.
#[tokio::test(start_paused = true)]
async fn a_snapshot_gone_meanwhile_keeps_no_other() {
    let fixture = in_memory().await;
    let asks = home(&fixture, 3).await;
    let deed = snapshot_destroy("h1.guard");
    fixture.rival.lock().unwrap().push(deed);
    let serials: Vec<Serial> = asks.iter().map(|ask| ask.target.clone()).collect();
    let (driver, target) = (fixture.driver(), spec(&fixture).target);
    driver
        .release_safety(&target, &serials, &"guard".into())
        .await
        .unwrap();
    let truth = fixture.world.look();
    assert!(
        truth.arrays["B"]
            .volume_snapshots
            .iter()
            .all(|s| s.destroyed)
    );
}

/// A clone that somebody makes of a safety snapshot is his own: letting go leaves it alone.
#[tokio::test(start_paused = true)]
async fn a_clone_of_a_safety_snapshot_stays() {
    let fixture = in_memory().await;
    let asks = home(&fixture, 1).await;
    let clone = Command::VolumesBatchPost {
        items: vec![VolumeItem::copy("clone", "h0.guard")],
        overwrite: false,
    };
    fixture.array_call(Side::Target, clone).await;
    let target = spec(&fixture).target;
    let serials = [asks[0].target.clone()];
    let driver = fixture.driver();
    driver
        .release_safety(&target, &serials, &"guard".into())
        .await
        .unwrap();
    assert!(fixture.world.look().volume("B", "clone").is_some());
}
