//! How an array that speaks Purity REST's verbs is driven: the `StorageDriver` port kept with
//! `model::Command`s, whatever carries them. The mock driver and the Pure driver are this, over
//! simulated arrays and over HTTPS, so that drills prove the workflow and not a shortcut.
//!
//! Absent: the way to arrays (`mock`, `pure`), how arrays behave (`model`), retries over time (the
//! caller owns them), pods.

mod door;
pub(crate) mod errors;
mod group;
mod health;
pub(crate) mod marks;
mod members;
mod overwrite;
mod point_parts;
mod points;
mod recover;
mod safety;
mod schedule;
mod volumes;

use std::sync::Arc;

use async_trait::async_trait;
use protector_domain::ids::{ArrayId, PointSuffix, Serial, VolumeId};
use protector_domain::ports::storage::{
    ArrayVolume, Copied, CopyAsk, GroupHealth, GroupSpec, OverwriteAsk, PointVolume, RecoveryPoint,
};
use protector_domain::ports::{PortResult, StorageDriver};

use crate::link::ArrayLink;

/// The way to one array, as far as its address says.
#[derive(Clone)]
pub struct Way {
    /// Carries commands there.
    pub link: Arc<dyn ArrayLink>,
    /// Where it is: what the link takes, and what errors name. Never a secret.
    pub address: String,
}

/// Where registered arrays are found. Asked again at every call of the port: arrays come and move
/// while a site runs.
#[async_trait]
pub trait Reach: Send + Sync {
    /// The driver's name in configuration and logs (INS-11).
    fn driver_name(&self) -> &'static str;

    /// The way to the array registered as `id`.
    ///
    /// Errors: `Refused` when it is not registered, or not completely.
    async fn way(&self, id: &ArrayId) -> PortResult<Way>;
}

/// The port over arrays found by `R`.
#[derive(Clone)]
pub struct Driver<R> {
    pub(crate) reach: R,
}

#[async_trait]
impl<R: Reach> StorageDriver for Driver<R> {
    fn name(&self) -> &'static str {
        self.reach.driver_name()
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
    ) -> PortResult<Vec<PointVolume>> {
        point_parts::list(&self.door(&spec.target).await?, spec, point).await
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
