//! The rows that are read out of a group's body: what [`rows_of`] makes, and back for display.

use crate::codec::{count, json, parse_count, parse_id, parse_json};
use crate::error::StoreError;
use crate::model::{
    CgVolume, ConsistencyFacts, ConsistencyGroup, MappingRow, MemberRow, PolicyRow,
};
use crate::schema::{
    cg_volumes, consistency_groups, group_mappings, protection_group_members, replication_policies,
};
use diesel::prelude::*;
use protector_domain::ids::{
    ArrayGroupName, ArrayId, GroupId, Serial, ServerId, VolumeGroupId, VolumeId,
};
use protector_domain::record::{Disk, DiskPlace, GroupBody, Mappings, Member, Places, Policy};
use std::collections::BTreeMap;
use std::fmt::Display;

/// CG-04's word for a volume whose group replicates.
const REPLICATING: &str = "replicating";

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = consistency_groups)]
pub(crate) struct ConsistencyGroupRow {
    pub protection_group_id: String,
    pub volume_type_name: String,
    pub secondary_volume_type_name: String,
    pub volume_count: i64,
    pub backend_name: Option<String>,
    pub primary_cg_id: Option<String>,
    pub secondary_cg_id: Option<String>,
    pub status: Option<String>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = cg_volumes)]
pub(crate) struct CgVolumeRow {
    pub protection_group_id: String,
    pub disk_id: String,
    pub member_id: String,
    pub place: i64,
    #[diesel(embed)]
    pub home: HomeDiskColumns,
    #[diesel(embed)]
    pub other: OtherDiskColumns,
    pub volume_name: String,
    pub size_gb: i64,
    pub bootable: bool,
    pub boot_index: i32,
    pub device: Option<String>,
    pub tag: Option<String>,
    pub delete_on_termination: bool,
    pub status: String,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = cg_volumes)]
pub(crate) struct HomeDiskColumns {
    pub home_volume_id: Option<String>,
    pub home_serial: Option<String>,
    pub home_array_name: Option<String>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = cg_volumes)]
pub(crate) struct OtherDiskColumns {
    pub other_volume_id: Option<String>,
    pub other_serial: Option<String>,
    pub other_array_name: Option<String>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = protection_group_members)]
pub(crate) struct MemberTableRow {
    pub protection_group_id: String,
    pub member_id: String,
    pub place: i64,
    pub home_server_id: Option<String>,
    pub other_server_id: Option<String>,
    pub name: String,
    pub tier: i32,
    pub captured: String,
    pub nics: String,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = replication_policies)]
pub(crate) struct PolicyTableRow {
    pub protection_group_id: String,
    pub home_array: String,
    pub other_array: String,
    pub pure_pg_name: String,
    pub replication_interval_s: i64,
    pub rpo_max_s: i64,
    pub target_retention_s: i64,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = group_mappings)]
pub(crate) struct MappingTableRow {
    pub protection_group_id: String,
    pub kind: String,
    pub source: String,
    pub target: String,
}

/// All rows of one body.
pub(crate) struct ProjectionRows {
    pub consistency_group: ConsistencyGroupRow,
    pub volumes: Vec<CgVolumeRow>,
    pub members: Vec<MemberTableRow>,
    pub policy: Option<PolicyTableRow>,
    pub mappings: Vec<MappingTableRow>,
}

/// The one function that turns a body into rows.
pub(crate) fn rows_of(group: GroupId, body: &GroupBody) -> Result<ProjectionRows, StoreError> {
    let id = group.to_string();
    let disks = body
        .members
        .iter()
        .flat_map(|m| m.disks.iter().map(move |d| (m, d)));
    let volumes: Vec<CgVolumeRow> = (0..)
        .zip(disks)
        .map(|(place, (member, disk))| volume_row(&id, place, member, disk))
        .collect::<Result<_, _>>()?;
    let members = (0..)
        .zip(&body.members)
        .map(|(place, member)| member_row(&id, place, member))
        .collect::<Result<_, _>>()?;
    Ok(ProjectionRows {
        consistency_group: ConsistencyGroupRow {
            protection_group_id: id.clone(),
            volume_type_name: body.sides.home.volume_type.clone(),
            secondary_volume_type_name: body.sides.other.volume_type.clone(),
            volume_count: count("volume_count", volumes.len())?,
            backend_name: None,
            primary_cg_id: None,
            secondary_cg_id: None,
            status: None,
        },
        volumes,
        members,
        policy: body
            .policy
            .as_ref()
            .map(|p| policy_row(&id, p))
            .transpose()?,
        mappings: mapping_rows(&id, &body.mappings),
    })
}

