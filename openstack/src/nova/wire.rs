//! Nova's shapes as it writes them, and what becomes of them. Unknown fields are ignored.

use crate::fault::clean;
use crate::json::{loose_bool, loose_u64, null_default, said, some_text, text_map};
use crate::nova::addresses::Addresses;
use crate::page::Listed;
use protector_domain::ports::compute::{
    AttachedVolume, ComputeQuota, Flavor, QuotaUse, Server, ServerStatus,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The zone of hosts that are in none: nobody asks for it (Nova's `default_availability_zone`).
const NO_ZONE: &str = "nova";
/// What Nova says of a server whose cell it cannot reach (2.69): only id and owner.
const CELL_DOWN_STATUS: &str = "UNKNOWN";

#[derive(Deserialize)]
pub(crate) struct ServerEnvelope {
    pub(crate) server: ServerShape,
}

#[derive(Deserialize)]
pub(crate) struct ServerShape {
    pub(crate) id: String,
    pub(crate) tenant_id: String,
    status: ServerStatus,
    #[serde(
        default,
        rename = "OS-EXT-STS:task_state",
        deserialize_with = "some_text"
    )]
    task: Option<String>,
    #[serde(default, deserialize_with = "null_default")]
    user_id: String,
    #[serde(default, deserialize_with = "null_default")]
    name: String,
    #[serde(default, deserialize_with = "null_default")]
    created: String,
    #[serde(default, deserialize_with = "some_text")]
    description: Option<String>,
    #[serde(
        default,
        rename = "OS-EXT-SRV-ATTR:hostname",
        deserialize_with = "some_text"
    )]
    hostname: Option<String>,
    #[serde(default, deserialize_with = "loose_bool")]
    locked: bool,
    #[serde(default)]
    fault: Option<FaultShape>,
    #[serde(default, deserialize_with = "null_default")]
    flavor: EmbeddedFlavor,
    #[serde(default)]
    image: Option<ImageShape>,
    #[serde(default, deserialize_with = "some_text")]
    key_name: Option<String>,
    #[serde(
        default,
        rename = "OS-EXT-SRV-ATTR:user_data",
        deserialize_with = "some_text"
    )]
    user_data: Option<String>,
    #[serde(default, deserialize_with = "loose_bool")]
    config_drive: bool,
    #[serde(
        default,
        rename = "OS-EXT-AZ:availability_zone",
        deserialize_with = "some_text"
    )]
    availability_zone: Option<String>,
    /// Outer `None`: this Nova does not say.
    #[serde(default, deserialize_with = "said")]
    pinned_availability_zone: Option<Option<String>>,
    #[serde(default, deserialize_with = "text_map")]
    pub(crate) metadata: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "null_default")]
    tags: Vec<String>,
    #[serde(
        default,
        rename = "os-extended-volumes:volumes_attached",
        deserialize_with = "null_default"
    )]
    volumes_attached: Vec<VolumeMention>,
    #[serde(default, deserialize_with = "null_default")]
    server_groups: Vec<String>,
    #[serde(default)]
    addresses: Addresses,
}

#[derive(Deserialize)]
struct FaultShape {
    #[serde(default, deserialize_with = "null_default")]
    message: String,
}

#[derive(Deserialize, Default)]
struct EmbeddedFlavor {
    #[serde(default, deserialize_with = "null_default")]
    original_name: String,
}

/// `""` for a server that boots from a volume.
#[derive(Deserialize)]
#[serde(untagged)]
enum ImageShape {
    Image { id: String },
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct VolumeMention {
    id: String,
    #[serde(default, deserialize_with = "loose_bool")]
    delete_on_termination: bool,
}

impl Listed for ServerShape {
    fn id(&self) -> &str {
        &self.id
    }
}

impl ServerShape {
    /// True when Nova could not look at the server itself: its fields say nothing.
    pub(crate) fn is_cell_down(&self) -> bool {
        matches!(&self.status, ServerStatus::Other(status) if status == CELL_DOWN_STATUS)
    }

    /// Sorts by creation, then id.
    pub(crate) fn age_key(&self) -> (String, String) {
        (self.created.clone(), self.id.clone())
    }

