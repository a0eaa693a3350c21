//! Cinder's shapes as it writes them, and what becomes of them. Unknown fields are ignored.

use crate::json::{loose_bool, null_default, some_text, text_map};
use crate::page::Listed;
use protector_domain::ports::compute::QuotaUse;
use protector_domain::ports::volumes::{
    Volume, VolumeManage, VolumePool, VolumeQuota, VolumeService, VolumeType,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

#[derive(Deserialize)]
pub(crate) struct VolumeEnvelope {
    pub(crate) volume: VolumeShape,
}

#[derive(Deserialize)]
pub(crate) struct VolumeShape {
    pub(crate) id: String,
    #[serde(
        default,
        rename = "os-vol-tenant-attr:tenant_id",
        deserialize_with = "some_text"
    )]
    pub(crate) project: Option<String>,
    #[serde(default, deserialize_with = "some_text")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "some_text")]
    description: Option<String>,
    status: String,
    size: u64,
    #[serde(default, deserialize_with = "some_text")]
    volume_type: Option<String>,
    #[serde(default, deserialize_with = "loose_bool")]
    bootable: bool,
    #[serde(default, deserialize_with = "loose_bool")]
    encrypted: bool,
    #[serde(default, deserialize_with = "loose_bool")]
    multiattach: bool,
    #[serde(
        default,
        rename = "os-vol-host-attr:host",
        deserialize_with = "some_text"
    )]
    host: Option<String>,
    #[serde(default, deserialize_with = "some_text")]
    group_id: Option<String>,
    #[serde(default, deserialize_with = "null_default")]
    attachments: Vec<AttachmentShape>,
    #[serde(default, deserialize_with = "text_map")]
    pub(crate) metadata: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "text_map")]
    volume_image_metadata: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "some_text")]
    created_at: Option<String>,
}

#[derive(Deserialize)]
struct AttachmentShape {
    #[serde(default, deserialize_with = "some_text")]
    server_id: Option<String>,
}

impl Listed for VolumeShape {
    fn id(&self) -> &str {
        &self.id
    }
}

impl VolumeShape {
    /// Sorts by creation, then id.
    pub(crate) fn age_key(&self) -> (Option<String>, String) {
        (self.created_at.clone(), self.id.clone())
    }

    pub(crate) fn into_volume(self) -> Volume {
        let servers = self.attachments.into_iter().filter_map(|a| a.server_id);
        Volume {
            id: self.id.into(),
            project_id: self.project,
            name: self.name,
            description: self.description,
            status: self.status,
            size_gib: self.size,
            volume_type: self.volume_type,
            bootable: self.bootable,
            encrypted: self.encrypted,
            multiattach: self.multiattach,
            host: self.host,
            group_id: self.group_id.map(Into::into),
            attached_to: servers.map(Into::into).collect(),
            metadata: self.metadata,
            image_metadata: self.volume_image_metadata,
            created_at: self.created_at,
        }
    }
}

/// An answer that needs no more than whose volume it is about.
#[derive(Deserialize)]
pub(crate) struct ManagedEnvelope {
    pub(crate) volume: ManagedShape,
}

#[derive(Deserialize)]
pub(crate) struct ManagedShape {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
}

/// The body of an import (DD-10).
pub(crate) fn manage_body(ask: &VolumeManage) -> Value {
    let mut volume = Map::new();
    let mut put = |key: &str, value: Value| {
        volume.insert(key.to_owned(), value);
    };
    put("host", json!(ask.host));
    put("ref", json!({"source-name": ask.source_name}));
    put("name", json!(ask.name));
    put("volume_type", json!(ask.volume_type));
    put("bootable", json!(ask.bootable));
    put("metadata", json!(ask.metadata));
    for (key, text) in [
        ("description", &ask.description),
        ("availability_zone", &ask.availability_zone),
    ] {
        if let Some(text) = text {
            put(key, json!(text));
        }
    }
    json!({ "volume": volume })
}

#[derive(Deserialize)]
pub(crate) struct TypeShape {
    id: String,
    name: String,
    #[serde(default, deserialize_with = "text_map")]
    extra_specs: BTreeMap<String, String>,
    #[serde(default)]
    is_public: Option<bool>,
    /// Beside the other, or instead of it; before 3.7 Cinder says neither to those who see public
    /// types only.
    #[serde(default, rename = "os-volume-type-access:is_public")]
    access_is_public: Option<bool>,
}

impl Listed for TypeShape {
    fn id(&self) -> &str {
        &self.id
    }
}

