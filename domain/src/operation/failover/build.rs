//! From facts to the lanes of a plan: every name, id, address and target is fixed here.
//!
//! Absent: what becomes of disks (`disks`).

use super::disks::DiskPlan;
use super::facts::{Asked, FailoverFacts, unasked};
use super::home::kept_port;
use super::mapping::Mapper;
use crate::effect::{EffectKey, METADATA_KEY};
use crate::ids::{NetworkId, OperationId, PortId};
use crate::plan::{ChosenPoint, CopyPlan, GROUP_LANE, Lane, OverwritePlan, Part, PortPlan, Step};
use crate::ports::compute::{Flavor, ServerCreate};
use crate::ports::network::{FixedIp, PortCreate};
use crate::record::{Member, Nic, UserData};
use crate::refusal::Refusal;
use crate::sync::Role;
use std::collections::BTreeMap;

/// Names of array volumes that an operation makes start so. 36 letters, then the disk's number.
pub fn copy_name_prefix(operation: OperationId) -> String {
    format!("prt-{}", operation.0.simple())
}

/// Where the group comes from.
pub(super) fn source_of(here: Role) -> Role {
    match here {
        Role::Home => Role::Other,
        Role::Other => Role::Home,
    }
}

pub(super) struct MemberPlan {
    pub lane: Lane,
    pub copies: Vec<CopyPlan>,
    pub overwrites: Vec<OverwritePlan>,
    pub warnings: Vec<Refusal>,
}

/// An interface of a server to boot.
enum NicPlan {
    Make(PortPlan),
    Keep(PortId),
}

impl NicPlan {
    fn part(&self) -> Part {
        match self {
            NicPlan::Make(port) => Part::Made(EffectKey(port.ask.description.clone())),
            NicPlan::Keep(port) => Part::Kept(port.0.clone()),
        }
    }
}

pub(super) struct Builder<'a> {
    pub facts: &'a FailoverFacts,
    pub map: Mapper<'a>,
    /// For a drill: where each network of the source is; nothing of production is kept (I9).
    pub drill: Option<&'a BTreeMap<NetworkId, NetworkId>>,
    pub point: &'a ChosenPoint,
    /// `host@backend#pool` to import into.
    pub volume_host: String,
    pub volume_type: String,
}

