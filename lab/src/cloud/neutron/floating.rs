//! Floating IPs: `ACTIVE` as soon as a port is behind them.

use serde_json::{Value, json};

use super::{FloatingIp, Subnet, lists, missing, policy_denied};
use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::timefmt::iso_z;
use crate::cloud::wire::{Answer, Fault, Resp};

const FILTERS: [&str; 9] = [
    "id",
    "project_id",
    "floating_network_id",
    "floating_ip_address",
    "fixed_ip_address",
    "port_id",
    "router_id",
    "status",
    "description",
];

impl Cloud {
    fn floating_view(&self, floating: &FloatingIp) -> Value {
        let at = iso_z(floating.created_ms);
        let status = if floating.port_id.is_some() {
            "ACTIVE"
        } else {
            "DOWN"
        };
        json!({
            "id": floating.id, "project_id": floating.project_id, "tenant_id": floating.project_id,
            "floating_network_id": floating.floating_network_id, "description": floating.description,
            "floating_ip_address": floating.floating_ip_address, "port_id": floating.port_id,
            "fixed_ip_address": floating.fixed_ip_address, "router_id": null, "status": status,
            "tags": self.neutron.tags_of(&floating.id), "created_at": at, "updated_at": at,
            "revision_number": 1, "port_details": null, "dns_name": "", "dns_domain": "",
        })
    }

    fn floating_seen(&self, id: &str, call: &Call<'_>) -> Result<&FloatingIp, Fault> {
        let found = self.neutron.floating_ips.get(id);
        found
            .filter(|floating| call.who.sees(&floating.project_id))
            .ok_or_else(|| missing("FloatingIPNotFound", "Floating IP", id))
    }

    pub(super) fn floating_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", ["floatingips"]) => {
                let all = self.neutron.floating_ips.values();
                let views = all
                    .filter(|floating| call.who.sees(&floating.project_id))
                    .map(|floating| self.floating_view(floating))
                    .collect();
                lists::answer(call, "floatingips", views, &FILTERS)
            }
            ("POST", ["floatingips"]) => self.floating_create(call),
            ("GET", ["floatingips", id]) => {
                let view = self.floating_view(self.floating_seen(id, call)?);
                Ok(Resp::json(200, json!({"floatingip": view})))
            }
            ("PUT", ["floatingips", id]) => self.floating_update(id, call),
            ("DELETE", ["floatingips", id]) => {
                self.floating_seen(id, call)?;
                self.neutron.floating_ips.remove(*id);
                self.neutron.tags.remove(*id);
                Ok(Resp::empty(204))
            }
            _ => Err(nowhere()),
        }
    }

    fn floating_create(&mut self, call: &Call<'_>) -> Answer {
        let asked = json::need_object(&call.body, "floatingip")?;
        let network_id = json::need(asked, "floating_network_id")?;
        let network = self.neutron.network(network_id, call.who)?;
        if !network.external {
            let text = format!("Network {network_id} is not a valid external network.");
            return Err(Fault::typed(400, "BadRequest", text));
        }
        self.network_quota_check(call.who.project(), "floatingip", 1)?;
        let wanted = json::text(asked, "floating_ip_address");
        if wanted.is_some() && !call.who.is_admin() {
            return Err(policy_denied("rule:create_floatingip:floating_ip_address"));
        }
        let address = self.floating_address(network_id, wanted)?;
        let behind = match json::text(asked, "port_id") {
            Some(port_id) => Some(self.floating_port(port_id, asked, call)?),
            None => None,
        };
        let (port_id, fixed_ip_address) = behind.unzip();
        let floating = FloatingIp {
            id: self.ids.uuid(),
            project_id: call.who.project().to_owned(),
            floating_network_id: network_id.to_owned(),
            floating_ip_address: address,
            port_id,
            fixed_ip_address,
            description: json::text_or_empty(asked, "description"),
            created_ms: call.now_ms,
        };
        let view = self.floating_view(&floating);
        self.neutron
            .floating_ips
            .insert(floating.id.clone(), floating);
        Ok(Resp::json(201, json!({"floatingip": view})))
    }

    fn floating_address(&self, network_id: &str, wanted: Option<&str>) -> Result<String, Fault> {
        let mut subnets = self.neutron.subnets.values();
        let subnet: &Subnet = subnets
            .find(|subnet| subnet.network_id == network_id)
            .ok_or_else(|| {
                Fault::bad_request(format!(
                    "Network {network_id} does not contain any IPv4 subnet"
                ))
            })?;
        if let Some(address) = wanted {
            let asked = json!([{"subnet_id": subnet.id, "ip_address": address}]);
            self.neutron.addresses(network_id, Some(&asked), None)?;
            return Ok(address.to_owned());
        }
        self.neutron.next_free(subnet, None).ok_or_else(|| {
            let text = format!("No more IP addresses available on network {network_id}.");
            Fault::typed(409, "IpAddressGenerationFailure", text)
        })
    }

    /// The port and its address that a floating IP is put before. Errors: 404 port, 409 taken.
    fn floating_port(
        &self,
        port_id: &str,
        asked: &Value,
        call: &Call<'_>,
    ) -> Result<(String, String), Fault> {
        let port = self.neutron.port(port_id, call.who)?;
        let first = port
            .fixed_ips
            .first()
            .map(|fixed| fixed.ip_address.as_str());
        let address = json::text(asked, "fixed_ip_address")
            .or(first)
            .ok_or_else(|| {
                Fault::bad_request(format!(
                    "Cannot add floating IP to port {port_id} that has no fixed IPv4 addresses."
                ))
            })?;
        let mut all = self.neutron.floating_ips.values();
        let taken = all.any(|one| {
            one.port_id.as_deref() == Some(port_id)
                && one.fixed_ip_address.as_deref() == Some(address)
        });
        if taken {
            let text = format!(
                "Cannot associate floating IP with port {port_id} using fixed IP {address}, as that fixed IP already has a floating IP."
            );
            return Err(Fault::typed(409, "FloatingIPPortAlreadyAssociated", text));
        }
        Ok((port_id.to_owned(), address.to_owned()))
    }

    fn floating_update(&mut self, id: &str, call: &Call<'_>) -> Answer {
        let asked = json::need_object(&call.body, "floatingip")?;
        self.floating_seen(id, call)?;
        let behind = match asked.get("port_id") {
            Some(Value::String(port_id)) => Some(self.floating_port(port_id, asked, call)?),
            _ => None,
        };
        if let Some(floating) = self.neutron.floating_ips.get_mut(id) {
            if asked.get("port_id").is_some() {
                (floating.port_id, floating.fixed_ip_address) = behind.unzip();
            }
            if let Some(text) = json::text(asked, "description") {
                text.clone_into(&mut floating.description);
            }
        }
        let view = self.floating_view(self.floating_seen(id, call)?);
        Ok(Resp::json(200, json!({"floatingip": view})))
    }
}
