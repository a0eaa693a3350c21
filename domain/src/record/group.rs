//! The group itself: its two sides, policy, mappings, state. Absent: its members (`member`).

use super::Member;
use crate::fence::OnReturn;
use crate::ids::{
    ArrayGroupName, ArrayId, FlavorId, NetworkId, ProjectId, SecurityGroupId, SiteId, SubnetId,
};
use crate::ports::storage::GroupSpec;
use crate::sync::Role;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Major version of the body's layout. Newer fields are kept, an unknown major is refused (A14).
pub const SCHEMA: u32 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplicationType {
    Async,
    Sync,
}

/// PG-03 and section 2 of the requirements; conditions live beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupStatus {
    Creating,
    Active,
    FailingOver,
    FailedOver,
    FailedOverPartial,
    FailingBack,
    Deleting,
    Error,
}

/// The group at one of its two sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SidePlace {
    pub site: SiteId,
    /// The tenant's project there (TEN-01).
    pub project: ProjectId,
    /// The replicated type there (C1).
    pub volume_type: String,
}

/// Both sides. `home` made the group and never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sides {
    pub home: SidePlace,
    pub other: SidePlace,
}

impl Sides {
    pub fn of(&self, role: Role) -> &SidePlace {
        match role {
            Role::Home => &self.home,
            Role::Other => &self.other,
        }
    }

    /// Which side `site` is; `None`: neither.
    pub fn role_of(&self, site: SiteId) -> Option<Role> {
        if self.home.site == site {
            Some(Role::Home)
        } else if self.other.site == site {
            Some(Role::Other)
        } else {
            None
        }
    }
}

/// POL-01 without its secrets, which are sealed beside the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub home_array: ArrayId,
    pub other_array: ArrayId,
    /// `pure_pg_name`, the same on both arrays (POL-04).
    pub array_group: ArrayGroupName,
    pub replication_interval_s: u64,
    pub rpo_max_s: u64,
    /// How long the target keeps replicated snapshots.
    pub target_retention_s: u64,
}

impl Policy {
    pub fn array_of(&self, role: Role) -> &ArrayId {
        match role {
            Role::Home => &self.home_array,
            Role::Other => &self.other_array,
        }
    }

    /// The group on its arrays, replicating towards `target`.
    pub fn spec_towards(&self, target: Role) -> GroupSpec {
        GroupSpec {
            name: self.array_group.clone(),
            source: self.array_of(target.peer()).clone(),
            target: self.array_of(target).clone(),
            replication_interval_s: self.replication_interval_s,
            target_retention_s: self.target_retention_s,
        }
    }
}

/// What a thing at the home side becomes at the other side, and what is not named maps by equal
/// name. Read backwards for the way home.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mappings {
    #[serde(default)]
    pub networks: BTreeMap<NetworkId, NetworkId>,
    #[serde(default)]
    pub subnets: BTreeMap<SubnetId, SubnetId>,
    #[serde(default)]
    pub security_groups: BTreeMap<SecurityGroupId, SecurityGroupId>,
    #[serde(default)]
    pub flavors: BTreeMap<String, FlavorId>,
    #[serde(default)]
    pub keypairs: BTreeMap<String, String>,
    #[serde(default)]
    pub availability_zones: BTreeMap<String, String>,
}

/// The body of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupBody {
    pub schema: u32,
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub replication_type: ReplicationType,
    pub sides: Sides,
    pub status: GroupStatus,
    pub policy: Option<Policy>,
    #[serde(default)]
    pub mappings: Mappings,
    #[serde(default)]
    pub members: Vec<Member>,
    /// Replicated from where it is now towards the other site; false after a failover until it is
    /// reprotected (C39).
    #[serde(default = "yes")]
    pub protected: bool,
    /// What happens to source servers that run when their lost site returns (I4).
    #[serde(default)]
    pub on_return: OnReturn,
    pub failover_count: u32,
    /// Unix microseconds by the clock of the site that moved it.
    pub last_failover_at_us: Option<i64>,
    pub created_at_us: i64,
}

fn yes() -> bool {
    true
}
