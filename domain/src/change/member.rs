//! A VM joins its group (MEM-01..09): captured whole, or refused with every reason by name.

use super::rebuild::{RebuildAsk, rebuilt};
use crate::ids::{DiskId, GroupId, MemberId, ProjectId, ServerId, VolumeId};
use crate::ports::compute::{AttachedVolume, Flavor, Server, ServerAddress, ServerStatus};
use crate::ports::network::{NetworkInfo, Port, SecurityGroup, Subnet};
use crate::ports::storage::ArrayVolume;
use crate::ports::volumes::{Volume, VolumeType};
use crate::record::{
    Captured, Disk, DiskPlace, GroupBody, Member, Nic, NicSecurityGroup, Places, UserData,
};
use crate::refusal::{Refusal, Refusals};
use crate::sync::Role;
use crate::volume_type::is_replicated;

/// The `vnic_type` of a port that Neutron makes by itself.
const NORMAL: &str = "normal";

/// What was read with service rights about the server; compared with its owner first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberFacts {
    pub member: MemberId,
    /// As many as the server has volumes.
    pub disks: Vec<DiskId>,
    pub here: Role,
    pub project: ProjectId,
    pub wanted: ServerId,
    /// Without its user data. `None`: Nova has no such server for us.
    pub server: Option<Server>,
    pub user_data: UserData,
    pub flavors: Vec<Flavor>,
    pub volumes: Vec<Volume>,
    pub volume_types: Vec<VolumeType>,
    /// By Cinder volume, in the order of `volumes`; `None`: the array has none.
    pub array_volumes: Vec<Option<ArrayVolume>>,
    pub ports: Vec<Port>,
    pub networks: Vec<NetworkInfo>,
    pub subnets: Vec<Subnet>,
    pub security_groups: Vec<SecurityGroup>,
    /// Groups of this project that already protect the server (I16).
    pub protected_by: Option<GroupId>,
    /// Volumes that groups at this site protect, whichever server had them when it joined.
    pub protected_volumes: Vec<(VolumeId, GroupId)>,
}

/// The body with this member, or everything that speaks against it.
pub fn add_member(
    body: &GroupBody,
    facts: &MemberFacts,
    ask: RebuildAsk,
) -> Result<GroupBody, Refusals> {
    let missing = || Refusal::NoSuchServer {
        server: facts.wanted.to_string(),
    };
    // Another project's server is answered like one that is not there (S14).
    let owned = facts
        .server
        .as_ref()
        .filter(|s| s.project_id == facts.project.as_str());
    let server = owned.ok_or_else(missing)?;
    let mut against = server_refusals(server, facts);
    let flavor = facts.flavors.iter().find(|f| f.name == server.flavor_name);
    match flavor {
        None => against.push(Refusal::NoFlavor {
            member: server.name.clone(),
            flavor: server.flavor_name.clone(),
        }),
        Some(f) if f.ephemeral_gib > 0 || f.swap_mib > 0 => {
            against.push(Refusal::EphemeralDisk {
                server: server.name.clone(),
            });
        }
        Some(_) => {}
    }
    against.extend(port_refusals(server, facts));
    if body.policy.is_none() {
        against.push(Refusal::NoPolicy);
    }
    let disks = disks(body, facts, server, &mut against);
    let (Some(flavor), true) = (flavor, against.is_empty()) else {
        return Err(Refusals(against));
    };
    let member = Member {
        id: facts.member,
        places: Places::only(facts.here, server.id.clone()),
        tier: 0,
        captured: captured(facts.here, server, flavor),
        user_data: facts.user_data.clone(),
        disks,
        nics: in_plug_order(server, &facts.ports)
            .into_iter()
            .map(|port| nic(port, facts))
            .collect(),
    };
    let mut body = body.clone();
    body.members.push(rebuilt(&member, ask));
    Ok(body)
}

