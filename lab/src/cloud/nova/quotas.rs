//! Nova's quotas: counted, never stored. Over the limit is 403 (fault `H11`).

use serde_json::{Value, json};

use super::Flavor;
use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::knobs::Allow;
use crate::cloud::wire::{Answer, Fault, Resp};

const RESOURCES: [&str; 7] = [
    "instances",
    "cores",
    "ram",
    "metadata_items",
    "key_pairs",
    "server_groups",
    "server_group_members",
];

impl Cloud {
    pub(super) fn compute_quota_limit(&self, project_id: &str, resource: &str) -> i64 {
        let limits = self.nova.quotas.get(project_id);
        limits
            .and_then(|all| all.get(resource))
            .copied()
            .unwrap_or(-1)
    }

    pub(super) fn compute_quota_used(&self, project_id: &str, resource: &str) -> i64 {
        let all = self.nova.servers.values();
        let own = all.filter(|server| server.alive() && server.project_id == project_id);
        own.map(|server| match resource {
            "instances" => 1,
            "cores" => server.flavor.vcpus,
            "ram" => server.flavor.ram_mb,
            _ => 0,
        })
        .sum()
    }

    /// 403 when one more server of this flavor does not fit; names every resource that is short.
    pub(super) fn server_quota_check(
        &self,
        project_id: &str,
        flavor: &Flavor,
    ) -> Result<(), Fault> {
        let wanted = [
            ("cores", flavor.vcpus),
            ("instances", 1),
            ("ram", flavor.ram_mb),
        ];
        let short: Vec<(&str, i64, i64, i64)> = wanted
            .into_iter()
            .map(|(name, asked)| {
                let (used, limit) = (
                    self.compute_quota_used(project_id, name),
                    self.compute_quota_limit(project_id, name),
                );
                (name, asked, used, limit)
            })
            .filter(|(_, asked, used, limit)| *limit >= 0 && used + asked > *limit)
            .collect();
        if short.is_empty() {
            return Ok(());
        }
        let join = |pick: fn(&(&str, i64, i64, i64)) -> String| {
            short.iter().map(pick).collect::<Vec<_>>().join(", ")
        };
        Err(Fault::forbidden(format!(
            "Quota exceeded for {0}: Requested {1}, but already used {2} of {3} {0}",
            join(|one| one.0.to_owned()),
            join(|one| one.1.to_string()),
            join(|one| one.2.to_string()),
            join(|one| one.3.to_string()),
        )))
    }

    pub(super) fn compute_quota_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        let Some(project) = rest.get(1).copied() else {
            return Err(nowhere());
        };
        if !call.who.sees(project) {
            return Err(Fault::forbidden(
                "Policy doesn't allow os_compute_api:os-quota-sets:show to be performed.",
            ));
        }
        match (call.req.method.as_str(), rest) {
            ("GET", [_, _]) => Ok(self.compute_quota_answer(project, false)),
            ("GET", [_, _, "detail"]) => Ok(self.compute_quota_answer(project, true)),
            ("GET", [_, _, "defaults"]) => Ok(self.compute_quota_answer("", false)),
            ("PUT", [_, _]) => {
                self.enforce(
                    call.who,
                    "os_compute_api:os-quota-sets:update",
                    &Allow::Admin,
                )?;
                let asked = json::need_object(&call.body, "quota_set")?;
                let limits = self.nova.quotas.entry(project.to_owned()).or_default();
                for name in RESOURCES {
                    limits.extend(json::number(asked, name).map(|limit| (name.to_owned(), limit)));
                }
                Ok(self.compute_quota_answer(project, false))
            }
            _ => Err(nowhere()),
        }
    }

    fn compute_quota_answer(&self, project: &str, detail: bool) -> Resp {
        let mut view: Value = json!({"id": project});
        for name in RESOURCES {
            let limit = self.compute_quota_limit(project, name);
            let in_use = self.compute_quota_used(project, name);
            let shown = match detail {
                true => json!({"limit": limit, "in_use": in_use, "reserved": 0}),
                false => json!(limit),
            };
            json::put(&mut view, name, shown);
        }
        Resp::json(200, json!({"quota_set": view}))
    }
}
