//! Cases: points to recover from.

use protector_domain::ports::{ErrorKind, StorageDriver};

use super::fixture::{Call, Fixture, Side};
use super::scene::{
    INTERVAL_S, SETTLE_S, SIZE, array, both, kind, names, pass, protected, spec, suffix,
};
use crate::link::Fault;

/// `F1`: the newest point is half there when it matters; the newest complete one is used.
pub async fn partial_points_are_shown_and_never_offered(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "whole", 1).await;
    scene.point_begun(driver, world, "half").await;
    world.power(Side::Source, false).await;
    pass(SETTLE_S).await;
    let points = driver.recovery_points(&scene.spec).await.unwrap();
    let newest = &points[0];
    assert_eq!(
        (newest.suffix.as_str(), newest.completed_ms),
        ("half", None)
    );
    let complete = points
        .iter()
        .find(|point| point.completed_ms.is_some())
        .unwrap();
    assert_eq!(complete.suffix.as_str(), "whole");
    let health = driver.health(&scene.spec).await.unwrap();
    assert_eq!(health.newest_complete.as_ref(), Some(complete));
    let refused = driver
        .recover_point(&scene.spec, &suffix("half"), &both("c"))
        .await;
    assert_eq!(kind(refused), ErrorKind::Refused);
    assert!(array(&world.truth().await, Side::Target).volumes.is_empty());
}

/// A volume that joined later is not in an earlier point, and one that grew later is as large as it was.
pub async fn a_point_names_its_volumes(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "early", 1).await;
    let v3 = world.volume_make(Side::Source, "v3", SIZE).await;
    world.volume_resize(Side::Source, "v1", 2 * SIZE).await;
    let members = [scene.v1.clone(), scene.v2.clone(), v3];
    driver.set_members(&scene.spec, &members).await.unwrap();
    scene.point(driver, world, "late", 3).await;
    world.power(Side::Source, false).await;
    for (point, expected) in [
        ("early", vec![("v1", SIZE), ("v2", SIZE)]),
        ("late", vec![("v1", 2 * SIZE), ("v2", SIZE), ("v3", SIZE)]),
        ("never", vec![]),
    ] {
        let named = driver.point_volumes(&scene.spec, &suffix(point)).await;
        let named = named.unwrap();
        let mut seen: Vec<(&str, u64)> = named
            .iter()
            .map(|volume| (volume.name.as_str(), volume.size_bytes))
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, expected, "{point}");
    }
}

/// `D4`: the source's clock went back an hour between two points.
pub async fn order_of_points_does_not_follow_dates(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "first", 1).await;
    world.clock_skew(Side::Source, -3_600_000).await;
    scene.point(driver, world, "second", 3).await;
    let points = driver.recovery_points(&scene.spec).await.unwrap();
    let seen: Vec<&str> = points.iter().map(|point| point.suffix.as_str()).collect();
    assert_eq!(seen[..2], ["second", "first"]);
    assert!(points[0].created_ms < points[1].created_ms);
    assert!(
        points
            .windows(2)
            .all(|pair| pair[0].sequence > pair[1].sequence)
    );
}

/// `S7`, `D1`: whatever the clocks show, the age told is not smaller than the true one.
pub async fn age_is_never_less_than_the_truth(driver: &dyn StorageDriver, world: &dyn Fixture) {
    const HALF_S: std::time::Duration = std::time::Duration::from_millis(500);
    let scene = protected(driver, world).await;
    let clocks = [
        ("even", 0, true),
        ("behind", -600_000, true),
        ("a-little-ahead", 800, true),
        ("ahead", 600_000, false),
    ];
    for (name, skew_ms, told) in clocks {
        world.clock_skew(Side::Source, skew_ms).await;
        scene.point(driver, world, name, 1).await;
        tokio::time::sleep(HALF_S).await;
        let truth = world.truth().await;
        let taken_ms = truth
            .group_snapshot("B", &scene.whole(name))
            .unwrap()
            .taken_ms;
        let true_ms = u64::try_from(truth.now_ms - taken_ms).unwrap();
        let points = driver.recovery_points(&scene.spec).await.unwrap();
        assert_eq!(points[0].suffix.as_str(), name);
        assert_eq!(points[0].age_s.is_some(), told, "{name}: {points:?}");
        assert!(
            points[0].age_s.is_none_or(|age| age * 1_000 >= true_ms),
            "{name}: {points:?}"
        );
    }
}

