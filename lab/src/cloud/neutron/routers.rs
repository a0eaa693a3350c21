//! Routers and their interfaces.

use serde_json::{Value, json};

use super::{Router, lists, missing};
use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::timefmt::iso_z;
use crate::cloud::wire::{Answer, Fault, Resp};

const FILTERS: [&str; 4] = ["id", "name", "project_id", "admin_state_up"];
const INTERFACE: &str = "network:router_interface";

impl Cloud {
    fn router_view(&self, router: &Router) -> Value {
        let gateway = router
            .external_network_id
            .as_ref()
            .map(|id| json!({"network_id": id, "enable_snat": true, "external_fixed_ips": []}));
        let at = iso_z(router.created_ms);
        json!({
            "id": router.id, "name": router.name, "description": "", "status": "ACTIVE",
            "admin_state_up": true, "project_id": router.project_id, "tenant_id": router.project_id,
            "external_gateway_info": gateway, "routes": [], "tags": self.neutron.tags_of(&router.id),
            "created_at": at, "updated_at": at, "revision_number": 1,
        })
    }

    fn router_seen(&self, id: &str, call: &Call<'_>) -> Result<&Router, Fault> {
        let found = self.neutron.routers.get(id);
        found
            .filter(|router| call.who.sees(&router.project_id))
            .ok_or_else(|| missing("RouterNotFound", "Router", id))
    }

    pub(super) fn router_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", ["routers"]) => {
                let all = self.neutron.routers.values();
                let views = all
                    .filter(|router| call.who.sees(&router.project_id))
                    .map(|router| self.router_view(router))
                    .collect();
                lists::answer(call, "routers", views, &FILTERS)
            }
            ("POST", ["routers"]) => self.router_create(call),
            ("GET", ["routers", id]) => {
                let view = self.router_view(self.router_seen(id, call)?);
                Ok(Resp::json(200, json!({"router": view})))
            }
            ("PUT", ["routers", id, "add_router_interface"]) => self.router_interface_add(id, call),
            ("PUT", ["routers", id, "remove_router_interface"]) => {
                self.router_interface_remove(id, call)
            }
            ("DELETE", ["routers", id]) => {
                self.router_seen(id, call)?;
                let mut ports = self.neutron.ports.values();
                if ports.any(|port| port.device_id == *id) {
                    let text = format!("Router {id} still has ports");
                    return Err(Fault::typed(409, "RouterInUse", text));
                }
                self.neutron.routers.remove(*id);
                Ok(Resp::empty(204))
            }
            _ => Err(nowhere()),
        }
    }

    fn router_create(&mut self, call: &Call<'_>) -> Answer {
        let asked = json::need_object(&call.body, "router")?;
        let gateway = asked.get("external_gateway_info");
        let external = gateway.and_then(|info| json::text(info, "network_id"));
        if let Some(id) = external {
            self.neutron.network(id, call.who)?;
        }
        let router = Router {
            id: self.ids.uuid(),
            name: json::text_or_empty(asked, "name"),
            project_id: call.who.project().to_owned(),
            external_network_id: external.map(str::to_owned),
            created_ms: call.now_ms,
        };
        let view = self.router_view(&router);
        self.neutron.routers.insert(router.id.clone(), router);
        Ok(Resp::json(201, json!({"router": view})))
    }

    /// The interface takes the subnet's gateway address.
    fn router_interface_add(&mut self, id: &str, call: &Call<'_>) -> Answer {
        self.router_seen(id, call)?;
        let subnet_id = json::need(&call.body, "subnet_id")?;
        let subnet = self.neutron.subnet(subnet_id, call.who)?.clone();
        let address = subnet.gateway_ip.clone().unwrap_or_default();
        let asked = json!({
            "network_id": subnet.network_id, "device_id": id, "device_owner": INTERFACE,
            "fixed_ips": [{"subnet_id": subnet_id, "ip_address": address}], "security_groups": [],
        });
        let port_id = self.port_create(&asked, call.who, call.now_ms)?;
        Ok(Resp::json(
            200,
            interface_view(id, &subnet.network_id, subnet_id, &port_id),
        ))
    }

    fn router_interface_remove(&mut self, id: &str, call: &Call<'_>) -> Answer {
        self.router_seen(id, call)?;
        let subnet_id = json::need(&call.body, "subnet_id")?;
        let mut ports = self.neutron.ports.values();
        let port = ports.find(|port| {
            port.device_id == id
                && port
                    .fixed_ips
                    .iter()
                    .any(|fixed| fixed.subnet_id == subnet_id)
        });
        let gone = || missing("RouterInterfaceNotFoundForSubnet", "Router interface", id);
        let (port_id, network_id) = port
            .map(|port| (port.id.clone(), port.network_id.clone()))
            .ok_or_else(gone)?;
        self.neutron.port_remove(&port_id);
        Ok(Resp::json(
            200,
            interface_view(id, &network_id, subnet_id, &port_id),
        ))
    }
}

fn interface_view(id: &str, network_id: &str, subnet_id: &str, port_id: &str) -> Value {
    json!({
        "id": id, "network_id": network_id, "subnet_id": subnet_id, "subnet_ids": [subnet_id],
        "port_id": port_id,
    })
}
