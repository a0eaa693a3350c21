//! Limits, zones, services, server groups: what is asked before anything is done.

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::knobs::Allow;
use crate::cloud::timefmt::iso_micros;
use crate::cloud::wire::{Answer, Fault, Resp};

const GROUP_POLICY_MINOR: u32 = 64;

impl Cloud {
    pub(super) fn compute_operator_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", ["limits"]) => Ok(Resp::json(200, self.compute_limits(call))),
            ("GET", ["os-availability-zone"]) => {
                let zone = json!({"zoneName": self.config.availability_zone, "zoneState": {"available": true}, "hosts": null});
                Ok(Resp::json(200, json!({"availabilityZoneInfo": [zone]})))
            }
            ("GET", ["os-services"]) => self.compute_services(call),
            ("GET", ["os-server-groups"]) => self.server_group_list(call),
            ("GET", ["os-server-groups", id]) => {
                let found = self.nova.server_groups.get(*id);
                let group = found.filter(|group| call.who.sees(&group.project_id));
                let absent =
                    || Fault::not_found(format!("Instance group {id} could not be found."));
                let view = self.server_group_view(group.ok_or_else(absent)?, call);
                Ok(Resp::json(200, json!({"server_group": view})))
            }
            ("GET", ["extensions"]) => Ok(Resp::json(200, json!({"extensions": []}))),
            _ => Err(nowhere()),
        }
    }

    fn compute_limits(&self, call: &Call<'_>) -> Value {
        let asked = call.query("tenant_id").filter(|_| call.who.is_admin());
        let project = asked.unwrap_or(call.who.project());
        let (limit, used) = (
            |name: &str| self.compute_quota_limit(project, name),
            |name: &str| self.compute_quota_used(project, name),
        );
        json!({"limits": {"rate": [], "absolute": {
            "maxTotalInstances": limit("instances"), "maxTotalCores": limit("cores"),
            "maxTotalRAMSize": limit("ram"), "maxServerMeta": limit("metadata_items"),
            "maxTotalKeypairs": limit("key_pairs"), "maxServerGroups": limit("server_groups"),
            "maxServerGroupMembers": limit("server_group_members"),
            "totalInstancesUsed": used("instances"), "totalCoresUsed": used("cores"),
            "totalRAMUsed": used("ram"), "totalServerGroupsUsed": 0,
        }}})
    }

    fn compute_services(&self, call: &Call<'_>) -> Answer {
        self.enforce(call.who, "os_compute_api:os-services:list", &Allow::Admin)?;
        let at = iso_micros(call.now_ms);
        let zone = &self.config.availability_zone;
        let services: Vec<Value> = (1..)
            .zip(&self.config.compute_hosts)
            .map(|(id, host)| {
                json!({
                    "id": id, "binary": "nova-compute", "host": host, "zone": zone,
                    "status": "enabled", "state": "up", "updated_at": at, "disabled_reason": null,
                    "forced_down": false,
                })
            })
            .filter(|service| {
                call.query("host")
                    .is_none_or(|host| json::text(service, "host") == Some(host))
            })
            .filter(|_| {
                call.query("binary")
                    .is_none_or(|binary| binary == "nova-compute")
            })
            .collect();
        Ok(Resp::json(200, json!({"services": services})))
    }

    fn server_group_view(&self, group: &super::ServerGroup, call: &Call<'_>) -> Value {
        let mut view = json!({
            "id": group.id, "name": group.name, "members": group.members,
            "project_id": group.project_id, "user_id": group.user_id,
        });
        if call.minor >= GROUP_POLICY_MINOR {
            json::put(&mut view, "policy", json!(group.policy));
            json::put(&mut view, "rules", json!({}));
        } else {
            json::put(&mut view, "policies", json!([group.policy]));
            json::put(&mut view, "metadata", json!({}));
        }
        view
    }

    fn server_group_list(&self, call: &Call<'_>) -> Answer {
        let everybody = call.who.is_admin() && call.query("all_projects").is_some();
        let all = self.nova.server_groups.values();
        let views: Vec<Value> = all
            .filter(|group| everybody || group.project_id == call.who.project())
            .map(|group| self.server_group_view(group, call))
            .collect();
        Ok(Resp::json(200, json!({"server_groups": views})))
    }
}
