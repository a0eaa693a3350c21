//! Cases: the group, its members, volumes found, health.

use protector_domain::ids::{Serial, VolumeId};
use protector_domain::ports::{ErrorKind, StorageDriver};

use super::fixture::{Call, Fixture, Side};
use super::scene::{
    GROUP, INTERVAL_S, SIZE, array, kind, member_names, pass, protected, spec, suffix,
};
use crate::link::Fault;

/// Asking again for what is there changes nothing.
pub async fn ensure_group_can_be_repeated(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    let before = world.truth().await;
    driver.ensure_group(&scene.spec, true).await.unwrap();
    driver
        .set_members(&scene.spec, &[scene.v2.clone(), scene.v1.clone()])
        .await
        .unwrap();
    assert_eq!(world.truth().await.arrays, before.arrays);
}

/// `B2`, `B4`: whatever happened to earlier attempts, there is one group and it replicates.
pub async fn ensure_group_survives_lost_and_doubled_calls(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let spec = spec(world);
    world.fault(Call::GroupMake, Fault::AnswerLost);
    assert_eq!(
        kind(driver.ensure_group(&spec, false).await),
        ErrorKind::Unknown
    );
    world.fault(Call::TargetAdd, Fault::AnswerLost);
    assert_eq!(
        kind(driver.ensure_group(&spec, true).await),
        ErrorKind::Unknown
    );
    driver.ensure_group(&spec, true).await.unwrap();
    let mut other = spec.clone();
    other.name = "other-0123abcd".into();
    world.fault(Call::GroupMake, Fault::Twice);
    world.fault(Call::TargetAdd, Fault::Twice);
    driver.ensure_group(&other, false).await.unwrap();
    assert_eq!(world.faults_left(), 0);
    let truth = world.truth().await;
    let groups = &array(&truth, Side::Source).groups;
    let seen: Vec<(&str, usize)> = groups
        .iter()
        .map(|g| (g.name.as_str(), g.targets.len()))
        .collect();
    assert_eq!(seen, [(GROUP, 1), ("other-0123abcd", 1)]);
    let v1 = world.volume_make(Side::Source, "v1", SIZE).await;
    driver.set_members(&spec, &[v1]).await.unwrap();
    driver.set_replication(&spec, true).await.unwrap();
    pass(INTERVAL_S).await;
    assert!(!driver.recovery_points(&spec).await.unwrap().is_empty());
}

/// `C24`: points come by the asked interval, without anybody asking.
pub async fn a_group_replicates_by_its_interval(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let spec = spec(world);
    driver.ensure_group(&spec, false).await.unwrap();
    pass(2 * INTERVAL_S).await;
    assert!(
        driver.recovery_points(&spec).await.unwrap().is_empty(),
        "an empty group has no points"
    );
    let v1 = world.volume_make(Side::Source, "v1", SIZE).await;
    driver.set_members(&spec, &[v1]).await.unwrap();
    driver.set_replication(&spec, true).await.unwrap();
    pass(4 * INTERVAL_S + INTERVAL_S / 2).await;
    let points = driver.recovery_points(&spec).await.unwrap();
    let gaps: Vec<i64> = points
        .windows(2)
        .map(|p| p[0].created_ms - p[1].created_ms)
        .collect();
    assert!(
        gaps.len() >= 3 && gaps.iter().all(|gap| *gap == INTERVAL_S as i64 * 1_000),
        "{gaps:?}"
    );
}

/// Exactly the wanted ones: not one more, not one fewer (`F8`).
pub async fn members_become_exactly_these(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    let v3 = world.volume_make(Side::Source, "v3", SIZE).await;
    driver
        .set_members(&scene.spec, &[scene.v2.clone(), v3.clone()])
        .await
        .unwrap();
    assert_eq!(member_names(world).await, ["v2", "v3"]);
    driver
        .set_members(&scene.spec, &[v3.clone(), v3])
        .await
        .unwrap();
    assert_eq!(member_names(world).await, ["v3"]);
    driver.set_members(&scene.spec, &[]).await.unwrap();
    assert!(member_names(world).await.is_empty());
    let health = driver.health(&scene.spec).await.unwrap();
    assert!(!health.replicating, "nothing to replicate");
}

