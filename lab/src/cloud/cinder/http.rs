//! Cinder's paths. Deliberately absent: what happens behind them.

use super::volumes::Create;
use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::wire::{Answer, Fault};

/// First segments that are resources; any other first segment is a project id.
const RESOURCES: [&str; 17] = [
    "attachments",
    "availability-zones",
    "group_types",
    "groups",
    "limits",
    "manageable_volumes",
    "os-availability-zone",
    "os-quota-sets",
    "os-services",
    "os-volume-manage",
    "os-volume-transfer",
    "scheduler-stats",
    "snapshots",
    "types",
    "volume-transfers",
    "volumes",
    "extensions",
];

impl Cloud {
    pub(in crate::cloud) fn cinder_answer(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        let Some(("v3", rest)) = rest.split_first().map(|(first, rest)| (*first, rest)) else {
            return Err(nowhere());
        };
        let rest = match rest.split_first() {
            Some((first, tail)) if !RESOURCES.contains(first) => {
                // A wall of Cinder's own: nobody, not even an admin, works under another project's URL.
                if *first != call.who.project() {
                    return Err(Fault::bad_request("Malformed request url"));
                }
                tail
            }
            _ => rest,
        };
        match rest.first().copied() {
            Some("volumes") => self.volume_paths(rest, call),
            Some("manageable_volumes" | "os-volume-manage") => self.manage_paths(rest, call),
            Some("snapshots") => self.snapshot_paths(rest, call),
            Some("groups" | "group_types") => self.group_paths(rest, call),
            Some("attachments") => self.attachment_paths(rest, call),
            Some("os-volume-transfer" | "volume-transfers") => self.transfer_paths(rest, call),
            Some("types") => self.type_paths(rest, call),
            _ => self.operator_paths(rest, call),
        }
    }

    fn volume_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", ["volumes"]) => self.volume_list(call, false),
            ("GET", ["volumes", "detail"]) => self.volume_list(call, true),
            ("POST", ["volumes"]) => self.volume_create(call, &Create::from_body(&call.body)?),
            ("GET", ["volumes", id]) => self.volume_show(id, call),
            ("PUT", ["volumes", id]) => self.volume_update(id, call),
            ("DELETE", ["volumes", id]) => self.volume_delete(id, call),
            ("POST", ["volumes", id, "action"]) => self.volume_action(id, call),
            (_, ["volumes", id, "metadata"]) => self.metadata_all(id, call),
            (_, ["volumes", id, "metadata", key]) => self.metadata_one(id, key, call),
            _ => Err(nowhere()),
        }
    }
}
