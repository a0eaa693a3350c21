//! Generic volume groups: made with fixed types, filled and emptied, deleted.

use serde_json::Value;

use super::{Group, GroupType, invalid_volume};
use crate::cloud::Cloud;
use crate::cloud::agenda::Event;
use crate::cloud::dispatch::Call;
use crate::cloud::json;
use crate::cloud::wire::Fault;

fn invalid_group(reason: impl std::fmt::Display) -> Fault {
    Fault::bad_request(format!("Invalid Group: {reason}"))
}

fn group_missing(id: &str) -> Fault {
    Fault::not_found(format!("Group {id} could not be found."))
}

/// The ids in Cinder's comma-separated list.
fn listed(asked: &Value, key: &str) -> Vec<String> {
    let text = json::text(asked, key).unwrap_or_default();
    let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
    ids.map(str::to_owned).collect()
}

impl Cloud {
    pub(super) fn group_seen(&self, id: &str, call: &Call<'_>) -> Result<&Group, Fault> {
        let found = self.cinder.groups.get(id);
        found
            .filter(|group| call.who.sees(&group.project_id))
            .ok_or_else(|| group_missing(id))
    }

    fn group_type_of(&self, id_or_name: &str) -> Result<&GroupType, Fault> {
        let types = &self.cinder.group_types;
        let by_id = types.get(id_or_name);
        by_id
            .or_else(|| types.values().find(|kind| kind.name == id_or_name))
            .ok_or_else(|| Fault::not_found(format!("Group type {id_or_name} could not be found.")))
    }

    /// Accepts a new group and gives its id.
    pub(super) fn group_create_start(&mut self, call: &Call<'_>) -> Result<String, Fault> {
        let asked = json::need_object(&call.body, "group")?;
        let group_type_id = self
            .group_type_of(json::need(asked, "group_type")?)?
            .id
            .clone();
        let mut volume_type_ids = Vec::new();
        for named in json::texts(asked, "volume_types") {
            let kind = self.cinder.type_of(&named);
            let kind = kind.ok_or_else(|| {
                Fault::not_found(format!("Volume type {named} could not be found."))
            })?;
            volume_type_ids.push(kind.id.clone());
        }
        if volume_type_ids.is_empty() {
            return Err(Fault::bad_request(
                "Invalid input for field/attribute volume_types. [] is too short",
            ));
        }
        self.group_quota_check(call.who.project())?;
        let group = Group {
            id: self.ids.uuid(),
            name: json::text(asked, "name").map(str::to_owned),
            description: json::text(asked, "description").map(str::to_owned),
            status: "creating".to_owned(),
            project_id: call.who.project().to_owned(),
            group_type_id,
            volume_type_ids,
            availability_zone: self.config.availability_zone.clone(),
            created_ms: call.now_ms,
        };
        let id = group.id.clone();
        self.cinder.groups.insert(id.clone(), group);
        let event = Event::GroupCreate { group: id.clone() };
        self.plan(call.now_ms, self.knobs.latency.group, event);
        Ok(id)
    }

    pub(in crate::cloud) fn group_create_finish(&mut self, id: &str, _at_ms: i64) {
        let kinds = self
            .cinder
            .groups
            .get(id)
            .map(|group| group.volume_type_ids.clone());
        let fits = kinds.is_some_and(|kinds| kinds.iter().all(|kind| self.backend_takes(kind)));
        if let Some(group) = self.cinder.groups.get_mut(id) {
            let status = if fits { "available" } else { "error" };
            status.clone_into(&mut group.status);
        }
    }

    /// Accepts a change of name, description or membership.
    pub(super) fn group_update_start(&mut self, id: &str, call: &Call<'_>) -> Result<(), Fault> {
        let asked = json::need_object(&call.body, "group")?;
        let group = self.group_seen(id, call)?.clone();
        let (add, remove) = (
            listed(asked, "add_volumes"),
            listed(asked, "remove_volumes"),
        );
        let renames = json::text(asked, "name").or_else(|| json::text(asked, "description"));
        if let Some(both) = add.iter().find(|volume| remove.contains(volume)) {
            return Err(invalid_volume(format!(
                "UUIDs {both} are in both add and remove volume list."
            )));
        }
        if add.is_empty() && remove.is_empty() && renames.is_none() {
            return Err(invalid_group(format!(
                "Cannot update group {id} because no valid name, description, add_volumes, or \
                 remove_volumes were provided."
            )));
        }
        if group.status != "available" {
            return Err(invalid_group("Group status must be available."));
        }
        for volume in &remove {
            self.group_remove_check(&group, volume)?;
        }
        for volume in &add {
            self.group_add_check(&group, volume)?;
        }
        let moves = !add.is_empty() || !remove.is_empty();
        if let Some(group) = self.cinder.groups.get_mut(id) {
            if let Some(name) = json::text(asked, "name") {
                group.name = Some(name.to_owned());
            }
            if let Some(text) = json::text(asked, "description") {
                group.description = Some(text.to_owned());
            }
            if moves {
                "updating".clone_into(&mut group.status);
            }
        }
        if moves {
            let group = id.to_owned();
            self.plan(
                call.now_ms,
                self.knobs.latency.group,
                Event::GroupUpdate { group, add, remove },
            );
        }
        Ok(())
    }

