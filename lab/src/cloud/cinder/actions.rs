//! `POST /volumes/{id}/action`.

use serde_json::{Value, json};

use super::invalid_volume;
use crate::cloud::Cloud;
use crate::cloud::agenda::Event;
use crate::cloud::dispatch::Call;
use crate::cloud::json;
use crate::cloud::knobs::Allow;
use crate::cloud::wire::{Answer, Fault, Resp};

/// From here on a volume in use may be extended.
const EXTEND_IN_USE_MINOR: u32 = 42;
const RESET_STATES: [&str; 11] = [
    "creating",
    "available",
    "deleting",
    "error",
    "error_deleting",
    "error_managing",
    "managing",
    "attaching",
    "detaching",
    "in-use",
    "maintenance",
];

impl Cloud {
    pub(super) fn volume_action(&mut self, id: &str, call: &Call<'_>) -> Answer {
        let action = call
            .body
            .as_object()
            .and_then(|object| object.iter().next());
        let Some((name, args)) = action else {
            return Err(Fault::bad_request("There is no such action: None"));
        };
        match name.as_str() {
            "os-unmanage" => self.volume_unmanage(id, call),
            "os-set_bootable" => self.volume_set_bootable(id, args, call),
            "os-set_image_metadata" => self.volume_set_image_metadata(id, args, call),
            "os-unset_image_metadata" => self.volume_unset_image_metadata(id, args, call),
            "os-show_image_metadata" => {
                let volume = self.cinder.volume(id, call.who)?;
                Ok(Resp::json(200, json!({"metadata": volume.image_metadata})))
            }
            "os-extend" => self.volume_extend(id, args, call),
            "os-retype" => self.volume_retype(id, args, call),
            "os-reset_status" => self.volume_reset_status(id, args, call),
            "os-force_delete" => {
                self.cinder.volume(id, call.who)?;
                self.enforce(
                    call.who,
                    "volume_extension:volume_admin_actions:force_delete",
                    &Allow::Admin,
                )?;
                self.volume_delete_start(id, true, call.now_ms)?;
                Ok(Resp::empty(202))
            }
            other => Err(Fault::bad_request(format!(
                "There is no such action: {other}"
            ))),
        }
    }

    fn volume_set_bootable(&mut self, id: &str, args: &Value, call: &Call<'_>) -> Answer {
        let bootable = json::truth(args, "bootable")
            .ok_or_else(|| Fault::bad_request("'bootable' is a required property"))?;
        let volume = self.cinder.volume_mut(id, call.who)?;
        volume.bootable = bootable;
        volume.updated_ms = Some(call.now_ms);
        Ok(Resp::empty(200))
    }

    fn volume_set_image_metadata(&mut self, id: &str, args: &Value, call: &Call<'_>) -> Answer {
        let volume = self.cinder.volume_mut(id, call.who)?;
        volume
            .image_metadata
            .extend(json::text_map(args, "metadata"));
        Ok(Resp::json(200, json!({"metadata": volume.image_metadata})))
    }

    fn volume_unset_image_metadata(&mut self, id: &str, args: &Value, call: &Call<'_>) -> Answer {
        let key = json::need(args, "key")?;
        let volume = self.cinder.volume_mut(id, call.who)?;
        volume.image_metadata.remove(key);
        Ok(Resp::empty(200))
    }

    fn volume_extend(&mut self, id: &str, args: &Value, call: &Call<'_>) -> Answer {
        let size_gb = json::number(args, "new_size")
            .ok_or_else(|| Fault::bad_request("'new_size' is a required property"))?;
        let volume = self.cinder.volume(id, call.who)?.clone();
        let in_use_too = call.minor >= EXTEND_IN_USE_MINOR && volume.status == "in-use";
        if volume.status != "available" && !in_use_too {
            return Err(invalid_volume(format!(
                "Volume {id} status must be 'available' to extend, but is '{}'.",
                volume.status
            )));
        }
        if size_gb <= volume.size_gb {
            return Err(Fault::bad_request(format!(
                "Invalid input received: New size for extend must be greater than current size. \
                 (current: {}, extended: {size_gb}).",
                volume.size_gb
            )));
        }
        let grown_gb = size_gb - volume.size_gb;
        self.quota_check(&volume.project_id, &volume.volume_type_id, 0, grown_gb)?;
        self.cinder.set_status(id, "extending", call.now_ms);
        let event = Event::VolumeExtend {
            volume: id.to_owned(),
            size_gb,
        };
        self.plan(call.now_ms, self.knobs.latency.volume_extend, event);
        Ok(Resp::empty(202))
    }

    pub(in crate::cloud) fn volume_extend_finish(&mut self, id: &str, size_gb: i64, at_ms: i64) {
        let attached = self.cinder.attachments_of(id).next().is_some();
        let Some(volume) = self.cinder.volumes.get_mut(id) else {
            return;
        };
        let size_bytes = u64::try_from(size_gb).unwrap_or(0) * super::GIB;
        let done = volume
            .array_name
            .as_ref()
            .is_some_and(|name| self.backend.extend(at_ms, name, size_bytes).is_ok());
        volume.updated_ms = Some(at_ms);
        let status = match (done, attached) {
            (false, _) => "error_extending",
            (true, true) => "in-use",
            (true, false) => "available",
        };
        status.clone_into(&mut volume.status);
        if done {
            volume.size_gb = size_gb;
        }
    }

    /// Retype without migration: there is one back end.
    fn volume_retype(&mut self, id: &str, args: &Value, call: &Call<'_>) -> Answer {
        let named = json::need(args, "new_type")?;
        let kind = self
            .cinder
            .type_of(named)
            .map(|kind| kind.id.clone())
            .ok_or_else(|| Fault::not_found(format!("Volume type {named} could not be found.")))?;
        let volume = self.cinder.volume_mut(id, call.who)?;
        let free = matches!(volume.status.as_str(), "available" | "in-use");
        if !free || volume.group_id.is_some() || volume.volume_type_id == kind {
            return Err(invalid_volume(
                "Retype needs an available or in-use status, the same migration_status, encryption \
                 type, not be in a group, and a different type",
            ));
        }
        volume.volume_type_id = kind;
        volume.updated_ms = Some(call.now_ms);
        Ok(Resp::empty(202))
    }

    fn volume_reset_status(&mut self, id: &str, args: &Value, call: &Call<'_>) -> Answer {
        self.cinder.volume(id, call.who)?;
        self.enforce(
            call.who,
            "volume_extension:volume_admin_actions:reset_status",
            &Allow::Admin,
        )?;
        let status = json::need(args, "status")?;
        if !RESET_STATES.contains(&status) {
            return Err(Fault::bad_request(format!("Invalid status '{status}'")));
        }
        self.cinder.set_status(id, status, call.now_ms);
        Ok(Resp::empty(202))
    }
}
