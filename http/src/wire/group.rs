//! Groups, members, policies and mappings as shown (PG-02, MEM-02, POL-01).
//!
//! Absent: what only a rebuild needs (flavors in full, image metadata), and secrets.

use crate::time::iso;
use crate::wire::system::Link;
use protector_domain::condition::{Condition, ConditionKind};
use protector_domain::ids::{FlavorId, NetworkId, SecurityGroupId, ServerId, SubnetId, VolumeId};
use protector_domain::ports::engine::GroupView;
use protector_domain::record::{
    Disk, GroupStatus, Mappings, Member, Nic, Places, Policy, ReplicationType,
};
use protector_domain::sync::Role;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

pub(super) const S_PER_MINUTE: u64 = 60;

/// One thing that is wrong with a group now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConditionInfo {
    /// `unprotected`, `split_brain`, `out_of_sync` or `delegation`.
    #[schema(value_type = String)]
    pub kind: ConditionKind,
    pub reason: String,
}

impl From<&Condition> for ConditionInfo {
    fn from(condition: &Condition) -> Self {
        Self {
            kind: condition.kind,
            reason: condition.reason.clone(),
        }
    }
}

/// PG-02. Sites are shown by id; the primary site is home, which never changes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GroupInfo {
    pub id: String,
    pub name: String,
    pub description: String,
    #[schema(value_type = String)]
    pub status: GroupStatus,
    #[schema(value_type = String)]
    pub replication_type: ReplicationType,
    pub project_id: String,
    pub primary_site: String,
    pub secondary_site: String,
    pub current_primary_site: String,
    pub volume_type: String,
    pub secondary_volume_type: String,
    pub failover_count: u32,
    pub last_failover_at: Option<String>,
    pub created_at: String,
    pub epoch: u64,
    pub version: u64,
    /// The peer has exactly this version.
    pub synced: bool,
    /// What is wrong with it now, besides its status; only where one group is shown.
    pub conditions: Vec<ConditionInfo>,
    pub deleted: bool,
    pub member_count: usize,
    pub has_policy: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GroupAnswer {
    pub protection_group: GroupInfo,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GroupsAnswer {
    pub protection_groups: Vec<GroupInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protection_groups_links: Option<Vec<Link>>,
}

/// A protected disk.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VolumeInfo {
    pub id: String,
    /// The Cinder volume at the site that leads now.
    pub volume_id: Option<String>,
    pub primary_volume_id: Option<String>,
    pub secondary_volume_id: Option<String>,
    pub name: String,
    pub size_gb: u64,
    pub bootable: bool,
    pub device: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AddressInfo {
    pub subnet_id: String,
    pub address: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct InterfaceInfo {
    pub network_id: String,
    pub network_name: String,
    pub mac_address: String,
    pub fixed_ips: Vec<AddressInfo>,
    /// Names.
    pub security_groups: Vec<String>,
    /// `keep` or `new`: its addresses at the other side.
    pub fixed_ip: &'static str,
    /// `keep` or `new`.
    pub mac: &'static str,
}

/// A protected VM.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MemberInfo {
    pub id: String,
    pub name: String,
    /// The Nova server at the site that leads now.
    pub instance_id: Option<String>,
    pub primary_instance_id: Option<String>,
    pub secondary_instance_id: Option<String>,
    pub flavor: String,
    /// Lower tiers begin first where not all can at once; none waits for another.
    pub tier: u8,
    pub volumes: Vec<VolumeInfo>,
    pub interfaces: Vec<InterfaceInfo>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MembersAnswer {
    pub members: Vec<MemberInfo>,
}

/// POL-01.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PolicyInfo {
    pub primary_array: String,
    pub secondary_array: String,
    pub pure_pg_name: String,
    /// Seconds.
    pub replication_interval: u64,
    /// Minutes, rounded down.
    pub rpo_minutes: u64,
    pub target_retention_s: u64,
}

/// `null`: the group has none yet.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PolicyAnswer {
    pub policy: Option<PolicyInfo>,
}

/// Home to other side; what is not named maps by equal name.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MappingsInfo {
    #[schema(value_type = BTreeMap<String, String>)]
    pub networks: BTreeMap<NetworkId, NetworkId>,
    #[schema(value_type = BTreeMap<String, String>)]
    pub subnets: BTreeMap<SubnetId, SubnetId>,
    #[schema(value_type = BTreeMap<String, String>)]
    pub security_groups: BTreeMap<SecurityGroupId, SecurityGroupId>,
    #[schema(value_type = BTreeMap<String, String>)]
    pub flavors: BTreeMap<String, FlavorId>,
    pub keypairs: BTreeMap<String, String>,
    pub availability_zones: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MappingsAnswer {
    pub mappings: MappingsInfo,
}

