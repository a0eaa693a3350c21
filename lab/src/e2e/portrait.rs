//! What a cloud has of the tenant's, as plain values that two clouds can be compared by (FO-05): names and
//! numbers, no ids of one cloud.
//!
//! Absent: what it should be (`judge`).

use super::cloud::{HELPER, Session, text};
use super::places::Places;
use crate::world::Which;
use anyhow::Result;
use protector_domain::effect::METADATA_KEY;
use protector_runtime::remote::HttpService;
use serde_json::Value;
use std::collections::BTreeMap;

/// A disk of a server. Its id is no part of how it looks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Disk {
    pub device: String,
    pub name: String,
    pub size_gb: u64,
    pub bootable: bool,
    pub kind: String,
}

/// An interface of a server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Nic {
    pub network: String,
    pub address: String,
    pub mac: String,
    pub security_groups: Vec<String>,
}

/// What of a server has to be the same at both sites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Portrait {
    pub flavor: String,
    pub description: String,
    pub metadata: BTreeMap<String, String>,
    pub disks: Vec<Disk>,
    pub nics: Vec<Nic>,
}

/// A server, and what of it may differ.
#[derive(Debug, Clone)]
pub(super) struct Vm {
    pub id: String,
    pub name: String,
    pub status: String,
    pub locked: bool,
    /// A volume goes when the server goes.
    pub deletes_volumes: bool,
    pub portrait: Portrait,
}

/// Everything of the tenant at one cloud.
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    pub vms: Vec<Vm>,
    pub volumes: usize,
    /// Of every disk, by the names of its server and its volume.
    pub volume_ids: BTreeMap<(String, String), String>,
    /// Ports of servers.
    pub ports: usize,
}

impl Look {
    /// # Errors
    /// The cloud does not answer.
    pub async fn at(http: &HttpService, places: &Places, which: Which) -> Result<Self> {
        let auth_url = &places.cloud(which)?.auth_url;
        let session = Session::log_in(http, auth_url, HELPER).await?;
        let all = Objects::of(&session).await?;
        let servers = session
            .list("compute", "/servers/detail", "servers")
            .await?;
        let mut vms = Vec::new();
        for server in &servers {
            vms.push(all.vm(&session, server).await?);
        }
        vms.sort_by(|a, b| a.name.cmp(&b.name));
        let volume_ids = all.volume_ids(&servers);
        Ok(Self {
            vms,
            volumes: all.volumes.len(),
            volume_ids,
            ports: all.ports.len(),
        })
    }

    pub fn volume(&self, server: &str, name: &str) -> Option<&str> {
        let key = (server.to_owned(), name.to_owned());
        self.volume_ids.get(&key).map(String::as_str)
    }
}

/// What servers are made of.
struct Objects {
    volumes: Vec<Value>,
    ports: Vec<Value>,
    networks: BTreeMap<String, String>,
    groups: BTreeMap<String, String>,
}

impl Objects {
    async fn of(session: &Session) -> Result<Self> {
        let project = &session.project;
        let of_project = format!("project_id={project}");
        let ports = format!("/v2.0/ports?{of_project}");
        let mut ports = session.list("network", &ports, "ports").await?;
        ports.retain(|p| text(p, "device_owner").starts_with("compute:"));
        let networks = session
            .list("network", "/v2.0/networks", "networks")
            .await?;
        let groups = format!("/v2.0/security-groups?{of_project}");
        let groups = session.list("network", &groups, "security_groups").await?;
        Ok(Self {
            volumes: session
                .list("volumev3", "/volumes/detail", "volumes")
                .await?,
            ports,
            networks: names(&networks),
            groups: names(&groups),
        })
    }

    async fn vm(&self, session: &Session, server: &Value) -> Result<Vm> {
        let id = text(server, "id");
        let path = format!("/servers/{id}/os-volume_attachments");
        let attached = session.list("compute", &path, "volumeAttachments").await?;
        let dies = |a: &Value| a.get("delete_on_termination") == Some(&Value::Bool(true));
        let mut disks: Vec<Disk> = attached.iter().filter_map(|a| self.disk(a)).collect();
        disks.sort();
        let own = self.ports.iter().filter(|p| text(p, "device_id") == id);
        let mut nics: Vec<Nic> = own.map(|port| self.nic(port)).collect();
        let plugged = macs_in_order(server);
        nics.sort_by_key(|nic| plugged.iter().position(|mac| *mac == nic.mac));
        Ok(Vm {
            id: id.to_owned(),
            name: text(server, "name").to_owned(),
            status: text(server, "status").to_owned(),
            locked: server.get("locked") == Some(&Value::Bool(true)),
            deletes_volumes: attached.iter().any(dies),
            portrait: Portrait {
                flavor: pointed(server, "/flavor/original_name"),
                description: text(server, "description").to_owned(),
                metadata: metadata(server),
                disks,
                nics,
            },
        })
    }

    fn volume_ids(&self, servers: &[Value]) -> BTreeMap<(String, String), String> {
        let mut ids = BTreeMap::new();
        for volume in &self.volumes {
            let server = pointed(volume, "/attachments/0/server_id");
            if let Some(server) = servers.iter().find(|s| text(s, "id") == server) {
                let names = (text(server, "name"), text(volume, "name"));
                let names = (names.0.to_owned(), names.1.to_owned());
                ids.insert(names, text(volume, "id").to_owned());
            }
        }
        ids
    }

    fn disk(&self, attached: &Value) -> Option<Disk> {
        let id = text(attached, "volumeId");
        let volume = self.volumes.iter().find(|v| text(v, "id") == id)?;
        Some(Disk {
            device: text(attached, "device").to_owned(),
            name: text(volume, "name").to_owned(),
            size_gb: volume.get("size").and_then(Value::as_u64)?,
            bootable: text(volume, "bootable") == "true",
            kind: text(volume, "volume_type").to_owned(),
        })
    }

    fn nic(&self, port: &Value) -> Nic {
        let name = |names: &BTreeMap<String, String>, id: &str| {
            names.get(id).cloned().unwrap_or_else(|| id.to_owned())
        };
        let groups = port.get("security_groups").and_then(Value::as_array);
        let groups = groups.into_iter().flatten().filter_map(Value::as_str);
        let mut security_groups: Vec<String> = groups.map(|g| name(&self.groups, g)).collect();
        security_groups.sort();
        Nic {
            network: name(&self.networks, text(port, "network_id")),
            address: pointed(port, "/fixed_ips/0/ip_address"),
            mac: text(port, "mac_address").to_owned(),
            security_groups,
        }
    }
}

/// Nova lists addresses in the order of the interfaces.
fn macs_in_order(server: &Value) -> Vec<&str> {
    let networks = server.get("addresses").and_then(Value::as_object);
    let addresses = networks.into_iter().flat_map(|all| all.values());
    let addresses = addresses.filter_map(Value::as_array).flatten();
    addresses
        .map(|address| text(address, "OS-EXT-IPS-MAC:mac_addr"))
        .collect()
}

fn names(objects: &[Value]) -> BTreeMap<String, String> {
    let pair = |o: &Value| (text(o, "id").to_owned(), text(o, "name").to_owned());
    objects.iter().map(pair).collect()
}

fn pointed(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

/// Without our own key.
fn metadata(server: &Value) -> BTreeMap<String, String> {
    let all = server.get("metadata").and_then(Value::as_object);
    let theirs = all
        .into_iter()
        .flatten()
        .filter(|(k, _)| *k != METADATA_KEY);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    theirs.map(|(k, v)| (k.clone(), text(v))).collect()
}
