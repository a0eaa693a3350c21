//! Ports made, one or many at once, listed, changed, deleted.

use serde_json::{Value, json};

use super::{Port, lists, missing};
use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::policy::Who;
use crate::cloud::timefmt::iso_z;
use crate::cloud::wire::{Answer, Fault, Resp};

/// Ports in one bulk request.
const BULK_MAX: usize = 1_000;
const FILTERS: [&str; 16] = [
    "id",
    "name",
    "description",
    "network_id",
    "project_id",
    "mac_address",
    "fixed_ips",
    "security_groups",
    "device_id",
    "device_owner",
    "status",
    "admin_state_up",
    "binding:host_id",
    "port_security_enabled",
    "revision_number",
    "ip_allocation",
];

impl Cloud {
    fn port_view(&self, port: &Port, who: &Who) -> Value {
        let mut view = json!({
            "id": port.id, "name": port.name, "description": port.description,
            "network_id": port.network_id, "project_id": port.project_id, "tenant_id": port.project_id,
            "mac_address": port.mac_address, "fixed_ips": port.fixed_ips,
            "security_groups": port.security_groups, "port_security_enabled": port.port_security_enabled,
            "allowed_address_pairs": port.allowed_address_pairs, "device_id": port.device_id,
            "device_owner": port.device_owner, "status": port.status, "admin_state_up": port.admin_state_up,
            "binding:vnic_type": "normal", "extra_dhcp_opts": [], "tags": self.neutron.tags_of(&port.id),
            "revision_number": port.revision, "created_at": iso_z(port.created_ms),
            "updated_at": iso_z(port.updated_ms), "qos_policy_id": null, "dns_name": "", "dns_assignment": [],
        });
        if who.is_admin() {
            let bound = !port.host.is_empty();
            json::put(&mut view, "binding:host_id", json!(port.host));
            json::put(
                &mut view,
                "binding:vif_type",
                json!(if bound { "ovs" } else { "unbound" }),
            );
            json::put(&mut view, "binding:vif_details", json!({}));
            json::put(&mut view, "binding:profile", json!({}));
        }
        view
    }

