//! Groups as stored, and the tables that are read out of their bodies (1.22).

use protector_domain::ids::{
    ArrayGroupName, ArrayId, DiskId, GroupId, MemberId, ProjectId, ServerId, VolumeGroupId,
};
use protector_domain::record::{Captured, DiskPlace, GroupBody, Nic, Places};
use protector_domain::sync::{GroupSync, Kept};

/// A group's new state, to be stored if nobody was quicker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPut {
    /// The tenant's project at this site.
    pub project: ProjectId,
    /// The revision that was read; `None`: the group must not be here yet.
    pub expect_revision: Option<i64>,
    /// K1..K8. Signed bytes, epoch, version, digest and body are read out of its current record.
    pub sync: GroupSync,
    /// K4: contents that are not in force from now on. They go to the sync log in the same transaction, once each.
    pub kept: Vec<Kept>,
}

/// A group as it was read. Give `revision` back with the next [`GroupPut`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGroup {
    pub id: GroupId,
    pub project: ProjectId,
    /// Counts the writes of this row, from 1.
    pub revision: i64,
    pub sync: GroupSync,
    /// `None`: a tombstone, no record yet, or a body that this program cannot read.
    pub body: Option<GroupBody>,
    pub created_us: i64,
    pub updated_us: i64,
}

/// Local facts about a group's Cinder groups (CG-02). They are no part of the record, so a rebuild
/// of the projections keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsistencyFacts {
    pub primary_cg_id: Option<VolumeGroupId>,
    pub secondary_cg_id: Option<VolumeGroupId>,
    pub backend_name: Option<String>,
    pub status: Option<String>,
}

/// CG-03. `primary` is the home side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyGroup {
    pub group: GroupId,
    pub volume_type_name: String,
    pub secondary_volume_type_name: String,
    pub volume_count: u64,
    pub facts: ConsistencyFacts,
}

/// One protected disk with its attachment (CG-04, MEM-06).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgVolume {
    pub disk: DiskId,
    pub member: MemberId,
    pub places: Places<DiskPlace>,
    pub volume_name: String,
    pub size_gb: u64,
    pub bootable: bool,
    pub boot_index: i32,
    pub device: Option<String>,
    pub tag: Option<String>,
    pub delete_on_termination: bool,
    pub status: String,
}

/// One member VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    pub member: MemberId,
    pub places: Places<ServerId>,
    pub name: String,
    pub tier: u8,
    pub captured: Captured,
    pub nics: Vec<Nic>,
}

/// POL-01, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRow {
    pub home_array: ArrayId,
    pub other_array: ArrayId,
    pub pure_pg_name: ArrayGroupName,
    pub replication_interval_s: u64,
    pub rpo_max_s: u64,
    pub target_retention_s: u64,
}

/// What one thing at home becomes at the other side.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MappingRow {
    /// `network`, `subnet`, `security_group`, `flavor`, `keypair`, `availability_zone`.
    pub kind: String,
    pub source: String,
    pub target: String,
}

/// Everything that is read out of one body, in the order of the body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projections {
    pub consistency_group: Option<ConsistencyGroup>,
    pub cg_volumes: Vec<CgVolume>,
    pub members: Vec<MemberRow>,
    pub policy: Option<PolicyRow>,
    pub mappings: Vec<MappingRow>,
}
