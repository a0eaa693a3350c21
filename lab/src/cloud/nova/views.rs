//! Servers as JSON, by microversion and by who looks.

use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::{Flavor, Nic, Server};
use crate::cloud::Cloud;
use crate::cloud::dispatch::Call;
use crate::cloud::json;
use crate::cloud::neutron::Port;
use crate::cloud::timefmt::{iso_micros, iso_z};
use crate::cloud::wire::{Answer, Resp};

const LOCKED_MINOR: u32 = 9;
const HOST_STATUS_MINOR: u32 = 16;
const DESCRIPTION_MINOR: u32 = 19;
const TAGS_MINOR: u32 = 26;
const FLAVOR_EMBEDDED_MINOR: u32 = 47;
const CERTIFICATES_MINOR: u32 = 63;
const SERVER_GROUPS_MINOR: u32 = 71;
const LOCKED_REASON_MINOR: u32 = 73;
const HOSTNAME_MINOR: u32 = 90;
const PINNED_ZONE_MINOR: u32 = 96;
const HINTS_MINOR: u32 = 100;

impl Cloud {
    pub(super) fn server_links(&self, call: &Call<'_>, id: &str) -> Value {
        json!([
            {"rel": "self", "href": format!("{}/compute/v2.1/servers/{id}", call.base_url)},
            {"rel": "bookmark", "href": format!("{}/compute/servers/{id}", call.base_url)},
        ])
    }

    pub(super) fn server_brief(&self, call: &Call<'_>, server: &Server) -> Value {
        json!({"id": server.id, "name": server.name, "links": self.server_links(call, &server.id)})
    }

    pub(super) fn server_show(&self, id: &str, call: &Call<'_>) -> Answer {
        let server = self.nova.server(id, call.who)?;
        let mut view = self.server_view(call, server);
        if call.minor >= SERVER_GROUPS_MINOR {
            let groups = self.nova.server_groups.values();
            let own = groups.filter(|group| group.members.contains(&server.id));
            let ids: Vec<&String> = own.map(|group| &group.id).collect();
            json::put(&mut view, "server_groups", json!(ids));
        }
        Ok(Resp::json(200, json!({"server": view})))
    }

    pub(super) fn server_view(&self, call: &Call<'_>, server: &Server) -> Value {
        let disks: Vec<Value> = server
            .disks
            .iter()
            .map(|disk| json!({"id": disk.volume_id, "delete_on_termination": disk.delete_on_termination}))
            .collect();
        let image = server
            .image_id
            .as_ref()
            .map_or_else(|| json!(""), |id| json!({"id": id, "links": []}));
        let mut view = json!({
            "id": server.id, "name": server.name, "status": server.status(),
            "tenant_id": server.project_id, "user_id": server.user_id, "metadata": server.metadata,
            "hostId": host_id(server), "image": image, "flavor": flavor_view(call, &server.flavor),
            "created": iso_z(server.created_ms), "updated": iso_z(server.updated_ms),
            "addresses": self.server_addresses_view(server), "accessIPv4": "", "accessIPv6": "",
            "links": self.server_links(call, &server.id), "OS-DCF:diskConfig": "MANUAL",
            "OS-EXT-AZ:availability_zone": server.host.as_ref().map_or("", |_| &self.config.availability_zone),
            "config_drive": if server.config_drive { "True" } else { "" },
            "key_name": server.key_name, "OS-SRV-USG:launched_at": server.launched_ms.map(iso_micros),
            "OS-SRV-USG:terminated_at": server.deleted_ms.map(iso_micros),
            "OS-EXT-STS:task_state": server.task_state, "OS-EXT-STS:vm_state": server.vm_state,
            "OS-EXT-STS:power_state": power_state(server),
            "os-extended-volumes:volumes_attached": disks,
        });
        self.server_view_groups(server, &mut view);
        server_view_status(call, server, &mut view);
        server_view_by_version(call, server, &mut view);
        server_view_admin(call, server, &mut view);
        view
    }

