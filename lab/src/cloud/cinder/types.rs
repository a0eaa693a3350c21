//! `/types`: volume types and what of their extra specs is shown to whom.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::VolumeType;
use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::knobs::Allow;
use crate::cloud::paging::{self, PAGE_MAX};
use crate::cloud::wire::{Answer, Fault, Resp};

/// All that a non-admin sees. `replication_type` is not among them.
const SHOWN_TO_ALL: [&str; 3] = [
    "RESKEY:availability_zones",
    "multiattach",
    "replication_enabled",
];
const SENSITIVE_RULE: &str = "volume_extension:types_extra_specs:read_sensitive";

impl Cloud {
    fn specs_shown<'a>(&self, kind: &'a VolumeType, call: &Call<'_>) -> BTreeMap<&'a str, &'a str> {
        let all = self.allows(call.who, SENSITIVE_RULE, &Allow::Admin);
        let specs = kind.extra_specs.iter();
        specs
            .filter(|(name, _)| all || SHOWN_TO_ALL.contains(&name.as_str()))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    fn type_view(&self, kind: &VolumeType, call: &Call<'_>) -> Value {
        let mut view = json!({
            "id": kind.id, "name": kind.name, "description": kind.description,
            "is_public": kind.is_public, "extra_specs": self.specs_shown(kind, call),
            "os-volume-type-access:is_public": kind.is_public,
        });
        if call.who.is_admin() {
            json::put(&mut view, "qos_specs_id", Value::Null);
        }
        view
    }

    fn type_seen(&self, id: &str, call: &Call<'_>) -> Result<&VolumeType, Fault> {
        let kind = match id {
            "default" => self
                .cinder
                .default_type
                .as_ref()
                .and_then(|id| self.cinder.types.get(id)),
            _ => self.cinder.types.get(id),
        };
        kind.filter(|kind| kind.is_public || call.who.is_admin())
            .ok_or_else(|| Fault::not_found(format!("Volume type {id} could not be found.")))
    }

    pub(super) fn type_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", ["types"]) => {
                let all = self.cinder.types.values();
                let views = all
                    .filter(|kind| kind.is_public || call.who.is_admin())
                    .map(|kind| self.type_view(kind, call))
                    .collect();
                let page = paging::page(call, views, PAGE_MAX)?;
                Ok(Resp::json(
                    200,
                    paging::body("volume_types", "volume_type_links", page),
                ))
            }
            ("GET", ["types", id]) => {
                let view = self.type_view(self.type_seen(id, call)?, call);
                Ok(Resp::json(200, json!({"volume_type": view})))
            }
            ("GET", ["types", id, "extra_specs"]) => {
                let specs = self.specs_shown(self.type_seen(id, call)?, call);
                Ok(Resp::json(200, json!({"extra_specs": specs})))
            }
            ("GET", ["types", id, "encryption"]) => {
                let kind = self.type_seen(id, call)?;
                let provider = kind
                    .encrypted
                    .then(|| json!({"provider": "luks", "volume_type_id": kind.id}));
                Ok(Resp::json(200, provider.unwrap_or_else(|| json!({}))))
            }
            ("POST", ["types", id, "extra_specs"]) => {
                self.enforce(
                    call.who,
                    "volume_extension:types_extra_specs:create",
                    &Allow::Admin,
                )?;
                let id = self.type_seen(id, call)?.id.clone();
                let given = json::text_map(&call.body, "extra_specs");
                if let Some(kind) = self.cinder.types.get_mut(&id) {
                    kind.extra_specs.extend(given.clone());
                }
                Ok(Resp::json(200, json!({"extra_specs": given})))
            }
            _ => Err(nowhere()),
        }
    }
}
