//! What Nova does to ports: makes them, takes them for a server, lets them go.

use serde_json::json;

use super::Port;
use crate::cloud::Cloud;
use crate::cloud::policy::Who;
use crate::cloud::wire::Fault;

impl Cloud {
    /// A port on `network_id` for a server that brought none of its own.
    pub(in crate::cloud) fn port_make_for_server(
        &mut self,
        network_id: &str,
        fixed_ip: Option<&str>,
        security_groups: &[String],
        who: &Who,
        at_ms: i64,
    ) -> Result<String, Fault> {
        let mut asked = json!({"network_id": network_id});
        if let Some(address) = fixed_ip {
            crate::cloud::json::put(&mut asked, "fixed_ips", json!([{"ip_address": address}]));
        }
        if !security_groups.is_empty() {
            crate::cloud::json::put(&mut asked, "security_groups", json!(security_groups));
        }
        self.port_create(&asked, who, at_ms)
    }

    /// Gives a port to a server on a host. Errors: it is gone, or another device has it.
    pub(in crate::cloud) fn port_bind(
        &mut self,
        port_id: &str,
        server_id: &str,
        host: &str,
        at_ms: i64,
    ) -> Result<(), String> {
        let zone = self.config.availability_zone.clone();
        let port = self.neutron.ports.get_mut(port_id);
        let port = port.ok_or_else(|| format!("Port id {port_id} could not be found."))?;
        if !port.device_id.is_empty() && port.device_id != server_id {
            return Err(format!("Port {port_id} is still in use."));
        }
        server_id.clone_into(&mut port.device_id);
        port.device_owner = format!("compute:{zone}");
        host.clone_into(&mut port.host);
        "ACTIVE".clone_into(&mut port.status);
        changed(port, at_ms);
        Ok(())
    }

    /// Takes a port from the server that has it; it stays.
    pub(in crate::cloud) fn port_unbind(&mut self, port_id: &str, server_id: &str, at_ms: i64) {
        let Some(port) = self.neutron.ports.get_mut(port_id) else {
            return;
        };
        if port.device_id != server_id {
            return;
        }
        port.device_id.clear();
        port.device_owner.clear();
        port.host.clear();
        "DOWN".clone_into(&mut port.status);
        changed(port, at_ms);
    }

    /// Deletes a port that Nova had made.
    pub(in crate::cloud) fn port_drop(&mut self, port_id: &str) {
        self.neutron.port_remove(port_id);
    }
}

fn changed(port: &mut Port, at_ms: i64) {
    port.revision += 1;
    port.updated_ms = at_ms;
}
