//! Neutron: networks, subnets, ports, security groups, routers, floating IPs, tags, quotas.
//!
//! Deliberately absent: agents, packets, IPv6 address assignment, RBAC rules but `shared`, trunks,
//! QoS, revisions in `If-Match`. A bound port is up at once.

mod binding;
mod floating;
mod http;
mod ipam;
mod lists;
mod networks;
mod port_policy;
mod ports;
mod quotas;
mod routers;
mod security_groups;
mod tags;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::policy::Who;
use super::wire::Fault;

/// A network.
#[derive(Debug, Clone, Serialize)]
pub struct Network {
    /// UUID.
    pub id: String,
    /// Not unique.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Owner.
    pub project_id: String,
    /// Every project may put ports on it.
    pub shared: bool,
    /// Floating IPs come from it.
    pub external: bool,
    /// What ports get unless they say otherwise.
    pub port_security_enabled: bool,
    /// Unix milliseconds.
    pub created_ms: i64,
}

/// An IPv4 subnet.
#[derive(Debug, Clone, Serialize)]
pub struct Subnet {
    /// UUID.
    pub id: String,
    /// Not unique.
    pub name: String,
    /// Its network.
    pub network_id: String,
    /// Owner.
    pub project_id: String,
    /// `10.0.0.0/24`.
    pub cidr: String,
    /// Router address.
    pub gateway_ip: Option<String>,
    /// First and last address given out by itself.
    pub pool: (String, String),
    /// Whether addresses are served by DHCP.
    pub enable_dhcp: bool,
    /// Name servers.
    pub dns_nameservers: Vec<String>,
    /// Unix milliseconds.
    pub created_ms: i64,
}

/// An address of a port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FixedIp {
    /// Subnet.
    pub subnet_id: String,
    /// Address.
    pub ip_address: String,
}

/// A port.
#[derive(Debug, Clone, Serialize)]
pub struct Port {
    /// UUID.
    pub id: String,
    /// Not unique.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Its network.
    pub network_id: String,
    /// Owner.
    pub project_id: String,
    /// Lower case, unique on its network.
    pub mac_address: String,
    /// Addresses, each unique on its network.
    pub fixed_ips: Vec<FixedIp>,
    /// Security group ids.
    pub security_groups: Vec<String>,
    /// Whether anti-spoofing is on.
    pub port_security_enabled: bool,
    /// As given.
    pub allowed_address_pairs: Value,
    /// Server or router that uses it; empty when free.
    pub device_id: String,
    /// `compute:nova`, `network:router_interface`, ...
    pub device_owner: String,
    /// `binding:host_id`; empty when unbound.
    pub host: String,
    /// `ACTIVE` when bound, else `DOWN`.
    pub status: String,
    /// Administrative state.
    pub admin_state_up: bool,
    /// Changes so far.
    pub revision: i64,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds.
    pub updated_ms: i64,
}

/// A security group with its rules as JSON.
#[derive(Debug, Clone, Serialize)]
pub struct SecurityGroup {
    /// UUID.
    pub id: String,
    /// Not unique, but `default` is there once per project.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Owner.
    pub project_id: String,
    /// Rules by id.
    pub rules: BTreeMap<String, Value>,
    /// Unix milliseconds.
    pub created_ms: i64,
}

/// A router; its interfaces are ports.
#[derive(Debug, Clone, Serialize)]
pub struct Router {
    /// UUID.
    pub id: String,
    /// Not unique.
    pub name: String,
    /// Owner.
    pub project_id: String,
    /// External network of its gateway.
    pub external_network_id: Option<String>,
    /// Unix milliseconds.
    pub created_ms: i64,
}

/// A floating IP.
#[derive(Debug, Clone, Serialize)]
pub struct FloatingIp {
    /// UUID.
    pub id: String,
    /// Owner.
    pub project_id: String,
    /// External network.
    pub floating_network_id: String,
    /// The address.
    pub floating_ip_address: String,
    /// The port behind it.
    pub port_id: Option<String>,
    /// The port's address behind it.
    pub fixed_ip_address: Option<String>,
    /// Free text.
    pub description: String,
    /// Unix milliseconds.
    pub created_ms: i64,
}

/// All of Neutron's state.
#[derive(Default)]
pub(super) struct Neutron {
    pub(super) networks: BTreeMap<String, Network>,
    pub(super) subnets: BTreeMap<String, Subnet>,
    pub(super) ports: BTreeMap<String, Port>,
    pub(super) security_groups: BTreeMap<String, SecurityGroup>,
    pub(super) routers: BTreeMap<String, Router>,
    pub(super) floating_ips: BTreeMap<String, FloatingIp>,
    /// Tags by id of whatever carries them.
    pub(super) tags: BTreeMap<String, BTreeSet<String>>,
    /// Limits by project, then by resource; -1 and absent mean none.
    pub(super) quotas: BTreeMap<String, BTreeMap<String, i64>>,
}

pub(super) fn missing(class: &'static str, what: &str, id: &str) -> Fault {
    Fault::typed(404, class, format!("{what} {id} could not be found."))
}

pub(super) fn policy_denied(rule: &str) -> Fault {
    Fault::typed(
        403,
        "PolicyNotAuthorized",
        format!("({rule}) is disallowed by policy"),
    )
}

impl Neutron {
    pub(super) fn network(&self, id: &str, who: &Who) -> Result<&Network, Fault> {
        let found = self.networks.get(id);
        found
            .filter(|one| one.shared || one.external || who.sees(&one.project_id))
            .ok_or_else(|| missing("NetworkNotFound", "Network", id))
    }

    pub(super) fn subnet(&self, id: &str, who: &Who) -> Result<&Subnet, Fault> {
        let found = self.subnets.get(id);
        found
            .filter(|one| who.sees(&one.project_id) || self.network(&one.network_id, who).is_ok())
            .ok_or_else(|| missing("SubnetNotFound", "Subnet", id))
    }

    /// Ports are seen by their owner and by the owner of their network.
    pub(super) fn port_seen(&self, port: &Port, who: &Who) -> bool {
        let network = self.networks.get(&port.network_id);
        who.sees(&port.project_id) || network.is_some_and(|one| who.sees(&one.project_id))
    }

    pub(super) fn port(&self, id: &str, who: &Who) -> Result<&Port, Fault> {
        let found = self.ports.get(id);
        found
            .filter(|port| self.port_seen(port, who))
            .ok_or_else(|| missing("PortNotFound", "Port", id))
    }

    pub(super) fn tags_of(&self, id: &str) -> Vec<String> {
        let tags = self.tags.get(id);
        tags.map(|tags| tags.iter().cloned().collect())
            .unwrap_or_default()
    }

    pub(super) fn port_remove(&mut self, id: &str) {
        self.ports.remove(id);
        self.tags.remove(id);
        for floating in self.floating_ips.values_mut() {
            if floating.port_id.as_deref() == Some(id) {
                floating.port_id = None;
                floating.fixed_ip_address = None;
            }
        }
    }
}
