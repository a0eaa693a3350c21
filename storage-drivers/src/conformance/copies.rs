//! Cases: copying volumes out of a point.

use protector_domain::ports::{ErrorKind, StorageDriver};

use super::fixture::{Call, Fixture, Side};
use super::scene::{SIZE, array, ask, both, kind, live, names, pass, protected, suffix};
use crate::link::Fault;

/// `S6`: every copy holds what its volume held at the one moment of the point.
pub async fn copies_come_from_one_moment(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    scene.point(driver, world, "later", 11).await;
    let copied = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await
        .unwrap();
    let truth = world.truth().await;
    let taken = truth.group_snapshot("A", &scene.whole("p")[2..]).unwrap();
    for (copy, part) in copied.iter().zip(&taken.parts) {
        let volume = truth.volume("B", &copy.copy_name).unwrap();
        assert_eq!(volume.serial, copy.serial.0);
        assert_eq!((volume.counter, &volume.hash), (part.counter, &part.hash));
    }
    let counters: Vec<u64> = live(&truth, Side::Target)
        .iter()
        .map(|volume| volume.counter)
        .collect();
    assert_eq!(counters, [1, 2]);
}

/// `F5`, `S5`: somebody's volume has the name; it stays as it is and nothing else is made.
pub async fn a_taken_name_is_never_overwritten(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    let foreign = world.volume_make(Side::Target, "C-2", SIZE).await;
    world.write(Side::Target, &foreign, 77, 4_096).await;
    let before = world.truth().await;
    let refused = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await;
    assert_eq!(kind(refused), ErrorKind::AlreadyThere);
    assert_eq!(
        array(&world.truth().await, Side::Target).volumes,
        array(&before, Side::Target).volumes
    );
}

/// `F5`: the name was free when the driver looked; the array must be told not to overwrite.
pub async fn a_name_taken_at_the_last_moment_stays(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    world.rival("c-2");
    let refused = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await;
    assert_eq!(kind(refused), ErrorKind::AlreadyThere);
    let truth = world.truth().await;
    assert_eq!(names(&live(&truth, Side::Target)), ["c-2"]);
    assert_eq!(truth.volume("B", "c-2").unwrap().counter, 0);
}

/// `F6`: a destroyed volume still has its name.
pub async fn a_name_in_the_bin_is_taken(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    world.volume_make(Side::Target, "c-1", SIZE).await;
    world.volume_destroy(Side::Target, "c-1").await;
    let before = world.truth().await;
    let refused = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await;
    assert_eq!(kind(refused), ErrorKind::AlreadyThere);
    assert_eq!(
        array(&world.truth().await, Side::Target).volumes,
        array(&before, Side::Target).volumes
    );
}

/// `B2`: the copies were made, the answer was lost, the call is repeated.
pub async fn a_lost_answer_makes_no_second_copy(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    world.fault(Call::Copy, Fault::AnswerLost);
    let lost = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await;
    assert_eq!(kind(lost), ErrorKind::Unknown);
    let first = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await
        .unwrap();
    let again = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await
        .unwrap();
    assert_eq!(first, again);
    // The point may go: what was made from it is still found.
    world.point_destroy(&scene.whole("p")).await;
    let later = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await
        .unwrap();
    assert_eq!(first, later);
    assert_eq!(
        names(&live(&world.truth().await, Side::Target)),
        ["c-1", "c-2"]
    );
}

/// `B4`: a proxy delivers the request twice; the second answer says the names are taken.
pub async fn a_request_delivered_twice_makes_one_copy(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    world.fault(Call::Copy, Fault::Twice);
    let copied = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await
        .unwrap();
    assert_eq!((copied.len(), world.faults_left()), (2, 0));
    assert_eq!(
        names(&live(&world.truth().await, Side::Target)),
        ["c-1", "c-2"]
    );
}

/// `B1`: nothing left us, so nothing was made, and the error says so.
pub async fn a_call_that_was_not_sent_made_nothing(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    world.fault(Call::Copy, Fault::NotSent);
    let unsent = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await;
    assert_eq!(kind(unsent), ErrorKind::Unreachable);
    assert!(live(&world.truth().await, Side::Target).is_empty());
}

