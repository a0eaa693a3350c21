//! What a driver's tests must bring: two connected arrays that can be prepared and disturbed.

use std::sync::Arc;

use async_trait::async_trait;
use protector_domain::ids::{ArrayId, Serial};
use protector_domain::ports::StorageDriver;

use crate::link::Fault;
use crate::model::GroundTruth;

/// Replication speed that a fixture sets up, bytes per second: cases count on it.
pub const BANDWIDTH_BYTES_PER_S: u64 = 1_024 * 1_024;

/// One of the two arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Called `A`.
    Source,
    /// Called `B`.
    Target,
}

impl Side {
    /// The array's name in the ground truth.
    #[must_use]
    pub fn array_name(self) -> &'static str {
        match self {
            Self::Source => "A",
            Self::Target => "B",
        }
    }
}

/// A kind of call on an array that a fault can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Copying contents into volumes, new or existing.
    Copy,
    GroupMake,
    /// Changing or destroying a group.
    GroupChange,
    GroupSnapshot,
    MembersAdd,
    MembersRemove,
    TargetAdd,
    /// Destroying volumes.
    Destroy,
    VolumeSnapshot,
    /// Destroying snapshots of volumes.
    VolumeSnapshotDestroy,
}

/// Two arrays `A` and `B`, connected, empty, living by tokio's time.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The driver under test, with both arrays registered.
    fn driver(&self) -> Arc<dyn StorageDriver>;
    /// The same with the arrays' addresses exchanged (`F15`).
    fn driver_swapped(&self) -> Arc<dyn StorageDriver>;
    /// Whether the arrays change several volumes in one call. Without, a lost answer may leave some
    /// changed and some not until the call is repeated.
    fn has_batches(&self) -> bool {
        true
    }
    /// The id the array reports.
    fn array(&self, side: Side) -> ArrayId;
    /// The next call of this kind meets `fault`.
    fn fault(&self, call: Call, fault: Fault);
    /// Just before the next copy reaches the target, somebody makes a volume called `name` there.
    fn rival(&self, name: &str);
    /// Just before the next copy reaches the target, somebody renames a volume there; several such
    /// wishes are met in order.
    fn rival_rename(&self, old: &str, new: &str);
    /// Armed faults that no call has met.
    fn faults_left(&self) -> usize;

    async fn volume_make(&self, side: Side, name: &str, size_bytes: u64) -> Serial;
    async fn volume_rename(&self, side: Side, old: &str, new: &str);
    async fn volume_resize(&self, side: Side, name: &str, size_bytes: u64);
    async fn volume_destroy(&self, side: Side, name: &str);
    async fn volume_connect(&self, side: Side, name: &str);
    /// A test's write: `counter` counts writes over all volumes.
    async fn write(&self, side: Side, serial: &Serial, counter: u64, bytes: u64);
    /// Somebody else's group, without members, on the source.
    async fn group_make(&self, name: &str);
    /// What retention does: the snapshot `whole` goes to the bin of the target.
    async fn point_destroy(&self, whole: &str);
    /// Somebody destroys the snapshot `whole` of one volume.
    async fn volume_snapshot_destroy(&self, side: Side, whole: &str);
    async fn clock_skew(&self, side: Side, skew_ms: i64);
    async fn link_up(&self, up: bool);
    async fn power(&self, side: Side, on: bool);
    /// No more volumes than there are now.
    async fn volumes_full(&self, side: Side);
    async fn truth(&self) -> GroundTruth;
}
