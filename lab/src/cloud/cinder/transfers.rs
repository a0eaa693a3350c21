//! Volume transfers: offered by one project, accepted by another with the key.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{Transfer, invalid_volume};
use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::timefmt::iso_micros;
use crate::cloud::wire::{Answer, Fault, Resp};

/// Digits of the key, as `volume_transfer_key_length`.
const KEY_DIGITS: usize = 16;

fn view(transfer: &Transfer) -> Value {
    json!({
        "id": transfer.id, "name": transfer.name, "volume_id": transfer.volume_id,
        "created_at": iso_micros(transfer.created_ms), "links": [],
        "source_project_id": transfer.source_project_id, "destination_project_id": null,
        "accepted": false, "no_snapshots": false,
    })
}

impl Cloud {
    pub(super) fn transfer_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("POST", [_]) => self.transfer_create(call),
            ("GET", [_] | [_, "detail"]) => self.transfer_list(call),
            ("GET", [_, id]) => {
                let transfer = self.transfer_seen(id, call)?;
                Ok(Resp::json(200, json!({"transfer": view(transfer)})))
            }
            ("DELETE", [_, id]) => self.transfer_delete(id, call),
            ("POST", [_, id, "accept"]) => self.transfer_accept(id, call),
            _ => Err(nowhere()),
        }
    }

    fn transfer_seen(&self, id: &str, call: &Call<'_>) -> Result<&Transfer, Fault> {
        let found = self.cinder.transfers.get(id);
        found
            .filter(|transfer| call.who.sees(&transfer.source_project_id))
            .ok_or_else(|| transfer_missing(id))
    }

    fn transfer_create(&mut self, call: &Call<'_>) -> Answer {
        let asked = json::need_object(&call.body, "transfer")?;
        let volume_id = json::need(asked, "volume_id")?;
        let volume = self.cinder.volume(volume_id, call.who)?;
        if volume.status != "available" {
            return Err(invalid_volume("status must be available"));
        }
        let source_project_id = volume.project_id.clone();
        let auth_key: String = self.ids.hex32().chars().take(KEY_DIGITS).collect();
        let transfer = Transfer {
            id: self.ids.uuid(),
            name: json::text(asked, "name").map(str::to_owned),
            volume_id: volume_id.to_owned(),
            source_project_id,
            created_ms: call.now_ms,
            auth_key: SecretString::from(auth_key),
        };
        let mut shown = view(&transfer);
        // The one answer that shows the key.
        json::put(
            &mut shown,
            "auth_key",
            json!(transfer.auth_key.expose_secret()),
        );
        self.cinder
            .set_status(volume_id, "awaiting-transfer", call.now_ms);
        self.cinder.transfers.insert(transfer.id.clone(), transfer);
        Ok(Resp::json(202, json!({"transfer": shown})))
    }

    fn transfer_list(&self, call: &Call<'_>) -> Answer {
        let everybody = call.who.is_admin() && call.query("all_tenants").is_some_and(json::is_true);
        let all = self.cinder.transfers.values();
        let views: Vec<Value> = all
            .filter(|one| everybody || one.source_project_id == call.who.project())
            .map(view)
            .collect();
        Ok(Resp::json(200, json!({"transfers": views})))
    }

    fn transfer_delete(&mut self, id: &str, call: &Call<'_>) -> Answer {
        let volume_id = self.transfer_seen(id, call)?.volume_id.clone();
        self.cinder.transfers.remove(id);
        self.cinder.set_status(&volume_id, "available", call.now_ms);
        Ok(Resp::empty(202))
    }

    /// Moves the volume to the accepting project and user; its quota must have room.
    fn transfer_accept(&mut self, id: &str, call: &Call<'_>) -> Answer {
        let asked = json::need_object(&call.body, "accept")?;
        let transfer = self
            .cinder
            .transfers
            .get(id)
            .cloned()
            .ok_or_else(|| transfer_missing(id))?;
        if json::text(asked, "auth_key") != Some(transfer.auth_key.expose_secret()) {
            return Err(Fault::bad_request(format!(
                "Invalid auth key: Attempt to transfer {id} with invalid auth key."
            )));
        }
        let volume = self.cinder.volumes.get(&transfer.volume_id);
        let volume = volume.ok_or_else(|| transfer_missing(id))?;
        let (kind, size_gb) = (volume.volume_type_id.clone(), volume.size_gb);
        self.quota_check(call.who.project(), &kind, 1, size_gb)?;
        if let Some(volume) = self.cinder.volumes.get_mut(&transfer.volume_id) {
            call.who.project().clone_into(&mut volume.project_id);
            call.who.user_id.clone_into(&mut volume.user_id);
            "available".clone_into(&mut volume.status);
            volume.updated_ms = Some(call.now_ms);
        }
        self.cinder.transfers.remove(id);
        let shown =
            json!({"id": id, "name": transfer.name, "volume_id": transfer.volume_id, "links": []});
        Ok(Resp::json(202, json!({"transfer": shown})))
    }
}

fn transfer_missing(id: &str) -> Fault {
    Fault::not_found(format!("Transfer {id} could not be found."))
}
