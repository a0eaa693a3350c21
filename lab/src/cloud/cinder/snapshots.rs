//! Snapshot records, enough to make a volume from one.

use serde_json::{Value, json};

use super::views::snapshot_view;
use super::{Snapshot, invalid_volume};
use crate::cloud::Cloud;
use crate::cloud::agenda::Event;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::policy::Who;
use crate::cloud::wire::{Answer, Fault, Resp};

impl Cloud {
    pub(super) fn snapshot(&self, id: &str, who: &Who) -> Result<&Snapshot, Fault> {
        let found = self.cinder.snapshots.get(id);
        found
            .filter(|snapshot| who.sees(&snapshot.project_id))
            .ok_or_else(|| Fault::not_found(format!("Snapshot {id} could not be found.")))
    }

    pub(super) fn snapshot_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("POST", ["snapshots"]) => self.snapshot_create(call),
            ("GET", ["snapshots"] | ["snapshots", "detail"]) => {
                let all = self.cinder.snapshots.values();
                let views: Vec<Value> = all
                    .filter(|one| one.project_id == call.who.project())
                    .filter(|one| call.query("volume_id").is_none_or(|id| id == one.volume_id))
                    .map(snapshot_view)
                    .collect();
                Ok(Resp::json(200, json!({"snapshots": views})))
            }
            ("GET", ["snapshots", id]) => {
                let snapshot = self.snapshot(id, call.who)?;
                Ok(Resp::json(
                    200,
                    json!({"snapshot": snapshot_view(snapshot)}),
                ))
            }
            ("DELETE", ["snapshots", id]) => self.snapshot_delete(id, call),
            _ => Err(nowhere()),
        }
    }

    fn snapshot_create(&mut self, call: &Call<'_>) -> Answer {
        let asked = json::need_object(&call.body, "snapshot")?;
        let volume_id = json::need(asked, "volume_id")?;
        let volume = self.cinder.volume(volume_id, call.who)?;
        let forced = json::truth(asked, "force").unwrap_or(false);
        if volume.status != "available" && !(forced && volume.status == "in-use") {
            return Err(invalid_volume(format!(
                "Volume {volume_id} status must be available, but current status is: {}.",
                volume.status
            )));
        }
        let (project_id, size_gb) = (volume.project_id.clone(), volume.size_gb);
        let snapshot = Snapshot {
            id: self.ids.uuid(),
            name: json::text(asked, "name").map(str::to_owned),
            description: json::text(asked, "description").map(str::to_owned),
            volume_id: volume_id.to_owned(),
            size_gb,
            status: "creating".to_owned(),
            project_id,
            created_ms: call.now_ms,
            metadata: json::text_map(asked, "metadata"),
        };
        let view = snapshot_view(&snapshot);
        let event = Event::SnapshotCreate {
            snapshot: snapshot.id.clone(),
        };
        self.cinder.snapshots.insert(snapshot.id.clone(), snapshot);
        self.plan(call.now_ms, self.knobs.latency.volume_create, event);
        Ok(Resp::json(202, json!({"snapshot": view})))
    }

    fn snapshot_delete(&mut self, id: &str, call: &Call<'_>) -> Answer {
        self.snapshot(id, call.who)?;
        if let Some(snapshot) = self.cinder.snapshots.get_mut(id) {
            "deleting".clone_into(&mut snapshot.status);
        }
        let event = Event::SnapshotDelete {
            snapshot: id.to_owned(),
        };
        self.plan(call.now_ms, self.knobs.latency.volume_create, event);
        Ok(Resp::empty(202))
    }

    pub(in crate::cloud) fn snapshot_create_finish(&mut self, id: &str, _at_ms: i64) {
        if let Some(snapshot) = self.cinder.snapshots.get_mut(id) {
            "available".clone_into(&mut snapshot.status);
        }
    }

    pub(in crate::cloud) fn snapshot_delete_finish(&mut self, id: &str) {
        self.cinder.snapshots.remove(id);
    }
}