fn volume_row(
    id: &str,
    place: i64,
    member: &Member,
    disk: &Disk,
) -> Result<CgVolumeRow, StoreError> {
    Ok(CgVolumeRow {
        protection_group_id: id.to_owned(),
        disk_id: disk.id.to_string(),
        member_id: member.id.to_string(),
        place,
        home: home_columns(disk.places.home.as_ref()),
        other: other_columns(disk.places.other.as_ref()),
        volume_name: disk.name.clone(),
        size_gb: count("size_gb", disk.size_gib)?,
        bootable: disk.bootable,
        boot_index: disk.boot_index,
        device: disk.device.clone(),
        tag: disk.tag.clone(),
        delete_on_termination: disk.delete_on_termination,
        status: REPLICATING.to_owned(),
    })
}

fn home_columns(place: Option<&DiskPlace>) -> HomeDiskColumns {
    HomeDiskColumns {
        home_volume_id: place.map(|place| place.volume.to_string()),
        home_serial: place.map(|place| place.serial.to_string()),
        home_array_name: place.map(|place| place.array_name.clone()),
    }
}

fn other_columns(place: Option<&DiskPlace>) -> OtherDiskColumns {
    OtherDiskColumns {
        other_volume_id: place.map(|place| place.volume.to_string()),
        other_serial: place.map(|place| place.serial.to_string()),
        other_array_name: place.map(|place| place.array_name.clone()),
    }
}

/// A disk is at a side with all three columns or none.
fn disk_place(
    volume: Option<String>,
    serial: Option<String>,
    array_name: Option<String>,
) -> Result<Option<DiskPlace>, StoreError> {
    match (volume, serial, array_name) {
        (None, None, None) => Ok(None),
        (Some(volume), Some(serial), Some(array_name)) => Ok(Some(DiskPlace {
            volume: VolumeId(volume),
            serial: Serial(serial),
            array_name,
        })),
        _ => Err(StoreError::Corrupt("cg_volumes: half a place".to_owned())),
    }
}

fn member_row(id: &str, place: i64, member: &Member) -> Result<MemberTableRow, StoreError> {
    Ok(MemberTableRow {
        protection_group_id: id.to_owned(),
        member_id: member.id.to_string(),
        place,
        home_server_id: member.places.home.as_ref().map(ServerId::to_string),
        other_server_id: member.places.other.as_ref().map(ServerId::to_string),
        name: member.captured.name.clone(),
        tier: i32::from(member.tier),
        captured: json(&member.captured)?,
        nics: json(&member.nics)?,
    })
}

pub(crate) fn policy_row(id: &str, policy: &Policy) -> Result<PolicyTableRow, StoreError> {
    Ok(PolicyTableRow {
        protection_group_id: id.to_owned(),
        home_array: policy.home_array.to_string(),
        other_array: policy.other_array.to_string(),
        pure_pg_name: policy.array_group.to_string(),
        replication_interval_s: count("replication_interval_s", policy.replication_interval_s)?,
        rpo_max_s: count("rpo_max_s", policy.rpo_max_s)?,
        target_retention_s: count("target_retention_s", policy.target_retention_s)?,
    })
}

