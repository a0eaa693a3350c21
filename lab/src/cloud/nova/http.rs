//! Nova's paths. Deliberately absent: what happens behind them.

use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::wire::Answer;

impl Cloud {
    pub(in crate::cloud) fn nova_answer(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        let Some(("v2.1", rest)) = rest.split_first().map(|(first, rest)| (*first, rest)) else {
            return Err(nowhere());
        };
        match rest.first().copied() {
            Some("servers") => self.server_paths(rest, call),
            Some("flavors") => self.flavor_paths(rest, call),
            Some("os-keypairs") => self.keypair_paths(rest, call),
            Some("os-quota-sets") => self.compute_quota_paths(rest, call),
            _ => self.compute_operator_paths(rest, call),
        }
    }

    fn server_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", ["servers"]) => self.server_list(call, false),
            ("GET", ["servers", "detail"]) => self.server_list(call, true),
            ("POST", ["servers"]) => self.server_create(call),
            ("GET", ["servers", id]) => self.server_show(id, call),
            ("PUT", ["servers", id]) => self.server_update(id, call),
            ("DELETE", ["servers", id]) => self.server_delete(id, call),
            ("POST", ["servers", id, "action"]) => self.server_action(id, call),
            ("GET", ["servers", id, "os-interface"]) => self.interface_list(id, call),
            (_, ["servers", id, "metadata", ..]) => self.server_metadata_paths(id, rest, call),
            (_, ["servers", id, "tags", ..]) => self.server_tag_paths(id, rest, call),
            (_, ["servers", id, "os-volume_attachments", ..]) => self.disk_paths(id, rest, call),
            _ => Err(nowhere()),
        }
    }
}
