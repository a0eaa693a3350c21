//! Volumes made, listed, shown, renamed and deleted.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{GIB, Volume, array_name, invalid_volume};
use crate::cloud::Cloud;
use crate::cloud::agenda::Event;
use crate::cloud::backend::BackendError;
use crate::cloud::dispatch::Call;
use crate::cloud::json;
use crate::cloud::paging::{self, PAGE_MAX};
use crate::cloud::wire::{Answer, Fault, Resp};

/// From here on unknown filters are refused.
const FILTER_CHECK_MINOR: u32 = 31;
const PAGING_WORDS: [&str; 7] = [
    "limit",
    "marker",
    "offset",
    "sort",
    "sort_key",
    "sort_dir",
    "with_count",
];

/// A create request, read but not yet judged.
pub(super) struct Create {
    name: Option<String>,
    description: Option<String>,
    size_gb: Option<i64>,
    volume_type: Option<String>,
    snapshot_id: Option<String>,
    source_volid: Option<String>,
    image_id: Option<String>,
    metadata: BTreeMap<String, String>,
}

impl Create {
    pub(super) fn from_body(body: &Value) -> Result<Self, Fault> {
        let asked = json::need_object(body, "volume")?;
        let owned = |key| json::text(asked, key).map(str::to_owned);
        Ok(Self {
            name: owned("name"),
            description: owned("description"),
            size_gb: json::number(asked, "size"),
            volume_type: owned("volume_type"),
            snapshot_id: owned("snapshot_id"),
            source_volid: owned("source_volid"),
            image_id: owned("imageRef").or_else(|| owned("image_id")),
            metadata: json::text_map(asked, "metadata"),
        })
    }
}

/// Where a new volume's content comes from.
#[derive(Default)]
struct Source {
    least_gb: i64,
    type_id: Option<String>,
    bootable: bool,
    image_metadata: BTreeMap<String, String>,
}

impl Cloud {
    pub(super) fn volume_create(&mut self, call: &Call<'_>, asked: &Create) -> Answer {
        let source = self.volume_source(call, asked)?;
        let type_id = match (&asked.volume_type, source.type_id) {
            (Some(named), _) => self
                .cinder
                .type_of(named)
                .map(|kind| kind.id.clone())
                .ok_or_else(|| {
                    Fault::not_found(format!("Volume type {named} could not be found."))
                })?,
            (None, Some(inherited)) => inherited,
            (None, None) => self
                .cinder
                .default_type
                .clone()
                .ok_or_else(|| Fault::bad_request("Default volume type can not be found."))?,
        };
        let size_gb = asked.size_gb.unwrap_or(source.least_gb);
        if size_gb < 1 || size_gb < source.least_gb {
            return Err(Fault::bad_request(format!(
                "Invalid input received: Invalid volume size provided for create request: {size_gb} \
                 (size argument must be an integer and at least {})",
                source.least_gb.max(1)
            )));
        }
        self.quota_check(call.who.project(), &type_id, 1, size_gb)?;
        let kind = self.cinder.types.get(&type_id);
        let flag = |spec: &str| {
            kind.and_then(|kind| kind.extra_specs.get(spec))
                .map(String::as_str)
        };
        let volume = Volume {
            id: self.ids.uuid(),
            name: asked.name.clone(),
            description: asked.description.clone(),
            size_gb,
            status: "creating".to_owned(),
            project_id: call.who.project().to_owned(),
            user_id: call.who.user_id.clone(),
            host: None,
            bootable: source.bootable,
            metadata: asked.metadata.clone(),
            image_metadata: source.image_metadata,
            group_id: None,
            snapshot_id: asked.snapshot_id.clone(),
            source_volid: asked.source_volid.clone(),
            availability_zone: self.config.availability_zone.clone(),
            multiattach: flag("multiattach") == Some("<is> True"),
            encrypted: kind.is_some_and(|kind| kind.encrypted),
            volume_type_id: type_id,
            managed: false,
            array_name: None,
            serial: None,
            created_ms: call.now_ms,
            updated_ms: None,
        };
        let view = self.volume_view(call, &volume);
        let event = Event::VolumeCreate {
            volume: volume.id.clone(),
        };
        self.cinder.volumes.insert(volume.id.clone(), volume);
        self.plan(call.now_ms, self.knobs.latency.volume_create, event);
        Ok(Resp::json(202, json!({"volume": view})))
    }

