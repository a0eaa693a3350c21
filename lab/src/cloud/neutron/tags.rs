//! Tags: the same four paths under every collection.

use std::collections::BTreeSet;

use serde_json::json;

use super::missing;
use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::wire::{Answer, Fault, Resp};

impl Cloud {
    fn tag_target(&self, collection: &str, id: &str, call: &Call<'_>) -> Result<(), Fault> {
        let neutron = &self.neutron;
        let owner = match collection {
            "ports" => neutron.ports.get(id).map(|one| &one.project_id),
            "networks" => neutron.networks.get(id).map(|one| &one.project_id),
            "subnets" => neutron.subnets.get(id).map(|one| &one.project_id),
            "routers" => neutron.routers.get(id).map(|one| &one.project_id),
            "floatingips" => neutron.floating_ips.get(id).map(|one| &one.project_id),
            "security-groups" => neutron.security_groups.get(id).map(|one| &one.project_id),
            _ => None,
        };
        owner
            .filter(|project| call.who.sees(project))
            .map(|_| ())
            .ok_or_else(|| missing("TagResourceNotFound", "Resource", id))
    }

    pub(super) fn tag_paths(
        &mut self,
        collection: &str,
        id: &str,
        rest: &[&str],
        call: &Call<'_>,
    ) -> Answer {
        self.tag_target(collection, id, call)?;
        let tags = self.neutron.tags.entry(id.to_owned()).or_default();
        let absent = |tag: &str| missing("TagNotFound", "Tag", tag);
        match (call.req.method.as_str(), rest) {
            ("GET", [_, _, _]) => Ok(Resp::json(200, json!({"tags": tags}))),
            ("PUT", [_, _, _]) => {
                *tags = json::texts(&call.body, "tags")
                    .into_iter()
                    .collect::<BTreeSet<_>>();
                Ok(Resp::json(200, json!({"tags": tags})))
            }
            ("DELETE", [_, _, _]) => {
                tags.clear();
                Ok(Resp::empty(204))
            }
            ("PUT", [_, _, _, tag]) => {
                tags.insert((*tag).to_owned());
                Ok(Resp::empty(201))
            }
            ("GET", [_, _, _, tag]) if tags.contains(*tag) => Ok(Resp::empty(204)),
            ("DELETE", [_, _, _, tag]) if tags.remove(*tag) => Ok(Resp::empty(204)),
            ("GET" | "DELETE", [_, _, _, tag]) => Err(absent(tag)),
            _ => Err(nowhere()),
        }
    }
}