fn server_refusals(server: &Server, facts: &MemberFacts) -> Vec<Refusal> {
    let name = || server.name.clone();
    let mut against = Vec::new();
    if !matches!(server.status, ServerStatus::Active | ServerStatus::Shutoff) {
        let status = serde_json::to_value(&server.status).unwrap_or_default();
        let status = status.as_str().unwrap_or_default().to_owned();
        against.push(Refusal::ServerState {
            server: name(),
            status,
        });
    }
    let boots_from_volume = facts.volumes.iter().any(|v| v.bootable);
    if server.image_id.is_some() || !boots_from_volume {
        against.push(Refusal::RootNotAVolume { server: name() });
    }
    if let Some(group) = facts.protected_by {
        against.push(Refusal::AlreadyProtected {
            server: name(),
            group: group.to_string(),
        });
    }
    against
}

fn disks(
    body: &GroupBody,
    facts: &MemberFacts,
    server: &Server,
    against: &mut Vec<Refusal>,
) -> Vec<Disk> {
    let mut disks = Vec::new();
    for (index, attached) in server.volumes.iter().enumerate() {
        let at = facts.volumes.iter().position(|v| v.id == attached.volume);
        let volume = at.and_then(|at| facts.volumes.get(at));
        let on_array = at
            .and_then(|at| facts.array_volumes.get(at))
            .and_then(Option::as_ref);
        let Some(volume) = volume else {
            let volume = attached.volume.to_string();
            let why = "Cinder does not show it".to_owned();
            against.push(Refusal::VolumeNotEligible { volume, why });
            continue;
        };
        let before = against.len();
        against.extend(volume_refusals(body, facts, volume));
        match (on_array, facts.disks.get(index)) {
            (Some(found), Some(id)) if against.len() == before => {
                disks.push(disk(*id, index, attached, volume, found, facts.here));
            }
            (None, _) => against.push(Refusal::VolumeNotOnArray {
                volume: volume.id.to_string(),
                array: array_name(body, facts.here),
            }),
            _ => {}
        }
    }
    disks
}

fn array_name(body: &GroupBody, here: Role) -> String {
    body.policy
        .as_ref()
        .map(|p| p.array_of(here).to_string())
        .unwrap_or_default()
}

fn volume_refusals(body: &GroupBody, facts: &MemberFacts, volume: &Volume) -> Vec<Refusal> {
    let wanted = &body.sides.of(facts.here).volume_type;
    let actual = volume.volume_type.clone().unwrap_or_default();
    let id = volume.id.to_string();
    let mut against = Vec::new();
    if &actual != wanted {
        let (volume, wanted) = (id.clone(), wanted.clone());
        against.push(Refusal::VolumeTypeMismatch {
            volume,
            actual,
            wanted,
        });
    } else if !facts
        .volume_types
        .iter()
        .any(|t| &t.name == wanted && is_replicated(t, body.replication_type))
    {
        let site = "this site".to_owned();
        against.push(Refusal::TypeNotReplicated {
            volume_type: wanted.clone(),
            site,
        });
    }
    if volume.encrypted {
        against.push(Refusal::VolumeEncrypted { volume: id.clone() });
    }
    if volume.multiattach || volume.attached_to.len() > 1 {
        against.push(Refusal::VolumeMultiattach { volume: id.clone() });
    }
    let owner = volume.project_id.as_ref();
    if owner.is_some_and(|p| p != facts.project.as_str()) {
        against.push(Refusal::VolumeOfOtherProject { volume: id.clone() });
    }
    let mut protected = facts.protected_volumes.iter();
    if let Some((_, group)) = protected.find(|(protected, _)| protected == &volume.id) {
        let group = group.to_string();
        against.push(Refusal::VolumeAlreadyProtected { volume: id, group });
    }
    against
}