impl Builder<'_> {
    pub(super) fn key(&self, step: &str, target: &str) -> EffectKey {
        EffectKey::new(self.facts.operation, step, target)
    }

    pub(super) fn with_key(
        &self,
        mut map: BTreeMap<String, String>,
        key: &EffectKey,
    ) -> BTreeMap<String, String> {
        map.insert(METADATA_KEY.to_owned(), key.to_string());
        map
    }

    /// The member's lane, or everything that speaks against it. `first_copy` numbers its copies.
    pub fn member(&self, member: &Member, first_copy: usize) -> Result<MemberPlan, Vec<Refusal>> {
        let mut against = Vec::new();
        let mut warnings = Vec::new();
        let flavor = self.flavor(member, &mut against, &mut warnings);
        let disks = self.disks(member, first_copy, &mut against);
        let nics = self.nics(member, &mut against);
        let (Some(flavor), true) = (flavor, against.is_empty()) else {
            return Err(against);
        };
        warnings.extend(floating_dropped(member, &nics));
        let server = self.server(member, flavor, &mut warnings);
        let steps = self.steps(member, &disks, &nics, server);
        let lane = Lane {
            id: member.id.to_string(),
            title: member.captured.name.clone(),
            tier: member.tier,
            steps,
        };
        let (mut copies, mut overwrites) = (Vec::new(), Vec::new());
        for disk in disks {
            match disk {
                DiskPlan::Copy(copy) => copies.push(copy),
                DiskPlan::Keep(overwrite) => overwrites.push(overwrite),
            }
        }
        Ok(MemberPlan {
            lane,
            copies,
            overwrites,
            warnings,
        })
    }

    fn flavor(
        &self,
        member: &Member,
        against: &mut Vec<Refusal>,
        warnings: &mut Vec<Refusal>,
    ) -> Option<&Flavor> {
        let had = &member.captured.flavor;
        let name = member.captured.name.clone();
        let Some(found) = self.map.flavor(&member.captured) else {
            let none = Refusal::NoFlavor {
                member: name,
                flavor: had.name.clone(),
            };
            let target = &self.facts.target;
            against.push(unasked("flavors", &target.flavors).unwrap_or(none));
            return None;
        };
        if found.vcpus < had.vcpus || found.ram_mib < had.ram_mib {
            warnings.push(Refusal::FlavorSmaller {
                member: name,
                flavor: found.name.clone(),
            });
        }
        Some(found)
    }

    fn nics(&self, member: &Member, against: &mut Vec<Refusal>) -> Vec<NicPlan> {
        let mut nics = Vec::new();
        for (index, nic) in member.nics.iter().enumerate() {
            let kept = kept_port(self.facts, nic).filter(|_| self.drill.is_none());
            if let Some(port) = kept {
                nics.push(NicPlan::Keep(port.clone()));
                continue;
            }
            match self.port(member, index, nic) {
                Ok(ask) => nics.push(NicPlan::Make(PortPlan { index, ask })),
                Err(mut reasons) => against.append(&mut reasons),
            }
        }
        nics
    }

    /// A drill takes any address and MAC of its isolated network, which is the tenant's own or shared with it:
    /// whoever knows the id of another one's does not get in (S14).
    fn drill_port(
        &self,
        member: &Member,
        index: usize,
        nic: &Nic,
        networks: &BTreeMap<NetworkId, NetworkId>,
    ) -> Result<PortCreate, Vec<Refusal>> {
        let (name, source) = (member.captured.name.clone(), nic.network_name.clone());
        let Some(network) = networks.get(&nic.network).cloned() else {
            return Err(vec![Refusal::NoTestNetwork {
                member: name,
                network: source,
            }]);
        };
        if !self.map.has_network(&network) {
            return Err(vec![self.no_network(name, network.0)]);
        }
        if self.map.network(member.captured.at, nic).as_ref() == Some(&network) {
            return Err(vec![Refusal::TestNetworkNotIsolated {
                member: name,
                network: source,
            }]);
        }
        let loose = Nic {
            fixed_ips: Vec::new(),
            keep_ip: false,
            keep_mac: false,
            ..nic.clone()
        };
        self.port_on(member, index, &loose, network)
    }

    fn port(&self, member: &Member, index: usize, nic: &Nic) -> Result<PortCreate, Vec<Refusal>> {
        if let Some(networks) = self.drill {
            return self.drill_port(member, index, nic, networks);
        }
        let Some(network) = self.map.network(member.captured.at, nic) else {
            let name = member.captured.name.clone();
            return Err(vec![self.no_network(name, nic.network_name.clone())]);
        };
        self.port_on(member, index, nic, network)
    }

    fn no_network(&self, member: String, network: String) -> Refusal {
        let none = Refusal::NoNetwork { member, network };
        unasked("networks", &self.facts.target.networks).unwrap_or(none)
    }

    fn port_on(
        &self,
        member: &Member,
        index: usize,
        nic: &Nic,
        network: NetworkId,
    ) -> Result<PortCreate, Vec<Refusal>> {
        let name = member.captured.name.clone();
        let from = member.captured.at;
        let mut against = Vec::new();
        let mut fixed_ips = Vec::new();
        for (index, ip) in nic.fixed_ips.iter().enumerate() {
            let address = if nic.keep_ip {
                ip.address.clone()
            } else {
                String::new()
            };
            match self.map.subnet(from, nic, index, &network) {
                Some(subnet) => fixed_ips.push(FixedIp { subnet, address }),
                None => against.push(self.no_subnet(&name, nic, index)),
            }
        }
        let mut security_groups = Vec::new();
        for group in &nic.security_groups {
            match self.map.security_group(from, group) {
                // Two may have become one.
                Some(id) if security_groups.contains(&id) => {}
                Some(id) => security_groups.push(id),
                None => against.push(self.no_security_group(&name, &group.name)),
            }
        }
        against.extend(self.address_in_the_way(&name, nic, &network));
        if !against.is_empty() {
            return Err(against);
        }
        let key = self.key("create_ports", &format!("{}.{index}", member.id));
        Ok(PortCreate {
            name: nic.name.clone(),
            description: key.to_string(),
            network,
            fixed_ips,
            mac_address: nic.keep_mac.then(|| nic.mac_address.clone()),
            security_groups,
            port_security_enabled: nic.port_security_enabled,
            allowed_address_pairs: nic.allowed_address_pairs.clone(),
        })
    }

    fn no_subnet(&self, member: &str, nic: &Nic, at: usize) -> Refusal {
        let none = Refusal::NoSubnet {
            member: member.to_owned(),
            subnet: nic.subnet_names.get(at).cloned().unwrap_or_default(),
        };
        unasked("subnets", &self.facts.target.subnets).unwrap_or(none)
    }

    fn no_security_group(&self, member: &str, name: &str) -> Refusal {
        let none = Refusal::NoSecurityGroup {
            member: member.to_owned(),
            security_group: name.to_owned(),
        };
        unasked("security groups", &self.facts.target.security_groups).unwrap_or(none)
    }

    /// Addresses that somebody else holds at the target (H6, H7): never stolen.
    fn address_in_the_way(
        &self,
        member: &str,
        nic: &Nic,
        network: &crate::ids::NetworkId,
    ) -> Vec<Refusal> {
        let Asked::Known(ports) = &self.facts.target.ports else {
            return Vec::new();
        };
        let on_network = || ports.iter().filter(|p| &p.network == network);
        let wanted_ips = nic.fixed_ips.iter().filter(|_| nic.keep_ip);
        let mut taken: Vec<String> = wanted_ips
            .map(|ip| ip.address.clone())
            .filter(|a| on_network().any(|p| p.fixed_ips.iter().any(|ip| &ip.address == a)))
            .collect();
        if nic.keep_mac && on_network().any(|p| p.mac_address == nic.mac_address) {
            taken.push(nic.mac_address.clone());
        }
        let refusal = |address| Refusal::AddressTaken {
            member: member.to_owned(),
            address,
        };
        taken.into_iter().map(refusal).collect()
    }

    fn server(
        &self,
        member: &Member,
        flavor: &Flavor,
        warnings: &mut Vec<Refusal>,
    ) -> ServerCreate {
        let had = &member.captured;
        let key_name = had.key_name.as_ref().and_then(|name| {
            let found = self.map.keypair(had.at, name);
            if found.is_none() {
                let (member, keypair) = (had.name.clone(), name.clone());
                warnings.push(Refusal::NoKeypair { member, keypair });
            }
            found
        });
        let availability_zone = had.availability_zone.as_ref().and_then(|zone| {
            let found = self.map.availability_zone(had.at, zone);
            // Unknown is a finding of its own.
            let zones = &self.facts.target.availability_zones;
            if found.is_none() && zones.known().is_some() {
                let (member, zone) = (had.name.clone(), zone.clone());
                warnings.push(Refusal::ZoneDropped { member, zone });
            }
            found
        });
        if let UserData::NotKept { why } = &member.user_data {
            let (member, why) = (had.name.clone(), why.clone());
            warnings.push(Refusal::NoUserData { member, why });
        }
        if !had.server_groups.is_empty() {
            warnings.push(Refusal::ServerGroupDropped {
                member: had.name.clone(),
            });
        }
        let key = self.key("boot_server", &member.id.to_string());
        ServerCreate {
            name: had.name.clone(),
            description: had.description.clone(),
            hostname: had.hostname.clone(),
            flavor: flavor.id.clone(),
            key_name,
            user_data: None,
            config_drive: had.config_drive,
            availability_zone,
            metadata: self.with_key(had.metadata.clone(), &key),
            tags: had.tags.clone(),
            volumes: Vec::new(),
            ports: Vec::new(),
        }
    }

    fn steps(
        &self,
        member: &Member,
        disks: &[DiskPlan],
        nics: &[NicPlan],
        ask: ServerCreate,
    ) -> Vec<Step> {
        let volumes_as = self.facts.volumes_as.clone();
        let servers_as = self.facts.servers_as.clone();
        let mut steps = Vec::new();
        let imports = self.imports(member, disks);
        if !imports.is_empty() {
            steps.push(Step::ImportVolumes {
                acting: volumes_as.clone(),
                imports,
            });
        }
        let made = nics.iter().filter_map(|nic| match nic {
            NicPlan::Make(port) => Some(port.clone()),
            NicPlan::Keep(_) => None,
        });
        let ports: Vec<PortPlan> = made.collect();
        if !ports.is_empty() {
            steps.push(Step::CreatePorts {
                acting: volumes_as,
                member: member.id,
                ports,
            });
        }
        steps.push(Step::BootServer {
            acting: servers_as.clone(),
            tenant: self.facts.tenant.known().cloned(),
            has_user_data: member.user_data.is_sealed(),
            member: member.id,
            ask: Box::new(ask),
            volumes: self.boot_from(member, disks),
            ports: nics.iter().map(NicPlan::part).collect(),
        });
        steps.push(Step::AwaitServer {
            acting: servers_as,
            member: member.id,
            server: self.key("boot_server", &member.id.to_string()),
        });
        steps
    }
}

/// A stage with one lane of steps that concern the whole group.
pub(super) fn group_stage(name: &str, steps: Vec<Step>) -> crate::plan::Stage {
    crate::plan::Stage {
        name: name.to_owned(),
        lanes: vec![Lane {
            id: GROUP_LANE.to_owned(),
            title: "the group".to_owned(),
            tier: 0,
            steps,
        }],
    }
}

/// A floating IP goes with its port: one that is made here has none.
fn floating_dropped(member: &Member, nics: &[NicPlan]) -> Vec<Refusal> {
    let had = &member.captured;
    let made = nics.iter().any(|nic| matches!(nic, NicPlan::Make(_)));
    let floating = had.floating_ips.iter().filter(|_| made).cloned();
    floating
        .map(|address| Refusal::FloatingIpDropped {
            member: had.name.clone(),
            address,
        })
        .collect()
}
