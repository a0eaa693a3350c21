//! What arrays answer, field by field: what must be there and what older arrays leave out. Unknown
//! fields are ignored. Absent: what is done with it.

use serde::Deserialize;

use crate::model::{
    ArrayConnectionRow, ArrayRow, GroupMemberRow, GroupRow, GroupSnapshotRow, GroupTargetRow,
    Reference, Retention, Schedule, Tag, TagRow, TransferRow, VolumeRow, VolumeSnapshotRow,
};

/// One page of a list.
#[derive(Deserialize)]
pub(super) struct Envelope<T> {
    pub(super) items: Vec<T>,
    pub(super) continuation_token: Option<String>,
    pub(super) more_items_remaining: Option<bool>,
    pub(super) total_item_count: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Versions {
    pub(super) version: Vec<String>,
}

/// Not every array gives ids with its references.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Pointer {
    name: Option<String>,
    id: Option<String>,
}

impl From<Pointer> for Reference {
    fn from(wire: Pointer) -> Self {
        Self {
            name: wire.name.unwrap_or_default(),
            id: wire.id.unwrap_or_default(),
        }
    }
}

/// The clock is not in it: it stands in the `Date` of the answer.
#[derive(Deserialize)]
pub(super) struct ArrayWire {
    id: String,
    name: String,
    version: Option<String>,
    os: Option<String>,
}

