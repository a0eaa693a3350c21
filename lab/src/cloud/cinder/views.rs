//! Cinder's objects as JSON, by microversion and by who looks.

use serde_json::{Value, json};

use super::{Attachment, Group, Snapshot, Volume};
use crate::cloud::Cloud;
use crate::cloud::dispatch::Call;
use crate::cloud::json;
use crate::cloud::timefmt::iso_micros;

/// Groups came with 3.13, `list_volume` with 3.25, shared targets and service uuid with 3.48,
/// the tri-state of shared targets with 3.69, type ids with 3.63.
const GROUP_MINOR: u32 = 13;
const GROUP_LIST_VOLUME_MINOR: u32 = 25;
const SHARED_TARGETS_MINOR: u32 = 48;
const TYPE_ID_MINOR: u32 = 63;
/// The one cinder-volume service.
const SERVICE_UUID: &str = "6b1c2f0e-1111-4d6b-9a3e-0c5a7f3b9d10";

fn shown_status(inner: &str) -> &str {
    match inner {
        "managing" => "creating",
        "error_managing" => "error",
        "error_managing_deleting" => "deleting",
        other => other,
    }
}

impl Cloud {
    pub(super) fn volume_links(&self, call: &Call<'_>, id: &str) -> Value {
        let root = format!("{}/volume/v3/{}", call.base_url, call.who.project());
        json!([
            {"rel": "self", "href": format!("{root}/volumes/{id}")},
            {"rel": "bookmark", "href": format!("{}/volume/{}/volumes/{id}", call.base_url, call.who.project())},
        ])
    }

    pub(super) fn volume_brief(&self, call: &Call<'_>, volume: &Volume) -> Value {
        json!({"id": volume.id, "name": volume.name, "links": self.volume_links(call, &volume.id)})
    }

    pub(super) fn volume_view(&self, call: &Call<'_>, volume: &Volume) -> Value {
        let attachments: Vec<Value> = self
            .cinder
            .attachments_of(&volume.id)
            .filter(|one| one.status == "attached")
            .map(|one| attached_view(call, one))
            .collect();
        let mut view = json!({
            "id": volume.id, "name": volume.name, "description": volume.description,
            "status": shown_status(&volume.status), "size": volume.size_gb,
            "availability_zone": volume.availability_zone, "created_at": iso_micros(volume.created_ms),
            "updated_at": volume.updated_ms.map(iso_micros), "volume_type": self.type_name(&volume.volume_type_id),
            "snapshot_id": volume.snapshot_id, "source_volid": volume.source_volid,
            "metadata": volume.metadata, "links": self.volume_links(call, &volume.id),
            "user_id": volume.user_id, "bootable": volume.bootable.to_string(),
            "encrypted": volume.encrypted, "replication_status": null, "consistencygroup_id": null,
            "multiattach": volume.multiattach, "attachments": attachments,
            "os-vol-tenant-attr:tenant_id": volume.project_id,
        });
        if !volume.image_metadata.is_empty() {
            json::put(
                &mut view,
                "volume_image_metadata",
                json!(volume.image_metadata),
            );
        }
        self.volume_view_admin(call, volume, &mut view);
        volume_view_by_version(call, volume, &mut view);
        view
    }

    fn volume_view_admin(&self, call: &Call<'_>, volume: &Volume, view: &mut Value) {
        if !call.who.is_admin() {
            return;
        }
        json::put(view, "migration_status", Value::Null);
        json::put(view, "os-vol-host-attr:host", json!(volume.host));
        json::put(view, "os-vol-mig-status-attr:migstat", Value::Null);
        json::put(view, "os-vol-mig-status-attr:name_id", Value::Null);
    }

    pub(super) fn group_view(&self, call: &Call<'_>, group: &Group) -> Value {
        let mut view = json!({
            "id": group.id, "name": group.name, "description": group.description,
            "status": group.status, "availability_zone": group.availability_zone,
            "created_at": iso_micros(group.created_ms), "group_type": group.group_type_id,
            "volume_types": group.volume_type_ids, "group_snapshot_id": null,
            "source_group_id": null, "replication_status": "disabled",
        });
        let wants_volumes = call.query("list_volume").is_some_and(json::is_true);
        if wants_volumes && call.minor >= GROUP_LIST_VOLUME_MINOR {
            json::put(
                &mut view,
                "volumes",
                json!(self.cinder.group_volumes(&group.id)),
            );
        }
        if call.who.is_admin() {
            json::put(&mut view, "project_id", json!(group.project_id));
        }
        view
    }
}

fn volume_view_by_version(call: &Call<'_>, volume: &Volume, view: &mut Value) {
    if call.minor >= GROUP_MINOR {
        json::put(view, "group_id", json!(volume.group_id));
    }
    if call.minor >= SHARED_TARGETS_MINOR {
        // Managed volumes have no service uuid; some initiators fall over that null.
        let service = (!volume.managed).then_some(SERVICE_UUID);
        json::put(view, "shared_targets", json!(true));
        json::put(view, "service_uuid", json!(service));
    }
    if call.minor >= TYPE_ID_MINOR {
        json::put(view, "volume_type_id", json!(volume.volume_type_id));
    }
}

fn attached_view(call: &Call<'_>, attachment: &Attachment) -> Value {
    let host = attachment.host.as_ref().filter(|_| call.who.is_admin());
    json!({
        "id": attachment.volume_id, "attachment_id": attachment.id, "volume_id": attachment.volume_id,
        "server_id": attachment.server_id, "host_name": host, "device": attachment.device,
        "attached_at": attachment.attached_ms.map(iso_micros),
    })
}

pub(super) fn attachment_view(attachment: &Attachment, detail: bool) -> Value {
    let mut view = json!({
        "id": attachment.id, "status": attachment.status, "instance": attachment.server_id,
        "volume_id": attachment.volume_id,
    });
    if detail {
        let at = attachment.attached_ms.map(iso_micros).unwrap_or_default();
        json::put(&mut view, "attached_at", json!(at));
        json::put(&mut view, "detached_at", json!(""));
        json::put(&mut view, "attach_mode", json!("rw"));
        json::put(&mut view, "connection_info", json!({}));
    }
    view
}

pub(super) fn snapshot_view(snapshot: &Snapshot) -> Value {
    json!({
        "id": snapshot.id, "name": snapshot.name, "description": snapshot.description,
        "volume_id": snapshot.volume_id, "size": snapshot.size_gb, "status": snapshot.status,
        "created_at": iso_micros(snapshot.created_ms), "updated_at": null, "metadata": snapshot.metadata,
        "os-extended-snapshot-attributes:progress": "100%",
        "os-extended-snapshot-attributes:project_id": snapshot.project_id,
    })
}
