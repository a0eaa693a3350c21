//! Cases: the schedule of a group, and its end.

use protector_domain::ports::storage::GroupSpec;
use protector_domain::ports::{ErrorKind, StorageDriver};

use super::fixture::{Call, Fixture, Side};
use super::scene::{GROUP, INTERVAL_S, SIZE, array, both, kind, pass, protected, spec, suffix};
use crate::link::Fault;
use crate::model::{GroundTruth, GroupTruth};

fn group(truth: &GroundTruth) -> &GroupTruth {
    let groups = &array(truth, Side::Source).groups;
    groups.iter().find(|group| group.name == GROUP).unwrap()
}

/// A group with members is quiet until it is told to replicate.
pub async fn only_the_switch_starts_replication(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let spec = spec(world);
    assert_eq!(
        kind(driver.set_replication(&spec, true).await),
        ErrorKind::Missing
    );
    let v1 = world.volume_make(Side::Source, "v1", SIZE).await;
    driver.ensure_group(&spec, false).await.unwrap();
    driver
        .set_members(&spec, std::slice::from_ref(&v1))
        .await
        .unwrap();
    driver.ensure_group(&spec, true).await.unwrap();
    driver.set_members(&spec, &[v1]).await.unwrap();
    pass(2 * INTERVAL_S).await;
    assert!(driver.recovery_points(&spec).await.unwrap().is_empty());
    assert!(!driver.health(&spec).await.unwrap().replicating);
    driver.set_replication(&spec, true).await.unwrap();
    pass(INTERVAL_S).await;
    assert!(!driver.recovery_points(&spec).await.unwrap().is_empty());
    assert!(driver.health(&spec).await.unwrap().replicating);
}

/// Stopped by hand: neither time nor a repeated wish for the group or other members starts it
/// again. A point that is asked for still comes.
pub async fn a_stopped_group_stays_stopped(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    let v3 = world.volume_make(Side::Source, "v3", SIZE).await;
    driver.set_replication(&scene.spec, false).await.unwrap();
    driver.set_replication(&scene.spec, false).await.unwrap();
    let points = driver.recovery_points(&scene.spec).await.unwrap();
    driver.ensure_group(&scene.spec, true).await.unwrap();
    let slower = GroupSpec {
        replication_interval_s: 2 * INTERVAL_S,
        ..scene.spec.clone()
    };
    driver.ensure_group(&slower, true).await.unwrap();
    for members in [[scene.v1.clone(), scene.v2.clone()], [scene.v1.clone(), v3]] {
        driver.set_members(&scene.spec, &members).await.unwrap();
        pass(4 * INTERVAL_S).await;
        let now = driver.recovery_points(&scene.spec).await.unwrap();
        assert_eq!(now.len(), points.len());
        assert!(!driver.health(&scene.spec).await.unwrap().replicating);
    }
    scene.point(driver, world, "asked", 1).await;
    let newest = &driver.recovery_points(&scene.spec).await.unwrap()[0];
    assert_eq!(newest.suffix.as_str(), "asked");
    assert!(newest.completed_ms.is_some());
}

/// `B1`, `B2`, `B4`: the switch ends where it was put.
pub async fn switching_is_one_effect(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    for fault in [Fault::NotSent, Fault::AnswerLost, Fault::Twice] {
        for enabled in [false, true] {
            world.fault(Call::GroupChange, fault);
            let first = driver.set_replication(&scene.spec, enabled).await;
            let unclear = [ErrorKind::Unknown, ErrorKind::Unreachable];
            assert!(first.is_ok() || unclear.contains(&kind(first)));
            driver.set_replication(&scene.spec, enabled).await.unwrap();
            assert_eq!(world.faults_left(), 0);
            assert_eq!(group(&world.truth().await).replicates, enabled);
        }
    }
}

