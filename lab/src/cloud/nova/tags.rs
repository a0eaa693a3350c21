//! `/servers/{id}/tags`.

use serde_json::json;

use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::wire::{Answer, Fault, Resp};

const TAGS_MINOR: u32 = 26;
const TAGS_MAX: usize = 50;

impl Cloud {
    pub(super) fn server_tag_paths(&mut self, id: &str, rest: &[&str], call: &Call<'_>) -> Answer {
        if call.minor < TAGS_MINOR {
            return Err(nowhere());
        }
        let server = self.nova.server_mut(id, call.who)?;
        let absent = |tag: &str| Fault::not_found(format!("Server {id} has no tag '{tag}'"));
        let full = || {
            Fault::bad_request(format!(
                "The number of tags exceeded the per-server limit {TAGS_MAX}"
            ))
        };
        match (call.req.method.as_str(), rest) {
            ("GET", [_, _, _]) => Ok(Resp::json(200, json!({"tags": server.tags}))),
            ("PUT", [_, _, _]) => {
                let tags = json::texts(&call.body, "tags");
                if tags.len() > TAGS_MAX {
                    return Err(full());
                }
                server.tags = tags.into_iter().collect();
                server.updated_ms = call.now_ms;
                Ok(Resp::json(200, json!({"tags": server.tags})))
            }
            ("DELETE", [_, _, _]) => {
                server.tags.clear();
                Ok(Resp::empty(204))
            }
            ("PUT", [_, _, _, tag]) => {
                if server.tags.len() >= TAGS_MAX && !server.tags.contains(*tag) {
                    return Err(full());
                }
                let new = server.tags.insert((*tag).to_owned());
                server.updated_ms = call.now_ms;
                Ok(Resp::empty(if new { 201 } else { 204 }))
            }
            ("GET", [_, _, _, tag]) if server.tags.contains(*tag) => Ok(Resp::empty(204)),
            ("DELETE", [_, _, _, tag]) if server.tags.remove(*tag) => Ok(Resp::empty(204)),
            ("GET" | "DELETE", [_, _, _, tag]) => Err(absent(tag)),
            _ => Err(nowhere()),
        }
    }
}
