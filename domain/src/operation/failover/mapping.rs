//! What a thing of the source is at the target: by the group's mappings, else by equal name.
//! A name that two things share maps to neither: guessing would wire a VM wrongly. Of networks and security groups
//! only what the tenant's project may use counts, by whatever name or id (`walls`).

use super::facts::{Asked, TargetFacts};
use super::walls::{may_use_network, may_use_security_group};
use crate::ids::{FlavorId, NetworkId, ProjectId, SecurityGroupId, SubnetId};
use crate::ports::compute::Flavor;
use crate::ports::network::{NetworkInfo, SecurityGroup};
use crate::record::{Mappings, Nic};
use crate::sync::Role;
use std::collections::BTreeMap;

fn known<T>(asked: &Asked<Vec<T>>) -> &[T] {
    asked.known().map_or(&[], Vec::as_slice)
}

/// The one item that `matches`; none when there are several.
fn only_one<T>(items: &[T], matches: impl Fn(&T) -> bool) -> Option<&T> {
    let mut found = items.iter().filter(|item| matches(item));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// Mappings are written from home to other; the way home reads them backwards.
fn mapped<K: Ord + Clone + PartialEq>(map: &BTreeMap<K, K>, from: &K, here: Role) -> Option<K> {
    match here {
        Role::Other => map.get(from).cloned(),
        Role::Home => map
            .iter()
            .find(|(_, other)| *other == from)
            .map(|(home, _)| home.clone()),
    }
}

/// Reads the group's mappings against what the target has.
pub(super) struct Mapper<'a> {
    pub mappings: &'a Mappings,
    pub here: Role,
    /// The tenant's, at the target.
    pub project: &'a ProjectId,
    pub target: &'a TargetFacts,
}

impl Mapper<'_> {
    fn networks(&self) -> Vec<&NetworkInfo> {
        let all = known(&self.target.networks).iter();
        all.filter(|n| may_use_network(n, self.project)).collect()
    }

    fn security_groups(&self) -> Vec<&SecurityGroup> {
        let all = known(&self.target.security_groups).iter();
        all.filter(|g| may_use_security_group(g, self.project))
            .collect()
    }

    pub fn flavor(&self, name: &str) -> Option<&Flavor> {
        let flavors = known(&self.target.flavors);
        let by_map: Option<&FlavorId> = match self.here {
            Role::Other => self.mappings.flavors.get(name),
            Role::Home => None,
        };
        match by_map {
            Some(id) => flavors.iter().find(|f| &f.id == id),
            None => only_one(flavors, |f| f.name == name),
        }
    }

    pub fn network(&self, nic: &Nic) -> Option<NetworkId> {
        let networks = self.networks();
        match mapped(&self.mappings.networks, &nic.network, self.here) {
            Some(id) => networks.iter().find(|n| n.id == id).map(|n| n.id.clone()),
            None => only_one(&networks, |n| n.name == nic.network_name).map(|n| n.id.clone()),
        }
    }

    /// Whether the tenant may use that network at all.
    pub fn has_network(&self, id: &NetworkId) -> bool {
        self.networks().iter().any(|n| &n.id == id)
    }

    /// The subnet for the address at `index` of the interface, inside `network`.
    pub fn subnet(&self, nic: &Nic, index: usize, network: &NetworkId) -> Option<SubnetId> {
        let from = &nic.fixed_ips.get(index)?.subnet;
        let inside: Vec<_> = known(&self.target.subnets)
            .iter()
            .filter(|s| &s.network == network)
            .collect();
        match mapped(&self.mappings.subnets, from, self.here) {
            Some(id) => inside.iter().find(|s| s.id == id).map(|s| s.id.clone()),
            None => {
                let name = nic.subnet_names.get(index)?;
                only_one(&inside, |s| &s.name == name).map(|s| s.id.clone())
            }
        }
    }

    pub fn security_group(&self, id: &SecurityGroupId, name: &str) -> Option<SecurityGroupId> {
        let groups = self.security_groups();
        match mapped(&self.mappings.security_groups, id, self.here) {
            Some(id) => groups.iter().find(|g| g.id == id).map(|g| g.id.clone()),
            None => only_one(&groups, |g| g.name == name).map(|g| g.id.clone()),
        }
    }

    pub fn availability_zone(&self, zone: &str) -> Option<String> {
        mapped(
            &self.mappings.availability_zones,
            &zone.to_owned(),
            self.here,
        )
    }

    /// The acting identity's keypair for this one, if it has it.
    pub fn keypair(&self, name: &str) -> Option<String> {
        let wanted = mapped(&self.mappings.keypairs, &name.to_owned(), self.here)
            .unwrap_or_else(|| name.to_owned());
        known(&self.target.keypairs)
            .contains(&wanted)
            .then_some(wanted)
    }
}
