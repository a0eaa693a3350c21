//! Arrays, as far as we need them: groups that replicate, points to recover from, copies.
//! Absent: vendor words; a driver maps these to its array (ARC-13, DRV-02).

use super::PortResult;
use crate::ids::{ArrayGroupName, ArrayId, PointSuffix, Serial};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// An array volume found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrayVolume {
    pub serial: Serial,
    /// Its name at this moment; Cinder renames (G3).
    pub name: String,
    pub size_bytes: u64,
    /// Connected to any host just now (G7).
    pub connected: bool,
    pub destroyed: bool,
}

/// How a group replicates (POL-01).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSpec {
    pub name: ArrayGroupName,
    pub source: ArrayId,
    pub target: ArrayId,
    /// Seconds between two replicated snapshots (C24).
    pub replication_interval_s: u64,
    /// Seconds that the target keeps a replicated snapshot.
    pub target_retention_s: u64,
}

/// A group snapshot that has left the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryPoint {
    pub suffix: PointSuffix,
    /// When the source froze it, by the source array's clock (Unix milliseconds).
    pub created_ms: i64,
    /// When it had fully arrived, by the target array's clock; `None`: not complete, never to be
    /// recovered from (F1).
    pub completed_ms: Option<i64>,
    /// Seconds between `created_ms` and now, both by the asked array's clock (D1). `None` when the
    /// array's clock makes no sense of it (D4).
    pub age_s: Option<u64>,
    /// Sorts points of one group by the order the array made them in, whatever the clocks say (D4).
    pub sequence: u64,
}

/// A volume as a point holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointVolume {
    /// Its name on the *source* when the point was taken.
    pub name: String,
    /// Its size then.
    pub size_bytes: u64,
}

impl PointVolume {
    /// As Cinder counts: whole GiB, an odd rest is one more.
    pub fn size_gib(&self) -> u64 {
        self.size_bytes.div_ceil(1 << 30)
    }
}

/// One volume to bring back from a point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyAsk {
    /// Name of the member volume on the *source* array when the point was taken.
    pub source_name: String,
    /// Name of the new volume. Ours: it carries our key.
    pub copy_name: String,
}

/// A copy that exists on the target array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    pub copy_name: String,
    pub serial: Serial,
    pub size_bytes: u64,
}

/// One existing volume whose contents a point replaces (the way back).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverwriteAsk {
    /// Name of the member volume on the *source* array when the point was taken.
    pub source_name: String,
    /// The volume on the *target* array that takes the contents; it keeps its id and serial.
    pub target: Serial,
}

/// Replication of one group, as seen now (MON-01).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupHealth {
    pub replicating: bool,
    /// Volumes in the group on the source array; `None`: could not ask the source.
    pub member_serials: Option<Vec<Serial>>,
    pub newest_complete: Option<RecoveryPoint>,
}

#[async_trait]
pub trait StorageDriver: Send + Sync {
    /// `pure` or `mock` (INS-11).
    fn name(&self) -> &'static str;

    /// The array volume behind a Cinder volume. `Ok(None)`: the array answered and has none.
    async fn locate(
        &self,
        array: &ArrayId,
        cinder_volume: &crate::ids::VolumeId,
    ) -> PortResult<Option<ArrayVolume>>;
    /// The volume with this serial, live ones only.
    async fn volume_by_serial(
        &self,
        array: &ArrayId,
        serial: &Serial,
    ) -> PortResult<Option<ArrayVolume>>;

