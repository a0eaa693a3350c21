//! Cases: what is not ours, and what is not where it should be.

use std::collections::BTreeSet;

use protector_domain::ids::{ArrayId, Serial};
use protector_domain::ports::storage::OverwriteAsk;
use protector_domain::ports::{ErrorKind, StorageDriver};

use super::fixture::{Call, Fixture, Side};
use super::scene::{GROUP, SIZE, array, both, kind, live, names, protected, spec, suffix};
use crate::link::Fault;

/// `S4`, `F17`: destroyed is what carries our name now and hangs on no host; never eradicated.
pub async fn release_takes_only_what_is_ours(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let ours = world.volume_make(Side::Target, "ours-1", SIZE).await;
    let renamed = world.volume_make(Side::Target, "ours-2", SIZE).await;
    world
        .volume_rename(Side::Target, "ours-2", "volume-x-cinder")
        .await;
    let connected = world.volume_make(Side::Target, "ours-3", SIZE).await;
    world.volume_connect(Side::Target, "ours-3").await;
    let gone = world.volume_make(Side::Target, "ours-4", SIZE).await;
    world.volume_destroy(Side::Target, "ours-4").await;
    let never = Serial("0123456789ABCDEF01234567".to_owned());
    world.volume_make(Side::Target, "ours-5", SIZE).await;
    let target = world.array(Side::Target);
    let asked = [ours, renamed.clone(), connected.clone(), gone, never];
    let nothing = driver
        .release(&target, &asked, &[String::new()])
        .await
        .unwrap();
    assert_eq!(nothing.len(), 3, "an empty name is nobody's");
    let left = driver
        .release(&target, &asked, &["ours-".to_owned()])
        .await
        .unwrap();
    assert_eq!(left, [renamed, connected]);
    let truth = world.truth().await;
    assert_eq!(
        names(&live(&truth, Side::Target)),
        ["volume-x-cinder", "ours-3", "ours-5"]
    );
    assert_eq!(
        array(&truth, Side::Target).volumes.len(),
        5,
        "nothing is eradicated"
    );
}

/// `B2`, `B4`: letting go is one effect, however often it is asked.
pub async fn release_is_one_effect(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let target = world.array(Side::Target);
    let prefixes = ["ours-".to_owned()];
    for (name, fault) in [("ours-1", Fault::AnswerLost), ("ours-2", Fault::Twice)] {
        let serial = [world.volume_make(Side::Target, name, SIZE).await];
        world.fault(Call::Destroy, fault);
        let first = driver.release(&target, &serial, &prefixes).await;
        assert!(first.is_ok() || kind(first) == ErrorKind::Unknown);
        assert_eq!(
            driver.release(&target, &serial, &prefixes).await.unwrap(),
            []
        );
        assert_eq!(world.faults_left(), 0);
    }
    assert!(live(&world.truth().await, Side::Target).is_empty());
}

/// `C6`: a group of that name which is not ours is refused and stays as it is.
pub async fn a_foreign_group_is_left_alone(driver: &dyn StorageDriver, world: &dyn Fixture) {
    world.group_make(GROUP).await;
    let before = world.truth().await;
    let refused = driver.ensure_group(&spec(world), false).await;
    assert_eq!(kind(refused), ErrorKind::AlreadyThere);
    assert_eq!(world.truth().await.arrays, before.arrays);
}

/// `F15`: each address leads to the other array.
pub async fn a_swapped_array_is_found_out_before_any_write(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    let before = world.truth().await;
    let wrong = world.driver_swapped();
    let (source, target) = (world.array(Side::Source), world.array(Side::Target));
    let serials = [scene.v1.clone()];
    let any = ["v".to_owned()];
    let guard = suffix("guard");
    let overwrites = [OverwriteAsk {
        source_name: "v1".to_owned(),
        target: scene.v1.clone(),
    }];
    let kinds: BTreeSet<String> = [
        kind(wrong.ensure_group(&scene.spec, true).await),
        kind(wrong.set_members(&scene.spec, &serials).await),
        kind(wrong.set_replication(&scene.spec, false).await),
        kind(wrong.retire_group(&scene.spec).await),
        kind(wrong.safety_snapshot(&source, &serials, &guard).await),
        kind(wrong.restore_safety(&source, &serials, &guard).await),
        kind(wrong.release_safety(&source, &serials, &guard).await),
        kind(
            wrong
                .overwrite_from_point(&scene.spec, &suffix("p"), &overwrites, &guard)
                .await,
        ),
        kind(wrong.snapshot_now(&scene.spec, &suffix("x")).await),
        kind(wrong.recovery_points(&scene.spec).await),
        kind(
            wrong
                .recover_point(&scene.spec, &suffix("p"), &both("c"))
                .await,
        ),
        kind(wrong.release(&target, &serials, &any).await),
        kind(wrong.find_by_key(&target, "v").await),
        kind(wrong.volume_by_serial(&source, &scene.v1).await),
        kind(wrong.health(&scene.spec).await),
    ]
    .iter()
    .map(|kind| format!("{kind:?}"))
    .collect();
    assert_eq!(kinds, BTreeSet::from(["Refused".to_owned()]));
    assert_eq!(world.truth().await.arrays, before.arrays);
}

/// Only registered arrays are called.
pub async fn an_unregistered_array_is_refused(driver: &dyn StorageDriver, _world: &dyn Fixture) {
    let stranger = ArrayId("no-such-array".to_owned());
    assert_eq!(
        kind(driver.find_by_key(&stranger, "v").await),
        ErrorKind::Refused
    );
}

/// I5: the mark is the same however often it is asked for, and either site finds it by how its name
/// starts.
pub async fn a_mark_is_made_once_and_found_by_its_name(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let target = world.array(Side::Target);
    let one = driver.mark(&target, "group-epoch-2").await.unwrap();
    let again = driver.mark(&target, "group-epoch-2").await.unwrap();
    assert_eq!((one.serial.clone(), one.name), (again.serial, again.name));
    driver.mark(&target, "group-epoch-4").await.unwrap();
    driver.mark(&target, "other-epoch-9").await.unwrap();
    let found = driver.find_by_key(&target, "group-epoch-").await.unwrap();
    let found: Vec<&str> = found.iter().map(|volume| volume.name.as_str()).collect();
    assert_eq!(found, ["group-epoch-2", "group-epoch-4"]);
    let source = world.array(Side::Source);
    let elsewhere = driver.find_by_key(&source, "group-epoch-").await.unwrap();
    assert_eq!(elsewhere, [], "it is on the array that was asked");
}

/// `B2`, `B4`.
pub async fn a_mark_lost_twice_is_one_mark(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let target = world.array(Side::Target);
    for (name, fault) in [("m-1", Fault::AnswerLost), ("m-2", Fault::Twice)] {
        world.fault(Call::Copy, fault);
        let first = driver.mark(&target, name).await;
        assert!(first.is_ok() || kind(first) == ErrorKind::Unknown);
        assert_eq!(driver.mark(&target, name).await.unwrap().name, name);
    }
    let truth = world.truth().await;
    assert_eq!(names(&live(&truth, Side::Target)), ["m-1", "m-2"]);
}

/// F6: a name in the bin is taken, and nothing is recovered from there.
pub async fn a_marks_name_in_the_bin_is_taken(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let target = world.array(Side::Target);
    world.volume_make(Side::Target, "m-1", SIZE).await;
    world.volume_destroy(Side::Target, "m-1").await;
    let refused = driver.mark(&target, "m-1").await;
    assert_eq!(kind(refused), ErrorKind::AlreadyThere);
    assert!(live(&world.truth().await, Side::Target).is_empty());
}
