//! Drafts of changes to a group, as a client writes them, and the commands they are.
//!
//! Absent: judging them, which needs facts and is the engine's; and operations (`actions`).

use crate::wire::object::object;
use protector_domain::change::{Addressing, PolicyAsk, RebuildAsk};
use protector_domain::fence::OnReturn;
use protector_domain::ids::{
    ArrayGroupName, ArrayId, FlavorId, NetworkId, SecurityGroupId, ServerId, SubnetId,
};
use protector_domain::ports::engine::Change;
use protector_domain::record::{Mappings, ReplicationType};
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// PG-04.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupCreate {
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// `async` or `sync`; fixed for ever.
    #[schema(value_type = String)]
    pub replication_type: ReplicationType,
    /// Name or id of the other site. This one becomes home.
    pub secondary_site: String,
    pub volume_type: String,
    /// Defaults to the same name.
    #[serde(default)]
    pub secondary_volume_type: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupCreateRequest {
    #[serde(deserialize_with = "object")]
    pub protection_group: GroupCreate,
}

/// PG-11. What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupUpdate {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupUpdateRequest {
    #[serde(deserialize_with = "object")]
    pub protection_group: GroupUpdate,
}

/// MEM-01. Disks and interfaces are found, never given (MEM-03).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberAdd {
    /// Id of the Nova server.
    #[schema(value_type = String)]
    pub instance_id: ServerId,
    /// Lower tiers begin first where not all can at once, and wait for none; 0 unless given.
    #[serde(default)]
    pub tier: Option<u8>,
    /// `keep` (default) or `new`: the addresses of its interfaces at the other side.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub fixed_ip: Option<Addressing>,
    /// `keep` (default) or `new`: the MAC addresses of its interfaces at the other side.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub mac: Option<Addressing>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberAddRequest {
    #[serde(deserialize_with = "object")]
    pub member: MemberAdd,
}

/// POL-03.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicySet {
    /// Id or registered name.
    #[schema(value_type = String)]
    pub primary_array: ArrayId,
    #[schema(value_type = String)]
    pub secondary_array: ArrayId,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub pure_pg_name: Option<ArrayGroupName>,
    /// Seconds.
    pub replication_interval: u64,
    /// Minutes.
    pub rpo_minutes: u64,
    /// `stop` (default) or `report`: what happens to source servers that run when a lost site returns.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub on_return: Option<OnReturn>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicySetRequest {
    #[serde(deserialize_with = "object")]
    pub policy: PolicySet,
}

/// From the home side to the other. Replaces all that was there; what is not named maps by equal name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingsSet {
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub networks: BTreeMap<NetworkId, NetworkId>,
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub subnets: BTreeMap<SubnetId, SubnetId>,
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub security_groups: BTreeMap<SecurityGroupId, SecurityGroupId>,
    /// Names to ids.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub flavors: BTreeMap<String, FlavorId>,
    /// Names.
    #[serde(default)]
    pub keypairs: BTreeMap<String, String>,
    /// Names.
    #[serde(default)]
    pub availability_zones: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingsSetRequest {
    #[serde(deserialize_with = "object")]
    pub mappings: MappingsSet,
}

impl From<GroupCreateRequest> for Change {
    fn from(
        GroupCreateRequest {
            protection_group: group,
        }: GroupCreateRequest,
    ) -> Self {
        Self::Create {
            name: group.name,
            description: group.description,
            replication_type: group.replication_type,
            secondary_site: group.secondary_site,
            volume_type: group.volume_type,
            secondary_volume_type: group.secondary_volume_type,
        }
    }
}

impl From<GroupUpdateRequest> for Change {
    fn from(GroupUpdateRequest { protection_group }: GroupUpdateRequest) -> Self {
        let GroupUpdate { name, description } = protection_group;
        Self::Update { name, description }
    }
}

impl MemberAdd {
    pub(crate) fn parts(self) -> (ServerId, RebuildAsk) {
        let rebuild = RebuildAsk {
            tier: self.tier,
            fixed_ip: self.fixed_ip,
            mac: self.mac,
        };
        (self.instance_id, rebuild)
    }
}

impl From<MemberAddRequest> for Change {
    fn from(MemberAddRequest { member }: MemberAddRequest) -> Self {
        let (instance_id, rebuild) = member.parts();
        Self::AddMember {
            instance_id,
            rebuild,
        }
    }
}

impl From<PolicySetRequest> for Change {
    fn from(PolicySetRequest { policy }: PolicySetRequest) -> Self {
        Self::SetPolicy(policy.into())
    }
}

impl From<PolicySet> for PolicyAsk {
    fn from(policy: PolicySet) -> Self {
        Self {
            primary_array: policy.primary_array,
            secondary_array: policy.secondary_array,
            pure_pg_name: policy.pure_pg_name,
            replication_interval_s: policy.replication_interval,
            rpo_minutes: policy.rpo_minutes,
            on_return: policy.on_return,
        }
    }
}

impl From<MappingsSetRequest> for Change {
    fn from(MappingsSetRequest { mappings }: MappingsSetRequest) -> Self {
        Self::SetMappings(mappings.into())
    }
}

impl From<MappingsSet> for Mappings {
    fn from(mappings: MappingsSet) -> Self {
        let MappingsSet {
            networks,
            subnets,
            security_groups,
            flavors,
            keypairs,
            availability_zones,
        } = mappings;
        Self {
            networks,
            subnets,
            security_groups,
            flavors,
            keypairs,
            availability_zones,
        }
    }
}
