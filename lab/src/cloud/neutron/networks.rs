//! Networks and subnets.

use serde_json::{Value, json};

use super::ipam::{cidr_range, text_of};
use super::{Network, Subnet, lists, policy_denied};
use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::timefmt::iso_z;
use crate::cloud::wire::{Answer, Fault, Resp};

const NETWORK_FILTERS: [&str; 8] = [
    "id",
    "name",
    "description",
    "project_id",
    "status",
    "admin_state_up",
    "router:external",
    "port_security_enabled",
];
const SUBNET_FILTERS: [&str; 8] = [
    "id",
    "name",
    "description",
    "network_id",
    "project_id",
    "cidr",
    "ip_version",
    "gateway_ip",
];

impl Cloud {
    fn network_view(&self, network: &Network) -> Value {
        let subnets = self.neutron.subnets.values();
        let subnet_ids: Vec<&String> = subnets
            .filter(|subnet| subnet.network_id == network.id)
            .map(|subnet| &subnet.id)
            .collect();
        let at = iso_z(network.created_ms);
        json!({
            "id": network.id, "name": network.name, "description": network.description,
            "project_id": network.project_id, "tenant_id": network.project_id, "status": "ACTIVE",
            "admin_state_up": true, "shared": network.shared, "router:external": network.external,
            "port_security_enabled": network.port_security_enabled, "mtu": 1450, "subnets": subnet_ids,
            "availability_zones": [self.config.availability_zone], "availability_zone_hints": [],
            "tags": self.neutron.tags_of(&network.id), "created_at": at, "updated_at": at,
            "revision_number": 1, "ipv4_address_scope": null, "ipv6_address_scope": null,
        })
    }

    fn subnet_view(&self, subnet: &Subnet) -> Value {
        let at = iso_z(subnet.created_ms);
        let (start, end) = &subnet.pool;
        json!({
            "id": subnet.id, "name": subnet.name, "description": "", "network_id": subnet.network_id,
            "project_id": subnet.project_id, "tenant_id": subnet.project_id, "cidr": subnet.cidr,
            "ip_version": 4, "gateway_ip": subnet.gateway_ip, "enable_dhcp": subnet.enable_dhcp,
            "allocation_pools": [{"start": start, "end": end}], "dns_nameservers": subnet.dns_nameservers,
            "host_routes": [], "ipv6_address_mode": null, "ipv6_ra_mode": null, "subnetpool_id": null,
            "tags": self.neutron.tags_of(&subnet.id), "created_at": at, "updated_at": at, "revision_number": 0,
        })
    }

