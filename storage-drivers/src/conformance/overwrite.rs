//! Cases: giving existing volumes the contents of a point.

use protector_domain::ids::Serial;
use protector_domain::ports::storage::{GroupSpec, OverwriteAsk};
use protector_domain::ports::{ErrorKind, PortResult, StorageDriver};

use super::fixture::{Call, Fixture, Side};
use super::safety::pair;
use super::scene::{
    SIZE, Scene, array, both, held, kind, live, names, of_serial, pass, protected, spec, suffix,
};
use crate::link::Fault;
use crate::model::GroundTruth;

const GUARD: &str = "guard";

/// A protected group with a point `p`, and two guarded volumes `h1`, `h2` to overwrite.
struct Home {
    scene: Scene,
    targets: [Serial; 2],
}

async fn home(driver: &dyn StorageDriver, world: &dyn Fixture) -> Home {
    let home = home_unguarded(driver, world).await;
    home.guard(driver, world).await;
    home
}

async fn home_unguarded(driver: &dyn StorageDriver, world: &dyn Fixture) -> Home {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    let targets = pair(world, Side::Target, "h").await;
    Home { scene, targets }
}

fn asks(targets: &[Serial]) -> Vec<OverwriteAsk> {
    let ask = |(number, target): (usize, &Serial)| OverwriteAsk {
        source_name: format!("v{number}"),
        target: target.clone(),
    };
    (1..).zip(targets).map(ask).collect()
}

impl Home {
    async fn guard(&self, driver: &dyn StorageDriver, world: &dyn Fixture) {
        let target = world.array(Side::Target);
        driver
            .safety_snapshot(&target, &self.targets, &suffix(GUARD))
            .await
            .unwrap();
    }

    async fn overwrite(&self, driver: &dyn StorageDriver, point: &str) -> PortResult<()> {
        self.overwrite_by(driver, &self.scene.spec, point, &self.targets)
            .await
    }

    async fn overwrite_by(
        &self,
        driver: &dyn StorageDriver,
        spec: &GroupSpec,
        point: &str,
        targets: &[Serial],
    ) -> PortResult<()> {
        let (point, guard) = (suffix(point), suffix(GUARD));
        driver
            .overwrite_from_point(spec, &point, &asks(targets), &guard)
            .await
    }

    /// The targets hold what the members held at the one moment of `point`.
    fn holds(&self, truth: &GroundTruth, point: &str) -> bool {
        let taken = truth.group_snapshot("B", &self.scene.whole(point)).unwrap();
        let hashes: Vec<&String> = taken.parts.iter().map(|part| &part.hash).collect();
        let held = held(truth, Side::Target, &self.targets);
        held.iter().map(|(hash, _)| hash).eq(hashes)
    }
}

/// Contents and size (`F9`) are those of the point; serial and name stay, and so do the source
/// (`S5`) and every snapshot.
pub async fn an_overwrite_keeps_identity_and_takes_one_moment(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let home = home(driver, world).await;
    world.volume_resize(Side::Source, "v1", 2 * SIZE).await;
    home.scene.point(driver, world, "grown", 11).await;
    home.scene.point(driver, world, "later", 21).await;
    let before = world.truth().await;
    home.overwrite(driver, "grown").await.unwrap();
    let after = world.truth().await;
    assert!(home.holds(&after, "grown"));
    let sizes: Vec<u64> = live(&after, Side::Target)
        .iter()
        .map(|v| v.provisioned)
        .collect();
    assert_eq!(sizes, [2 * SIZE, SIZE]);
    assert_eq!(names(&live(&after, Side::Target)), ["h1", "h2"]);
    assert_eq!(array(&after, Side::Source), array(&before, Side::Source));
    let (before, after) = (array(&before, Side::Target), array(&after, Side::Target));
    assert_eq!(after.volume_snapshots, before.volume_snapshots);
    assert_eq!(after.group_snapshots, before.group_snapshots);
}

/// `B1`, `B2`, `B4`: after a call that was not sent nothing has changed; lost, doubled and
/// repeated ones give the same contents, and in one call all volumes or none.
pub async fn an_overwrite_is_one_effect(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let home = home(driver, world).await;
    let before = world.truth().await;
    world.fault(Call::Copy, Fault::NotSent);
    let unsent = home.overwrite(driver, "p").await;
    assert_eq!(kind(unsent), ErrorKind::Unreachable);
    assert_eq!(world.truth().await.arrays, before.arrays);
    world.fault(Call::Copy, Fault::AnswerLost);
    let lost = home.overwrite(driver, "p").await;
    assert_eq!(kind(lost), ErrorKind::Unknown);
    if world.has_batches() {
        assert!(home.holds(&world.truth().await, "p"), "one call for all");
    }
    world
        .write(Side::Target, &home.targets[1], 600, 4_096)
        .await;
    world.fault(Call::Copy, Fault::Twice);
    home.overwrite(driver, "p").await.unwrap();
    home.overwrite(driver, "p").await.unwrap();
    assert_eq!(world.faults_left(), 0);
    let truth = world.truth().await;
    assert!(home.holds(&truth, "p"));
    assert_eq!(array(&truth, Side::Target).volumes.len(), 2);
}