/// Which side leads; `None` if the record names neither.
pub(super) fn leading_role(view: &GroupView) -> Option<Role> {
    view.body.sides.role_of(view.current_primary_site)
}

/// The group's version as an entity tag: `"<epoch>-<version>"`.
pub(crate) fn etag(pair: &protector_domain::sync::Pair) -> String {
    format!("\"{}-{}\"", pair.epoch, pair.version)
}

impl From<&GroupView> for GroupInfo {
    fn from(view: &GroupView) -> Self {
        let body = &view.body;
        Self {
            id: view.id.to_string(),
            name: body.name.clone(),
            description: body.description.clone(),
            status: body.status,
            replication_type: body.replication_type,
            project_id: view.project.to_string(),
            primary_site: body.sides.home.site.to_string(),
            secondary_site: body.sides.other.site.to_string(),
            current_primary_site: view.current_primary_site.to_string(),
            volume_type: body.sides.home.volume_type.clone(),
            secondary_volume_type: body.sides.other.volume_type.clone(),
            failover_count: body.failover_count,
            last_failover_at: body.last_failover_at_us.map(iso),
            created_at: iso(body.created_at_us),
            epoch: view.pair.epoch.0,
            version: view.pair.version.0,
            synced: view.synced,
            conditions: view.conditions.iter().map(ConditionInfo::from).collect(),
            deleted: view.deleted,
            member_count: body.members.len(),
            has_policy: body.policy.is_some(),
        }
    }
}

impl From<&GroupView> for MembersAnswer {
    fn from(view: &GroupView) -> Self {
        let leading = leading_role(view);
        Self {
            members: view
                .body
                .members
                .iter()
                .map(|member| member_info(member, leading))
                .collect(),
        }
    }
}

fn member_info(member: &Member, leading: Option<Role>) -> MemberInfo {
    let server = |role| member.places.at(role).map(ServerId::to_string);
    MemberInfo {
        id: member.id.to_string(),
        name: member.captured.name.clone(),
        instance_id: at_leading(&member.places, leading).map(ServerId::to_string),
        primary_instance_id: server(Role::Home),
        secondary_instance_id: server(Role::Other),
        flavor: member.captured.flavor.name.clone(),
        tier: member.tier,
        volumes: member
            .disks
            .iter()
            .map(|disk| volume_info(disk, leading))
            .collect(),
        interfaces: member.nics.iter().map(interface_info).collect(),
    }
}

fn at_leading<T>(places: &Places<T>, leading: Option<Role>) -> Option<&T> {
    leading.and_then(|role| places.at(role))
}

fn volume_info(disk: &Disk, leading: Option<Role>) -> VolumeInfo {
    let volume = |role| {
        disk.places
            .at(role)
            .map(|place| VolumeId::to_string(&place.volume))
    };
    VolumeInfo {
        id: disk.id.to_string(),
        volume_id: at_leading(&disk.places, leading).map(|place| place.volume.to_string()),
        primary_volume_id: volume(Role::Home),
        secondary_volume_id: volume(Role::Other),
        name: disk.name.clone(),
        size_gb: disk.size_gib,
        bootable: disk.bootable,
        device: disk.device.clone(),
    }
}

fn interface_info(nic: &Nic) -> InterfaceInfo {
    let addressing = |keep| if keep { "keep" } else { "new" };
    let address = |ip: &protector_domain::ports::network::FixedIp| AddressInfo {
        subnet_id: ip.subnet.to_string(),
        address: ip.address.clone(),
    };
    InterfaceInfo {
        network_id: nic.network.to_string(),
        network_name: nic.network_name.clone(),
        mac_address: nic.mac_address.clone(),
        fixed_ips: nic.fixed_ips.iter().map(address).collect(),
        security_groups: nic
            .security_groups
            .iter()
            .map(|group| group.name.clone())
            .collect(),
        fixed_ip: addressing(nic.keep_ip),
        mac: addressing(nic.keep_mac),
    }
}

impl From<&Policy> for PolicyInfo {
    fn from(policy: &Policy) -> Self {
        Self {
            primary_array: policy.home_array.to_string(),
            secondary_array: policy.other_array.to_string(),
            pure_pg_name: policy.array_group.to_string(),
            replication_interval: policy.replication_interval_s,
            rpo_minutes: policy.rpo_max_s / S_PER_MINUTE,
            target_retention_s: policy.target_retention_s,
        }
    }
}

impl From<Mappings> for MappingsInfo {
    fn from(mappings: Mappings) -> Self {
        let Mappings {
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
