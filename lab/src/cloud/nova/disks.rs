//! `/servers/{id}/os-volume_attachments`: disks shown, attached, changed, detached.

use serde_json::{Value, json};

use super::create::device_name;
use super::lifecycle::wrong_state;
use super::{BlockDevice, Server};
use crate::cloud::Cloud;
use crate::cloud::agenda::Event;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::wire::{Answer, Fault, Resp};

const TAG_MINOR: u32 = 70;
const TERMINATION_MINOR: u32 = 79;
const UPDATE_MINOR: u32 = 85;
const ATTACHMENT_ID_MINOR: u32 = 89;

fn disk_view(server_id: &str, disk: &BlockDevice, minor: u32) -> Value {
    let mut view = json!({
        "volumeId": disk.volume_id, "serverId": server_id, "device": disk.device,
    });
    if minor < ATTACHMENT_ID_MINOR {
        json::put(&mut view, "id", json!(disk.volume_id));
    } else {
        json::put(&mut view, "attachment_id", json!(disk.attachment_id));
        json::put(&mut view, "bdm_uuid", json!(disk.id));
    }
    if minor >= TAG_MINOR {
        json::put(&mut view, "tag", json!(disk.tag));
    }
    if minor >= TERMINATION_MINOR {
        json::put(
            &mut view,
            "delete_on_termination",
            json!(disk.delete_on_termination),
        );
    }
    view
}

fn disk_of<'a>(server: &'a Server, volume_id: &str) -> Result<&'a BlockDevice, Fault> {
    let found = server.disks.iter().find(|disk| disk.volume_id == volume_id);
    found.ok_or_else(|| {
        Fault::not_found(format!(
            "Instance {} is not attached to volume {volume_id}",
            server.id
        ))
    })
}

impl Cloud {
    /// Whether a living server has this Cinder attachment.
    pub(in crate::cloud) fn server_uses(&self, server_id: &str, attachment_id: &str) -> bool {
        let server = self
            .nova
            .servers
            .get(server_id)
            .filter(|server| server.alive());
        server.is_some_and(|server| {
            server
                .disks
                .iter()
                .any(|disk| disk.attachment_id == attachment_id)
        })
    }