/// What cannot be undone is not done: no guard, a guard of one volume only, one in the bin.
pub async fn an_overwrite_needs_its_guard(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let home = home_unguarded(driver, world).await;
    let target = world.array(Side::Target);
    let before = held(&world.truth().await, Side::Target, &home.targets);
    driver
        .safety_snapshot(&target, &home.targets, &suffix("other"))
        .await
        .unwrap();
    let none = home.overwrite(driver, "p").await;
    assert_eq!(kind(none), ErrorKind::Refused);
    driver
        .safety_snapshot(&target, &home.targets[1..], &suffix(GUARD))
        .await
        .unwrap();
    let half = home.overwrite(driver, "p").await;
    assert_eq!(kind(half), ErrorKind::Refused);
    world
        .volume_snapshot_destroy(Side::Target, &format!("h2.{GUARD}"))
        .await;
    let second = home
        .overwrite_by(driver, &home.scene.spec, "p", &home.targets[1..])
        .await;
    assert_eq!(kind(second), ErrorKind::Refused);
    assert_eq!(
        held(&world.truth().await, Side::Target, &home.targets),
        before
    );
}

/// Group snapshots of the volumes that happen to bear the guard's suffix cannot be put back by
/// `restore_safety`.
pub async fn a_point_is_no_guard(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let home = home_unguarded(driver, world).await;
    let reverse = reversed(world);
    driver.ensure_group(&reverse, false).await.unwrap();
    driver.set_members(&reverse, &home.targets).await.unwrap();
    driver.snapshot_now(&reverse, &suffix(GUARD)).await.unwrap();
    let before = world.truth().await;
    let refused = home.overwrite(driver, "p").await;
    assert_eq!(kind(refused), ErrorKind::Refused);
    assert_eq!(world.truth().await.arrays, before.arrays);
}

fn reversed(world: &dyn Fixture) -> GroupSpec {
    let forward = spec(world);
    GroupSpec {
        source: forward.target.clone(),
        target: forward.source.clone(),
        ..forward
    }
}

/// A stopped server keeps its connections: the volume is overwritten and stays connected, there
/// and back.
pub async fn a_connected_volume_stays_connected(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let home = home(driver, world).await;
    let left = held(&world.truth().await, Side::Target, &home.targets);
    world.volume_connect(Side::Target, "h2").await;
    home.overwrite(driver, "p").await.unwrap();
    let truth = world.truth().await;
    assert!(home.holds(&truth, "p"));
    let connections =
        |truth: &GroundTruth| of_serial(truth, Side::Target, &home.targets[1]).connection_count;
    assert_eq!(connections(&truth), 1);
    let target = world.array(Side::Target);
    driver
        .restore_safety(&target, &home.targets, &suffix(GUARD))
        .await
        .unwrap();
    let truth = world.truth().await;
    assert_eq!(held(&truth, Side::Target, &home.targets), left);
    assert_eq!(connections(&truth), 1);
}

/// `F14`: the volumes of the source, both arrays one, the arrays exchanged, one volume twice.
pub async fn the_wrong_direction_is_refused(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let home = home(driver, world).await;
    let sources = [home.scene.v1.clone(), home.scene.v2.clone()];
    let guard = suffix(GUARD);
    driver
        .safety_snapshot(&world.array(Side::Source), &sources, &guard)
        .await
        .unwrap();
    let before = world.truth().await;
    let forward = spec(world);
    let circle = GroupSpec {
        source: forward.target.clone(),
        ..forward.clone()
    };
    let twice = [home.targets[0].clone(), home.targets[0].clone()];
    for (spec, targets) in [
        (&forward, &sources),
        (&circle, &home.targets),
        (&forward, &twice),
    ] {
        let refused = home.overwrite_by(driver, spec, "p", targets).await;
        assert_eq!(kind(refused), ErrorKind::Refused);
    }
    let exchanged = home
        .overwrite_by(driver, &reversed(world), "p", &sources)
        .await;
    assert!(matches!(
        kind(exchanged),
        ErrorKind::Refused | ErrorKind::Missing
    ));
    assert_eq!(world.truth().await.arrays, before.arrays);
}