/// An empty point is none: a group that lost its members is stopped, and stays so when it gets
/// others until it is told.
pub async fn a_group_without_members_is_not_switched_on(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let scene = protected(driver, world).await;
    driver.set_members(&scene.spec, &[]).await.unwrap();
    assert!(!group(&world.truth().await).replicates);
    assert_eq!(
        kind(driver.set_replication(&scene.spec, true).await),
        ErrorKind::Refused
    );
    driver.set_replication(&scene.spec, false).await.unwrap();
    assert!(!group(&world.truth().await).replicates);
    driver
        .set_members(&scene.spec, std::slice::from_ref(&scene.v1))
        .await
        .unwrap();
    assert!(!group(&world.truth().await).replicates);
    driver.set_replication(&scene.spec, true).await.unwrap();
    assert!(group(&world.truth().await).replicates);
}

/// `F17`, `S5`: the group goes to the bin; volumes and what has arrived stay, and can be used.
pub async fn retiring_takes_the_group_and_nothing_else(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    let before = world.truth().await;
    driver.retire_group(&scene.spec).await.unwrap();
    let after = world.truth().await;
    assert!(group(&after).destroyed && !group(&after).replicates);
    for side in [Side::Source, Side::Target] {
        let (before, after) = (array(&before, side), array(&after, side));
        assert_eq!(after.volumes, before.volumes);
        assert_eq!(after.group_snapshots.len(), before.group_snapshots.len());
    }
    let health = driver.health(&scene.spec).await.unwrap();
    assert!(!health.replicating);
    assert_eq!(health.newest_complete.unwrap().suffix.as_str(), "p");
    assert_eq!(
        kind(driver.set_replication(&scene.spec, true).await),
        ErrorKind::Missing
    );
    assert_eq!(
        kind(driver.set_members(&scene.spec, &[scene.v1, scene.v2]).await),
        ErrorKind::Missing
    );
    let copied = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await
        .unwrap();
    assert_eq!(copied.len(), 2);
}

/// `B2`, `B4`, and a group that never was.
pub async fn retiring_is_one_effect(driver: &dyn StorageDriver, world: &dyn Fixture) {
    driver.retire_group(&spec(world)).await.unwrap();
    let scene = protected(driver, world).await;
    world.fault(Call::GroupChange, Fault::AnswerLost);
    let lost = driver.retire_group(&scene.spec).await;
    assert_eq!(kind(lost), ErrorKind::Unknown);
    driver.retire_group(&scene.spec).await.unwrap();
    driver.ensure_group(&scene.spec, true).await.unwrap();
    world.fault(Call::GroupChange, Fault::Twice);
    driver.retire_group(&scene.spec).await.unwrap();
    assert_eq!(world.faults_left(), 0);
    let truth = world.truth().await;
    assert!(group(&truth).destroyed);
    assert_eq!(array(&truth, Side::Source).groups.len(), 1);
}

/// Made again under its name it has the members of long ago: it must not send them by itself.
pub async fn a_retired_group_comes_back_stopped(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    driver.retire_group(&scene.spec).await.unwrap();
    driver.ensure_group(&scene.spec, true).await.unwrap();
    let truth = world.truth().await;
    assert!(!group(&truth).destroyed && !group(&truth).replicates);
    let points = driver.recovery_points(&scene.spec).await.unwrap().len();
    pass(2 * INTERVAL_S).await;
    assert_eq!(
        driver.recovery_points(&scene.spec).await.unwrap().len(),
        points
    );
    driver.set_replication(&scene.spec, true).await.unwrap();
    pass(INTERVAL_S).await;
    assert!(driver.recovery_points(&scene.spec).await.unwrap().len() > points);
}

/// `C6`, `S4`: somebody else's group of that name.
pub async fn a_foreign_group_is_not_retired(driver: &dyn StorageDriver, world: &dyn Fixture) {
    world.group_make(GROUP).await;
    let before = world.truth().await;
    let refused = driver.retire_group(&spec(world)).await;
    assert_eq!(kind(refused), ErrorKind::Refused);
    assert_eq!(world.truth().await.arrays, before.arrays);
}
