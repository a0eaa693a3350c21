//! Services, quotas, limits, zones: what is asked before anything is done.

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::knobs::Allow;
use crate::cloud::timefmt::iso_micros;
use crate::cloud::wire::{Answer, Fault, Resp};

impl Cloud {
    pub(super) fn operator_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", ["os-services"]) => self.volume_services(call),
            ("GET", ["scheduler-stats", "get_pools"]) => self.volume_pools(call),
            ("GET", ["limits"]) => Ok(Resp::json(200, self.volume_limits(call))),
            ("GET", ["os-quota-sets", project]) => self.quota_show(project, call),
            ("PUT", ["os-quota-sets", project]) => self.quota_set(project, call),
            ("GET", ["os-availability-zone"]) => {
                let zone = json!({"zoneName": self.config.availability_zone, "zoneState": {"available": true}});
                Ok(Resp::json(200, json!({"availabilityZoneInfo": [zone]})))
            }
            ("GET", ["extensions"]) => Ok(Resp::json(200, json!({"extensions": []}))),
            _ => Err(nowhere()),
        }
    }

    fn volume_services(&self, call: &Call<'_>) -> Answer {
        self.enforce(call.who, "volume_extension:services:index", &Allow::Admin)?;
        let backend = self
            .config
            .volume_host
            .split('#')
            .next()
            .unwrap_or_default();
        let scheduler = backend.split('@').next().unwrap_or_default();
        let state = if self.knobs.cinder_volume_up {
            "up"
        } else {
            "down"
        };
        let zone = &self.config.availability_zone;
        let at = iso_micros(call.now_ms);
        let mut services = vec![
            json!({"binary": "cinder-scheduler", "host": scheduler, "zone": zone, "status": "enabled", "state": "up", "updated_at": at, "disabled_reason": null}),
            json!({"binary": "cinder-volume", "host": backend, "zone": zone, "status": "enabled", "state": state, "updated_at": at, "disabled_reason": null, "frozen": false, "replication_status": "enabled", "active_backend_id": null}),
        ];
        services.retain(|service| {
            call.query("binary")
                .is_none_or(|asked| json::text(service, "binary") == Some(asked))
                && call
                    .query("host")
                    .is_none_or(|asked| json::text(service, "host") == Some(asked))
        });
        Ok(Resp::json(200, json!({"services": services})))
    }

    fn volume_pools(&self, call: &Call<'_>) -> Answer {
        self.enforce(
            call.who,
            "scheduler_extension:scheduler_stats:get_pools",
            &Allow::Admin,
        )?;
        let pool = json!({
            "name": self.config.volume_host,
            "capabilities": {
                "volume_backend_name": self.config.volume_backend_name,
                "total_capacity_gb": "infinite",
                "free_capacity_gb": "infinite",
            },
        });
        Ok(Resp::json(200, json!({"pools": [pool]})))
    }

    fn volume_limits(&self, call: &Call<'_>) -> Value {
        let project = call.who.project();
        let used = self.quota_used(project);
        let get = |name: &str| used.get(name).copied().unwrap_or(0);
        json!({"limits": {"rate": [], "absolute": {
            "maxTotalVolumes": self.quota_limit(project, "volumes"),
            "maxTotalVolumeGigabytes": self.quota_limit(project, "gigabytes"),
            "maxTotalSnapshots": self.quota_limit(project, "snapshots"),
            "maxTotalBackups": -1, "maxTotalBackupGigabytes": -1,
            "totalVolumesUsed": get("volumes"), "totalGigabytesUsed": get("gigabytes"),
            "totalSnapshotsUsed": get("snapshots"), "totalBackupsUsed": 0, "totalBackupGigabytesUsed": 0,
        }}})
    }

    fn quota_show(&self, project: &str, call: &Call<'_>) -> Answer {
        if !call.who.sees(project) {
            return Err(Fault::forbidden(
                "Policy doesn't allow volume_extension:quotas:show to be performed.",
            ));
        }
        let usage = call.query("usage").is_some_and(json::is_true);
        Ok(Resp::json(
            200,
            json!({"quota_set": self.quota_view(project, usage)}),
        ))
    }

    fn quota_set(&mut self, project: &str, call: &Call<'_>) -> Answer {
        self.enforce(call.who, "volume_extension:quotas:update", &Allow::Admin)?;
        let asked = json::need_object(&call.body, "quota_set")?;
        let limits = self.cinder.quotas.entry(project.to_owned()).or_default();
        for (name, value) in asked.as_object().into_iter().flatten() {
            if let Some(limit) = value.as_i64() {
                limits.insert(name.clone(), limit);
            }
        }
        Ok(Resp::json(
            200,
            json!({"quota_set": self.quota_view(project, false)}),
        ))
    }
}
