//! Cinder's quotas: counted from the volumes that are there, never stored.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::cloud::wire::Fault;

/// Resources shown for every project besides `volumes_TYPE` and `gigabytes_TYPE`.
const RESOURCES: [&str; 7] = [
    "volumes",
    "gigabytes",
    "snapshots",
    "groups",
    "backups",
    "backup_gigabytes",
    "per_volume_gigabytes",
];

impl Cloud {
    pub(super) fn quota_limit(&self, project_id: &str, resource: &str) -> i64 {
        let limits = self.cinder.quotas.get(project_id);
        limits
            .and_then(|all| all.get(resource))
            .copied()
            .unwrap_or(-1)
    }

    pub(super) fn quota_used(&self, project_id: &str) -> BTreeMap<String, i64> {
        let mut used: BTreeMap<String, i64> = RESOURCES
            .into_iter()
            .map(|name| (name.to_owned(), 0))
            .collect();
        let mut add = |name: String, amount: i64| *used.entry(name).or_insert(0) += amount;
        let all = self.cinder.volumes.values();
        for volume in all.filter(|volume| volume.project_id == project_id) {
            let kind = self.type_name(&volume.volume_type_id);
            add("volumes".to_owned(), 1);
            add("gigabytes".to_owned(), volume.size_gb);
            add(format!("volumes_{kind}"), 1);
            add(format!("gigabytes_{kind}"), volume.size_gb);
        }
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let groups = self.cinder.groups.values();
        add(
            "groups".to_owned(),
            count(groups.filter(|one| one.project_id == project_id).count()),
        );
        let snapshots = self.cinder.snapshots.values();
        add(
            "snapshots".to_owned(),
            count(snapshots.filter(|one| one.project_id == project_id).count()),
        );
        used
    }

    /// 413 when `volumes` more volumes or `size_gb` more gigabytes do not fit (fault `G8`).
    pub(super) fn quota_check(
        &self,
        project_id: &str,
        type_id: &str,
        volumes: i64,
        size_gb: i64,
    ) -> Result<(), Fault> {
        let kind = self.type_name(type_id);
        let used = self.quota_used(project_id);
        let asked = [
            ("gigabytes".to_owned(), size_gb),
            (format!("gigabytes_{kind}"), size_gb),
            ("volumes".to_owned(), volumes),
            (format!("volumes_{kind}"), volumes),
        ];
        for (name, wanted) in asked {
            let limit = self.quota_limit(project_id, &name);
            let in_use = used.get(&name).copied().unwrap_or(0);
            if wanted == 0 || limit < 0 || in_use + wanted <= limit {
                continue;
            }
            return Err(Fault::over_limit(if name.starts_with("gigabytes") {
                format!(
                    "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed \
                     {name} quota. Requested {wanted}G, quota is {limit}G and {in_use}G has been consumed."
                )
            } else {
                format!(
                    "VolumeLimitExceeded: Maximum number of volumes allowed ({limit}) exceeded for \
                     quota '{name}'."
                )
            }));
        }
        Ok(())
    }

    pub(super) fn group_quota_check(&self, project_id: &str) -> Result<(), Fault> {
        let limit = self.quota_limit(project_id, "groups");
        let in_use = self
            .quota_used(project_id)
            .get("groups")
            .copied()
            .unwrap_or(0);
        if limit >= 0 && in_use + 1 > limit {
            return Err(Fault::over_limit(format!(
                "GroupLimitExceeded: Maximum number of groups allowed ({limit}) exceeded"
            )));
        }
        Ok(())
    }

    /// The `quota_set` of a project, with use when asked for.
    pub(super) fn quota_view(&self, project_id: &str, usage: bool) -> Value {
        let used = self.quota_used(project_id);
        let mut names: Vec<String> = RESOURCES.into_iter().map(str::to_owned).collect();
        for kind in self.cinder.types.values() {
            names.push(format!("volumes_{}", kind.name));
            names.push(format!("gigabytes_{}", kind.name));
        }
        let mut view = json!({"id": project_id});
        for name in names {
            let limit = self.quota_limit(project_id, &name);
            let in_use = used.get(&name).copied().unwrap_or(0);
            let shown = match usage {
                true => json!({"limit": limit, "in_use": in_use, "reserved": 0}),
                false => json!(limit),
            };
            crate::cloud::json::put(&mut view, &name, shown);
        }
        view
    }
}
