//! The common opening of the cases: a protected group of two volumes and what can be asked of it.

use std::time::Duration;

use protector_domain::ids::{ArrayGroupName, PointSuffix, Serial};
use protector_domain::ports::storage::{CopyAsk, GroupSpec};
use protector_domain::ports::{ErrorKind, PortResult, StorageDriver};

use super::fixture::{BANDWIDTH_BYTES_PER_S, Fixture, Side};
use crate::model::{ArrayTruth, GroundTruth, VolumeTruth};

pub(super) const GROUP: &str = "drill-0123abcd";
pub(super) const INTERVAL_S: u64 = 900;
pub(super) const SIZE: u64 = 64 * 1_024 * 1_024;
/// Bytes that take one second to replicate.
pub(super) const SECOND_OF_DATA: u64 = BANDWIDTH_BYTES_PER_S;
/// Long enough for any small transfer.
pub(super) const SETTLE_S: u64 = 30;

pub(super) fn spec(world: &dyn Fixture) -> GroupSpec {
    GroupSpec {
        name: ArrayGroupName(GROUP.to_owned()),
        source: world.array(Side::Source),
        target: world.array(Side::Target),
        replication_interval_s: INTERVAL_S,
        target_retention_s: 86_400,
    }
}

pub(super) async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

pub(super) fn suffix(text: &str) -> PointSuffix {
    PointSuffix(text.to_owned())
}

/// A protected group with volumes `v1` and `v2`; what the schedule took first has arrived.
pub(super) struct Scene {
    pub(super) spec: GroupSpec,
    pub(super) v1: Serial,
    pub(super) v2: Serial,
}

pub(super) async fn protected(driver: &dyn StorageDriver, world: &dyn Fixture) -> Scene {
    let spec = spec(world);
    let v1 = world.volume_make(Side::Source, "v1", SIZE).await;
    let v2 = world.volume_make(Side::Source, "v2", SIZE).await;
    driver.ensure_group(&spec, false).await.unwrap();
    driver
        .set_members(&spec, &[v1.clone(), v2.clone()])
        .await
        .unwrap();
    driver.set_replication(&spec, true).await.unwrap();
    pass(SETTLE_S).await;
    Scene { spec, v1, v2 }
}

impl Scene {
    /// Writes to both volumes in turn, then takes a point and lets it arrive.
    pub(super) async fn point(
        &self,
        driver: &dyn StorageDriver,
        world: &dyn Fixture,
        name: &str,
        counter: u64,
    ) {
        world
            .write(Side::Source, &self.v1, counter, SECOND_OF_DATA)
            .await;
        world
            .write(Side::Source, &self.v2, counter + 1, SECOND_OF_DATA)
            .await;
        driver
            .snapshot_now(&self.spec, &suffix(name))
            .await
            .unwrap();
        pass(SETTLE_S).await;
    }

    /// As `point`, but the second of three seconds of data is under way when this returns.
    pub(super) async fn point_begun(
        &self,
        driver: &dyn StorageDriver,
        world: &dyn Fixture,
        name: &str,
    ) {
        world
            .write(Side::Source, &self.v1, 900, 3 * SECOND_OF_DATA)
            .await;
        driver
            .snapshot_now(&self.spec, &suffix(name))
            .await
            .unwrap();
        pass(1).await;
    }

    pub(super) fn whole(&self, point: &str) -> String {
        format!("A:{GROUP}.{point}")
    }
}

/// Copies of both volumes, called `<prefix>-1` and `<prefix>-2`.
pub(super) fn both(prefix: &str) -> Vec<CopyAsk> {
    vec![
        ask("v1", &format!("{prefix}-1")),
        ask("v2", &format!("{prefix}-2")),
    ]
}

pub(super) fn ask(source_name: &str, copy_name: &str) -> CopyAsk {
    CopyAsk {
        source_name: source_name.to_owned(),
        copy_name: copy_name.to_owned(),
    }
}

/// The kind of a failure; a success is a failure of the case.
pub(super) fn kind<T: std::fmt::Debug>(result: PortResult<T>) -> ErrorKind {
    result.unwrap_err().kind
}

pub(super) fn array(truth: &GroundTruth, side: Side) -> &ArrayTruth {
    &truth.arrays[side.array_name()]
}

pub(super) fn live(truth: &GroundTruth, side: Side) -> Vec<&VolumeTruth> {
    array(truth, side)
        .volumes
        .iter()
        .filter(|volume| !volume.destroyed)
        .collect()
}

/// The volume with this serial, destroyed or not.
pub(super) fn of_serial<'a>(
    truth: &'a GroundTruth,
    side: Side,
    serial: &Serial,
) -> &'a VolumeTruth {
    let volumes = &array(truth, side).volumes;
    volumes.iter().find(|v| v.serial == serial.0).unwrap()
}

/// What these volumes hold, and their sizes, in this order.
pub(super) fn held(truth: &GroundTruth, side: Side, serials: &[Serial]) -> Vec<(String, u64)> {
    let of = |serial: &Serial| {
        let volume = of_serial(truth, side, serial);
        (volume.hash.clone(), volume.provisioned)
    };
    serials.iter().map(of).collect()
}

pub(super) fn names(volumes: &[&VolumeTruth]) -> Vec<String> {
    volumes.iter().map(|volume| volume.name.clone()).collect()
}

/// Members of the group on the source, sorted.
pub(super) async fn member_names(world: &dyn Fixture) -> Vec<String> {
    let truth = world.truth().await;
    let source = array(&truth, Side::Source);
    let group = source
        .groups
        .iter()
        .find(|group| group.name == GROUP)
        .unwrap();
    let name = |serial: &String| {
        let volume = source
            .volumes
            .iter()
            .find(|volume| volume.serial == *serial);
        volume.unwrap().name.clone()
    };
    let mut names: Vec<String> = group.member_serials.iter().map(name).collect();
    names.sort();
    names
}
