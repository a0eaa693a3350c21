//! `/volumes/{id}/metadata`.

use serde_json::json;

use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::wire::{Answer, Fault, Resp};

impl Cloud {
    pub(super) fn metadata_all(&mut self, id: &str, call: &Call<'_>) -> Answer {
        let volume = self.cinder.volume_mut(id, call.who)?;
        let given = json::text_map(&call.body, "metadata");
        match call.req.method.as_str() {
            "GET" => {}
            "PUT" => volume.metadata = given,
            "POST" => volume.metadata.extend(given),
            _ => return Err(nowhere()),
        }
        Ok(Resp::json(200, json!({"metadata": volume.metadata})))
    }

    pub(super) fn metadata_one(&mut self, id: &str, key: &str, call: &Call<'_>) -> Answer {
        let volume = self.cinder.volume_mut(id, call.who)?;
        let missing = || Fault::not_found(format!("Volume {id} has no metadata with key {key}."));
        match call.req.method.as_str() {
            "PUT" => {
                volume.metadata.extend(json::text_map(&call.body, "meta"));
            }
            "DELETE" => {
                volume.metadata.remove(key).ok_or_else(missing)?;
                return Ok(Resp::empty(200));
            }
            "GET" => {}
            _ => return Err(nowhere()),
        }
        let value = volume.metadata.get(key).ok_or_else(missing)?;
        let mut meta = json!({});
        json::put(&mut meta, key, json!(value));
        Ok(Resp::json(200, json!({"meta": meta})))
    }
}