/// `B2`, `B4` for members.
pub async fn members_survive_lost_and_doubled_calls(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let scene = protected(driver, world).await;
    let v3 = [world.volume_make(Side::Source, "v3", SIZE).await];
    world.fault(Call::MembersAdd, Fault::AnswerLost);
    assert_eq!(
        kind(driver.set_members(&scene.spec, &v3).await),
        ErrorKind::Unknown
    );
    world.fault(Call::MembersRemove, Fault::Twice);
    driver.set_members(&scene.spec, &v3).await.unwrap();
    assert_eq!(
        (member_names(world).await, world.faults_left()),
        (vec!["v3".to_owned()], 0)
    );
}

/// `F10`: renamed since it was noted down.
pub async fn members_are_found_by_serial(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    world.volume_rename(Side::Source, "v1", "other").await;
    world.volume_make(Side::Source, "v1", SIZE).await;
    driver
        .set_members(&scene.spec, std::slice::from_ref(&scene.v1))
        .await
        .unwrap();
    assert_eq!(member_names(world).await, ["other"]);
}

/// A volume that is not there, or only in the bin, refuses the whole change.
pub async fn an_unknown_member_changes_nothing(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    let unknown = Serial("0123456789ABCDEF01234567".to_owned());
    let binned = world.volume_make(Side::Source, "v3", SIZE).await;
    world.volume_destroy(Side::Source, "v3").await;
    for bad in [unknown, binned] {
        let refused = driver
            .set_members(&scene.spec, &[scene.v1.clone(), bad])
            .await;
        assert_eq!(kind(refused), ErrorKind::Missing);
    }
    assert_eq!(member_names(world).await, ["v1", "v2"]);
}

/// By Cinder's name while it has one, by serial for ever.
pub async fn volumes_are_located_by_name_and_serial(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let source = world.array(Side::Source);
    let id = VolumeId("5c1f7a3e-0000-4000-8000-000000000001".to_owned());
    let name = format!("volume-{id}-cinder");
    assert_eq!(driver.locate(&source, &id).await.unwrap(), None);
    let serial = world.volume_make(Side::Source, &name, SIZE).await;
    world
        .volume_make(Side::Source, &format!("{name}-2"), SIZE)
        .await;
    world.volume_connect(Side::Source, &name).await;
    let found = driver.locate(&source, &id).await.unwrap().unwrap();
    assert_eq!(
        (&found.serial, &found.name, found.size_bytes),
        (&serial, &name, SIZE)
    );
    assert!(found.connected && !found.destroyed);
    assert_eq!(
        driver.volume_by_serial(&source, &serial).await.unwrap(),
        Some(found)
    );
    world.volume_rename(Side::Source, &name, "renamed").await;
    assert_eq!(driver.locate(&source, &id).await.unwrap(), None);
    let renamed = driver
        .volume_by_serial(&source, &serial)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(renamed.name, "renamed");
    let elsewhere = driver
        .volume_by_serial(&world.array(Side::Target), &serial)
        .await
        .unwrap();
    assert_eq!(elsewhere, None);
}

/// What we made and nobody renamed; live ones only.
pub async fn volumes_are_found_by_key(driver: &dyn StorageDriver, world: &dyn Fixture) {
    for name in ["prt-1-1", "prt-1-2", "prt-10-1", "x-prt-1-3", "prt-1-4"] {
        world.volume_make(Side::Target, name, SIZE).await;
    }
    world.volume_destroy(Side::Target, "prt-1-4").await;
    let found = driver
        .find_by_key(&world.array(Side::Target), "prt-1-")
        .await
        .unwrap();
    let names: Vec<&str> = found.iter().map(|volume| volume.name.as_str()).collect();
    assert_eq!(names, ["prt-1-1", "prt-1-2"]);
}

/// `F11`, `C5`, `C6`: flowing, cut, and the source out of reach.
pub async fn health_tells_what_flows(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    let health = driver.health(&scene.spec).await.unwrap();
    assert!(health.replicating);
    assert_eq!(
        health.member_serials,
        Some(vec![scene.v1.clone(), scene.v2.clone()])
    );
    world.link_up(false).await;
    driver
        .snapshot_now(&scene.spec, &suffix("stuck"))
        .await
        .unwrap();
    pass(3 * INTERVAL_S).await;
    let health = driver.health(&scene.spec).await.unwrap();
    assert!(!health.replicating);
    let newest = health.newest_complete.unwrap();
    assert_eq!(newest.suffix.as_str(), "p");
    assert!(
        newest.age_s.unwrap() >= 3 * INTERVAL_S,
        "the lag grows and shows"
    );
    world.power(Side::Source, false).await;
    let health = driver.health(&scene.spec).await.unwrap();
    assert_eq!((health.replicating, health.member_serials), (false, None));
    assert_eq!(health.newest_complete.unwrap().suffix.as_str(), "p");
}
