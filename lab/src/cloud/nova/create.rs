//! `POST /servers`: everything Nova checks before it says 202, in Nova's order.
//!
//! A volume that is not `available` is refused here, at once, with 400 (fault `H13`); a full cloud is
//! not: that ends in `ERROR` later.

use secrecy::SecretString;
use serde_json::json;

use super::create_parse::{DiskAsk, NetAsk, NicAsk, ServerAsk};
use super::{BlockDevice, Flavor, Nic, Server};
use crate::cloud::Cloud;
use crate::cloud::agenda::Event;
use crate::cloud::dispatch::Call;
use crate::cloud::json;
use crate::cloud::knobs::Allow;
use crate::cloud::wire::{Answer, Fault, Resp};

impl Cloud {
    pub(super) fn server_create(&mut self, call: &Call<'_>) -> Answer {
        let rule = "os_compute_api:servers:create";
        self.enforce(call.who, rule, &Allow::Member)?;
        let ask = ServerAsk::from_body(&call.body, call.minor)?;
        let flavor = self
            .nova
            .flavor_seen(&ask.flavor_ref, call.who)
            .cloned()
            .ok_or_else(|| {
                Fault::bad_request(format!("Flavor {} could not be found.", ask.flavor_ref))
            })?;
        self.server_ask_check(&ask, call)?;
        let nics = self.server_nics(&ask.networks, call)?;
        self.server_quota_check(call.who.project(), &flavor)?;
        self.disks_check(&ask, call)?;
        let id = self.ids.uuid();
        let disks = self.disks_reserve(&id, &ask, call)?;
        let groups = ask.security_groups.clone();
        let server = self.server_record(&id, ask, flavor, (nics, disks), call);
        self.server_group_join(&id, &server.scheduler_hints);
        self.nova.servers.insert(id.clone(), server);
        if !self.knobs.boots_stuck {
            let event = Event::ServerBoot { server: id.clone() };
            self.plan(call.now_ms, self.knobs.latency.boot, event);
        }
        let shown: Vec<_> = match groups.is_empty() {
            true => vec![json!({"name": "default"})],
            false => groups.iter().map(|name| json!({"name": name})).collect(),
        };
        let password: String = self.ids.hex32().chars().take(12).collect();
        let body = json!({
            "id": id, "links": self.server_links(call, &id), "OS-DCF:diskConfig": "MANUAL",
            "security_groups": shown, "adminPass": password,
        });
        let location = format!("{}/compute/v2.1/servers/{id}", call.base_url);
        Ok(Resp::json(202, json!({"server": body})).header("Location", &location))
    }

    fn server_ask_check(&self, ask: &ServerAsk, call: &Call<'_>) -> Result<(), Fault> {
        if let Some(image) = &ask.image_ref {
            self.image_seen(image, call.who)
                .ok_or_else(|| Fault::bad_request("Can not find requested image"))?;
        }
        if let Some(name) = &ask.key_name {
            let key = (call.who.user_id.clone(), name.clone());
            if !self.nova.keypairs.contains_key(&key) {
                return Err(Fault::bad_request("Invalid key_name provided."));
            }
        }
        let zone = ask
            .availability_zone
            .as_deref()
            .and_then(|zone| zone.split(':').next());
        if zone.is_some_and(|zone| zone != self.config.availability_zone) {
            return Err(Fault::bad_request(
                "The requested availability zone is not available",
            ));
        }
        for group in &ask.security_groups {
            if self
                .security_group_named(group, call.who.project())
                .is_none()
                && group != "default"
            {
                return Err(Fault::bad_request(format!(
                    "Security group {group} not found for project {}.",
                    call.who.project()
                )));
            }
        }
        if let Some(group) = json::text(&ask.scheduler_hints, "group") {
            let known = self.nova.server_groups.get(group);
            known
                .filter(|group| call.who.sees(&group.project_id))
                .ok_or_else(|| {
                    Fault::bad_request(format!("Instance group {group} could not be found."))
                })?;
        }
        Ok(())
    }