    pub(super) fn network_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", ["networks"]) => {
                let all = self.neutron.networks.values();
                let views = all
                    .filter(|one| self.neutron.network(&one.id, call.who).is_ok())
                    .map(|one| self.network_view(one))
                    .collect();
                lists::answer(call, "networks", views, &NETWORK_FILTERS)
            }
            ("GET", ["networks", id]) => {
                let view = self.network_view(self.neutron.network(id, call.who)?);
                Ok(Resp::json(200, json!({"network": view})))
            }
            ("POST", ["networks"]) => self.network_create(call),
            ("DELETE", ["networks", id]) => self.network_delete(id, call),
            _ => Err(nowhere()),
        }
    }

    fn network_create(&mut self, call: &Call<'_>) -> Answer {
        let asked = json::need_object(&call.body, "network")?;
        let shared = json::truth(asked, "shared").unwrap_or(false);
        let external = json::truth(asked, "router:external").unwrap_or(false);
        if (shared || external) && !call.who.is_admin() {
            return Err(policy_denied(
                "rule:create_network and rule:create_network:shared",
            ));
        }
        self.network_quota_check(call.who.project(), "network", 1)?;
        let network = Network {
            id: self.ids.uuid(),
            name: json::text_or_empty(asked, "name"),
            description: json::text_or_empty(asked, "description"),
            project_id: call.who.project().to_owned(),
            shared,
            external,
            port_security_enabled: json::truth(asked, "port_security_enabled").unwrap_or(true),
            created_ms: call.now_ms,
        };
        let view = self.network_view(&network);
        self.neutron.networks.insert(network.id.clone(), network);
        Ok(Resp::json(201, json!({"network": view})))
    }

    fn network_delete(&mut self, id: &str, call: &Call<'_>) -> Answer {
        self.network_owned(id, call)?;
        let mut ports = self.neutron.ports.values();
        if ports.any(|port| port.network_id == id) {
            let text = format!(
                "Unable to complete operation on network {id}. There are one or more ports still in use on the network."
            );
            return Err(Fault::typed(409, "NetworkInUse", text));
        }
        self.neutron
            .subnets
            .retain(|_, subnet| subnet.network_id != id);
        self.neutron.networks.remove(id);
        self.neutron.tags.remove(id);
        Ok(Resp::empty(204))
    }

    /// Seen but not owned is 403, unseen is 404.
    fn network_owned(&self, id: &str, call: &Call<'_>) -> Result<(), Fault> {
        let network = self.neutron.network(id, call.who)?;
        if call.who.sees(&network.project_id) {
            return Ok(());
        }
        Err(policy_denied("rule:admin_or_owner"))
    }

    pub(super) fn subnet_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", ["subnets"]) => {
                let all = self.neutron.subnets.values();
                let views = all
                    .filter(|one| self.neutron.subnet(&one.id, call.who).is_ok())
                    .map(|one| self.subnet_view(one))
                    .collect();
                lists::answer(call, "subnets", views, &SUBNET_FILTERS)
            }
            ("GET", ["subnets", id]) => {
                let view = self.subnet_view(self.neutron.subnet(id, call.who)?);
                Ok(Resp::json(200, json!({"subnet": view})))
            }
            ("POST", ["subnets"]) => self.subnet_create(call),
            ("DELETE", ["subnets", id]) => self.subnet_delete(id, call),
            _ => Err(nowhere()),
        }
    }

    fn subnet_create(&mut self, call: &Call<'_>) -> Answer {
        let asked = json::need_object(&call.body, "subnet")?;
        let network_id = json::need(asked, "network_id")?;
        self.network_owned(network_id, call)?;
        self.network_quota_check(call.who.project(), "subnet", 1)?;
        let cidr = json::need(asked, "cidr")?;
        let name = json::text_or_empty(asked, "name");
        let id = self
            .subnet_add(network_id, &name, cidr, call.now_ms)
            .ok_or_else(|| Fault::bad_request(format!("Invalid input for cidr: {cidr}")))?;
        if let Some(subnet) = self.neutron.subnets.get_mut(&id) {
            subnet.enable_dhcp = json::truth(asked, "enable_dhcp").unwrap_or(true);
            subnet.dns_nameservers = json::texts(asked, "dns_nameservers");
            match asked.get("gateway_ip") {
                Some(Value::Null) => subnet.gateway_ip = None,
                Some(Value::String(address)) => subnet.gateway_ip = Some(address.clone()),
                _ => {}
            }
        }
        let view = self.subnet_view(self.neutron.subnet(&id, call.who)?);
        Ok(Resp::json(201, json!({"subnet": view})))
    }

    /// A subnet with gateway on the first address and a pool over the rest. `None`: no such network
    /// or no usable CIDR.
    pub(in crate::cloud) fn subnet_add(
        &mut self,
        network_id: &str,
        name: &str,
        cidr: &str,
        now_ms: i64,
    ) -> Option<String> {
        let project_id = self.neutron.networks.get(network_id)?.project_id.clone();
        let (first, last) = cidr_range(cidr).filter(|(first, last)| last - first >= 3)?;
        let id = self.ids.uuid();
        let subnet = Subnet {
            id: id.clone(),
            name: name.to_owned(),
            network_id: network_id.to_owned(),
            project_id,
            cidr: cidr.to_owned(),
            gateway_ip: Some(text_of(first + 1)),
            pool: (text_of(first + 2), text_of(last - 1)),
            enable_dhcp: true,
            dns_nameservers: Vec::new(),
            created_ms: now_ms,
        };
        self.neutron.subnets.insert(id.clone(), subnet);
        Some(id)
    }

    fn subnet_delete(&mut self, id: &str, call: &Call<'_>) -> Answer {
        let subnet = self.neutron.subnet(id, call.who)?;
        self.network_owned(&subnet.network_id, call)?;
        let mut ports = self.neutron.ports.values();
        let used = ports.any(|port| port.fixed_ips.iter().any(|fixed| fixed.subnet_id == id));
        if used {
            let text = format!(
                "Unable to complete operation on subnet {id}: One or more ports have an IP allocation from this subnet."
            );
            return Err(Fault::typed(409, "SubnetInUse", text));
        }
        self.neutron.subnets.remove(id);
        self.neutron.tags.remove(id);
        Ok(Resp::empty(204))
    }
}
