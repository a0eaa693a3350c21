//! Nova: flavors, servers and what happens to them, keypairs, quotas, server groups.
//!
//! Deliberately absent: resize, rebuild, migrate, shelve, snapshots to images, consoles, cells,
//! placement, disks that Nova makes itself (`source_type` other than `volume`).

mod actions;
mod boot;
mod create;
mod create_parse;
mod disks;
mod flavors;
mod http;
mod keypairs;
mod lifecycle;
mod list;
mod operator;
mod quotas;
mod tags;
mod update;
mod views;

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;

use super::policy::Who;
use super::wire::Fault;
pub(super) use create::device_name;

/// A flavor.
#[derive(Debug, Clone, Serialize)]
pub struct Flavor {
    /// UUID or any text.
    pub id: String,
    /// Unique.
    pub name: String,
    /// Virtual CPUs.
    pub vcpus: i64,
    /// Memory in MiB.
    pub ram_mb: i64,
    /// Root disk in GiB.
    pub disk_gb: i64,
    /// Whether every project sees it.
    pub is_public: bool,
    /// Extra specs.
    pub extra_specs: BTreeMap<String, String>,
}

/// A keypair; it belongs to a user, not to a project.
#[derive(Debug, Clone, Serialize)]
pub struct Keypair {
    /// Unique per user.
    pub name: String,
    /// Owner.
    pub user_id: String,
    /// OpenSSH public key.
    pub public_key: String,
    /// Unix milliseconds.
    pub created_ms: i64,
}

/// A server group.
#[derive(Debug, Clone, Serialize)]
pub struct ServerGroup {
    /// UUID.
    pub id: String,
    /// Not unique.
    pub name: String,
    /// Owner.
    pub project_id: String,
    /// Who made it.
    pub user_id: String,
    /// `affinity`, `anti-affinity`, ...
    pub policy: String,
    /// Server ids.
    pub members: Vec<String>,
}

/// A disk of a server: a Cinder volume and how it is tied.
#[derive(Debug, Clone, Serialize)]
pub struct BlockDevice {
    /// UUID of the mapping.
    pub id: String,
    /// Volume.
    pub volume_id: String,
    /// Cinder's attachment.
    pub attachment_id: String,
    /// `/dev/vda`.
    pub device: String,
    /// 0 boots; `None` or negative does not.
    pub boot_index: Option<i64>,
    /// Whether the volume is deleted with the server.
    pub delete_on_termination: bool,
    /// Device tag.
    pub tag: Option<String>,
}

/// A network card of a server.
#[derive(Debug, Clone, Serialize)]
pub struct Nic {
    /// Port, once there is one.
    pub port_id: Option<String>,
    /// Network to make a port on, when no port was given.
    pub network_id: Option<String>,
    /// Address asked for on that network.
    pub fixed_ip: Option<String>,
    /// Nova made the port and deletes it with the server.
    pub made_by_nova: bool,
    /// Device tag.
    pub tag: Option<String>,
}

/// A change of power, for ground truth: who ran when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PowerMark {
    /// Unix milliseconds.
    pub at_ms: i64,
    /// Running from here on, or not.
    pub running: bool,
}

/// Why a server is in `ERROR`.
#[derive(Debug, Clone, Serialize)]
pub struct ServerFault {
    /// HTTP-like code.
    pub code: u16,
    /// One line.
    pub message: String,
    /// Unix milliseconds.
    pub created_ms: i64,
}