    fn volume_source(&self, call: &Call<'_>, asked: &Create) -> Result<Source, Fault> {
        if let Some(id) = &asked.snapshot_id {
            let snapshot = self.snapshot(id, call.who)?;
            let origin = self.cinder.volume(&snapshot.volume_id, call.who)?;
            return Ok(Source {
                least_gb: snapshot.size_gb,
                type_id: Some(origin.volume_type_id.clone()),
                bootable: origin.bootable,
                image_metadata: origin.image_metadata.clone(),
            });
        }
        if let Some(id) = &asked.source_volid {
            let origin = self.cinder.volume(id, call.who)?;
            if !matches!(origin.status.as_str(), "available" | "in-use") {
                return Err(invalid_volume(format!(
                    "status must be available or in-use, but is {}",
                    origin.status
                )));
            }
            return Ok(Source {
                least_gb: origin.size_gb,
                type_id: Some(origin.volume_type_id.clone()),
                bootable: origin.bootable,
                image_metadata: origin.image_metadata.clone(),
            });
        }
        if let Some(id) = &asked.image_id {
            let image = self
                .image_seen(id, call.who)
                .ok_or_else(|| Fault::bad_request(format!("Invalid image identifier {id}")))?;
            let mut image_metadata = image.properties.clone();
            image_metadata.insert("image_id".to_owned(), image.id.clone());
            image_metadata.insert("image_name".to_owned(), image.name.clone());
            return Ok(Source {
                least_gb: image.min_disk_gb,
                type_id: None,
                bootable: true,
                image_metadata,
            });
        }
        Ok(Source::default())
    }

    pub(in crate::cloud) fn volume_create_finish(&mut self, id: &str, at_ms: i64) {
        let Some(volume) = self.cinder.volumes.get(id).cloned() else {
            return;
        };
        if volume.status != "creating" {
            return;
        }
        let made = if self.backend_takes(&volume.volume_type_id) {
            self.volume_make(&volume, at_ms)
        } else {
            Err(BackendError::Refused(
                "no valid backend was found".to_owned(),
            ))
        };
        let Some(volume) = self.cinder.volumes.get_mut(id) else {
            return;
        };
        volume.updated_ms = Some(at_ms);
        match made {
            Ok(serial) => {
                volume.array_name = Some(array_name(id));
                volume.serial = Some(serial);
                volume.host = Some(self.config.volume_host.clone());
                "available".clone_into(&mut volume.status);
            }
            Err(_) => "error".clone_into(&mut volume.status),
        }
    }

    fn volume_make(&self, volume: &Volume, at_ms: i64) -> Result<String, BackendError> {
        let name = array_name(&volume.id);
        let size_bytes = u64::try_from(volume.size_gb).unwrap_or(0) * GIB;
        let kind = self.type_name(&volume.volume_type_id);
        let from_snapshot = volume.snapshot_id.as_ref();
        let origin = from_snapshot
            .and_then(|id| self.cinder.snapshots.get(id))
            .map(|snapshot| snapshot.volume_id.clone())
            .or_else(|| volume.source_volid.clone());
        let Some(origin) = origin else {
            return self.backend.create(at_ms, &name, size_bytes, &kind);
        };
        let source = self
            .cinder
            .volumes
            .get(&origin)
            .and_then(|one| one.array_name.clone());
        let source = source.ok_or(BackendError::Missing(origin))?;
        self.backend
            .clone_volume(at_ms, &source, &name, size_bytes, &kind)
    }

    pub(super) fn volume_show(&self, id: &str, call: &Call<'_>) -> Answer {
        let volume = self.cinder.volume(id, call.who)?;
        Ok(Resp::json(
            200,
            json!({"volume": self.volume_view(call, volume)}),
        ))
    }

    pub(super) fn volume_list(&self, call: &Call<'_>, detail: bool) -> Answer {
        let everybody = call.who.is_admin() && call.query("all_tenants").is_some_and(json::is_true);
        let mut found = Vec::new();
        for volume in self.cinder.volumes.values() {
            let own = everybody || volume.project_id == call.who.project();
            if own && volume_fits(call, volume)? {
                found.push(volume);
            }
        }
        // Cinder's own order: newest first, then id, both downwards.
        found
            .sort_by(|left, right| (right.created_ms, &right.id).cmp(&(left.created_ms, &left.id)));
        let views = found
            .into_iter()
            .map(|volume| match detail {
                true => self.volume_view(call, volume),
                false => self.volume_brief(call, volume),
            })
            .collect();
        let page = paging::page(call, views, PAGE_MAX)?;
        Ok(Resp::json(
            200,
            paging::body("volumes", "volumes_links", page),
        ))
    }

    pub(super) fn volume_update(&mut self, id: &str, call: &Call<'_>) -> Answer {
        let asked = json::need_object(&call.body, "volume")?;
        let volume = self.cinder.volume_mut(id, call.who)?;
        if let Some(name) = json::text(asked, "name") {
            volume.name = Some(name.to_owned());
        }
        if let Some(given) = asked.get("description") {
            volume.description = given.as_str().map(str::to_owned);
        }
        if asked.get("metadata").is_some() {
            volume.metadata = json::text_map(asked, "metadata");
        }
        volume.updated_ms = Some(call.now_ms);
        self.volume_show(id, call)
    }

