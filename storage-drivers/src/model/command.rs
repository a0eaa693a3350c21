//! What can be asked of an array: commands shaped like Purity REST 2.x calls, one arm per method
//! and path. Absent: sessions, versions and texts; a REST face translates those.

use serde::{Deserialize, Serialize};

use super::query::Query;
use super::tags::Tag;

/// What a new volume holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum VolumeSource {
    /// An empty volume of so many bytes.
    Provisioned(u64),
    /// A copy of a volume or snapshot, by name.
    Name(String),
}

/// One element of `POST /volumes/batch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeItem {
    pub name: String,
    pub source: VolumeSource,
    pub tags: Vec<Tag>,
    /// Local protection groups the volume joins at birth.
    pub add_to_groups: Vec<String>,
}

impl VolumeItem {
    /// A copy of `source` called `name`, without tags and groups.
    #[must_use]
    pub fn copy(name: &str, source: &str) -> Self {
        Self {
            name: name.to_owned(),
            source: VolumeSource::Name(source.to_owned()),
            tags: Vec::new(),
            add_to_groups: Vec::new(),
        }
    }
}

/// Body of `PATCH /volumes`; absent fields stay.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VolumePatch {
    pub name: Option<String>,
    /// Bytes; shrinking needs `truncate`.
    pub provisioned: Option<u64>,
    pub truncate: bool,
    pub destroyed: Option<bool>,
}

/// Body of `PATCH` on volume snapshots, groups' snapshots: rename (volume snapshots only, whole
/// new name), destroy, recover.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SnapshotPatch {
    pub name: Option<String>,
    pub destroyed: Option<bool>,
}

/// Change of a schedule; absent fields stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SchedulePatch {
    pub enabled: Option<bool>,
    pub frequency_ms: Option<i64>,
    /// Seconds after midnight UTC, only with whole-day frequencies; -1 clears it.
    pub at_s: Option<i64>,
}

/// Change of a retention; absent fields stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RetentionPatch {
    pub all_for_s: Option<i64>,
    pub days: Option<i64>,
    pub per_day: Option<i64>,
}

/// Body of `PATCH /protection-groups`. Nested objects merge.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GroupPatch {
    pub replication_schedule: SchedulePatch,
    pub snapshot_schedule: SchedulePatch,
    pub source_retention: RetentionPatch,
    pub target_retention: RetentionPatch,
    pub destroyed: Option<bool>,
}

/// Body and parameters of `POST /protection-group-snapshots`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GroupSnapshotBody {
    /// Without one the group's own count is used.
    pub suffix: Option<String>,
    /// Start the transfer at once, ahead of queued ones.
    pub replicate_now: bool,
    /// Queue the transfer behind earlier ones.
    pub replicate: bool,
    /// Retention may remove it; otherwise it stays until destroyed.
    pub apply_retention: bool,
}

/// A call on one array. Multi-name calls are all or nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    ArraysGet,
    ArrayConnectionsGet(Query),

    VolumesPost {
        names: Vec<String>,
        source: VolumeSource,
        /// Replace the contents of an existing volume; one that is not there is created.
        overwrite: bool,
        add_to_groups: Vec<String>,
    },
    VolumesBatchPost {
        items: Vec<VolumeItem>,
        overwrite: bool,
    },
    VolumesPatch {
        names: Vec<String>,
        patch: VolumePatch,
    },
    /// Eradicate; they must be destroyed.
    VolumesDelete {
        names: Vec<String>,
    },
    VolumesGet(Query),

    VolumeSnapshotsPost {
        source_names: Vec<String>,
        suffix: Option<String>,
    },
    VolumeSnapshotsPatch {
        names: Vec<String>,
        patch: SnapshotPatch,
    },
    VolumeSnapshotsDelete {
        names: Vec<String>,
    },
    VolumeSnapshotsGet(Query),

    TagsPut {
        resource_names: Vec<String>,
        tags: Vec<Tag>,
    },
    TagsGet {
        resource_names: Vec<String>,
        namespaces: Vec<String>,
    },
    TagsDelete {
        resource_names: Vec<String>,
        namespaces: Vec<String>,
        keys: Vec<String>,
    },

    GroupsPost {
        names: Vec<String>,
    },
    GroupsPatch {
        names: Vec<String>,
        patch: GroupPatch,
    },
    GroupsDelete {
        names: Vec<String>,
    },
    GroupsGet(Query),
    GroupMembersPost {
        group_names: Vec<String>,
        member_names: Vec<String>,
    },
    GroupMembersDelete {
        group_names: Vec<String>,
        member_names: Vec<String>,
    },
    /// Empty lists do not narrow.
    GroupMembersGet {
        group_names: Vec<String>,
        member_names: Vec<String>,
        query: Query,
    },
    GroupTargetsPost {
        group_names: Vec<String>,
        member_names: Vec<String>,
    },
    /// On the target, of `A:group`.
    GroupTargetsPatch {
        group_names: Vec<String>,
        allowed: bool,
    },
    /// On the source.
    GroupTargetsDelete {
        group_names: Vec<String>,
        member_names: Vec<String>,
    },
    GroupTargetsGet {
        group_names: Vec<String>,
        query: Query,
    },

    GroupSnapshotsPost {
        source_names: Vec<String>,
        body: GroupSnapshotBody,
    },
    GroupSnapshotsPatch {
        names: Vec<String>,
        destroyed: bool,
    },
    GroupSnapshotsDelete {
        names: Vec<String>,
    },
    /// `names` also takes a group's name and then gives all its snapshots.
    GroupSnapshotsGet(Query),
    /// As above. Ask on the target.
    TransfersGet(Query),

    HostsPost {
        names: Vec<String>,
        iqns: Vec<String>,
    },
    HostsDelete {
        names: Vec<String>,
    },
    HostsGet(Query),
    HostConnectionsPost {
        host_names: Vec<String>,
        volume_names: Vec<String>,
    },
    HostConnectionsDelete {
        host_names: Vec<String>,
        volume_names: Vec<String>,
    },
    /// Empty lists do not narrow.
    HostConnectionsGet {
        host_names: Vec<String>,
        volume_names: Vec<String>,
        query: Query,
    },
}

