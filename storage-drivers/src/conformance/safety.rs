//! Cases: safety snapshots, and what they are for.

use protector_domain::ids::Serial;
use protector_domain::ports::{ErrorKind, StorageDriver};

use super::fixture::{Call, Fixture, Side};
use super::scene::{SIZE, array, held, kind, live, names, pass, protected, suffix};
use crate::link::Fault;
use crate::model::GroundTruth;

/// Two volumes that hold something, without any group.
pub(super) async fn pair(world: &dyn Fixture, side: Side, prefix: &str) -> [Serial; 2] {
    let mut made = Vec::new();
    for number in [1, 2] {
        let name = format!("{prefix}{number}");
        let serial = world.volume_make(side, &name, SIZE).await;
        world.write(side, &serial, 100 + number, 4_096).await;
        made.push(serial);
    }
    made.try_into().unwrap()
}

/// Names of the live snapshots of single volumes on the target, sorted.
pub(super) fn safeties(truth: &GroundTruth) -> Vec<String> {
    let snapshots = array(truth, Side::Target).volume_snapshots.iter();
    let live = snapshots.filter(|snapshot| !snapshot.destroyed);
    let mut names: Vec<String> = live.map(|snapshot| snapshot.name.clone()).collect();
    names.sort();
    names
}

/// `B2`, `B4`: lost and doubled calls make one snapshot of each volume, and what it froze stays
/// frozen. A driver that asked volume by volume would stand there with one of two.
pub async fn safety_is_one_moment_and_one_effect(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let target = world.array(Side::Target);
    let pair = pair(world, Side::Target, "h").await;
    world.fault(Call::VolumeSnapshot, Fault::AnswerLost);
    let lost = driver.safety_snapshot(&target, &pair, &suffix("s")).await;
    assert_eq!(kind(lost), ErrorKind::Unknown);
    assert_eq!(safeties(&world.truth().await), ["h1.s", "h2.s"]);
    let before = world.truth().await;
    world.write(Side::Target, &pair[0], 200, 4_096).await;
    pass(1).await;
    driver
        .safety_snapshot(&target, &pair, &suffix("s"))
        .await
        .unwrap();
    world.fault(Call::VolumeSnapshot, Fault::Twice);
    driver
        .safety_snapshot(&target, &pair, &suffix("t"))
        .await
        .unwrap();
    assert_eq!(world.faults_left(), 0);
    let truth = world.truth().await;
    let taken = &array(&truth, Side::Target).volume_snapshots;
    assert_eq!(
        taken[..2],
        array(&before, Side::Target).volume_snapshots[..]
    );
    assert_eq!(safeties(&truth), ["h1.s", "h1.t", "h2.s", "h2.t"]);
    assert_eq!(taken[0].taken_ms, taken[1].taken_ms);
}

/// One volume gone, or in the bin: nothing is taken of the others either.
pub async fn safety_needs_every_volume(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let target = world.array(Side::Target);
    let [first, second] = pair(world, Side::Target, "h").await;
    world.volume_destroy(Side::Target, "h2").await;
    let unknown = Serial("0123456789ABCDEF01234567".to_owned());
    for bad in [second, unknown] {
        let asked = [first.clone(), bad];
        let refused = driver.safety_snapshot(&target, &asked, &suffix("s")).await;
        assert_eq!(kind(refused), ErrorKind::Missing);
    }
    assert!(safeties(&world.truth().await).is_empty());
}

/// A snapshot taken later than its fellows, or after it was let go, would undo to another moment.
pub async fn a_second_moment_is_refused(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let target = world.array(Side::Target);
    let pair = pair(world, Side::Target, "h").await;
    let s = suffix("s");
    driver
        .safety_snapshot(&target, &pair[..1], &s)
        .await
        .unwrap();
    let both = driver.safety_snapshot(&target, &pair, &s).await;
    assert_eq!(kind(both), ErrorKind::AlreadyThere);
    assert_eq!(safeties(&world.truth().await), ["h1.s"]);
    world.volume_snapshot_destroy(Side::Target, "h1.s").await;
    for asked in [&pair[..1], &pair[..]] {
        let again = driver.safety_snapshot(&target, asked, &s).await;
        assert_eq!(kind(again), ErrorKind::AlreadyThere);
    }
    assert!(safeties(&world.truth().await).is_empty());
}

/// `F10`: Cinder renamed a volume since; somebody else has its old name now.
pub async fn safety_follows_renames(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let target = world.array(Side::Target);
    let pair = pair(world, Side::Target, "h").await;
    let s = suffix("s");
    driver.safety_snapshot(&target, &pair, &s).await.unwrap();
    let before = held(&world.truth().await, Side::Target, &pair);
    world.volume_rename(Side::Target, "h1", "moved").await;
    let other = [world.volume_make(Side::Target, "h1", SIZE).await];
    world.write(Side::Target, &other[0], 300, 4_096).await;
    world.write(Side::Target, &pair[0], 301, 4_096).await;
    let foreign = held(&world.truth().await, Side::Target, &other);
    driver.safety_snapshot(&target, &pair, &s).await.unwrap();
    assert_eq!(safeties(&world.truth().await), ["h2.s", "moved.s"]);
    driver.restore_safety(&target, &pair, &s).await.unwrap();
    let truth = world.truth().await;
    assert_eq!(held(&truth, Side::Target, &pair), before);
    assert_eq!(held(&truth, Side::Target, &other), foreign);
    driver.release_safety(&target, &pair, &s).await.unwrap();
    assert!(safeties(&world.truth().await).is_empty());
}