    fn group_remove_check(&self, group: &Group, volume_id: &str) -> Result<(), Fault> {
        let volume = self.cinder.volumes.get(volume_id);
        let inside = volume.is_some_and(|volume| volume.group_id.as_ref() == Some(&group.id));
        if inside {
            return Ok(());
        }
        Err(invalid_volume(format!(
            "Cannot remove volume {volume_id} from group {} because it is not in the group.",
            group.id
        )))
    }

    fn group_add_check(&self, group: &Group, volume_id: &str) -> Result<(), Fault> {
        let cannot = |why: String| {
            invalid_volume(format!(
                "Cannot add volume {volume_id} to group {} because {why}.",
                group.id
            ))
        };
        let Some(volume) = self.cinder.volumes.get(volume_id) else {
            return Err(cannot("volume cannot be found".to_owned()));
        };
        if let Some(other) = volume.group_id.as_ref().filter(|other| **other != group.id) {
            return Err(cannot(format!("it is already in group {other}")));
        }
        if volume.project_id != group.project_id {
            return Err(invalid_volume(format!(
                "Cannot add volume {volume_id} to group {} as they belong to different projects.",
                group.id
            )));
        }
        if !group.volume_type_ids.contains(&volume.volume_type_id) {
            return Err(cannot(format!(
                "volume type {} is not supported by the group",
                volume.volume_type_id
            )));
        }
        if !matches!(volume.status.as_str(), "available" | "in-use") {
            return Err(cannot(format!(
                "volume is in an invalid state: {}",
                volume.status
            )));
        }
        Ok(())
    }

    pub(in crate::cloud) fn group_update_finish(
        &mut self,
        id: &str,
        add: &[String],
        remove: &[String],
        at_ms: i64,
    ) {
        if !self.cinder.groups.contains_key(id) {
            return;
        }
        for (volume_id, group_id) in add
            .iter()
            .map(|volume| (volume, Some(id.to_owned())))
            .chain(remove.iter().map(|volume| (volume, None)))
        {
            if let Some(volume) = self.cinder.volumes.get_mut(volume_id) {
                volume.group_id = group_id;
                volume.updated_ms = Some(at_ms);
            }
        }
        if let Some(group) = self.cinder.groups.get_mut(id) {
            "available".clone_into(&mut group.status);
        }
    }

    /// Accepts a delete; with `delete_volumes` the members go too.
    pub(super) fn group_delete_start(
        &mut self,
        id: &str,
        delete_volumes: bool,
        call: &Call<'_>,
    ) -> Result<(), Fault> {
        let group = self.group_seen(id, call)?;
        if !matches!(group.status.as_str(), "available" | "error") {
            return Err(invalid_group(format!(
                "Group status must be available or error, but current status is: {}",
                group.status
            )));
        }
        let members = self.cinder.group_volumes(id);
        if !members.is_empty() && !delete_volumes {
            return Err(invalid_group(format!(
                "Group {id} still contains volumes. The delete-volumes flag is required to delete it."
            )));
        }
        let attached = |volume: &String| self.cinder.attachments_of(volume).next().is_some();
        if members.iter().any(attached) {
            return Err(invalid_group(format!(
                "Volume in group {id} is attached. Need to detach first."
            )));
        }
        for volume in &members {
            self.cinder.set_status(volume, "deleting", call.now_ms);
        }
        if let Some(group) = self.cinder.groups.get_mut(id) {
            "deleting".clone_into(&mut group.status);
        }
        let event = Event::GroupDelete {
            group: id.to_owned(),
        };
        self.plan(call.now_ms, self.knobs.latency.group, event);
        Ok(())
    }

    pub(in crate::cloud) fn group_delete_finish(&mut self, id: &str, at_ms: i64) {
        for volume in self.cinder.group_volumes(id) {
            self.volume_delete_finish(&volume, at_ms);
        }
        self.cinder.groups.remove(id);
    }
}
