//! The mock driver: the `StorageDriver` port over simulated arrays (`MOCK-01` to `MOCK-07`).
//!
//! It makes the calls a driver for real FlashArrays makes, in the same order and with the same
//! caution, so that drills prove the workflow and not a shortcut. For development, labs and
//! training only: no data is replicated (`MOCK-06`).
//! Absent: how arrays behave (`model`), retries over time (the caller owns them), pods.

mod door;
mod errors;
mod group;
mod health;
mod marks;
mod members;
mod overwrite;
mod point_parts;
mod points;
mod recover;
mod safety;
mod schedule;
mod volumes;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use protector_domain::ids::{ArrayId, PointSuffix, Serial, VolumeId};
use protector_domain::ports::storage::{
    ArrayVolume, Copied, CopyAsk, GroupHealth, GroupSpec, OverwriteAsk, RecoveryPoint,
};
use protector_domain::ports::{PortResult, StorageDriver};

use crate::link::ArrayLink;

/// The driver over simulated arrays.
#[derive(Clone)]
pub struct MockDriver {
    link: Arc<dyn ArrayLink>,
    /// Address of each registered array. What answers there must say it has this id (`F15`).
    addresses: BTreeMap<ArrayId, String>,
}

impl MockDriver {
    /// A driver for the arrays in `addresses`, reached through `link`.
    #[must_use]
    pub fn new(link: Arc<dyn ArrayLink>, addresses: BTreeMap<ArrayId, String>) -> Self {
        tracing::warn!("mock storage driver: arrays are simulated and no data is replicated");
        Self { link, addresses }
    }
}

#[async_trait]
impl StorageDriver for MockDriver {
    fn name(&self) -> &'static str {
        "mock"
    }

    async fn locate(
        &self,
        array: &ArrayId,
        cinder_volume: &VolumeId,
    ) -> PortResult<Option<ArrayVolume>> {
        volumes::locate(&self.door(array).await?, cinder_volume).await
    }

    async fn volume_by_serial(
        &self,
        array: &ArrayId,
        serial: &Serial,
    ) -> PortResult<Option<ArrayVolume>> {
        volumes::by_serial(&self.door(array).await?, serial).await
    }

    async fn ensure_group(&self, spec: &GroupSpec, ours: bool) -> PortResult<()> {
        let source = self.door(&spec.source).await?;
        let target = self.door(&spec.target).await?;
        group::ensure(&source, &target, spec, ours).await
    }

    async fn set_members(&self, spec: &GroupSpec, members: &[Serial]) -> PortResult<()> {
        members::set(&self.door(&spec.source).await?, spec, members).await
    }

    async fn set_replication(&self, spec: &GroupSpec, enabled: bool) -> PortResult<()> {
        schedule::set(&self.door(&spec.source).await?, spec, enabled).await
    }

    async fn retire_group(&self, spec: &GroupSpec) -> PortResult<()> {
        schedule::retire(&self.door(&spec.source).await?, spec).await
    }

    async fn snapshot_now(&self, spec: &GroupSpec, suffix: &PointSuffix) -> PortResult<()> {
        points::snapshot_now(&self.door(&spec.source).await?, spec, suffix).await
    }

    async fn recovery_points(&self, spec: &GroupSpec) -> PortResult<Vec<RecoveryPoint>> {
        points::list(&self.door(&spec.target).await?, spec).await
    }

    async fn point_volumes(
        &self,
        spec: &GroupSpec,
        point: &PointSuffix,
    ) -> PortResult<Vec<String>> {
        point_parts::names(&self.door(&spec.target).await?, spec, point).await
    }

    async fn recover_point(
        &self,
        spec: &GroupSpec,
        point: &PointSuffix,
        copies: &[CopyAsk],
    ) -> PortResult<Vec<Copied>> {
        recover::recover(&self.door(&spec.target).await?, spec, point, copies).await
    }

    async fn safety_snapshot(
        &self,
        array: &ArrayId,
        serials: &[Serial],
        suffix: &PointSuffix,
    ) -> PortResult<()> {
        safety::take(&self.door(array).await?, serials, suffix).await
    }

    async fn overwrite_from_point(
        &self,
        spec: &GroupSpec,
        point: &PointSuffix,
        overwrites: &[OverwriteAsk],
        guard: &PointSuffix,
    ) -> PortResult<()> {
        let target = self.door(&spec.target).await?;
        overwrite::from_point(&target, spec, point, overwrites, guard).await
    }

    async fn restore_safety(
        &self,
        array: &ArrayId,
        serials: &[Serial],
        suffix: &PointSuffix,
    ) -> PortResult<()> {
        overwrite::from_safety(&self.door(array).await?, serials, suffix).await
    }

    async fn release_safety(
        &self,
        array: &ArrayId,
        serials: &[Serial],
        suffix: &PointSuffix,
    ) -> PortResult<()> {
        safety::release(&self.door(array).await?, serials, suffix).await
    }

    async fn mark(&self, array: &ArrayId, name: &str) -> PortResult<ArrayVolume> {
        volumes::mark(&self.door(array).await?, name).await
    }

    async fn find_by_key(
        &self,
        array: &ArrayId,
        name_prefix: &str,
    ) -> PortResult<Vec<ArrayVolume>> {
        volumes::by_prefix(&self.door(array).await?, name_prefix).await
    }

    async fn release(
        &self,
        array: &ArrayId,
        serials: &[Serial],
        ours: &[String],
    ) -> PortResult<Vec<Serial>> {
        volumes::release(&self.door(array).await?, serials, ours).await
    }

    async fn health(&self, spec: &GroupSpec) -> PortResult<GroupHealth> {
        let target = self.door(&spec.target).await?;
        let source = self.door(&spec.source).await;
        health::look(&target, source, spec).await
    }
}
