//! `/groups` and `/group_types`.

use serde_json::{Value, json};

use super::GroupType;
use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::wire::{Answer, Fault, Resp};

/// Group types came with 3.11, groups with 3.13.
const GROUP_TYPE_MINOR: u32 = 11;
const GROUP_MINOR: u32 = 13;

fn type_view(kind: &GroupType, admin: bool) -> Value {
    let mut view =
        json!({"id": kind.id, "name": kind.name, "description": null, "is_public": true});
    if admin {
        json::put(&mut view, "group_specs", json!(kind.group_specs));
    }
    view
}

impl Cloud {
    pub(super) fn group_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        let least = if rest.first() == Some(&"groups") {
            GROUP_MINOR
        } else {
            GROUP_TYPE_MINOR
        };
        if call.minor < least {
            return Err(Fault::not_found(format!(
                "API version '3.{}' is not supported on this method.",
                call.minor
            )));
        }
        match (call.req.method.as_str(), rest) {
            ("GET", ["group_types"]) => self.group_type_list(call),
            ("GET", ["group_types", id]) => {
                let kind = self.cinder.group_types.get(*id);
                let missing = || Fault::not_found(format!("Group type {id} could not be found."));
                let view = type_view(kind.ok_or_else(missing)?, call.who.is_admin());
                Ok(Resp::json(200, json!({"group_type": view})))
            }
            ("GET", ["groups"]) => self.group_list(call, false),
            ("GET", ["groups", "detail"]) => self.group_list(call, true),
            ("POST", ["groups"]) => {
                let id = self.group_create_start(call)?;
                let name = self.group_seen(&id, call)?.name.clone();
                Ok(Resp::json(202, json!({"group": {"id": id, "name": name}})))
            }
            ("GET", ["groups", id]) => {
                let view = self.group_view(call, self.group_seen(id, call)?);
                Ok(Resp::json(200, json!({"group": view})))
            }
            ("PUT", ["groups", id]) => {
                self.group_update_start(id, call)?;
                Ok(Resp::empty(202))
            }
            ("POST", ["groups", id, "action"]) => {
                let args = json::need_object(&call.body, "delete")?;
                let delete_volumes = json::truth(args, "delete-volumes").unwrap_or(false);
                self.group_delete_start(id, delete_volumes, call)?;
                Ok(Resp::empty(202))
            }
            _ => Err(nowhere()),
        }
    }

    fn group_type_list(&self, call: &Call<'_>) -> Answer {
        let all = self.cinder.group_types.values();
        let views: Vec<Value> = all
            .map(|kind| type_view(kind, call.who.is_admin()))
            .collect();
        Ok(Resp::json(200, json!({"group_types": views})))
    }

    fn group_list(&self, call: &Call<'_>, detail: bool) -> Answer {
        let everybody = call.who.is_admin() && call.query("all_tenants").is_some_and(json::is_true);
        let all = self.cinder.groups.values();
        let views: Vec<Value> = all
            .filter(|group| everybody || group.project_id == call.who.project())
            .filter(|group| {
                call.query("name")
                    .is_none_or(|name| group.name.as_deref() == Some(name))
            })
            .filter(|group| {
                call.query("status")
                    .is_none_or(|status| status == group.status)
            })
            .map(|group| match detail {
                true => self.group_view(call, group),
                false => json!({"id": group.id, "name": group.name}),
            })
            .collect();
        Ok(Resp::json(200, json!({"groups": views})))
    }
}