    pub(super) fn disk_paths(&mut self, id: &str, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", [_, _, _]) => {
                let server = self.nova.server(id, call.who)?;
                let all = server.disks.iter();
                let views: Vec<Value> = all.map(|disk| disk_view(id, disk, call.minor)).collect();
                Ok(Resp::json(200, json!({"volumeAttachments": views})))
            }
            ("GET", [_, _, _, volume]) => {
                let server = self.nova.server(id, call.who)?;
                let view = disk_view(id, disk_of(server, volume)?, call.minor);
                Ok(Resp::json(200, json!({"volumeAttachment": view})))
            }
            ("POST", [_, _, _]) => self.disk_attach(id, call),
            ("PUT", [_, _, _, volume]) => self.disk_update(id, volume, call),
            ("DELETE", [_, _, _, volume]) => self.disk_detach(id, volume, call),
            _ => Err(nowhere()),
        }
    }

    /// The lock, and a state in which disks come and go.
    fn disk_change_check(&self, id: &str, action: &str, call: &Call<'_>) -> Result<&Server, Fault> {
        let server = self.nova.server_unlocked(id, call.who)?;
        if !matches!(server.vm_state.as_str(), "active" | "stopped") {
            return Err(wrong_state(action, id, "vm_state", &server.vm_state));
        }
        Ok(server)
    }

    fn disk_attach(&mut self, id: &str, call: &Call<'_>) -> Answer {
        let asked = json::need_object(&call.body, "volumeAttachment")?;
        let volume_id = json::need(asked, "volumeId")?;
        let taken: Vec<String> = {
            let server = self.disk_change_check(id, "attach_volume", call)?;
            server
                .disks
                .iter()
                .map(|disk| disk.device.clone())
                .collect()
        };
        self.cinder.volume(volume_id, call.who)?;
        let attachment_id = self
            .volume_reserve(volume_id, id, call.now_ms)
            .map_err(|fault| {
                Fault::bad_request(format!("Invalid input received: {}", fault.message))
            })?;
        let free = (0..=taken.len())
            .map(device_name)
            .find(|name| !taken.contains(name));
        let wanted = json::text(asked, "device").filter(|name| !name.is_empty());
        let disk = BlockDevice {
            id: self.ids.uuid(),
            volume_id: volume_id.to_owned(),
            attachment_id,
            device: wanted.map(str::to_owned).or(free).unwrap_or_default(),
            boot_index: None,
            delete_on_termination: json::truth(asked, "delete_on_termination").unwrap_or(false),
            tag: json::text(asked, "tag").map(str::to_owned),
        };
        let view = disk_view(id, &disk, call.minor.min(ATTACHMENT_ID_MINOR - 1));
        if let Some(server) = self.nova.servers.get_mut(id) {
            server.disks.push(disk);
        }
        let event = Event::DiskAttach {
            server: id.to_owned(),
            volume: volume_id.to_owned(),
        };
        self.plan(call.now_ms, self.knobs.latency.disk, event);
        Ok(Resp::json(200, json!({"volumeAttachment": view})))
    }

    pub(in crate::cloud) fn disk_attach_finish(&mut self, id: &str, volume_id: &str, at_ms: i64) {
        let Some(server) = self.nova.servers.get(id).filter(|server| server.alive()) else {
            return;
        };
        let disk = server
            .disks
            .iter()
            .find(|disk| disk.volume_id == volume_id)
            .cloned();
        let (Some(disk), Some(host)) = (disk, server.host.clone()) else {
            return;
        };
        if self
            .attachment_connect(&disk.attachment_id, &host, &disk.device, at_ms)
            .is_err()
        {
            self.attachment_drop(&disk.attachment_id, at_ms);
            self.disk_forget(id, volume_id);
        }
    }

    fn disk_forget(&mut self, id: &str, volume_id: &str) {
        if let Some(server) = self.nova.servers.get_mut(id) {
            server.disks.retain(|disk| disk.volume_id != volume_id);
        }
    }

    /// Changes `delete_on_termination`; everything else must stay as it is.
    fn disk_update(&mut self, id: &str, volume_id: &str, call: &Call<'_>) -> Answer {
        let asked = json::need_object(&call.body, "volumeAttachment")?;
        let same = json::need(asked, "volumeId")? == volume_id;
        let server = self.nova.server(id, call.who)?;
        let disk = disk_of(server, volume_id)?;
        if call.minor < UPDATE_MINOR || !same {
            return Err(Fault::conflict(format!(
                "volume {volume_id} is not migrating; this API should only be called by Cinder"
            )));
        }
        let fixed = [("device", Some(&disk.device)), ("tag", disk.tag.as_ref())];
        for (key, own) in fixed {
            if json::text(asked, key).is_some_and(|text| own.map(String::as_str) != Some(text)) {
                return Err(Fault::bad_request(format!(
                    "The {key} property is not mutable"
                )));
            }
        }
        let wanted = json::truth(asked, "delete_on_termination");
        let server = self.nova.server_mut(id, call.who)?;
        for disk in server
            .disks
            .iter_mut()
            .filter(|disk| disk.volume_id == volume_id)
        {
            disk.delete_on_termination = wanted.unwrap_or(disk.delete_on_termination);
        }
        Ok(Resp::empty(202))
    }

    fn disk_detach(&mut self, id: &str, volume_id: &str, call: &Call<'_>) -> Answer {
        let server = self.disk_change_check(id, "detach_volume", call)?;
        let disk = disk_of(server, volume_id)?;
        if disk.boot_index == Some(0) {
            return Err(Fault::bad_request("Cannot detach a root device volume"));
        }
        let status = self
            .cinder
            .volumes
            .get(volume_id)
            .map(|volume| volume.status.clone());
        if status.as_deref() != Some("in-use") {
            return Err(Fault::bad_request(format!(
                "Invalid volume: Invalid input received: Invalid volume: Unable to detach volume. \
                 Volume status must be 'in-use' and attach_status must be 'attached' to detach. ({volume_id})"
            )));
        }
        self.cinder.set_status(volume_id, "detaching", call.now_ms);
        let event = Event::DiskDetach {
            server: id.to_owned(),
            volume: volume_id.to_owned(),
        };
        self.plan(call.now_ms, self.knobs.latency.disk, event);
        Ok(Resp::empty(202))
    }

    pub(in crate::cloud) fn disk_detach_finish(&mut self, id: &str, volume_id: &str, at_ms: i64) {
        let server = self.nova.servers.get(id).filter(|server| server.alive());
        let disk =
            server.and_then(|server| server.disks.iter().find(|disk| disk.volume_id == volume_id));
        if let Some(disk) = disk.cloned() {
            self.attachment_drop(&disk.attachment_id, at_ms);
            self.disk_forget(id, volume_id);
        }
    }
}