/// `F3`: names that hold copies of one point are not topped up from another.
pub async fn copies_of_two_points_never_mix(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    scene.point(driver, world, "q", 11).await;
    let half = [ask("v1", "c-1")];
    driver
        .recover_point(&scene.spec, &suffix("p"), &half)
        .await
        .unwrap();
    let mixed = driver
        .recover_point(&scene.spec, &suffix("q"), &both("c"))
        .await;
    assert_eq!(kind(mixed), ErrorKind::AlreadyThere);
    // Nor is another volume's copy taken for the one asked for.
    let crossed = driver
        .recover_point(&scene.spec, &suffix("p"), &[ask("v2", "c-1")])
        .await;
    assert_eq!(kind(crossed), ErrorKind::AlreadyThere);
    assert_eq!(names(&live(&world.truth().await, Side::Target)), ["c-1"]);
    // The rest of the same point is.
    driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await
        .unwrap();
    assert_eq!(
        names(&live(&world.truth().await, Side::Target)),
        ["c-1", "c-2"]
    );
}

/// `F2`: retention removes the point between choice and copy.
pub async fn a_point_gone_before_the_copy_is_missing(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    let chosen = driver.recovery_points(&scene.spec).await.unwrap()[0]
        .suffix
        .clone();
    world.point_destroy(&scene.whole("p")).await;
    let gone = driver.recover_point(&scene.spec, &chosen, &both("c")).await;
    assert_eq!(kind(gone), ErrorKind::Missing);
    let never = driver
        .recover_point(&scene.spec, &suffix("never"), &both("c"))
        .await;
    assert_eq!(kind(never), ErrorKind::Missing);
    assert!(live(&world.truth().await, Side::Target).is_empty());
}

/// `F3`: half of the copies are there when the point goes; no second half from elsewhere.
pub async fn a_point_gone_half_way_is_missing(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    driver
        .recover_point(&scene.spec, &suffix("p"), &[ask("v1", "c-1")])
        .await
        .unwrap();
    world.point_destroy(&scene.whole("p")).await;
    let gone = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await;
    assert_eq!(kind(gone), ErrorKind::Missing);
    assert_eq!(names(&live(&world.truth().await, Side::Target)), ["c-1"]);
}

/// `F8`: never quietly fewer disks.
pub async fn a_volume_that_is_not_in_the_point_is_missing(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    let asks = [ask("v1", "c-1"), ask("v3", "c-3")];
    let refused = driver.recover_point(&scene.spec, &suffix("p"), &asks).await;
    assert_eq!(kind(refused), ErrorKind::Missing);
    assert!(live(&world.truth().await, Side::Target).is_empty());
}

/// `S5`: copying changes nothing on the source and no snapshot on the target.
pub async fn copying_leaves_the_source_as_it_was(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    let before = world.truth().await;
    driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await
        .unwrap();
    let after = world.truth().await;
    assert_eq!(array(&after, Side::Source), array(&before, Side::Source));
    let snapshots = |truth| array(truth, Side::Target).group_snapshots.clone();
    assert_eq!(snapshots(&after), snapshots(&before));
}

/// `F9`: the volume grew after the point was taken.
pub async fn a_copy_has_the_size_of_its_moment(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    world.volume_resize(Side::Source, "v1", 2 * SIZE).await;
    let copied = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await
        .unwrap();
    assert_eq!(copied[0].size_bytes, SIZE);
    pass(1).await;
    scene.point(driver, world, "q", 3).await;
    let copied = driver
        .recover_point(&scene.spec, &suffix("q"), &both("d"))
        .await
        .unwrap();
    assert_eq!(copied[0].size_bytes, 2 * SIZE);
}

/// `F7`: no room for all copies means none is made.
pub async fn an_array_at_its_limit_makes_no_half_group(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    world.volumes_full(Side::Target).await;
    let full = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await;
    assert_eq!(kind(full), ErrorKind::Refused);
    assert!(live(&world.truth().await, Side::Target).is_empty());
}

/// `K2`: names that differ in letter case only are one name to an array.
pub async fn two_copies_cannot_share_a_name(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    let asks = [ask("v1", "copy"), ask("v2", "Copy")];
    let refused = driver.recover_point(&scene.spec, &suffix("p"), &asks).await;
    assert_eq!(kind(refused), ErrorKind::Refused);
    assert!(live(&world.truth().await, Side::Target).is_empty());
}