    /// Makes the replicating group, or finds it as asked; idempotent. Never switches the schedule
    /// on: a new group, and one that was retired and is made again, is off (`set_replication`).
    /// `AlreadyThere`: the name belongs to somebody else, i.e. it is not one of `ours` (C6).
    async fn ensure_group(&self, spec: &GroupSpec, ours: bool) -> PortResult<()>;
    /// Makes the group's members exactly these; idempotent. Leaves the schedule alone, so that
    /// repeating it never undoes a `set_replication(.., false)`; only a group that is left without
    /// members is switched off, since it has nothing to send. `Missing`: a volume or the group is
    /// not there (F8).
    async fn set_members(&self, spec: &GroupSpec, members: &[Serial]) -> PortResult<()>;
    /// Switches the schedule at `spec.source` on or off: the only way to switch it on; idempotent.
    /// Off stops points by the clock, not transfers under way, nor `snapshot_now`.
    /// `Missing`: the group is not there. `Refused`: on, for a group without members, whose points
    /// would be empty.
    async fn set_replication(&self, spec: &GroupSpec, enabled: bool) -> PortResult<()>;
    /// Switches off and destroys our group at `spec.source` with its snapshots there; never
    /// volumes, never what has arrived at the target, never eradicates. Already gone is fine.
    /// `Refused`: a group of that name that does not look as `ensure_group` leaves it (replicating
    /// to `spec.target` and nowhere else, our retention) is not ours and stays as it is (S4, F17).
    /// One of ours that was made only by half is completed by `ensure_group` first.
    async fn retire_group(&self, spec: &GroupSpec) -> PortResult<()>;
    /// Takes a group snapshot now and starts replicating it; idempotent by suffix (CG-06).
    async fn snapshot_now(&self, spec: &GroupSpec, suffix: &PointSuffix) -> PortResult<()>;
    /// Points of the group on the target array, newest first by `sequence`; asks the target only
    /// (L3). Complete and incomplete ones.
    async fn recovery_points(&self, spec: &GroupSpec) -> PortResult<Vec<RecoveryPoint>>;
    /// The volumes that a point holds; one that joined the group later is not among them. Empty: the point
    /// is gone (F2).
    async fn point_volumes(
        &self,
        spec: &GroupSpec,
        point: &PointSuffix,
    ) -> PortResult<Vec<PointVolume>>;
    /// Copies volumes out of one complete point to new, writable volumes on the target array.
    /// One call for any number; never overwrites (F5). Idempotent by `copy_name` as long as the
    /// copies keep their names. `Missing`: the point or a volume in it is gone (F2);
    /// `AlreadyThere`: a name is taken by something that did not come from that point.
    async fn recover_point(
        &self,
        spec: &GroupSpec,
        point: &PointSuffix,
        copies: &[CopyAsk],
    ) -> PortResult<Vec<Copied>>;
    /// Takes one snapshot of each of these volumes, all at one moment, named by our `suffix`:
    /// what `restore_safety` puts back. Idempotent by `suffix`: those taken before stay as they
    /// are, whatever the volumes hold now, also after renames.
    /// `Missing`: a volume is not there, nothing taken then. `AlreadyThere`: some of the volumes
    /// have this snapshot and some do not, or it lies in the bin: a second moment would not be
    /// the one that was kept.
    async fn safety_snapshot(
        &self,
        array: &ArrayId,
        serials: &[Serial],
        suffix: &PointSuffix,
    ) -> PortResult<()>;
    /// Replaces the contents of existing volumes on the *target* array, found by serial, with
    /// those of one complete point: all or none, in one call where the array has one. Volumes keep
    /// id, serial and name and take the size they have in the point (a grown one grows; a larger
    /// target is cut). Idempotent: repeated, it gives the same contents again, for which the point
    /// is still needed. A volume may be connected to a host: a stopped server keeps its connections,
    /// and whether it is stopped is the caller's to know.
    ///
    /// `Refused`, and nothing changed: a target has no safety snapshot `guard` (taken before, so
    /// that this can be undone), or is asked for twice; the point is not
    /// complete (F1); the direction is wrong (F14): both arrays are one, a target is not a volume
    /// of `spec.target`, or it is a member of the group of this name that replicates *from*
    /// `spec.target`, i.e. what is to be overwritten is what is being protected (I6, S5).
    /// `Missing`: the point, or a volume in it, is gone (F2). `Unknown`: repeat it; also when a
    /// target was renamed under our hands and another volume was hit, which the text names.
    async fn overwrite_from_point(
        &self,
        spec: &GroupSpec,
        point: &PointSuffix,
        overwrites: &[OverwriteAsk],
        guard: &PointSuffix,
    ) -> PortResult<()>;
    /// Puts back contents and size that these volumes had at `safety_snapshot`: the undo of an
    /// overwrite, all or none; the snapshots stay. Idempotent.
    /// `Missing`: a volume or its snapshot is gone (the bin counts as gone), nothing changed then.
    async fn restore_safety(
        &self,
        array: &ArrayId,
        serials: &[Serial],
        suffix: &PointSuffix,
    ) -> PortResult<()>;
    /// Destroys (never eradicates) those safety snapshots; volumes stay. Snapshots and volumes
    /// already gone are fine; snapshots of other suffixes and of other volumes stay (S4).
    async fn release_safety(
        &self,
        array: &ArrayId,
        serials: &[Serial],
        suffix: &PointSuffix,
    ) -> PortResult<()>;
    /// Makes the smallest empty volume called `name`, or finds it: a mark, which holds nothing and stands
    /// for itself. Idempotent; never overwrites.
    /// `AlreadyThere`: the name lies in the bin.
    async fn mark(&self, array: &ArrayId, name: &str) -> PortResult<ArrayVolume>;
    /// Live volumes on `array` whose name starts so: what we made and nobody renamed.
    async fn find_by_key(&self, array: &ArrayId, name_prefix: &str)
    -> PortResult<Vec<ArrayVolume>>;
    /// Destroys (never eradicates) the volumes with these serials, each only if its present name
    /// starts with one of `ours`; already gone is fine. Returns those left alone (S4).
    async fn release(
        &self,
        array: &ArrayId,
        serials: &[Serial],
        ours: &[String],
    ) -> PortResult<Vec<Serial>>;
    async fn health(&self, spec: &GroupSpec) -> PortResult<GroupHealth>;
}
