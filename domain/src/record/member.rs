//! A member VM, complete enough to be rebuilt with its first home gone (MEM-02, MEM-08).

use super::UserData;
use crate::ids::{
    DiskId, MemberId, NetworkId, PortId, SecurityGroupId, Serial, ServerId, VolumeId,
};
use crate::ports::compute::Flavor;
use crate::ports::network::{AddressPair, FixedIp};
use crate::sync::Role;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

fn home() -> Role {
    Role::Home
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_home(role: &Role) -> bool {
    *role == Role::Home
}

/// What Nova said of the server when it was last read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// The side it was read at: names and ids of networks, flavors and the like are those of that cloud.
    #[serde(default = "home", skip_serializing_if = "is_home")]
    pub at: Role,
    pub name: String,
    pub description: Option<String>,
    pub hostname: Option<String>,
    pub flavor: Flavor,
    pub key_name: Option<String>,
    pub config_drive: bool,
    /// The one that was asked for, as far as Nova tells.
    pub availability_zone: Option<String>,
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub server_groups: Vec<String>,
    /// They belong to the cloud that it came from: no move takes them along, each is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub floating_ips: Vec<String>,
}

/// A thing at each of the two sides; `None`: not there, or not known there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places<T> {
    pub home: Option<T>,
    pub other: Option<T>,
}

impl<T> Places<T> {
    pub fn only(role: Role, thing: T) -> Self {
        let mut places = Self {
            home: None,
            other: None,
        };
        places.set(role, Some(thing));
        places
    }

    pub fn at(&self, role: Role) -> Option<&T> {
        match role {
            Role::Home => self.home.as_ref(),
            Role::Other => self.other.as_ref(),
        }
    }

    pub fn set(&mut self, role: Role, thing: Option<T>) {
        match role {
            Role::Home => self.home = thing,
            Role::Other => self.other = thing,
        }
    }
}

/// A disk at one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskPlace {
    pub volume: VolumeId,
    pub serial: Serial,
    /// Its name on the array when the record was written: what a point calls it.
    pub array_name: String,
}

/// One disk. Its identity across a failover is the array serial (design: storage objects).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    pub id: DiskId,
    /// Where it is, at each side that has it.
    pub places: Places<DiskPlace>,
    pub name: String,
    pub description: Option<String>,
    pub size_gib: u64,
    pub bootable: bool,
    /// 0 boots, -1 is data.
    pub boot_index: i32,
    pub device: Option<String>,
    pub tag: Option<String>,
    pub delete_on_termination: bool,
    #[serde(default)]
    pub image_metadata: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NicSecurityGroup {
    pub id: SecurityGroupId,
    pub name: String,
}

/// One network interface, in boot order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nic {
    pub places: Places<PortId>,
    pub name: String,
    pub network: NetworkId,
    pub network_name: String,
    pub mac_address: String,
    pub fixed_ips: Vec<FixedIp>,
    /// Names of the subnets of `fixed_ips`, in the same order, to map by equal name.
    pub subnet_names: Vec<String>,
    pub security_groups: Vec<NicSecurityGroup>,
    pub port_security_enabled: bool,
    #[serde(default)]
    pub allowed_address_pairs: Vec<AddressPair>,
    /// Keep the fixed IP at the other side; otherwise any free one of the mapped subnet.
    pub keep_ip: bool,
    pub keep_mac: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub id: MemberId,
    /// The Nova server at each side that has one.
    pub places: Places<ServerId>,
    /// Lower tiers begin first where not all can at once; none waits for another.
    #[serde(default)]
    pub tier: u8,
    pub captured: Captured,
    #[serde(default, skip_serializing_if = "UserData::is_none")]
    pub user_data: UserData,
    /// In device order.
    pub disks: Vec<Disk>,
    pub nics: Vec<Nic>,
}
