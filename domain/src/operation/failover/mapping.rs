//! What a thing of the source is at the target: by the group's mappings, else by equal name.
//! A name that two things share maps to neither: guessing would wire a VM wrongly. Of networks and security groups
//! only what the tenant's project may use counts, by whatever name or id (`walls`).
//!
//! A member says things as the site has them where it was captured. There they are what they are, by id, and no
//! mapping is asked.

use super::facts::{Asked, TargetFacts};
use super::walls::{may_use_network, may_use_security_group};
use crate::ids::{NetworkId, ProjectId, SecurityGroupId, SubnetId};
use crate::ports::compute::Flavor;
use crate::ports::network::{NetworkInfo, SecurityGroup, Subnet};
use crate::record::{Captured, Mappings, Nic, NicSecurityGroup};
use crate::sync::Role;
use std::collections::BTreeMap;

fn known<T>(asked: &Asked<Vec<T>>) -> &[T] {
    asked.known().map_or(&[], Vec::as_slice)
}

/// The one item that `matches`; none when there are several.
fn only_one<T>(items: impl IntoIterator<Item = T>, matches: impl Fn(&T) -> bool) -> Option<T> {
    let mut found = items.into_iter().filter(matches);
    let first = found.next()?;
    found.next().is_none().then_some(first)
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

    /// What `thing`, captured `at` a side, is mapped to. Mappings are written from home to other; the way home reads
    /// them backwards, where only one of them leads.
    fn mapped<K: Ord + Clone>(&self, map: &BTreeMap<K, K>, thing: &K, at: Role) -> Option<K> {
        match (at == self.here, self.here) {
            (true, _) => Some(thing.clone()),
            (false, Role::Other) => map.get(thing).cloned(),
            (false, Role::Home) => {
                only_one(map, |(_, other)| *other == thing).map(|(home, _)| home.clone())
            }
        }
    }

    pub fn flavor(&self, had: &Captured) -> Option<&Flavor> {
        let flavors = known(&self.target.flavors);
        let by_id = |id| flavors.iter().find(|f| &f.id == id);
        let by_name = |name: &str| only_one(flavors, |f| f.name == name);
        let map = &self.mappings.flavors;
        let name = had.flavor.name.as_str();
        match (had.at == self.here, self.here) {
            (true, _) => by_id(&had.flavor.id).or_else(|| by_name(name)),
            (false, Role::Other) => map.get(name).map_or_else(|| by_name(name), by_id),
            (false, Role::Home) => {
                let home = only_one(map, |(_, other)| **other == had.flavor.id);
                by_name(home.map_or(name, |(home, _)| home))
            }
        }
    }

    /// By its id, where one is wanted; by its name where none is, and where what was here once is here no longer.
    fn find<T, I: PartialEq>(
        &self,
        at: Role,
        items: impl Iterator<Item = T> + Clone,
        wanted: Option<&I>,
        id: impl Fn(&T) -> &I,
        named: impl Fn(&T) -> bool,
    ) -> Option<T> {
        let by_id = wanted.and_then(|wanted| items.clone().find(|item| id(item) == wanted));
        let by_name = wanted.is_none() || at == self.here;
        by_id.or_else(|| only_one(items, named).filter(|_| by_name))
    }

    pub fn network(&self, at: Role, nic: &Nic) -> Option<NetworkId> {
        let networks = self.networks().into_iter();
        let wanted = self.mapped(&self.mappings.networks, &nic.network, at);
        let named = |n: &&NetworkInfo| n.name == nic.network_name;
        let found = self.find(at, networks, wanted.as_ref(), |n| &n.id, named);
        found.map(|n| n.id.clone())
    }

    /// Whether the tenant may use that network at all.
    pub fn has_network(&self, id: &NetworkId) -> bool {
        self.networks().iter().any(|n| &n.id == id)
    }

    /// The subnet for the address at `index` of the interface, inside `network`.
    pub fn subnet(
        &self,
        at: Role,
        nic: &Nic,
        index: usize,
        network: &NetworkId,
    ) -> Option<SubnetId> {
        let from = &nic.fixed_ips.get(index)?.subnet;
        let subnets = known(&self.target.subnets).iter();
        let inside = subnets.filter(|s| &s.network == network);
        let wanted = self.mapped(&self.mappings.subnets, from, at);
        let name = nic.subnet_names.get(index);
        let named = |s: &&Subnet| Some(&s.name) == name;
        let found = self.find(at, inside, wanted.as_ref(), |s| &s.id, named);
        found.map(|s| s.id.clone())
    }

    pub fn security_group(&self, at: Role, had: &NicSecurityGroup) -> Option<SecurityGroupId> {
        let groups = self.security_groups().into_iter();
        let wanted = self.mapped(&self.mappings.security_groups, &had.id, at);
        let named = |g: &&SecurityGroup| g.name == had.name;
        let found = self.find(at, groups, wanted.as_ref(), |g| &g.id, named);
        found.map(|g| g.id.clone())
    }

    /// A zone that the target has, by mapping or equal name.
    pub fn availability_zone(&self, at: Role, zone: &str) -> Option<String> {
        let zone = zone.to_owned();
        let wanted = self.mapped(&self.mappings.availability_zones, &zone, at);
        let wanted = wanted.unwrap_or(zone);
        let zones = known(&self.target.availability_zones);
        zones.contains(&wanted).then_some(wanted)
    }

    /// The acting identity's keypair for this one, if it has it.
    pub fn keypair(&self, at: Role, name: &str) -> Option<String> {
        let name = name.to_owned();
        let wanted = self.mapped(&self.mappings.keypairs, &name, at);
        let wanted = wanted.unwrap_or(name);
        known(&self.target.keypairs)
            .contains(&wanted)
            .then_some(wanted)
    }
}