    pub(super) fn volume_delete(&mut self, id: &str, call: &Call<'_>) -> Answer {
        self.cinder.volume(id, call.who)?;
        if call.query("cascade").is_some_and(json::is_true) {
            self.cinder.snapshots.retain(|_, one| one.volume_id != id);
        }
        let force = call.query("force").is_some_and(json::is_true) && call.who.is_admin();
        self.volume_delete_start(id, force, call.now_ms)?;
        Ok(Resp::empty(202))
    }

    /// Checks what `delete` and `unmanage` check alike.
    pub(super) fn volume_let_go_check(&self, id: &str, force: bool) -> Result<(), Fault> {
        let Some(volume) = self.cinder.volumes.get(id) else {
            return Err(super::volume_missing(id));
        };
        let free = matches!(
            volume.status.as_str(),
            "available" | "error" | "error_restoring" | "error_extending" | "error_managing"
        );
        let attached = self
            .cinder
            .attachments_of(id)
            .any(|one| one.status == "attached");
        let held = attached || volume.group_id.is_some() || self.cinder.has_snapshots(id);
        if held || !(free || force) {
            return Err(invalid_volume(format!(
                "Volume status must be available or error or error_restoring or error_extending or \
                 error_managing and must not be migrating, attached, belong to a group, have \
                 snapshots, awaiting a transfer, or be disassociated from snapshots after volume \
                 transfer. (volume {id})"
            )));
        }
        Ok(())
    }

    /// Accepts a delete; Nova's `delete_on_termination` comes this way too.
    pub(in crate::cloud) fn volume_delete_start(
        &mut self,
        id: &str,
        force: bool,
        now_ms: i64,
    ) -> Result<(), Fault> {
        self.volume_let_go_check(id, force)?;
        let failed_manage = self
            .cinder
            .volumes
            .get(id)
            .is_some_and(|one| one.status == "error_managing");
        let status = if failed_manage {
            "error_managing_deleting"
        } else {
            "deleting"
        };
        self.cinder.set_status(id, status, now_ms);
        let event = Event::VolumeDelete {
            volume: id.to_owned(),
        };
        self.plan(now_ms, self.knobs.latency.volume_delete, event);
        Ok(())
    }

    pub(in crate::cloud) fn volume_delete_finish(&mut self, id: &str, at_ms: i64) {
        let Some(volume) = self.cinder.volumes.get(id) else {
            return;
        };
        // A volume whose manage failed was never Cinder's: its array volume stays.
        let ours = volume
            .array_name
            .as_ref()
            .filter(|_| volume.status == "deleting");
        let gone = match ours.map(|name| self.backend.destroy(at_ms, name)) {
            None | Some(Ok(()) | Err(BackendError::Missing(_))) => true,
            Some(Err(_)) => false,
        };
        if gone {
            self.cinder.volumes.remove(id);
            self.cinder.attachments.retain(|_, one| one.volume_id != id);
        } else {
            self.cinder.set_status(id, "error_deleting", at_ms);
        }
    }
}

fn volume_fits(call: &Call<'_>, volume: &Volume) -> Result<bool, Fault> {
    for (name, value) in &call.req.query {
        let fits = match name.as_str() {
            "name" => volume.name.as_deref() == Some(value),
            "name~" => volume
                .name
                .as_deref()
                .is_some_and(|own| own.contains(value)),
            // The inner status: `creating` does not find a volume that is being managed.
            "status" => volume.status == *value,
            "bootable" => volume.bootable == json::is_true(value),
            "availability_zone" => volume.availability_zone == *value,
            "group_id" => volume.group_id.as_deref() == Some(value),
            "size" => volume.size_gb.to_string() == *value,
            "metadata" => metadata_fits(volume, value)?,
            "id" if call.who.is_admin() => volume.id == *value,
            "host" if call.who.is_admin() => volume.host.as_deref() == Some(value),
            "project_id" if call.who.is_admin() => volume.project_id == *value,
            "all_tenants" => true,
            other if PAGING_WORDS.contains(&other) => true,
            other if call.minor >= FILTER_CHECK_MINOR => {
                return Err(Fault::bad_request(format!(
                    "Invalid filters {other} are found in query options."
                )));
            }
            _ => true,
        };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `metadata={'key': 'value'}`: the clients send Python's form, JSON is taken too.
fn metadata_fits(volume: &Volume, asked: &str) -> Result<bool, Fault> {
    let parsed: Option<BTreeMap<String, String>> = serde_json::from_str(asked)
        .ok()
        .or_else(|| serde_json::from_str(&asked.replace('\'', "\"")).ok());
    let wanted = parsed.ok_or_else(|| Fault::bad_request("Invalid metadata filter."))?;
    let fits = |(key, value): (&String, &String)| volume.metadata.get(key) == Some(value);
    Ok(wanted.iter().all(fits))
}