impl ArrayWire {
    pub(super) fn row(self, now_ms: i64, now_step_ms: i64) -> ArrayRow {
        ArrayRow {
            id: self.id,
            name: self.name,
            version: self.version.unwrap_or_default(),
            os: self.os.unwrap_or_default(),
            now_ms,
            now_step_ms,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct ConnectionWire {
    name: Option<String>,
    #[serde(default)]
    remote: Pointer,
    status: String,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl From<ConnectionWire> for ArrayConnectionRow {
    fn from(wire: ConnectionWire) -> Self {
        Self {
            name: wire.name.unwrap_or_default(),
            remote: wire.remote.into(),
            status: wire.status,
            kind: wire.kind.unwrap_or_default(),
        }
    }
}

/// `connection_count` must be there: a volume somebody uses must not be taken for a free one.
#[derive(Deserialize)]
pub(super) struct VolumeWire {
    id: String,
    name: String,
    serial: String,
    provisioned: u64,
    created: i64,
    destroyed: bool,
    time_remaining: Option<i64>,
    connection_count: u64,
    source: Option<Pointer>,
    subtype: Option<String>,
}

impl From<VolumeWire> for VolumeRow {
    fn from(wire: VolumeWire) -> Self {
        // A volume that is no copy: no source, or an empty one.
        let source = wire.source.filter(|s| s.name.is_some()).map(Into::into);
        Self {
            id: wire.id,
            name: wire.name,
            serial: wire.serial,
            provisioned: wire.provisioned,
            created: wire.created,
            destroyed: wire.destroyed,
            time_remaining: wire.time_remaining,
            connection_count: wire.connection_count,
            source,
            subtype: wire.subtype.unwrap_or_default(),
            tags: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct VolumeSnapshotWire {
    #[serde(default)]
    id: String,
    name: String,
    suffix: Option<String>,
    created: i64,
    destroyed: bool,
    time_remaining: Option<i64>,
    provisioned: Option<u64>,
    #[serde(default)]
    source: Pointer,
}

impl From<VolumeSnapshotWire> for VolumeSnapshotRow {
    fn from(wire: VolumeSnapshotWire) -> Self {
        Self {
            id: wire.id,
            name: wire.name,
            suffix: wire.suffix.unwrap_or_default(),
            created: wire.created,
            destroyed: wire.destroyed,
            time_remaining: wire.time_remaining,
            provisioned: wire.provisioned.unwrap_or_default(),
            source: wire.source.into(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct TagWire {
    #[serde(default)]
    resource: Pointer,
    key: String,
    value: Option<String>,
    namespace: Option<String>,
    copyable: Option<bool>,
}

impl From<TagWire> for TagRow {
    fn from(wire: TagWire) -> Self {
        Self {
            resource: wire.resource.into(),
            tag: Tag {
                key: wire.key,
                value: wire.value.unwrap_or_default(),
                namespace: wire.namespace.unwrap_or_default(),
                copyable: wire.copyable.unwrap_or_default(),
            },
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ScheduleWire {
    enabled: bool,
    frequency: Option<i64>,
    at: Option<i64>,
}

impl From<ScheduleWire> for Schedule {
    fn from(wire: ScheduleWire) -> Self {
        Self {
            enabled: wire.enabled,
            frequency_ms: wire.frequency.unwrap_or_default(),
            at_s: wire.at,
        }
    }
}

/// What is not given is no retention that we would make: never taken for ours.
const NOT_GIVEN: i64 = -1;

#[derive(Deserialize, Default)]
#[serde(default)]
struct RetentionWire {
    all_for_sec: Option<i64>,
    days: Option<i64>,
    per_day: Option<i64>,
}

impl From<RetentionWire> for Retention {
    fn from(wire: RetentionWire) -> Self {
        Self {
            all_for_s: wire.all_for_sec.unwrap_or(NOT_GIVEN),
            days: wire.days.unwrap_or(NOT_GIVEN),
            // Newer arrays count per period instead.
            per_day: wire.per_day.unwrap_or_default(),
        }
    }
}

/// Without counts a group cannot be told from an empty one, so they must be there.
#[derive(Deserialize)]
pub(super) struct GroupWire {
    #[serde(default)]
    id: String,
    name: String,
    is_local: Option<bool>,
    #[serde(default)]
    source: Pointer,
    destroyed: bool,
    time_remaining: Option<i64>,
    #[serde(default)]
    replication_schedule: ScheduleWire,
    #[serde(default)]
    snapshot_schedule: ScheduleWire,
    #[serde(default)]
    source_retention: RetentionWire,
    #[serde(default)]
    target_retention: RetentionWire,
    volume_count: u64,
    target_count: u64,
}

impl From<GroupWire> for GroupRow {
    fn from(wire: GroupWire) -> Self {
        Self {
            id: wire.id,
            name: wire.name,
            is_local: wire.is_local.unwrap_or(true),
            source: wire.source.into(),
            destroyed: wire.destroyed,
            time_remaining: wire.time_remaining,
            replication_schedule: wire.replication_schedule.into(),
            snapshot_schedule: wire.snapshot_schedule.into(),
            source_retention: wire.source_retention.into(),
            target_retention: wire.target_retention.into(),
            volume_count: wire.volume_count,
            target_count: wire.target_count,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct MemberWire {
    #[serde(default)]
    group: Pointer,
    member: Pointer,
}

impl From<MemberWire> for GroupMemberRow {
    fn from(wire: MemberWire) -> Self {
        Self {
            group: wire.group.into(),
            member: wire.member.into(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct TargetWire {
    #[serde(default)]
    group: Pointer,
    member: Pointer,
    allowed: bool,
    /// From REST 2.54.
    status: Option<String>,
}

impl From<TargetWire> for GroupTargetRow {
    fn from(wire: TargetWire) -> Self {
        Self {
            group: wire.group.into(),
            member: wire.member.into(),
            allowed: wire.allowed,
            status: wire.status.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct GroupSnapshotWire {
    #[serde(default)]
    id: String,
    name: String,
    suffix: String,
    created: i64,
    destroyed: bool,
    time_remaining: Option<i64>,
    #[serde(default)]
    source: Pointer,
}

impl From<GroupSnapshotWire> for GroupSnapshotRow {
    fn from(wire: GroupSnapshotWire) -> Self {
        Self {
            id: wire.id,
            name: wire.name,
            suffix: wire.suffix,
            created: wire.created,
            destroyed: wire.destroyed,
            time_remaining: wire.time_remaining,
            source: wire.source.into(),
        }
    }
}

/// A transfer that has not begun has no `started` and no `progress` yet.
#[derive(Deserialize)]
pub(super) struct TransferWire {
    name: String,
    started: Option<i64>,
    completed: Option<i64>,
    progress: Option<f64>,
    data_transferred: Option<u64>,
    physical_bytes_written: Option<u64>,
    #[serde(default)]
    destroyed: bool,
}

impl From<TransferWire> for TransferRow {
    fn from(wire: TransferWire) -> Self {
        Self {
            name: wire.name,
            // No date: then no age is told.
            started: wire.started.unwrap_or_default(),
            completed: wire.completed.filter(|at| *at > 0),
            progress: wire.progress.unwrap_or_default(),
            data_transferred: wire.data_transferred.unwrap_or_default(),
            physical_bytes_written: wire.physical_bytes_written.unwrap_or_default(),
            destroyed: wire.destroyed,
        }
    }
}
