//! Attachments: the tie between a volume and a server, held by Nova, stored by Cinder.

use serde_json::{Value, json};

use super::views::attachment_view;
use super::{Attachment, invalid_volume};
use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::wire::{Answer, Fault, Resp};

impl Cloud {
    pub(super) fn attachment_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", ["attachments"]) => self.attachment_list(call, false),
            ("GET", ["attachments", "detail"]) => self.attachment_list(call, true),
            ("GET", ["attachments", id]) => {
                let view = attachment_view(self.attachment_seen(id, call)?, true);
                Ok(Resp::json(200, json!({"attachment": view})))
            }
            ("DELETE", ["attachments", id]) => self.attachment_delete(id, call),
            _ => Err(nowhere()),
        }
    }

    fn attachment_seen(&self, id: &str, call: &Call<'_>) -> Result<&Attachment, Fault> {
        let missing = || Fault::not_found(format!("Could not find attachment with ID {id}."));
        let attachment = self.cinder.attachments.get(id).ok_or_else(missing)?;
        self.cinder
            .volume(&attachment.volume_id, call.who)
            .map_err(|_| missing())?;
        Ok(attachment)
    }

    fn attachment_list(&self, call: &Call<'_>, detail: bool) -> Answer {
        let everybody = call.who.is_admin() && call.query("all_tenants").is_some_and(json::is_true);
        let own = |attachment: &&Attachment| {
            let volume = self.cinder.volumes.get(&attachment.volume_id);
            everybody || volume.is_some_and(|volume| volume.project_id == call.who.project())
        };
        let fits = |attachment: &&Attachment| {
            call.query("volume_id")
                .is_none_or(|id| id == attachment.volume_id)
                && call
                    .query("instance_id")
                    .is_none_or(|id| id == attachment.server_id)
                && call
                    .query("status")
                    .is_none_or(|status| status == attachment.status)
        };
        let all = self.cinder.attachments.values();
        let views: Vec<Value> = all
            .filter(own)
            .filter(fits)
            .map(|attachment| attachment_view(attachment, detail))
            .collect();
        Ok(Resp::json(200, json!({"attachments": views})))
    }

    /// Only a record that Nova does not use may be deleted here, by anybody (CVE-2023-2088).
    fn attachment_delete(&mut self, id: &str, call: &Call<'_>) -> Answer {
        let attachment = self.attachment_seen(id, call)?.clone();
        let used = attachment.status == "attached" && self.server_uses(&attachment.server_id, id);
        if used {
            return Err(Fault::conflict(format!(
                "ConflictNovaUsingAttachment: Detach volume from instance {} using the Compute API",
                attachment.server_id
            )));
        }
        self.attachment_drop(id, call.now_ms);
        Ok(Resp::json(200, json!({"attachments": []})))
    }

    /// Reserves a volume for a server, as Nova does before it accepts a boot or an attach.
    ///
    /// Errors: 400 unless the volume is `available` (a multiattach one may be in use).
    pub(in crate::cloud) fn volume_reserve(
        &mut self,
        volume_id: &str,
        server_id: &str,
        now_ms: i64,
    ) -> Result<String, Fault> {
        let Some(volume) = self.cinder.volumes.get_mut(volume_id) else {
            return Err(super::volume_missing(volume_id));
        };
        let free =
            volume.status == "available" || (volume.multiattach && volume.status == "in-use");
        if !free {
            return Err(invalid_volume(format!(
                "Volume {volume_id} status must be available or downloading to reserve, but the \
                 current status is {}.",
                volume.status
            )));
        }
        "reserved".clone_into(&mut volume.status);
        volume.updated_ms = Some(now_ms);
        let attachment = Attachment {
            id: self.ids.uuid(),
            volume_id: volume_id.to_owned(),
            server_id: server_id.to_owned(),
            status: "reserved".to_owned(),
            host: None,
            device: None,
            attached_ms: None,
        };
        let id = attachment.id.clone();
        self.cinder.attachments.insert(id.clone(), attachment);
        Ok(id)
    }

    /// Connects a reserved volume to a host. Errors: what the array said.
    pub(in crate::cloud) fn attachment_connect(
        &mut self,
        id: &str,
        host: &str,
        device: &str,
        at_ms: i64,
    ) -> Result<(), String> {
        let attachment = self.cinder.attachments.get_mut(id);
        let attachment = attachment.ok_or("the attachment is gone")?;
        let volume = self.cinder.volumes.get_mut(&attachment.volume_id);
        let volume = volume.ok_or("the volume is gone")?;
        let name = volume
            .array_name
            .as_ref()
            .ok_or("the volume is not on the array")?;
        self.backend
            .connect(at_ms, name, host)
            .map_err(|error| error.to_string())?;
        attachment.host = Some(host.to_owned());
        attachment.device = Some(device.to_owned());
        attachment.attached_ms = Some(at_ms);
        "attached".clone_into(&mut attachment.status);
        "in-use".clone_into(&mut volume.status);
        volume.updated_ms = Some(at_ms);
        Ok(())
    }

    /// Ends an attachment: disconnects the host and frees the volume when nobody else has it.
    pub(in crate::cloud) fn attachment_drop(&mut self, id: &str, at_ms: i64) {
        let Some(attachment) = self.cinder.attachments.remove(id) else {
            return;
        };
        let still_used = self
            .cinder
            .attachments_of(&attachment.volume_id)
            .next()
            .is_some();
        let Some(volume) = self.cinder.volumes.get_mut(&attachment.volume_id) else {
            return;
        };
        if let (Some(host), Some(name)) = (&attachment.host, &volume.array_name) {
            // An array that does not answer leaves the connection behind, as it does in reality.
            let _ = self.backend.disconnect(at_ms, name, host);
        }
        let held = matches!(
            volume.status.as_str(),
            "reserved" | "in-use" | "detaching" | "attaching"
        );
        if held && !still_used {
            "available".clone_into(&mut volume.status);
            volume.updated_ms = Some(at_ms);
        }
    }
}