impl TypeShape {
    pub(crate) fn into_type(self) -> VolumeType {
        VolumeType {
            id: self.id,
            name: self.name,
            extra_specs: self.extra_specs,
            is_public: self.is_public.or(self.access_is_public).unwrap_or(true),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct ServiceList {
    pub(crate) services: Vec<ServiceShape>,
}

#[derive(Deserialize)]
pub(crate) struct ServiceShape {
    pub(crate) binary: String,
    host: String,
    #[serde(default, deserialize_with = "null_default")]
    zone: String,
    status: String,
    state: String,
}

impl ServiceShape {
    pub(crate) fn into_service(self) -> VolumeService {
        VolumeService {
            host: self.host,
            zone: self.zone,
            enabled: self.status == "enabled",
            up: self.state == "up",
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct PoolList {
    pub(crate) pools: Vec<PoolShape>,
}

#[derive(Deserialize)]
pub(crate) struct PoolShape {
    name: String,
    #[serde(default, deserialize_with = "null_default")]
    capabilities: Capabilities,
}

#[derive(Deserialize, Default)]
struct Capabilities {
    #[serde(default, deserialize_with = "null_default")]
    volume_backend_name: String,
}

impl PoolShape {
    pub(crate) fn into_pool(self) -> VolumePool {
        let volume_backend_name = self.capabilities.volume_backend_name;
        VolumePool {
            name: self.name,
            volume_backend_name,
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct QuotaEnvelope {
    quota_set: QuotaSet,
}

#[derive(Deserialize)]
struct QuotaSet {
    volumes: QuotaShape,
    gigabytes: QuotaShape,
}

#[derive(Deserialize, Clone, Copy)]
struct QuotaShape {
    limit: i64,
    in_use: i64,
    #[serde(default, deserialize_with = "null_default")]
    reserved: i64,
}

impl QuotaShape {
    /// What is reserved is as good as used.
    fn into_use(self) -> QuotaUse {
        QuotaUse {
            used: self.in_use.saturating_add(self.reserved),
            limit: self.limit,
        }
    }
}

impl QuotaEnvelope {
    pub(crate) fn into_quota(self) -> VolumeQuota {
        VolumeQuota {
            volumes: self.quota_set.volumes.into_use(),
            gigabytes: self.quota_set.gigabytes.into_use(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_read_field_by_field() {
        let value = json!({
            "id": "v1", "status": "in-use", "size": 50, "name": "web-1-os", "description": null,
            "volume_type": "replicated-ssd", "bootable": "true", "encrypted": false,
            "multiattach": false, "group_id": "g1", "created_at": "2026-11-20T05:00:00.000000",
            "os-vol-tenant-attr:tenant_id": "p1", "os-vol-host-attr:host": "h@pure#pure",
            "attachments": [{"server_id": "s1", "attachment_id": "a1"}, {"server_id": null}],
            "metadata": {"k": "v"}, "volume_image_metadata": {"min_disk": 0, "hw_disk_bus": "scsi"},
            "shared_targets": true, "service_uuid": null,
        });
        let volume = serde_json::from_value::<VolumeShape>(value)
            .unwrap()
            .into_volume();
        assert_eq!(volume.project_id.as_deref(), Some("p1"));
        assert_eq!(volume.host.as_deref(), Some("h@pure#pure"));
        assert_eq!(volume.group_id, Some("g1".into()));
        assert_eq!(volume.attached_to, ["s1".into()]);
        assert!(volume.bootable && !volume.encrypted);
        assert_eq!(volume.image_metadata["min_disk"], "0");
    }

    #[test]
    fn a_young_volume_has_little() {
        let value = json!({"id": "v1", "status": "creating", "size": 1, "metadata": null,
            "attachments": null, "volume_image_metadata": null, "bootable": "false"});
        let volume = serde_json::from_value::<VolumeShape>(value)
            .unwrap()
            .into_volume();
        assert!(volume.attached_to.is_empty() && volume.metadata.is_empty() && !volume.bootable);
    }

    #[test]
    fn the_whole_import() {
        let ask = VolumeManage {
            host: "h@pure#pure".into(),
            source_name: "copy-1".into(),
            name: "db-os".into(),
            description: None,
            volume_type: "recovery".into(),
            bootable: true,
            availability_zone: Some("nova".into()),
            metadata: [("protector".to_owned(), "key".to_owned())].into(),
        };
        let expected = json!({"volume": {
            "host": "h@pure#pure", "ref": {"source-name": "copy-1"}, "name": "db-os",
            "volume_type": "recovery", "bootable": true, "availability_zone": "nova",
            "metadata": {"protector": "key"}}});
        assert_eq!(manage_body(&ask), expected);
    }

    #[test]
    fn types_say_public_in_three_ways() {
        for (extra, public) in [
            (json!({}), true),
            (json!({"is_public": false}), false),
            (json!({"os-volume-type-access:is_public": false}), false),
            (
                json!({"is_public": false, "os-volume-type-access:is_public": false}),
                false,
            ),
        ] {
            let mut value = json!({"id": "t1", "name": "ssd", "extra_specs": null});
            value
                .as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            let shape = serde_json::from_value::<TypeShape>(value).unwrap();
            assert_eq!(shape.into_type().is_public, public, "{extra}");
        }
    }

    #[test]
    fn pools_with_and_without_a_word_of_their_back_end() {
        let value = json!({"pools": [
            {"name": "h@pure#pure", "capabilities": {"volume_backend_name": "pure", "total": 1}},
            {"name": "h@young#young", "capabilities": null}]});
        let pools = serde_json::from_value::<PoolList>(value).unwrap().pools;
        let pools: Vec<VolumePool> = pools.into_iter().map(PoolShape::into_pool).collect();
        assert_eq!(pools[0].name, "h@pure#pure");
        assert_eq!(pools[0].volume_backend_name, "pure");
        assert_eq!(pools[1].volume_backend_name, "");
    }

    #[test]
    fn only_enabled_and_up_mean_so() {
        let service = |status: &str, state: &str| {
            let value = json!({"binary": "cinder-volume", "host": "h@pure", "zone": "nova",
                "status": status, "state": state, "cluster": null});
            serde_json::from_value::<ServiceShape>(value)
                .unwrap()
                .into_service()
        };
        assert!(service("enabled", "up").enabled && service("enabled", "up").up);
        assert!(!service("disabled", "up").enabled && !service("enabled", "down").up);
    }
}
