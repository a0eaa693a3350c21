//! Manage and unmanage, with the manners of Cinder's Pure driver.
//!
//! Accepting a manage says little: the array is looked at afterwards, and what is wrong there ends in
//! `error` (faults `G1`, `G2`, `G7`). The array volume is *renamed*, so its old name is gone (`G3`).

use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{GIB, Volume, array_name, invalid_volume};
use crate::cloud::Cloud;
use crate::cloud::agenda::Event;
use crate::cloud::backend::BackendVolume;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::knobs::Allow;
use crate::cloud::wire::{Answer, Fault, Resp};

/// What the driver says of a volume it took over.
fn driver_metadata(name: &str, service: &str) -> BTreeMap<String, String> {
    let array = service.rsplit('#').next().unwrap_or_default();
    [("array_volume_name", name), ("array_name", array)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

const UNMANAGED_SUFFIX: &str = "-unmanaged";

impl Cloud {
    pub(super) fn manage_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("POST", [_]) => self.volume_manage(call),
            _ => Err(nowhere()),
        }
    }

    fn volume_manage(&mut self, call: &Call<'_>) -> Answer {
        self.enforce(call.who, "volume_extension:volume_manage", &Allow::Admin)?;
        let asked = json::need_object(&call.body, "volume")?;
        let reference = json::need_object(asked, "ref")?;
        let host = json::need(asked, "host")?;
        let type_id = self.manage_type(asked)?;
        let source = json::text_or_empty(reference, "source-name");
        if self.array_name_is_taken(&source) {
            return Err(invalid_volume(
                "Unable to manage existing volume. The volume is already managed",
            ));
        }
        self.manage_host_check(host)?;
        // Cinder reserves one volume of size 0 here and the gigabytes only after looking at the array.
        self.quota_check(call.who.project(), &type_id, 1, 0)?;
        if self.knobs.manage_refs_checked_early {
            self.manage_look(&source, call.now_ms)?;
        }
        let volume = self.manage_record(call, asked, host, type_id);
        let view = self.volume_view(call, &volume);
        let event = Event::VolumeManage {
            volume: volume.id.clone(),
            source,
        };
        self.cinder.volumes.insert(volume.id.clone(), volume);
        if !self.knobs.manages_stuck {
            self.plan(call.now_ms, self.knobs.latency.volume_manage, event);
        }
        Ok(Resp::json(202, json!({"volume": view})))
    }

    fn manage_record(
        &mut self,
        call: &Call<'_>,
        asked: &Value,
        host: &str,
        type_id: String,
    ) -> Volume {
        let kind = self.cinder.types.get(&type_id);
        let spec = kind.and_then(|kind| kind.extra_specs.get("multiattach"));
        let multiattach = spec.is_some_and(|value| value == "<is> True");
        let zone = json::text(asked, "availability_zone").unwrap_or(&self.config.availability_zone);
        Volume {
            id: self.ids.uuid(),
            name: json::text(asked, "name").map(|name| name.trim().to_owned()),
            description: json::text(asked, "description").map(|text| text.trim().to_owned()),
            size_gb: 0,
            status: "managing".to_owned(),
            project_id: call.who.project().to_owned(),
            user_id: call.who.user_id.clone(),
            host: Some(host.to_owned()),
            volume_type_id: type_id,
            bootable: json::truth(asked, "bootable").unwrap_or(false),
            metadata: json::text_map(asked, "metadata"),
            image_metadata: BTreeMap::new(),
            group_id: None,
            snapshot_id: None,
            source_volid: None,
            availability_zone: zone.to_owned(),
            multiattach,
            encrypted: false,
            managed: true,
            array_name: None,
            serial: None,
            created_ms: call.now_ms,
            updated_ms: None,
        }
    }

    fn manage_type(&self, asked: &Value) -> Result<String, Fault> {
        let kind = match json::text(asked, "volume_type") {
            Some(named) => self.cinder.type_of(named).ok_or_else(|| {
                Fault::bad_request(format!(
                    "Invalid volume type: Cannot find requested '{named}' volume type"
                ))
            })?,
            None => {
                let default = self.cinder.default_type.as_ref();
                let kind = default.and_then(|id| self.cinder.types.get(id));
                kind.ok_or_else(|| {
                    Fault::typed(500, "Error", "Default volume type can not be found.")
                })?
            }
        };
        if kind.encrypted {
            return Err(Fault::bad_request(
                "Invalid volume type: Managing to an encrypted volume type is not supported.",
            ));
        }
        Ok(kind.id.clone())
    }

    /// 400 unless the service of `host@backend` exists and is up. The pool is the scheduler's matter.
    fn manage_host_check(&self, host: &str) -> Result<(), Fault> {
        let service = host.split('#').next();
        if service != self.config.volume_host.split('#').next() {
            return Err(Fault::bad_request(format!("Host '{host}' not found")));
        }
        if !self.knobs.cinder_volume_up {
            return Err(Fault::bad_request("Service is unavailable at this time."));
        }
        Ok(())
    }

    fn array_name_is_taken(&self, source: &str) -> bool {
        let mut all = self.cinder.volumes.values();
        !self.knobs.manage_may_steal
            && all.any(|volume| volume.array_name.as_deref() == Some(source))
    }

    /// The array volume a manage may take: it exists and no host is connected.
    fn manage_look(&self, source: &str, at_ms: i64) -> Result<BackendVolume, Fault> {
        let reason = |why: &str| {
            format!(
                "Manage existing volume failed due to invalid backend reference {source}: {why}"
            )
        };
        let found = self
            .backend
            .lookup(at_ms, source)
            .map_err(|error| Fault::typed(500, "Error", error.to_string()))?;
        let found = found.ok_or_else(|| Fault::not_found(reason("it does not exist")))?;
        if found.connected {
            return Err(Fault::bad_request(reason(
                "cannot manage a volume connected to hosts. Please disconnect this volume from \
                 existing hosts before importing",
            )));
        }
        Ok(found)
    }

    pub(in crate::cloud) fn volume_manage_finish(&mut self, id: &str, source: &str, at_ms: i64) {
        let Some(volume) = self.cinder.volumes.get(id).cloned() else {
            return;
        };
        if volume.status != "managing" {
            return;
        }
        let taken = self.manage_take(&volume, source, at_ms);
        let service = self.config.volume_host.clone();
        let Some(volume) = self.cinder.volumes.get_mut(id) else {
            return;
        };
        volume.updated_ms = Some(at_ms);
        match taken {
            Some((size_gb, serial)) => {
                volume.size_gb = size_gb;
                volume.serial = Some(serial);
                volume.array_name = Some(array_name(id));
                // As its driver does: whatever metadata the import asked for is gone.
                volume.metadata = driver_metadata(&array_name(id), &service);
                "available".clone_into(&mut volume.status);
            }
            None => "error_managing".clone_into(&mut volume.status),
        }
    }

    /// Size in GiB and serial of the volume taken, or `None` for whatever ends in `error_managing`.
    fn manage_take(&mut self, volume: &Volume, source: &str, at_ms: i64) -> Option<(i64, String)> {
        let pool_fits = volume.host.as_deref() == Some(&self.config.volume_host);
        let refused = self.knobs.manages_fail || self.array_name_is_taken(source);
        if refused || !pool_fits || !self.backend_takes(&volume.volume_type_id) {
            return None;
        }
        let found = self.manage_look(source, at_ms).ok()?;
        let size_gb = i64::try_from(found.size_bytes.div_ceil(GIB)).ok()?;
        self.quota_check(&volume.project_id, &volume.volume_type_id, 0, size_gb)
            .ok()?;
        self.backend
            .rename(at_ms, source, &array_name(&volume.id))
            .ok()?;
        Some((size_gb, found.serial))
    }

    pub(super) fn volume_unmanage(&mut self, id: &str, call: &Call<'_>) -> Answer {
        self.cinder.volume(id, call.who)?;
        self.enforce(call.who, "volume_extension:volume_unmanage", &Allow::Admin)?;
        self.volume_let_go_check(id, false)?;
        let failed_manage = self
            .cinder
            .volumes
            .get(id)
            .is_some_and(|one| one.status == "error_managing");
        let status = if failed_manage {
            "error_managing_deleting"
        } else {
            "unmanaging"
        };
        self.cinder.set_status(id, status, call.now_ms);
        let event = Event::VolumeUnmanage {
            volume: id.to_owned(),
        };
        self.plan(call.now_ms, self.knobs.latency.volume_manage, event);
        Ok(Resp::empty(202))
    }

    pub(in crate::cloud) fn volume_unmanage_finish(&mut self, id: &str, at_ms: i64) {
        let Some(volume) = self.cinder.volumes.get(id) else {
            return;
        };
        let ours = volume
            .array_name
            .as_ref()
            .filter(|_| volume.status == "unmanaging");
        let renamed = ours.is_none_or(|name| {
            let free = format!("{name}{UNMANAGED_SUFFIX}");
            self.backend.rename(at_ms, name, &free).is_ok()
        });
        if renamed {
            self.cinder.volumes.remove(id);
        } else {
            self.cinder.set_status(id, "error_deleting", at_ms);
        }
    }
}