/// The undo, lost, doubled and repeated: identity stays, contents and size go back, and so does a
/// write that came after the first undo.
pub async fn restoring_puts_contents_and_size_back(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let target = world.array(Side::Target);
    let pair = pair(world, Side::Target, "h").await;
    let s = suffix("s");
    driver.safety_snapshot(&target, &pair, &s).await.unwrap();
    let before = held(&world.truth().await, Side::Target, &pair);
    world.volume_resize(Side::Target, "h1", 2 * SIZE).await;
    for fault in [Fault::AnswerLost, Fault::Twice] {
        world.write(Side::Target, &pair[1], 400, 4_096).await;
        assert_ne!(held(&world.truth().await, Side::Target, &pair), before);
        world.fault(Call::Copy, fault);
        let done = driver.restore_safety(&target, &pair, &s).await;
        assert!(done.is_ok() || kind(done) == ErrorKind::Unknown);
        driver.restore_safety(&target, &pair, &s).await.unwrap();
        assert_eq!(world.faults_left(), 0);
        assert_eq!(held(&world.truth().await, Side::Target, &pair), before);
    }
    let truth = world.truth().await;
    assert_eq!(names(&live(&truth, Side::Target)), ["h1", "h2"]);
    assert_eq!(safeties(&truth), ["h1.s", "h2.s"]);
}

/// A snapshot gone: no volume changes.
pub async fn restoring_is_all_or_nothing(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let target = world.array(Side::Target);
    let pair = pair(world, Side::Target, "h").await;
    let s = suffix("s");
    driver.safety_snapshot(&target, &pair, &s).await.unwrap();
    for serial in &pair {
        world.write(Side::Target, serial, 500, 4_096).await;
    }
    let written = held(&world.truth().await, Side::Target, &pair);
    world.volume_snapshot_destroy(Side::Target, "h2.s").await;
    let gone = driver.restore_safety(&target, &pair, &s).await;
    assert_eq!(kind(gone), ErrorKind::Missing);
    let never = driver.restore_safety(&target, &pair, &suffix("u")).await;
    assert_eq!(kind(never), ErrorKind::Missing);
    assert_eq!(held(&world.truth().await, Side::Target, &pair), written);
}

/// `S4`, `F17`: of these volumes, of this suffix, into the bin; nothing else, nothing for good.
pub async fn letting_go_of_safety_touches_nothing_else(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "s", 1).await;
    let target = world.array(Side::Target);
    let pair = pair(world, Side::Target, "h").await;
    let other = [world.volume_make(Side::Target, "other", SIZE).await];
    driver
        .safety_snapshot(&target, &other, &suffix("s"))
        .await
        .unwrap();
    for name in ["s", "s2"] {
        driver
            .safety_snapshot(&target, &pair, &suffix(name))
            .await
            .unwrap();
    }
    let before = world.truth().await;
    driver
        .release_safety(&target, &pair, &suffix("s"))
        .await
        .unwrap();
    let after = world.truth().await;
    assert_eq!(safeties(&after), ["h1.s2", "h2.s2", "other.s"]);
    let (before, after) = (array(&before, Side::Target), array(&after, Side::Target));
    assert_eq!(
        after.volume_snapshots.len(),
        before.volume_snapshots.len(),
        "nothing is eradicated"
    );
    assert_eq!(after.volumes, before.volumes);
    assert_eq!(after.group_snapshots, before.group_snapshots);
    let undone = driver.restore_safety(&target, &pair, &suffix("s")).await;
    assert_eq!(kind(undone), ErrorKind::Missing);
}

/// `B2`, `B4`: however often it is asked, also when snapshots or volumes are gone by themselves.
pub async fn letting_go_of_safety_is_one_effect(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let target = world.array(Side::Target);
    let pair = pair(world, Side::Target, "h").await;
    for (name, fault) in [("s", Fault::AnswerLost), ("t", Fault::Twice)] {
        let suffix = suffix(name);
        driver
            .safety_snapshot(&target, &pair, &suffix)
            .await
            .unwrap();
        world.fault(Call::VolumeSnapshotDestroy, fault);
        let first = driver.release_safety(&target, &pair, &suffix).await;
        assert!(first.is_ok() || kind(first) == ErrorKind::Unknown);
        driver
            .release_safety(&target, &pair, &suffix)
            .await
            .unwrap();
        assert_eq!(world.faults_left(), 0);
    }
    let u = suffix("u");
    driver.safety_snapshot(&target, &pair, &u).await.unwrap();
    world.volume_snapshot_destroy(Side::Target, "h1.u").await;
    world.volume_destroy(Side::Target, "h2").await;
    driver.release_safety(&target, &pair, &u).await.unwrap();
    assert!(safeties(&world.truth().await).is_empty());
}