    /// Security groups by name, from the ports; the key is missing when there are none.
    fn server_view_groups(&self, server: &Server, view: &mut Value) {
        let ports = server.nics.iter().filter_map(|nic| self.nic_port(nic));
        let mut names: Vec<&str> = ports
            .flat_map(|port| &port.security_groups)
            .filter_map(|id| self.neutron.security_groups.get(id))
            .map(|group| group.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        if !names.is_empty() {
            let groups: Vec<Value> = names
                .into_iter()
                .map(|name| json!({"name": name}))
                .collect();
            json::put(view, "security_groups", Value::Array(groups));
        }
    }

    fn nic_port(&self, nic: &Nic) -> Option<&Port> {
        self.neutron.ports.get(nic.port_id.as_ref()?)
    }

    /// Fixed and floating addresses, for the `ip` filter.
    pub(super) fn server_addresses(&self, server: &Server) -> Vec<String> {
        let ports = server.nics.iter().filter_map(|nic| self.nic_port(nic));
        ports
            .flat_map(|port| port.fixed_ips.iter().map(|fixed| fixed.ip_address.clone()))
            .collect()
    }

    fn server_addresses_view(&self, server: &Server) -> Value {
        let mut by_network = Map::new();
        if server.vm_state == "building" {
            return Value::Object(by_network);
        }
        for port in server.nics.iter().filter_map(|nic| self.nic_port(nic)) {
            let network = self.neutron.networks.get(&port.network_id);
            let name = network
                .map(|network| network.name.clone())
                .unwrap_or_default();
            let listed = by_network.entry(name).or_insert_with(|| json!([]));
            let Some(listed) = listed.as_array_mut() else {
                continue;
            };
            let entry = |address: &str, kind: &str| {
                json!({
                    "addr": address, "version": if address.contains(':') { 6 } else { 4 },
                    "OS-EXT-IPS:type": kind, "OS-EXT-IPS-MAC:mac_addr": port.mac_address,
                })
            };
            listed.extend(
                port.fixed_ips
                    .iter()
                    .map(|fixed| entry(&fixed.ip_address, "fixed")),
            );
            let floating = self.neutron.floating_ips.values();
            let own = floating.filter(|one| one.port_id.as_ref() == Some(&port.id));
            listed.extend(own.map(|one| entry(&one.floating_ip_address, "floating")));
        }
        Value::Object(by_network)
    }

    pub(super) fn interface_list(&self, id: &str, call: &Call<'_>) -> Answer {
        let server = self.nova.server(id, call.who)?;
        let ports = server.nics.iter().filter_map(|nic| self.nic_port(nic));
        let views: Vec<Value> = ports
            .map(|port| {
                json!({
                    "port_id": port.id, "net_id": port.network_id, "mac_addr": port.mac_address,
                    "port_state": port.status, "fixed_ips": port.fixed_ips,
                })
            })
            .collect();
        Ok(Resp::json(200, json!({"interfaceAttachments": views})))
    }
}

/// Nova's code: 0 pending, 1 running, 4 shut down.
fn power_state(server: &Server) -> u8 {
    match (server.running, server.launched_ms) {
        (true, _) => 1,
        (false, Some(_)) => 4,
        (false, None) => 0,
    }
}

/// Opaque, equal for servers of one project on one host.
fn host_id(server: &Server) -> String {
    let Some(host) = &server.host else {
        return String::new();
    };
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in server.project_id.bytes().chain(host.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}{hash:016x}{hash:016x}{:08x}", hash >> 32)
}

fn flavor_view(call: &Call<'_>, flavor: &Flavor) -> Value {
    if call.minor < FLAVOR_EMBEDDED_MINOR {
        let href = format!("{}/compute/flavors/{}", call.base_url, flavor.id);
        return json!({"id": flavor.id, "links": [{"rel": "bookmark", "href": href}]});
    }
    json!({
        "original_name": flavor.name, "vcpus": flavor.vcpus, "ram": flavor.ram_mb,
        "disk": flavor.disk_gb, "ephemeral": 0, "swap": 0, "extra_specs": flavor.extra_specs,
    })
}

fn server_view_status(call: &Call<'_>, server: &Server, view: &mut Value) {
    if let Some(fault) = &server.fault {
        let mut shown = json!({
            "code": fault.code, "message": fault.message, "created": iso_z(fault.created_ms),
        });
        if call.who.is_admin() {
            json::put(
                &mut shown,
                "details",
                json!("Traceback (most recent call last): ..."),
            );
        }
        json::put(view, "fault", shown);
    }
    if matches!(server.status(), "BUILD" | "ACTIVE") {
        json::put(view, "progress", json!(0));
    }
}

fn server_view_by_version(call: &Call<'_>, server: &Server, view: &mut Value) {
    let zone = server
        .availability_zone
        .as_deref()
        .and_then(|zone| zone.split(':').next());
    let since = [
        (LOCKED_MINOR, "locked", json!(server.locked)),
        (DESCRIPTION_MINOR, "description", json!(server.description)),
        (TAGS_MINOR, "tags", json!(server.tags)),
        (
            CERTIFICATES_MINOR,
            "trusted_image_certificates",
            Value::Null,
        ),
        (
            LOCKED_REASON_MINOR,
            "locked_reason",
            json!(server.locked_reason),
        ),
        (
            HOSTNAME_MINOR,
            "OS-EXT-SRV-ATTR:hostname",
            json!(server.hostname),
        ),
        (PINNED_ZONE_MINOR, "pinned_availability_zone", json!(zone)),
        (
            HINTS_MINOR,
            "scheduler_hints",
            server.scheduler_hints.clone(),
        ),
    ];
    for (minor, key, value) in since {
        if call.minor >= minor {
            json::put(view, key, value);
        }
    }
}

/// What only admins read; user data is among it, so a tenant cannot read its own back.
fn server_view_admin(call: &Call<'_>, server: &Server, view: &mut Value) {
    if !call.who.is_admin() {
        return;
    }
    let root = server.disks.first().map(|disk| disk.device.clone());
    for (key, value) in [
        ("OS-EXT-SRV-ATTR:host", json!(server.host)),
        ("OS-EXT-SRV-ATTR:hypervisor_hostname", json!(server.host)),
        (
            "OS-EXT-SRV-ATTR:instance_name",
            json!(format!("instance-{}", server.id)),
        ),
    ] {
        json::put(view, key, value);
    }
    if call.minor >= 3 {
        json::put(view, "OS-EXT-SRV-ATTR:hostname", json!(server.hostname));
        json::put(view, "OS-EXT-SRV-ATTR:root_device_name", json!(root));
        let data = server.user_data.as_ref().map(ExposeSecret::expose_secret);
        json::put(view, "OS-EXT-SRV-ATTR:user_data", json!(data));
    }
    if call.minor >= HOST_STATUS_MINOR {
        json::put(view, "host_status", json!("UP"));
    }
}
