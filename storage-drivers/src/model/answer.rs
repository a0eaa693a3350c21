//! What arrays answer: rows as Purity REST 2.x shows them, and pages of rows.
//! Absent: HTTP and JSON envelopes. Times are ms since the epoch by the array's own clock.

use serde::{Deserialize, Serialize};

use super::groups::{Retention, Schedule};
use super::tags::Tag;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page starts; only while items are left and no sort was asked.
    pub continuation_token: Option<String>,
    pub more_items_remaining: bool,
    /// Only when asked for.
    pub total_item_count: Option<u64>,
}

impl<T> Page<T> {
    /// A page that holds everything there is.
    #[must_use]
    pub fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            continuation_token: None,
            more_items_remaining: false,
            total_item_count: None,
        }
    }
}

/// A pointer to another object by name and id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reference {
    pub name: String,
    pub id: String,
}

impl Reference {
    /// A pointer to the object called `name` with `id`.
    #[must_use]
    pub fn new(name: &str, id: &str) -> Self {
        Self {
            name: name.to_owned(),
            id: id.to_owned(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArrayRow {
    pub id: String,
    pub name: String,
    pub version: String,
    pub os: String,
    /// The array's own clock, ms since the epoch (over REST: the `Date` header of the answer).
    pub now_ms: i64,
    /// How coarse that reading is: the clock shows less than this more (a `Date` counts seconds).
    #[serde(default)]
    pub now_step_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArrayConnectionRow {
    pub name: String,
    pub remote: Reference,
    /// `connected` or `connecting`.
    pub status: String,
    #[serde(rename = "type")]
    pub kind: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VolumeRow {
    pub id: String,
    pub name: String,
    /// 24 upper-case hex digits: a volume's identity for ever.
    pub serial: String,
    /// Bytes.
    pub provisioned: u64,
    pub created: i64,
    pub destroyed: bool,
    /// Ms until eradication, only when destroyed.
    pub time_remaining: Option<i64>,
    pub connection_count: u64,
    pub source: Option<Reference>,
    pub subtype: String,
    /// For the `tags(..)` filter; REST shows tags under a path of their own.
    pub tags: Vec<Tag>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VolumeSnapshotRow {
    pub id: String,
    pub name: String,
    pub suffix: String,
    pub created: i64,
    pub destroyed: bool,
    pub time_remaining: Option<i64>,
    pub provisioned: u64,
    /// The volume it was taken of; `A:vol` for a replica.
    pub source: Reference,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupRow {
    pub id: String,
    pub name: String,
    /// False for the view of another array's group.
    pub is_local: bool,
    /// The array that owns it.
    pub source: Reference,
    pub destroyed: bool,
    pub time_remaining: Option<i64>,
    pub replication_schedule: Schedule,
    pub snapshot_schedule: Schedule,
    pub source_retention: Retention,
    pub target_retention: Retention,
    pub volume_count: u64,
    pub target_count: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupMemberRow {
    pub group: Reference,
    pub member: Reference,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupTargetRow {
    pub group: Reference,
    pub member: Reference,
    pub allowed: bool,
    /// `replicating`, `suspended` or `disallowed`.
    pub status: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupSnapshotRow {
    pub id: String,
    pub name: String,
    pub suffix: String,
    /// The moment it was taken, by the clock of the array that took it.
    pub created: i64,
    pub destroyed: bool,
    pub time_remaining: Option<i64>,
    /// The group it was taken of.
    pub source: Reference,
}

/// One replication of a group snapshot, as the target sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransferRow {
    pub name: String,
    pub started: i64,
    pub completed: Option<i64>,
    /// 0 to 1. Only 1 with `completed` set may be recovered from.
    pub progress: f64,
    pub data_transferred: u64,
    pub physical_bytes_written: u64,
    pub destroyed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostRow {
    pub name: String,
    pub iqns: Vec<String>,
    pub is_local: bool,
    pub connection_count: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostConnectionRow {
    pub host: Reference,
    pub volume: Reference,
    pub lun: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagRow {
    pub resource: Reference,
    #[serde(flatten)]
    pub tag: Tag,
}

/// The answer to a command. A change answers the objects after it; a removal answers `Done`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    Arrays(Page<ArrayRow>),
    ArrayConnections(Page<ArrayConnectionRow>),
    Volumes(Page<VolumeRow>),
    VolumeSnapshots(Page<VolumeSnapshotRow>),
    Groups(Page<GroupRow>),
    GroupMembers(Page<GroupMemberRow>),
    GroupTargets(Page<GroupTargetRow>),
    GroupSnapshots(Page<GroupSnapshotRow>),
    Transfers(Page<TransferRow>),
    Hosts(Page<HostRow>),
    HostConnections(Page<HostConnectionRow>),
    Tags(Page<TagRow>),
    Done,
}