/// What hardware or another plugin made a port of, we cannot make again.
fn port_refusals(server: &Server, facts: &MemberFacts) -> Vec<Refusal> {
    let odd = facts.ports.iter().filter_map(|port| {
        let kind = port.vnic_type.as_deref().filter(|kind| *kind != NORMAL);
        kind.map(|kind| (port, kind))
    });
    odd.map(|(port, kind)| Refusal::PortNotRebuildable {
        server: server.name.clone(),
        port: port.id.to_string(),
        vnic_type: kind.to_owned(),
    })
    .collect()
}

fn disk(
    id: DiskId,
    index: usize,
    attached: &AttachedVolume,
    volume: &Volume,
    found: &ArrayVolume,
    here: Role,
) -> Disk {
    let place = DiskPlace {
        volume: volume.id.clone(),
        serial: found.serial.clone(),
        array_name: found.name.clone(),
    };
    Disk {
        id,
        places: Places::only(here, place),
        name: volume.name.clone().unwrap_or_default(),
        description: volume.description.clone(),
        size_gib: volume.size_gib,
        bootable: volume.bootable,
        boot_index: if index == 0 { 0 } else { -1 },
        device: attached.device.clone(),
        tag: attached.tag.clone(),
        delete_on_termination: attached.delete_on_termination,
        image_metadata: volume.image_metadata.clone(),
    }
}

/// As the server has its interfaces. What has no address comes last, as Neutron lists it.
fn in_plug_order<'a>(server: &Server, ports: &'a [Port]) -> Vec<&'a Port> {
    let place = |port: &&Port| {
        let mut listed = server.addresses.iter();
        let of_port = |a: &ServerAddress| a.mac_address.eq_ignore_ascii_case(&port.mac_address);
        listed.position(of_port).unwrap_or(usize::MAX)
    };
    let mut ports: Vec<&Port> = ports.iter().collect();
    ports.sort_by_key(place);
    ports
}

fn captured(at: Role, server: &Server, flavor: &Flavor) -> Captured {
    let ours = |key: &str| key == crate::effect::METADATA_KEY;
    let metadata = server.metadata.iter().filter(|(key, _)| !ours(key));
    let floating = server.addresses.iter().filter(|a| a.floating);
    Captured {
        at,
        name: server.name.clone(),
        description: server.description.clone(),
        hostname: server.hostname.clone(),
        flavor: flavor.clone(),
        key_name: server.key_name.clone(),
        config_drive: server.config_drive,
        availability_zone: server.availability_zone.clone(),
        metadata: metadata.map(|(k, v)| (k.clone(), v.clone())).collect(),
        tags: server.tags.clone(),
        server_groups: server.server_groups.clone(),
        floating_ips: floating.map(|a| a.address.clone()).collect(),
    }
}

fn nic(port: &Port, facts: &MemberFacts) -> Nic {
    let network = facts.networks.iter().find(|n| n.id == port.network);
    let subnet_name = |id| {
        let found = facts.subnets.iter().find(|s| &s.id == id);
        found.map(|s| s.name.clone()).unwrap_or_default()
    };
    let group_name = |id| {
        let found = facts.security_groups.iter().find(|g| &g.id == id);
        found.map(|g| g.name.clone()).unwrap_or_default()
    };
    let groups = port.security_groups.iter();
    Nic {
        places: Places::only(facts.here, port.id.clone()),
        name: port.name.clone(),
        network: port.network.clone(),
        network_name: network.map(|n| n.name.clone()).unwrap_or_default(),
        mac_address: port.mac_address.clone(),
        fixed_ips: port.fixed_ips.clone(),
        subnet_names: port
            .fixed_ips
            .iter()
            .map(|ip| subnet_name(&ip.subnet))
            .collect(),
        security_groups: groups
            .map(|id| NicSecurityGroup {
                id: id.clone(),
                name: group_name(id),
            })
            .collect(),
        port_security_enabled: port.port_security_enabled,
        allowed_address_pairs: port.allowed_address_pairs.clone(),
        keep_ip: true,
        keep_mac: true,
    }
}