    /// Without user data, and with volumes as the list mentions them: no device, no order (by id).
    pub(crate) fn into_listed(mut self) -> Server {
        self.user_data = None;
        let mut mentioned = std::mem::take(&mut self.volumes_attached);
        mentioned.sort_by(|a, b| a.id.cmp(&b.id));
        let volumes = mentioned.into_iter().map(|mention| AttachedVolume {
            volume: mention.id.into(),
            device: None,
            tag: None,
            delete_on_termination: mention.delete_on_termination,
        });
        let volumes = volumes.collect();
        self.into_server(volumes)
    }

    pub(crate) fn into_server(self, volumes: Vec<AttachedVolume>) -> Server {
        let image_id = match self.image {
            Some(ImageShape::Image { id }) => Some(id),
            Some(ImageShape::Other(_)) | None => None,
        };
        Server {
            id: self.id.into(),
            project_id: self.tenant_id,
            user_id: self.user_id,
            name: self.name,
            description: self.description,
            hostname: self.hostname,
            status: self.status,
            task: self.task,
            locked: self.locked,
            fault: self.fault.map(|fault| clean(&fault.message)),
            flavor_name: self.flavor.original_name,
            image_id,
            key_name: self.key_name,
            user_data: self.user_data,
            config_drive: self.config_drive,
            availability_zone: asked_zone(self.pinned_availability_zone, self.availability_zone),
            metadata: self.metadata,
            tags: self.tags,
            volumes,
            server_groups: self.server_groups,
            addresses: self.addresses.0,
        }
    }
}

/// The zone that was asked for, where Nova says it; else the one where the server is.
fn asked_zone(pinned: Option<Option<String>>, shown: Option<String>) -> Option<String> {
    pinned.unwrap_or_else(|| shown.filter(|zone| zone != NO_ZONE))
}

#[derive(Deserialize)]
pub(crate) struct ZoneList {
    #[serde(rename = "availabilityZoneInfo")]
    zones: Vec<ZoneShape>,
}

#[derive(Deserialize)]
struct ZoneShape {
    #[serde(rename = "zoneName")]
    name: String,
    #[serde(rename = "zoneState")]
    state: ZoneState,
}

#[derive(Deserialize)]
struct ZoneState {
    #[serde(default, deserialize_with = "loose_bool")]
    available: bool,
}

impl ZoneList {
    pub(crate) fn into_available(self) -> Vec<String> {
        let up = self.zones.into_iter().filter(|zone| zone.state.available);
        let mut names: Vec<String> = up.map(|zone| zone.name).collect();
        names.sort();
        names
    }
}

#[derive(Deserialize)]
pub(crate) struct AttachmentList {
    #[serde(rename = "volumeAttachments")]
    pub(crate) attachments: Vec<AttachmentShape>,
}

#[derive(Deserialize)]
pub(crate) struct AttachmentShape {
    #[serde(rename = "volumeId")]
    volume: String,
    #[serde(rename = "serverId")]
    pub(crate) server: String,
    #[serde(default, deserialize_with = "some_text")]
    device: Option<String>,
    #[serde(default, deserialize_with = "some_text")]
    tag: Option<String>,
    #[serde(default, deserialize_with = "loose_bool")]
    delete_on_termination: bool,
}

/// In device order: `vda`, `vdb`, ..., `vdz`, `vdaa`; what has no device comes last, by id.
pub(crate) fn in_device_order(attachments: Vec<AttachmentShape>) -> Vec<AttachedVolume> {
    let mut volumes: Vec<AttachedVolume> = attachments
        .into_iter()
        .map(|shape| AttachedVolume {
            volume: shape.volume.into(),
            device: shape.device,
            tag: shape.tag,
            delete_on_termination: shape.delete_on_termination,
        })
        .collect();
    volumes.sort_by_key(|v| {
        let device = v.device.clone().unwrap_or_default();
        (device.is_empty(), device.len(), device, v.volume.clone())
    });
    volumes
}

#[derive(Deserialize)]
pub(crate) struct Created {
    pub(crate) server: CreatedServer,
}

/// The answer also carries an administrator's password, which is not read.
#[derive(Deserialize)]
pub(crate) struct CreatedServer {
    pub(crate) id: String,
}

#[derive(Deserialize)]
pub(crate) struct FlavorShape {
    id: String,
    #[serde(default, deserialize_with = "null_default")]
    name: String,
    vcpus: u32,
    ram: u64,
    disk: u64,
    #[serde(
        default,
        rename = "OS-FLV-EXT-DATA:ephemeral",
        deserialize_with = "loose_u64"
    )]
    ephemeral: u64,
    #[serde(default, deserialize_with = "loose_u64")]
    swap: u64,
    #[serde(default, deserialize_with = "text_map")]
    extra_specs: BTreeMap<String, String>,
}