fn mapping_rows(id: &str, mappings: &Mappings) -> Vec<MappingTableRow> {
    fn rows<'a, S: Display, T: Display>(
        id: &'a str,
        kind: &'a str,
        pairs: &'a BTreeMap<S, T>,
    ) -> impl Iterator<Item = MappingTableRow> + 'a {
        pairs.iter().map(move |(source, target)| MappingTableRow {
            protection_group_id: id.to_owned(),
            kind: kind.to_owned(),
            source: source.to_string(),
            target: target.to_string(),
        })
    }
    rows(id, "network", &mappings.networks)
        .chain(rows(id, "subnet", &mappings.subnets))
        .chain(rows(id, "security_group", &mappings.security_groups))
        .chain(rows(id, "flavor", &mappings.flavors))
        .chain(rows(id, "keypair", &mappings.keypairs))
        .chain(rows(id, "availability_zone", &mappings.availability_zones))
        .collect()
}

impl TryFrom<ConsistencyGroupRow> for ConsistencyGroup {
    type Error = StoreError;
    fn try_from(row: ConsistencyGroupRow) -> Result<Self, StoreError> {
        Ok(Self {
            group: parse_id(
                "consistency_groups.protection_group_id",
                &row.protection_group_id,
            )?,
            volume_type_name: row.volume_type_name,
            secondary_volume_type_name: row.secondary_volume_type_name,
            volume_count: parse_count("consistency_groups.volume_count", row.volume_count)?,
            facts: ConsistencyFacts {
                primary_cg_id: row.primary_cg_id.map(VolumeGroupId),
                secondary_cg_id: row.secondary_cg_id.map(VolumeGroupId),
                backend_name: row.backend_name,
                status: row.status,
            },
        })
    }
}

impl TryFrom<CgVolumeRow> for CgVolume {
    type Error = StoreError;
    fn try_from(row: CgVolumeRow) -> Result<Self, StoreError> {
        Ok(Self {
            disk: parse_id("cg_volumes.disk_id", &row.disk_id)?,
            member: parse_id("cg_volumes.member_id", &row.member_id)?,
            places: Places {
                home: disk_place(
                    row.home.home_volume_id,
                    row.home.home_serial,
                    row.home.home_array_name,
                )?,
                other: disk_place(
                    row.other.other_volume_id,
                    row.other.other_serial,
                    row.other.other_array_name,
                )?,
            },
            volume_name: row.volume_name,
            size_gb: parse_count("cg_volumes.size_gb", row.size_gb)?,
            bootable: row.bootable,
            boot_index: row.boot_index,
            device: row.device,
            tag: row.tag,
            delete_on_termination: row.delete_on_termination,
            status: row.status,
        })
    }
}

impl TryFrom<MemberTableRow> for MemberRow {
    type Error = StoreError;
    fn try_from(row: MemberTableRow) -> Result<Self, StoreError> {
        Ok(Self {
            member: parse_id("protection_group_members.member_id", &row.member_id)?,
            places: Places {
                home: row.home_server_id.map(ServerId),
                other: row.other_server_id.map(ServerId),
            },
            name: row.name,
            tier: parse_count("protection_group_members.tier", i64::from(row.tier))?,
            captured: parse_json("protection_group_members.captured", &row.captured)?,
            nics: parse_json("protection_group_members.nics", &row.nics)?,
        })
    }
}

impl TryFrom<PolicyTableRow> for PolicyRow {
    type Error = StoreError;
    fn try_from(row: PolicyTableRow) -> Result<Self, StoreError> {
        let seconds = |value| parse_count("replication_policies", value);
        Ok(Self {
            home_array: ArrayId(row.home_array),
            other_array: ArrayId(row.other_array),
            pure_pg_name: ArrayGroupName(row.pure_pg_name),
            replication_interval_s: seconds(row.replication_interval_s)?,
            rpo_max_s: seconds(row.rpo_max_s)?,
            target_retention_s: seconds(row.target_retention_s)?,
        })
    }
}

impl From<MappingTableRow> for MappingRow {
    fn from(row: MappingTableRow) -> Self {
        Self {
            kind: row.kind,
            source: row.source,
            target: row.target,
        }
    }
}
