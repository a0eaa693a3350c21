//! Neutron's quotas: counted, never stored. Over the limit is 409 `OverQuota` (fault `H11`).

use serde_json::json;

use super::policy_denied;
use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::wire::{Answer, Fault, Resp};

const RESOURCES: [&str; 6] = [
    "network",
    "subnet",
    "port",
    "router",
    "floatingip",
    "security_group",
];

impl Cloud {
    fn network_quota_used(&self, project_id: &str, resource: &str) -> i64 {
        let neutron = &self.neutron;
        let own = |owner: &String| owner == project_id;
        let count = match resource {
            "network" => neutron
                .networks
                .values()
                .filter(|one| own(&one.project_id))
                .count(),
            "subnet" => neutron
                .subnets
                .values()
                .filter(|one| own(&one.project_id))
                .count(),
            "port" => neutron
                .ports
                .values()
                .filter(|one| own(&one.project_id))
                .count(),
            "router" => neutron
                .routers
                .values()
                .filter(|one| own(&one.project_id))
                .count(),
            "floatingip" => neutron
                .floating_ips
                .values()
                .filter(|one| own(&one.project_id))
                .count(),
            _ => neutron
                .security_groups
                .values()
                .filter(|one| own(&one.project_id))
                .count(),
        };
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    fn network_quota_limit(&self, project_id: &str, resource: &str) -> i64 {
        let limits = self.neutron.quotas.get(project_id);
        limits
            .and_then(|all| all.get(resource))
            .copied()
            .unwrap_or(-1)
    }

    pub(super) fn network_quota_check(
        &self,
        project_id: &str,
        resource: &str,
        wanted: i64,
    ) -> Result<(), Fault> {
        let limit = self.network_quota_limit(project_id, resource);
        if limit < 0 || self.network_quota_used(project_id, resource) + wanted <= limit {
            return Ok(());
        }
        let text = format!("Quota exceeded for resources: ['{resource}'].");
        Err(Fault::typed(409, "OverQuota", text))
    }

    pub(super) fn network_quota_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        let Some(project) = rest.get(1).copied() else {
            return Err(nowhere());
        };
        if !call.who.sees(project) {
            return Err(policy_denied("rule:get_quota"));
        }
        let mut shown = json!({});
        match (call.req.method.as_str(), rest) {
            ("GET", [_, _]) => {
                for name in RESOURCES {
                    json::put(
                        &mut shown,
                        name,
                        json!(self.network_quota_limit(project, name)),
                    );
                }
            }
            ("GET", [_, _, "details"]) => {
                for name in RESOURCES {
                    let (limit, used) = (
                        self.network_quota_limit(project, name),
                        self.network_quota_used(project, name),
                    );
                    json::put(
                        &mut shown,
                        name,
                        json!({"limit": limit, "used": used, "reserved": 0}),
                    );
                }
            }
            ("PUT", [_, _]) if call.who.is_admin() => {
                let asked = json::need_object(&call.body, "quota")?;
                shown = asked.clone();
                let limits = self.neutron.quotas.entry(project.to_owned()).or_default();
                for name in RESOURCES {
                    limits.extend(json::number(asked, name).map(|limit| (name.to_owned(), limit)));
                }
            }
            _ => return Err(policy_denied("rule:update_quota")),
        }
        Ok(Resp::json(200, json!({"quota": shown})))
    }
}
