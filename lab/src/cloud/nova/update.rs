//! `PUT /servers/{id}` and `/servers/{id}/metadata`.

use serde_json::json;

use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::wire::{Answer, Fault, Resp};

impl Cloud {
    pub(super) fn server_update(&mut self, id: &str, call: &Call<'_>) -> Answer {
        let asked = json::need_object(&call.body, "server")?;
        let server = self.nova.server_mut(id, call.who)?;
        if let Some(name) = json::text(asked, "name") {
            name.clone_into(&mut server.name);
        }
        if let Some(text) = json::text(asked, "description") {
            server.description = Some(text.to_owned());
        }
        if let Some(host) = json::text(asked, "hostname") {
            host.clone_into(&mut server.hostname);
        }
        server.updated_ms = call.now_ms;
        self.server_show(id, call)
    }

    pub(super) fn server_metadata_paths(
        &mut self,
        id: &str,
        rest: &[&str],
        call: &Call<'_>,
    ) -> Answer {
        let reads = call.req.method == "GET";
        if !reads {
            self.nova.server_unlocked(id, call.who)?;
        }
        let server = self.nova.server_mut(id, call.who)?;
        if !reads {
            server.updated_ms = call.now_ms;
        }
        let absent = || Fault::not_found("Metadata item was not found");
        match (call.req.method.as_str(), rest) {
            ("GET", [_, _, _]) => {}
            ("PUT", [_, _, _]) => server.metadata = json::text_map(&call.body, "metadata"),
            ("POST", [_, _, _]) => server
                .metadata
                .extend(json::text_map(&call.body, "metadata")),
            ("DELETE", [_, _, _, key]) => {
                server.metadata.remove(*key).ok_or_else(absent)?;
                return Ok(Resp::empty(204));
            }
            ("GET" | "PUT", [_, _, _, key]) => {
                server.metadata.extend(json::text_map(&call.body, "meta"));
                let value = server.metadata.get(*key).ok_or_else(absent)?;
                let mut meta = json!({});
                json::put(&mut meta, key, json!(value));
                return Ok(Resp::json(200, json!({"meta": meta})));
            }
            _ => return Err(nowhere()),
        }
        Ok(Resp::json(200, json!({"metadata": server.metadata})))
    }
}