/// `F14`, `I6`, `S5`: while the group replicates from here, these volumes are what is protected;
/// an old point of the other direction must not cover them. Stopped, they may be overwritten.
pub async fn what_is_being_protected_is_not_overwritten(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let home = home(driver, world).await;
    let reverse = reversed(world);
    driver.ensure_group(&reverse, false).await.unwrap();
    driver
        .set_members(&reverse, &home.targets[1..])
        .await
        .unwrap();
    driver.set_replication(&reverse, true).await.unwrap();
    let before = held(&world.truth().await, Side::Target, &home.targets);
    let refused = home.overwrite(driver, "p").await;
    assert_eq!(kind(refused), ErrorKind::Refused);
    assert_eq!(
        held(&world.truth().await, Side::Target, &home.targets),
        before
    );
    driver.set_replication(&reverse, false).await.unwrap();
    home.overwrite(driver, "p").await.unwrap();
    assert!(home.holds(&world.truth().await, "p"));
}

/// `F1`, `F2`: half a point and a point that is gone change nothing.
pub async fn an_overwrite_needs_a_complete_point(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let home = home(driver, world).await;
    let before = held(&world.truth().await, Side::Target, &home.targets);
    home.scene.point_begun(driver, world, "half").await;
    let half = home.overwrite(driver, "half").await;
    assert_eq!(kind(half), ErrorKind::Refused);
    world.point_destroy(&home.scene.whole("p")).await;
    for gone in ["p", "never"] {
        let gone = home.overwrite(driver, gone).await;
        assert_eq!(kind(gone), ErrorKind::Missing);
    }
    assert_eq!(
        held(&world.truth().await, Side::Target, &home.targets),
        before
    );
}

/// `F8`: one volume is not in the point; the other one stays as it is, too.
pub async fn an_overwrite_changes_all_or_nothing(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let home = home(driver, world).await;
    let before = world.truth().await;
    let mut wrong = asks(&home.targets);
    wrong[1].source_name = "v3".to_owned();
    let refused = driver
        .overwrite_from_point(&home.scene.spec, &suffix("p"), &wrong, &suffix(GUARD))
        .await;
    assert_eq!(kind(refused), ErrorKind::Missing);
    assert_eq!(world.truth().await.arrays, before.arrays);
}

/// `F10`: found by serial, renamed before the call came through. An array that overwrites by name
/// makes a new volume then: it must not stay, and the volume that was meant must be met.
pub async fn a_target_renamed_at_the_last_moment_is_met(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let home = home(driver, world).await;
    pass(1).await;
    world.rival_rename("h1", "moved");
    home.overwrite(driver, "p").await.unwrap();
    let truth = world.truth().await;
    assert_eq!(
        of_serial(&truth, Side::Target, &home.targets[0]).name,
        "moved"
    );
    assert!(home.holds(&truth, "p"));
    assert_eq!(names(&live(&truth, Side::Target)), ["moved", "h2"]);
}

/// Over and back: what was written at the other site comes home into the very volumes that were
/// left, and the undo gives them back as they were.
pub async fn the_way_home_and_its_undo(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "out", 1).await;
    let copied = driver
        .recover_point(&scene.spec, &suffix("out"), &both("c"))
        .await
        .unwrap();
    driver.set_replication(&scene.spec, false).await.unwrap();
    let away: Vec<Serial> = copied.iter().map(|copy| copy.serial.clone()).collect();
    let reverse = reversed(world);
    driver.ensure_group(&reverse, false).await.unwrap();
    driver.set_members(&reverse, &away).await.unwrap();
    for (counter, serial) in (50..).zip(&away) {
        world.write(Side::Target, serial, counter, 4_096).await;
    }
    driver
        .snapshot_now(&reverse, &suffix("back"))
        .await
        .unwrap();
    pass(super::scene::SETTLE_S).await;
    let (a, home) = (world.array(Side::Source), [scene.v1, scene.v2]);
    let left = held(&world.truth().await, Side::Source, &home);
    let guard = suffix(GUARD);
    driver.safety_snapshot(&a, &home, &guard).await.unwrap();
    let overwrites: Vec<OverwriteAsk> = ["c-1", "c-2"]
        .iter()
        .zip(&home)
        .map(|(name, target)| OverwriteAsk {
            source_name: (*name).to_owned(),
            target: target.clone(),
        })
        .collect();
    driver
        .overwrite_from_point(&reverse, &suffix("back"), &overwrites, &guard)
        .await
        .unwrap();
    let truth = world.truth().await;
    assert_eq!(
        held(&truth, Side::Source, &home),
        held(&truth, Side::Target, &away)
    );
    assert_eq!(names(&live(&truth, Side::Source)), ["v1", "v2"]);
    driver.restore_safety(&a, &home, &guard).await.unwrap();
    assert_eq!(held(&world.truth().await, Side::Source, &home), left);
}