/// A server, living or deleted.
#[derive(Debug, Clone, Serialize)]
pub struct Server {
    /// UUID.
    pub id: String,
    /// Not unique.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Host name of the guest.
    pub hostname: String,
    /// Owner.
    pub project_id: String,
    /// Who made it: the trustor for an impersonating trust.
    pub user_id: String,
    /// The flavor as it was at creation.
    pub flavor: Flavor,
    /// Image of a local root disk.
    pub image_id: Option<String>,
    /// Keypair name.
    pub key_name: Option<String>,
    /// Base64, as given. Kept out of ground truth and logs: it may hold secrets.
    #[serde(skip)]
    pub user_data: Option<SecretString>,
    /// Whether a configuration drive was asked for.
    pub config_drive: bool,
    /// Zone asked for.
    pub availability_zone: Option<String>,
    /// Names, as asked for.
    pub security_groups: Vec<String>,
    /// Metadata.
    pub metadata: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeSet<String>,
    /// Hints, as given.
    pub scheduler_hints: Value,
    /// `building`, `active`, `stopped`, `error`, `deleted`.
    pub vm_state: String,
    /// What is being done to it.
    pub task_state: Option<String>,
    /// Whether it runs.
    pub running: bool,
    /// Compute host.
    pub host: Option<String>,
    /// Whether non-admins may not touch it.
    pub locked: bool,
    /// Why.
    pub locked_reason: Option<String>,
    /// Why it is in `ERROR`.
    pub fault: Option<ServerFault>,
    /// Disks in boot order.
    pub disks: Vec<BlockDevice>,
    /// Network cards in order.
    pub nics: Vec<Nic>,
    /// Every change of power, oldest first.
    pub power: Vec<PowerMark>,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds.
    pub updated_ms: i64,
    /// When it first ran, Unix milliseconds.
    pub launched_ms: Option<i64>,
    /// When it was gone, Unix milliseconds.
    pub deleted_ms: Option<i64>,
}

/// All of Nova's state. Deleted servers stay, for `changes-since` and for ground truth.
#[derive(Default)]
pub(super) struct Nova {
    pub(super) flavors: BTreeMap<String, Flavor>,
    pub(super) servers: BTreeMap<String, Server>,
    pub(super) keypairs: BTreeMap<(String, String), Keypair>,
    pub(super) server_groups: BTreeMap<String, ServerGroup>,
    /// Limits by project, then by resource; -1 and absent mean none.
    pub(super) quotas: BTreeMap<String, BTreeMap<String, i64>>,
    /// Servers put on hosts so far; the hosts take turns.
    pub(super) placed: usize,
}

impl Server {
    pub(super) fn alive(&self) -> bool {
        self.vm_state != "deleted"
    }

    /// The status the API shows.
    pub(super) fn status(&self) -> &'static str {
        match self.vm_state.as_str() {
            "building" => "BUILD",
            "active" => "ACTIVE",
            "stopped" => "SHUTOFF",
            "deleted" => "DELETED",
            _ => "ERROR",
        }
    }

    /// Notes a change of power, once per change.
    pub(super) fn power_set(&mut self, running: bool, at_ms: i64) {
        if self.running != running {
            self.running = running;
            self.power.push(PowerMark { at_ms, running });
        }
    }

    pub(super) fn fail(&mut self, code: u16, message: String, at_ms: i64) {
        "error".clone_into(&mut self.vm_state);
        self.task_state = None;
        self.updated_ms = at_ms;
        self.fault = Some(ServerFault {
            code,
            message,
            created_ms: at_ms,
        });
    }
}

fn server_missing(id: &str) -> Fault {
    Fault::not_found(format!("Instance {id} could not be found."))
}

impl Nova {
    /// A living server of the caller's project; of any project for an admin.
    pub(super) fn server(&self, id: &str, who: &Who) -> Result<&Server, Fault> {
        let found = self.servers.get(id);
        found
            .filter(|server| server.alive() && who.sees(&server.project_id))
            .ok_or_else(|| server_missing(id))
    }

    pub(super) fn server_mut(&mut self, id: &str, who: &Who) -> Result<&mut Server, Fault> {
        let found = self.servers.get_mut(id);
        found
            .filter(|server| server.alive() && who.sees(&server.project_id))
            .ok_or_else(|| server_missing(id))
    }

    /// As `server`, and 409 when it is locked against this caller.
    pub(super) fn server_unlocked(&self, id: &str, who: &Who) -> Result<&Server, Fault> {
        let server = self.server(id, who)?;
        if server.locked && !who.is_admin() {
            return Err(Fault::conflict(format!("Instance {id} is locked")));
        }
        Ok(server)
    }

    pub(super) fn flavor_seen(&self, id: &str, who: &Who) -> Option<&Flavor> {
        let found = self.flavors.get(id);
        found.filter(|flavor| flavor.is_public || who.is_admin())
    }
}