/// `L3`: the source is gone, array and all.
pub async fn points_and_copies_need_no_source(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    world.power(Side::Source, false).await;
    let points = driver.recovery_points(&scene.spec).await.unwrap();
    assert_eq!(points[0].suffix.as_str(), "p");
    let copied = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await
        .unwrap();
    assert_eq!(copied.len(), 2);
}

/// Nothing there is an answer, not an error.
pub async fn a_group_without_replica_has_no_points(
    driver: &dyn StorageDriver,
    world: &dyn Fixture,
) {
    assert_eq!(
        driver.recovery_points(&spec(world)).await.unwrap(),
        Vec::new()
    );
}

/// A target that does not answer must not look like one that has nothing.
pub async fn could_not_ask_is_not_none(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    world.power(Side::Target, false).await;
    assert_eq!(
        kind(driver.recovery_points(&scene.spec).await),
        ErrorKind::Unreachable
    );
    assert_eq!(
        kind(driver.health(&scene.spec).await),
        ErrorKind::Unreachable
    );
    let target = world.array(Side::Target);
    assert_eq!(
        kind(driver.volume_by_serial(&target, &scene.v1).await),
        ErrorKind::Unreachable
    );
    assert_eq!(
        kind(driver.find_by_key(&target, "c").await),
        ErrorKind::Unreachable
    );
    let copy = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await;
    assert_eq!(kind(copy), ErrorKind::Unreachable);
}

/// `CG-06`, `B2`, `B4`: repeated, lost and doubled wishes for one suffix make one snapshot.
pub async fn snapshot_now_is_one_effect(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    world.fault(Call::GroupSnapshot, Fault::AnswerLost);
    let lost = driver.snapshot_now(&scene.spec, &suffix("p")).await;
    assert_eq!(kind(lost), ErrorKind::Unknown);
    driver
        .snapshot_now(&scene.spec, &suffix("p"))
        .await
        .unwrap();
    world.fault(Call::GroupSnapshot, Fault::Twice);
    driver
        .snapshot_now(&scene.spec, &suffix("q"))
        .await
        .unwrap();
    assert_eq!(world.faults_left(), 0);
    pass(SETTLE_S).await;
    let truth = world.truth().await;
    let of = |wanted: &str| {
        let snapshots = &array(&truth, Side::Source).group_snapshots;
        snapshots
            .iter()
            .filter(|snapshot| snapshot.name.ends_with(wanted))
            .count()
    };
    assert_eq!((of(".p"), of(".q")), (1, 1));
    let points = driver.recovery_points(&scene.spec).await.unwrap();
    assert!(points.iter().all(|point| point.completed_ms.is_some()));
    assert!(points.len() as u64 <= 3 + SETTLE_S / INTERVAL_S);
}

/// A destroyed point is not offered; its name is not used again for other contents.
pub async fn a_destroyed_point_is_not_taken_again(driver: &dyn StorageDriver, world: &dyn Fixture) {
    let scene = protected(driver, world).await;
    scene.point(driver, world, "p", 1).await;
    world.point_destroy(&scene.whole("p")).await;
    let points = driver.recovery_points(&scene.spec).await.unwrap();
    assert!(
        points.iter().all(|point| point.suffix.as_str() != "p"),
        "{points:?}"
    );
    let refused = driver
        .recover_point(&scene.spec, &suffix("p"), &both("c"))
        .await;
    assert_eq!(kind(refused), ErrorKind::Missing);
    assert!(names(&super::scene::live(&world.truth().await, Side::Target)).is_empty());
}