    /// The id of a security group of the project, by name or id.
    pub(super) fn security_group_named(
        &self,
        name_or_id: &str,
        project_id: &str,
    ) -> Option<String> {
        let mut all = self.neutron.security_groups.values();
        all.find(|group| {
            group.project_id == project_id && (group.name == name_or_id || group.id == name_or_id)
        })
        .map(|group| group.id.clone())
    }

    fn server_nics(&self, asked: &NetAsk, call: &Call<'_>) -> Result<Vec<Nic>, Fault> {
        match asked {
            NetAsk::Nothing => Ok(Vec::new()),
            NetAsk::Listed(all) => all.iter().map(|one| self.server_nic(one, call)).collect(),
            NetAsk::Auto => {
                let networks = self.neutron.networks.values();
                let mut own = networks
                    .filter(|one| one.project_id == call.who.project() && !one.external)
                    .map(|one| one.id.clone());
                let first = own.next();
                if own.next().is_some() {
                    return Err(Fault::conflict(
                        "Multiple possible networks found, use a Network ID to be more specific.",
                    ));
                }
                Ok(first.map(made_by_nova).into_iter().collect())
            }
        }
    }

    fn server_nic(&self, one: &NicAsk, call: &Call<'_>) -> Result<Nic, Fault> {
        if let Some(id) = &one.port_id {
            let missing = |_| Fault::bad_request(format!("Port id {id} could not be found."));
            let port = self.neutron.port(id, call.who).map_err(missing)?;
            if !port.device_id.is_empty() {
                return Err(Fault::conflict(format!("Port {id} is still in use.")));
            }
            if !call.who.sees(&port.project_id) {
                return Err(Fault::bad_request(format!(
                    "Port {id} not usable for instance."
                )));
            }
            return Ok(Nic {
                port_id: Some(id.clone()),
                network_id: None,
                fixed_ip: None,
                made_by_nova: false,
                tag: one.tag.clone(),
            });
        }
        let id = one.network_id.clone().unwrap_or_default();
        let missing = |_| Fault::bad_request(format!("Network {id} could not be found."));
        self.neutron.network(&id, call.who).map_err(missing)?;
        Ok(Nic {
            fixed_ip: one.fixed_ip.clone(),
            tag: one.tag.clone(),
            ..made_by_nova(id)
        })
    }

    fn disks_check(&self, ask: &ServerAsk, call: &Call<'_>) -> Result<(), Fault> {
        let mut order: Vec<i64> = ask
            .disks
            .iter()
            .filter_map(|disk| disk.boot_index)
            .chain(ask.image_ref.iter().map(|_| 0))
            .filter(|index| *index >= 0)
            .collect();
        order.sort_unstable();
        let whole = (0_i64..)
            .zip(&order)
            .all(|(wanted, index)| wanted == *index);
        if order.is_empty() || !whole {
            return Err(Fault::bad_request(
                "Block Device Mapping is Invalid: Boot sequence for the instance and image/block \
                 device mapping combination is not valid.",
            ));
        }
        for disk in &ask.disks {
            let unseen = |_| {
                Fault::bad_request(format!(
                    "Block Device Mapping is Invalid: failed to get volume {}.",
                    disk.volume_id
                ))
            };
            let volume = self
                .cinder
                .volume(&disk.volume_id, call.who)
                .map_err(unseen)?;
            if disk.boot_index == Some(0) && !volume.bootable {
                return Err(Fault::bad_request(format!(
                    "Block Device {} is not bootable.",
                    disk.volume_id
                )));
            }
        }
        Ok(())
    }