impl Listed for FlavorShape {
    fn id(&self) -> &str {
        &self.id
    }
}

impl FlavorShape {
    pub(crate) fn into_flavor(self) -> Flavor {
        Flavor {
            id: self.id.into(),
            name: self.name,
            vcpus: self.vcpus,
            ram_mib: self.ram,
            disk_gib: self.disk,
            ephemeral_gib: self.ephemeral,
            swap_mib: self.swap,
            extra_specs: self.extra_specs,
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct KeypairEnvelope {
    pub(crate) keypair: KeypairShape,
}

#[derive(Deserialize)]
pub(crate) struct KeypairShape {
    pub(crate) name: String,
}

#[derive(Deserialize)]
pub(crate) struct QuotaEnvelope {
    quota_set: QuotaSet,
}

#[derive(Deserialize)]
struct QuotaSet {
    instances: QuotaShape,
    cores: QuotaShape,
    ram: QuotaShape,
}

/// Also Cinder's.
#[derive(Deserialize, Clone, Copy)]
pub(crate) struct QuotaShape {
    limit: i64,
    in_use: i64,
    #[serde(default, deserialize_with = "null_default")]
    reserved: i64,
}

impl QuotaShape {
    /// What is reserved is as good as used.
    pub(crate) fn into_use(self) -> QuotaUse {
        QuotaUse {
            used: self.in_use.saturating_add(self.reserved),
            limit: self.limit,
        }
    }
}

impl QuotaEnvelope {
    pub(crate) fn into_quota(self) -> ComputeQuota {
        ComputeQuota {
            instances: self.quota_set.instances.into_use(),
            cores: self.quota_set.cores.into_use(),
            ram_mib: self.quota_set.ram.into_use(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn shape(value: Value) -> ServerShape {
        serde_json::from_value(value).unwrap_or_else(|e| panic!("{e}"))
    }

    fn whole() -> Value {
        json!({
            "id": "s1", "tenant_id": "p1", "user_id": "u1", "name": "web-1", "status": "ACTIVE",
            "created": "2026-11-20T05:00:00Z", "description": "", "locked": true,
            "OS-EXT-SRV-ATTR:hostname": "web-1", "OS-EXT-SRV-ATTR:user_data": "Y2xvdWQ=",
            "OS-EXT-AZ:availability_zone": "", "flavor": {"original_name": "small", "vcpus": 1},
            "image": "", "key_name": null, "config_drive": "True",
            "metadata": {"k": "v"}, "tags": null, "server_groups": ["g1"],
            "os-extended-volumes:volumes_attached": [
                {"id": "v2", "delete_on_termination": true}, {"id": "v1"}],
            "addresses": {}, "OS-DCF:diskConfig": "AUTO",
        })
    }

    #[test]
    fn a_server_is_read_field_by_field() {
        let server = shape(whole()).into_server(Vec::new());
        assert_eq!(server.status, ServerStatus::Active);
        assert_eq!(
            (server.project_id.as_str(), server.user_id.as_str()),
            ("p1", "u1")
        );
        assert_eq!((server.description, server.availability_zone), (None, None));
        assert_eq!((server.image_id, server.key_name), (None, None));
        assert_eq!(server.user_data.as_deref(), Some("Y2xvdWQ="));
        assert!(server.config_drive && server.locked && server.tags.is_empty());
        assert_eq!(server.flavor_name, "small");
        assert_eq!(server.server_groups, ["g1"]);
    }

    #[test]
    fn the_zone_is_the_one_asked_for_where_nova_says_it() {
        let read = |zone: Value| {
            let mut whole = whole();
            whole
                .as_object_mut()
                .unwrap()
                .extend(zone.as_object().unwrap().clone());
            shape(whole).into_server(Vec::new()).availability_zone
        };
        let shown = "OS-EXT-AZ:availability_zone";
        let some = |zone: &str| Some(zone.to_owned());
        assert_eq!(read(json!({shown: "nova"})), None);
        assert_eq!(read(json!({shown: "east"})), some("east"));
        let pinned = "pinned_availability_zone";
        assert_eq!(read(json!({shown: "east", pinned: null})), None);
        assert_eq!(read(json!({shown: "east", pinned: "nova"})), some("nova"));
    }

    #[test]
    fn a_listed_server_carries_no_user_data_and_volumes_by_id() {
        let server = shape(whole()).into_listed();
        assert_eq!(server.user_data, None);
        let volumes: Vec<_> = server.volumes.iter().map(|v| v.volume.as_str()).collect();
        assert_eq!(volumes, ["v1", "v2"]);
        assert!(server.volumes[1].delete_on_termination);
    }

    #[test]
    fn a_server_in_a_cell_that_is_down_is_still_read() {
        let bare = json!({"id": "s1", "tenant_id": "p1", "status": "UNKNOWN", "created": "x"});
        assert!(shape(bare).is_cell_down());
        assert!(!shape(whole()).is_cell_down());
    }

    #[test]
    fn what_a_server_cannot_do_without() {
        for key in ["id", "tenant_id", "status"] {
            let mut value = whole();
            value.as_object_mut().unwrap().remove(key);
            assert!(
                serde_json::from_value::<ServerShape>(value).is_err(),
                "{key}"
            );
        }
    }

    #[test]
    fn faults_images_and_odd_states() {
        let mut value = whole();
        value["status"] = json!("VERIFY_RESIZE");
        value["fault"] =
            json!({"code": 500, "message": "No valid host\n was found.", "details": "x"});
        value["image"] = json!({"id": "i1", "links": []});
        let server = shape(value).into_server(Vec::new());
        assert_eq!(server.status, ServerStatus::Other("VERIFY_RESIZE".into()));
        assert_eq!(server.fault.as_deref(), Some("No valid host was found."));
        assert_eq!(server.image_id.as_deref(), Some("i1"));
    }

    #[test]
    fn volumes_come_in_device_order() {
        let attachment = |volume: &str, device: Value| json!({"volumeId": volume, "serverId": "s1", "device": device});
        let list: AttachmentList = serde_json::from_value(json!({"volumeAttachments": [
            attachment("none", Value::Null),
            attachment("27th", json!("/dev/vdaa")),
            attachment("second", json!("/dev/vdb")),
            attachment("first", json!("/dev/vda")),
        ]}))
        .unwrap_or_else(|e| panic!("{e}"));
        let ordered = in_device_order(list.attachments);
        let names: Vec<_> = ordered.iter().map(|v| v.volume.as_str()).collect();
        assert_eq!(names, ["first", "second", "27th", "none"]);
    }

    #[test]
    fn flavors_with_swap_in_both_spellings() {
        for swap in [json!(""), json!(0)] {
            let value = json!({"id": "1", "name": "small", "vcpus": 2, "ram": 2048, "disk": 20,
                "swap": swap, "OS-FLV-EXT-DATA:ephemeral": 5, "extra_specs": {"hw:cpu_policy": "dedicated"}});
            let flavor = serde_json::from_value::<FlavorShape>(value)
                .unwrap()
                .into_flavor();
            assert_eq!(
                (flavor.swap_mib, flavor.ephemeral_gib, flavor.ram_mib),
                (0, 5, 2048)
            );
            assert_eq!(flavor.extra_specs.len(), 1);
        }
    }

    #[test]
    fn reserved_quota_counts_as_used() {
        let value = json!({"quota_set": {"id": "p1",
            "instances": {"limit": 10, "in_use": 3, "reserved": 2},
            "cores": {"limit": -1, "in_use": 0}, "ram": {"limit": 5, "in_use": 5, "reserved": null}}});
        let quota = serde_json::from_value::<QuotaEnvelope>(value)
            .unwrap()
            .into_quota();
        assert_eq!(quota.instances, QuotaUse { used: 5, limit: 10 });
        assert!(quota.cores.fits(1_000) && !quota.ram_mib.fits(1));
    }
}
