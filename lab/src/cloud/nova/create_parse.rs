//! `POST /servers`: the body, read and judged for shape. Deliberately absent: what exists.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::cloud::json;
use crate::cloud::wire::Fault;

const DESCRIPTION_MINOR: u32 = 19;
const NETWORKS_NEEDED_MINOR: u32 = 37;
const TAGS_MINOR: u32 = 52;
const HOSTNAME_MINOR: u32 = 90;
const USER_DATA_BYTES_MAX: usize = 65_535;
const DISKS_MAX: usize = 64;

/// A disk as asked for.
pub(super) struct DiskAsk {
    pub(super) volume_id: String,
    pub(super) boot_index: Option<i64>,
    pub(super) device: Option<String>,
    pub(super) tag: Option<String>,
    pub(super) delete_on_termination: bool,
}

/// The networks as asked for.
pub(super) enum NetAsk {
    /// The project's only network, if it has exactly one.
    Auto,
    Nothing,
    Listed(Vec<NicAsk>),
}

/// A network card as asked for.
pub(super) struct NicAsk {
    pub(super) port_id: Option<String>,
    pub(super) network_id: Option<String>,
    pub(super) fixed_ip: Option<String>,
    pub(super) tag: Option<String>,
}

/// A server as asked for.
pub(super) struct ServerAsk {
    pub(super) name: String,
    pub(super) flavor_ref: String,
    pub(super) image_ref: Option<String>,
    pub(super) description: Option<String>,
    pub(super) hostname: Option<String>,
    pub(super) key_name: Option<String>,
    pub(super) user_data: Option<String>,
    pub(super) config_drive: bool,
    pub(super) availability_zone: Option<String>,
    pub(super) security_groups: Vec<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) tags: BTreeSet<String>,
    pub(super) scheduler_hints: Value,
    pub(super) disks: Vec<DiskAsk>,
    pub(super) networks: NetAsk,
}

impl ServerAsk {
    /// Reads the body under the rules of microversion `2.minor`. Errors: 400.
    pub(super) fn from_body(body: &Value, minor: u32) -> Result<Self, Fault> {
        let asked = json::need_object(body, "server")?;
        for (key, since) in [
            ("description", DESCRIPTION_MINOR),
            ("tags", TAGS_MINOR),
            ("hostname", HOSTNAME_MINOR),
        ] {
            if minor < since && asked.get(key).is_some() {
                return Err(Fault::bad_request(format!(
                    "Invalid input for field/attribute server. Additional properties are not \
                     allowed ('{key}' was unexpected)"
                )));
            }
        }
        let owned = |key| json::text(asked, key).map(str::to_owned);
        let name = json::need(asked, "name")?;
        if name.trim().is_empty() || name.chars().count() > 255 {
            return Err(Fault::bad_request(format!(
                "Invalid input for field/attribute name. Value: {name}."
            )));
        }
        let user_data = owned("user_data");
        if user_data
            .as_ref()
            .is_some_and(|data| data.len() > USER_DATA_BYTES_MAX)
        {
            return Err(Fault::bad_request("User data too large."));
        }
        Ok(Self {
            name: name.to_owned(),
            flavor_ref: reference(json::need(asked, "flavorRef")?),
            image_ref: json::text(asked, "imageRef")
                .filter(|id| !id.is_empty())
                .map(reference),
            description: owned("description"),
            hostname: owned("hostname"),
            key_name: owned("key_name"),
            user_data,
            config_drive: json::truth(asked, "config_drive").unwrap_or(false),
            availability_zone: owned("availability_zone"),
            security_groups: named(asked, "security_groups"),
            metadata: json::text_map(asked, "metadata"),
            tags: json::texts(asked, "tags").into_iter().collect(),
            scheduler_hints: hints(body),
            disks: disks(asked)?,
            networks: networks(asked, minor)?,
        })
    }
}

/// An id, given as such or as the end of a link.
fn reference(text: &str) -> String {
    text.rsplit('/').next().unwrap_or_default().to_owned()
}

fn named(asked: &Value, key: &str) -> Vec<String> {
    let all = json::list(asked, key).iter();
    all.filter_map(|one| json::text(one, "name"))
        .map(str::to_owned)
        .collect()
}

fn hints(body: &Value) -> Value {
    let given = body
        .get("os:scheduler_hints")
        .or_else(|| body.get("OS-SCH-HNT:scheduler_hints"));
    given.cloned().unwrap_or_else(|| json!({}))
}

fn disks(asked: &Value) -> Result<Vec<DiskAsk>, Fault> {
    let given = json::list(asked, "block_device_mapping_v2");
    if given.len() > DISKS_MAX {
        return Err(Fault::bad_request(
            "Block Device Mapping is Invalid: too many disks.",
        ));
    }
    let mut disks = Vec::new();
    for one in given {
        let source = json::text(one, "source_type").unwrap_or_default();
        let local_root = source == "image" && json::text(one, "destination_type") != Some("volume");
        if local_root {
            continue;
        }
        if source != "volume" {
            return Err(Fault::bad_request(format!(
                "Block Device Mapping is Invalid: source_type '{source}' is not modelled."
            )));
        }
        disks.push(DiskAsk {
            volume_id: json::need(one, "uuid")?.to_owned(),
            boot_index: json::number(one, "boot_index"),
            device: json::text(one, "device_name").map(str::to_owned),
            tag: json::text(one, "tag").map(str::to_owned),
            delete_on_termination: json::truth(one, "delete_on_termination").unwrap_or(false),
        });
    }
    Ok(disks)
}

fn networks(asked: &Value, minor: u32) -> Result<NetAsk, Fault> {
    match asked.get("networks") {
        None | Some(Value::Null) if minor >= NETWORKS_NEEDED_MINOR => Err(Fault::bad_request(
            "Invalid input for field/attribute server. 'networks' is a required property",
        )),
        None | Some(Value::Null) => Ok(NetAsk::Auto),
        Some(Value::String(word)) if word == "auto" => Ok(NetAsk::Auto),
        Some(Value::String(word)) if word == "none" => Ok(NetAsk::Nothing),
        Some(Value::Array(all)) if all.is_empty() => Ok(NetAsk::Auto),
        Some(Value::Array(all)) => Ok(NetAsk::Listed(all.iter().map(nic).collect())),
        Some(_) => Err(Fault::bad_request(
            "Invalid input for field/attribute networks.",
        )),
    }
}

fn nic(one: &Value) -> NicAsk {
    let owned = |key| json::text(one, key).map(str::to_owned);
    NicAsk {
        port_id: owned("port"),
        network_id: owned("uuid"),
        fixed_ip: owned("fixed_ip"),
        tag: owned("tag"),
    }
}