    /// Reserves every volume, or none: the first that cannot be had frees the others again.
    fn disks_reserve(
        &mut self,
        server_id: &str,
        ask: &ServerAsk,
        call: &Call<'_>,
    ) -> Result<Vec<BlockDevice>, Fault> {
        let mut wanted: Vec<&DiskAsk> = ask.disks.iter().collect();
        wanted.sort_by_key(|disk| {
            disk.boot_index
                .filter(|index| *index >= 0)
                .unwrap_or(i64::MAX)
        });
        let mut disks: Vec<BlockDevice> = Vec::new();
        let first_letter = usize::from(ask.image_ref.is_some());
        for disk in wanted {
            match self.volume_reserve(&disk.volume_id, server_id, call.now_ms) {
                Ok(attachment_id) => {
                    let free = device_name(first_letter + disks.len());
                    disks.push(BlockDevice {
                        id: self.ids.uuid(),
                        volume_id: disk.volume_id.clone(),
                        attachment_id,
                        device: disk.device.clone().unwrap_or(free),
                        boot_index: disk.boot_index,
                        delete_on_termination: disk.delete_on_termination,
                        tag: disk.tag.clone(),
                    });
                }
                Err(fault) => {
                    for disk in &disks {
                        self.attachment_drop(&disk.attachment_id, call.now_ms);
                    }
                    let message =
                        format!("Invalid volume: Invalid input received: {}", fault.message);
                    return Err(Fault::bad_request(message));
                }
            }
        }
        Ok(disks)
    }

    fn server_record(
        &self,
        id: &str,
        ask: ServerAsk,
        flavor: Flavor,
        (nics, disks): (Vec<Nic>, Vec<BlockDevice>),
        call: &Call<'_>,
    ) -> Server {
        let hostname = ask.hostname.unwrap_or_else(|| hostname_of(&ask.name));
        Server {
            id: id.to_owned(),
            name: ask.name,
            description: ask.description,
            hostname,
            project_id: call.who.project().to_owned(),
            user_id: call.who.user_id.clone(),
            flavor,
            image_id: ask.image_ref,
            key_name: ask.key_name,
            user_data: ask.user_data.map(SecretString::from),
            config_drive: ask.config_drive,
            availability_zone: ask.availability_zone,
            security_groups: ask.security_groups,
            metadata: ask.metadata,
            tags: ask.tags,
            scheduler_hints: ask.scheduler_hints,
            vm_state: "building".to_owned(),
            task_state: Some("scheduling".to_owned()),
            running: false,
            host: None,
            locked: false,
            locked_reason: None,
            fault: None,
            disks,
            nics,
            power: Vec::new(),
            created_ms: call.now_ms,
            updated_ms: call.now_ms,
            launched_ms: None,
            deleted_ms: None,
        }
    }

    fn server_group_join(&mut self, id: &str, hints: &serde_json::Value) {
        let group = json::text(hints, "group");
        if let Some(group) = group.and_then(|group| self.nova.server_groups.get_mut(group)) {
            group.members.push(id.to_owned());
        }
    }
}

fn made_by_nova(network_id: String) -> Nic {
    Nic {
        port_id: None,
        network_id: Some(network_id),
        fixed_ip: None,
        made_by_nova: true,
        tag: None,
    }
}

/// `/dev/vda` for 0, `/dev/vdb` for 1, up to `/dev/vdz`, then two letters.
pub(in crate::cloud) fn device_name(index: usize) -> String {
    let letter = |number: usize| char::from(b'a' + u8::try_from(number % 26).unwrap_or(0));
    match index / 26 {
        0 => format!("/dev/vd{}", letter(index)),
        wraps => format!("/dev/vd{}{}", letter(wraps - 1), letter(index)),
    }
}

/// A host name out of a server's name, as Nova makes one: lower case, only letters, digits, dashes.
fn hostname_of(name: &str) -> String {
    let mut host = String::new();
    for letter in name.to_lowercase().chars() {
        match letter {
            'a'..='z' | '0'..='9' | '-' | '.' => {
                host.push(if letter == '.' { '-' } else { letter })
            }
            ' ' | '_' => host.push('-'),
            _ => {}
        }
    }
    let host: String = host.trim_matches('-').chars().take(63).collect();
    if host.is_empty() {
        "server".to_owned()
    } else {
        host
    }
}