    pub(super) fn port_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", ["ports"]) => {
                let all = self.neutron.ports.values();
                let views = all
                    .filter(|port| self.neutron.port_seen(port, call.who))
                    .map(|port| self.port_view(port, call.who))
                    .collect();
                lists::answer(call, "ports", views, &FILTERS)
            }
            ("POST", ["ports"]) if call.body.get("ports").is_some() => self.port_create_bulk(call),
            ("POST", ["ports"]) => {
                let asked = json::need_object(&call.body, "port")?;
                self.neutron.port_create_policy(asked, call.who)?;
                let id = self.port_create(asked, call.who, call.now_ms)?;
                self.port_show(&id, call, 201)
            }
            ("GET", ["ports", id]) => self.port_show(id, call, 200),
            ("PUT", ["ports", id]) => self.port_update(id, call),
            ("DELETE", ["ports", id]) => self.port_delete(id, call),
            _ => Err(nowhere()),
        }
    }

    fn port_show(&self, id: &str, call: &Call<'_>, status: u16) -> Answer {
        let port = self.neutron.port(id, call.who)?;
        Ok(Resp::json(
            status,
            json!({"port": self.port_view(port, call.who)}),
        ))
    }

    /// All or none: a port that cannot be made takes the ones before it along.
    fn port_create_bulk(&mut self, call: &Call<'_>) -> Answer {
        let asked = json::list(&call.body, "ports");
        if asked.is_empty() || asked.len() > BULK_MAX {
            return Err(Fault::bad_request(
                "Invalid number of ports in a bulk request",
            ));
        }
        for one in asked {
            self.neutron.port_create_policy(one, call.who)?;
        }
        let mut made: Vec<String> = Vec::new();
        for one in asked {
            match self.port_create(one, call.who, call.now_ms) {
                Ok(id) => made.push(id),
                Err(fault) => {
                    made.iter().for_each(|id| self.neutron.port_remove(id));
                    return Err(fault);
                }
            }
        }
        let ports = made.iter().filter_map(|id| self.neutron.ports.get(id));
        let views: Vec<Value> = ports.map(|port| self.port_view(port, call.who)).collect();
        Ok(Resp::json(201, json!({"ports": views})))
    }

    /// Makes a port whose request passed the policy; Nova and routers come this way as well.
    pub(super) fn port_create(
        &mut self,
        asked: &Value,
        who: &Who,
        now_ms: i64,
    ) -> Result<String, Fault> {
        let network_id = json::need(asked, "network_id")?.to_owned();
        let owner = json::text(asked, "project_id").or_else(|| json::text(asked, "tenant_id"));
        let project_id = owner.unwrap_or(who.project()).to_owned();
        self.network_quota_check(&project_id, "port", 1)?;
        let mac_address = match json::text(asked, "mac_address") {
            Some(mac) => self.neutron.mac_given(&network_id, mac, None)?,
            None => self.neutron.mac_any(&network_id, &mut self.ids)?,
        };
        let fixed_ips = self
            .neutron
            .addresses(&network_id, asked.get("fixed_ips"), None)?;
        let default_security = self
            .neutron
            .networks
            .get(&network_id)
            .is_none_or(|one| one.port_security_enabled);
        let port_security_enabled =
            json::truth(asked, "port_security_enabled").unwrap_or(default_security);
        let security_groups = match asked.get("security_groups") {
            Some(Value::Array(_)) => json::texts(asked, "security_groups"),
            _ if port_security_enabled => vec![self.default_group(&project_id, now_ms)],
            _ => Vec::new(),
        };
        self.security_groups_check(&security_groups, who)?;
        let host = json::text_or_empty(asked, "binding:host_id");
        let port = Port {
            id: self.ids.uuid(),
            name: json::text_or_empty(asked, "name"),
            description: json::text_or_empty(asked, "description"),
            network_id,
            project_id,
            mac_address,
            fixed_ips,
            security_groups,
            port_security_enabled,
            allowed_address_pairs: pairs(asked),
            device_id: json::text_or_empty(asked, "device_id"),
            device_owner: json::text_or_empty(asked, "device_owner"),
            status: if host.is_empty() { "DOWN" } else { "ACTIVE" }.to_owned(),
            host,
            admin_state_up: json::truth(asked, "admin_state_up").unwrap_or(true),
            revision: 1,
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        let id = port.id.clone();
        let tags = json::texts(asked, "tags");
        if !tags.is_empty() {
            self.neutron
                .tags
                .insert(id.clone(), tags.into_iter().collect());
        }
        self.neutron.ports.insert(id.clone(), port);
        Ok(id)
    }

    fn port_update(&mut self, id: &str, call: &Call<'_>) -> Answer {
        let asked = json::need_object(&call.body, "port")?;
        let mut port = self.neutron.port(id, call.who)?.clone();
        self.neutron
            .port_update_policy(&port.network_id, asked, call.who)?;
        if let Some(mac) = json::text(asked, "mac_address") {
            if !port.host.is_empty() {
                let text = format!(
                    "Unable to complete operation on port {id}, port is already bound, port type: ovs, old_mac {}, new_mac {mac}.",
                    port.mac_address
                );
                return Err(Fault::typed(409, "PortBound", text));
            }
            port.mac_address = self.neutron.mac_given(&port.network_id, mac, Some(id))?;
        }
        if asked.get("fixed_ips").is_some() {
            let wanted = asked.get("fixed_ips");
            port.fixed_ips = self.neutron.addresses(&port.network_id, wanted, Some(id))?;
        }
        if asked.get("security_groups").is_some() {
            port.security_groups = json::texts(asked, "security_groups");
            self.security_groups_check(&port.security_groups, call.who)?;
        }
        port_update_plain(&mut port, asked);
        port.revision += 1;
        port.updated_ms = call.now_ms;
        self.neutron.ports.insert(id.to_owned(), port);
        self.port_show(id, call, 200)
    }

    fn port_delete(&mut self, id: &str, call: &Call<'_>) -> Answer {
        let port = self.neutron.port(id, call.who)?;
        if port.device_owner.starts_with("network:router") {
            let text = format!(
                "Port {id} cannot be deleted directly via the port API: has device owner {}.",
                port.device_owner
            );
            return Err(Fault::typed(409, "ServicePortInUse", text));
        }
        self.neutron.port_remove(id);
        Ok(Resp::empty(204))
    }

    /// Errors: 404 for a security group that `who` does not see (fault `H8`).
    fn security_groups_check(&self, ids: &[String], who: &Who) -> Result<(), Fault> {
        for id in ids {
            let found = self.neutron.security_groups.get(id);
            found
                .filter(|group| who.sees(&group.project_id))
                .ok_or_else(|| missing("SecurityGroupNotFound", "Security group", id))?;
        }
        Ok(())
    }
}

fn pairs(asked: &Value) -> Value {
    let given = asked.get("allowed_address_pairs");
    given
        .filter(|value| value.is_array())
        .cloned()
        .unwrap_or_else(|| json!([]))
}

fn port_update_plain(port: &mut Port, asked: &Value) {
    let texts = [
        ("name", &mut port.name),
        ("description", &mut port.description),
        ("device_id", &mut port.device_id),
        ("device_owner", &mut port.device_owner),
        ("binding:host_id", &mut port.host),
    ];
    for (key, own) in texts {
        if let Some(text) = json::text(asked, key) {
            text.clone_into(own);
        }
    }
    if let Some(up) = json::truth(asked, "admin_state_up") {
        port.admin_state_up = up;
    }
    if let Some(enabled) = json::truth(asked, "port_security_enabled") {
        port.port_security_enabled = enabled;
    }
    if asked.get("allowed_address_pairs").is_some() {
        port.allowed_address_pairs = pairs(asked);
    }
    if asked.get("binding:host_id").is_some() {
        let status = if port.host.is_empty() {
            "DOWN"
        } else {
            "ACTIVE"
        };
        status.clone_into(&mut port.status);
    }
}
