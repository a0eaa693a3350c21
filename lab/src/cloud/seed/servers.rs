//! Servers and volumes that are simply there, with everything tied as a boot would have tied it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::super::Cloud;
use super::super::backend::BackendError;
use super::super::cinder::{GIB, Volume, array_name};
use super::super::nova::{BlockDevice, Nic, Server};

/// A server to seed. Disks are `(size in GiB, type name)`; the first one boots.
#[derive(Debug, Clone, Default)]
pub struct SeedServer {
    /// Owner.
    pub project_id: String,
    /// Who made it.
    pub user_id: String,
    /// Name; its volumes are called `NAME-disk-0`, `NAME-disk-1`, ...
    pub name: String,
    /// Flavor id.
    pub flavor_id: String,
    /// One port is made on each, in order.
    pub network_ids: Vec<String>,
    /// Security group names of the ports; empty means `default`.
    pub security_groups: Vec<String>,
    /// Disks in order.
    pub disks: Vec<(i64, String)>,
    /// Keypair name.
    pub key_name: Option<String>,
    /// Metadata.
    pub metadata: BTreeMap<String, String>,
}

/// What a seeded server consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeededServer {
    /// Server id.
    pub server_id: String,
    /// Volume ids in disk order.
    pub volume_ids: Vec<String>,
    /// Port ids in network order.
    pub port_ids: Vec<String>,
}

fn refused(text: impl Into<String>) -> BackendError {
    BackendError::Refused(text.into())
}

impl Cloud {
    /// An available volume on the array; gives its id.
    ///
    /// Errors: what the back end said, and `Refused` for an unknown type.
    pub fn seed_volume(
        &mut self,
        (project_id, user_id): (&str, &str),
        name: &str,
        size_gb: i64,
        volume_type: &str,
        now_ms: i64,
    ) -> Result<String, BackendError> {
        let kind = self.cinder.type_of(volume_type).cloned();
        let kind = kind.ok_or_else(|| refused(format!("no volume type {volume_type}")))?;
        let id = self.ids.uuid();
        let on_array = array_name(&id);
        let size_bytes = u64::try_from(size_gb).unwrap_or(0) * GIB;
        let serial = self
            .backend
            .create(now_ms, &on_array, size_bytes, &kind.name)?;
        let volume = Volume {
            id: id.clone(),
            name: Some(name.to_owned()),
            description: None,
            size_gb,
            status: "available".to_owned(),
            project_id: project_id.to_owned(),
            user_id: user_id.to_owned(),
            host: Some(self.config.volume_host.clone()),
            volume_type_id: kind.id,
            bootable: false,
            metadata: BTreeMap::new(),
            image_metadata: BTreeMap::new(),
            group_id: None,
            snapshot_id: None,
            source_volid: None,
            availability_zone: self.config.availability_zone.clone(),
            multiattach: false,
            encrypted: kind.encrypted,
            managed: false,
            array_name: Some(on_array),
            serial: Some(serial),
            created_ms: now_ms,
            updated_ms: None,
        };
        self.cinder.volumes.insert(id.clone(), volume);
        Ok(id)
    }

    /// Changes a volume behind everybody's back, for example `bootable` or its image metadata.
    pub fn seed_volume_change(&mut self, volume_id: &str, change: impl FnOnce(&mut Volume)) {
        if let Some(volume) = self.cinder.volumes.get_mut(volume_id) {
            change(volume);
        }
    }

    /// A running server with its volumes and ports, all tied and up at `now_ms`.
    ///
    /// Errors: what the back end said; `Refused` for a flavor, type or network that is not there.
    pub fn seed_server(
        &mut self,
        ask: &SeedServer,
        now_ms: i64,
    ) -> Result<SeededServer, BackendError> {
        let flavor = self.nova.flavors.get(&ask.flavor_id).cloned();
        let flavor = flavor.ok_or_else(|| refused(format!("no flavor {}", ask.flavor_id)))?;
        let server_id = self.ids.uuid();
        let mut disks = Vec::new();
        let mut volume_ids = Vec::new();
        for (number, (size_gb, kind)) in (0_i64..).zip(&ask.disks) {
            let disk = self.seed_disk(ask, &server_id, (number, *size_gb, kind), now_ms)?;
            volume_ids.push(disk.volume_id.clone());
            disks.push(disk);
        }
        let nics: Vec<Nic> = ask
            .network_ids
            .iter()
            .map(|id| Nic {
                port_id: None,
                network_id: Some(id.clone()),
                fixed_ip: None,
                made_by_nova: true,
                tag: None,
            })
            .collect();
        let server = seeded(ask, &server_id, flavor, (disks, nics), now_ms);
        self.nova.servers.insert(server_id.clone(), server);
        self.server_boot_finish(&server_id, now_ms);
        let server = self.nova.servers.get(&server_id);
        let server = server
            .filter(|server| server.running)
            .ok_or_else(|| refused("the seeded server did not boot"))?;
        Ok(SeededServer {
            port_ids: server
                .nics
                .iter()
                .filter_map(|nic| nic.port_id.clone())
                .collect(),
            server_id,
            volume_ids,
        })
    }

    fn seed_disk(
        &mut self,
        ask: &SeedServer,
        server_id: &str,
        (number, size_gb, kind): (i64, i64, &str),
        now_ms: i64,
    ) -> Result<BlockDevice, BackendError> {
        let name = format!("{}-disk-{number}", ask.name);
        let owner = (ask.project_id.as_str(), ask.user_id.as_str());
        let volume_id = self.seed_volume(owner, &name, size_gb, kind, now_ms)?;
        self.seed_volume_change(&volume_id, |volume| volume.bootable = number == 0);
        let attachment_id = self
            .volume_reserve(&volume_id, server_id, now_ms)
            .map_err(|fault| refused(fault.message))?;
        let index = usize::try_from(number).unwrap_or(0);
        Ok(BlockDevice {
            id: self.ids.uuid(),
            volume_id,
            attachment_id,
            device: super::super::nova::device_name(index),
            boot_index: (number == 0).then_some(0),
            delete_on_termination: false,
            tag: None,
        })
    }
}

fn seeded(
    ask: &SeedServer,
    server_id: &str,
    flavor: super::Flavor,
    (disks, nics): (Vec<BlockDevice>, Vec<Nic>),
    now_ms: i64,
) -> Server {
    Server {
        id: server_id.to_owned(),
        name: ask.name.clone(),
        description: None,
        hostname: ask.name.clone(),
        project_id: ask.project_id.clone(),
        user_id: ask.user_id.clone(),
        flavor,
        image_id: None,
        key_name: ask.key_name.clone(),
        user_data: None,
        config_drive: false,
        availability_zone: None,
        security_groups: ask.security_groups.clone(),
        metadata: ask.metadata.clone(),
        tags: BTreeSet::new(),
        scheduler_hints: json!({}),
        vm_state: "building".to_owned(),
        task_state: None,
        running: false,
        host: None,
        locked: false,
        locked_reason: None,
        fault: None,
        disks,
        nics,
        power: Vec::new(),
        created_ms: now_ms,
        updated_ms: now_ms,
        launched_ms: None,
        deleted_ms: None,
    }
}