impl Command {
    /// True for calls that change nothing on the array.
    #[must_use]
    pub fn is_read(&self) -> bool {
        matches!(
            self,
            Self::ArraysGet
                | Self::ArrayConnectionsGet(_)
                | Self::VolumesGet(_)
                | Self::VolumeSnapshotsGet(_)
                | Self::TagsGet { .. }
                | Self::GroupsGet(_)
                | Self::GroupMembersGet { .. }
                | Self::GroupTargetsGet { .. }
                | Self::GroupSnapshotsGet(_)
                | Self::TransfersGet(_)
                | Self::HostsGet(_)
                | Self::HostConnectionsGet { .. }
        )
    }

    /// The call's name for logs: method and object, without contents.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::ArraysGet => "arrays_get",
            Self::ArrayConnectionsGet(_) => "array_connections_get",
            Self::VolumesPost { .. } => "volumes_post",
            Self::VolumesBatchPost { .. } => "volumes_batch_post",
            Self::VolumesPatch { .. } => "volumes_patch",
            Self::VolumesDelete { .. } => "volumes_delete",
            Self::VolumesGet(_) => "volumes_get",
            Self::VolumeSnapshotsPost { .. } => "volume_snapshots_post",
            Self::VolumeSnapshotsPatch { .. } => "volume_snapshots_patch",
            Self::VolumeSnapshotsDelete { .. } => "volume_snapshots_delete",
            Self::VolumeSnapshotsGet(_) => "volume_snapshots_get",
            Self::TagsPut { .. } => "tags_put",
            Self::TagsGet { .. } => "tags_get",
            Self::TagsDelete { .. } => "tags_delete",
            Self::GroupsPost { .. } => "groups_post",
            Self::GroupsPatch { .. } => "groups_patch",
            Self::GroupsDelete { .. } => "groups_delete",
            Self::GroupsGet(_) => "groups_get",
            Self::GroupMembersPost { .. } => "group_members_post",
            Self::GroupMembersDelete { .. } => "group_members_delete",
            Self::GroupMembersGet { .. } => "group_members_get",
            Self::GroupTargetsPost { .. } => "group_targets_post",
            Self::GroupTargetsPatch { .. } => "group_targets_patch",
            Self::GroupTargetsDelete { .. } => "group_targets_delete",
            Self::GroupTargetsGet { .. } => "group_targets_get",
            Self::GroupSnapshotsPost { .. } => "group_snapshots_post",
            Self::GroupSnapshotsPatch { .. } => "group_snapshots_patch",
            Self::GroupSnapshotsDelete { .. } => "group_snapshots_delete",
            Self::GroupSnapshotsGet(_) => "group_snapshots_get",
            Self::TransfersGet(_) => "transfers_get",
            Self::HostsPost { .. } => "hosts_post",
            Self::HostsDelete { .. } => "hosts_delete",
            Self::HostsGet(_) => "hosts_get",
            Self::HostConnectionsPost { .. } => "host_connections_post",
            Self::HostConnectionsDelete { .. } => "host_connections_delete",
            Self::HostConnectionsGet { .. } => "host_connections_get",
        }
    }
}
