//! Neutron's paths. Deliberately absent: what happens behind them.

use serde_json::json;

use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::wire::{Answer, Resp};

const EXTENSIONS: [&str; 12] = [
    "allowed-address-pairs",
    "binding",
    "external-net",
    "filter-validation",
    "port-security",
    "project-id",
    "quotas",
    "router",
    "security-group",
    "standard-attr-description",
    "standard-attr-tag",
    "tag-creation",
];

impl Cloud {
    pub(in crate::cloud) fn neutron_answer(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        let Some(("v2.0", rest)) = rest.split_first().map(|(first, rest)| (*first, rest)) else {
            return Err(nowhere());
        };
        // Some clients ask `/ports/ID.json`.
        let trimmed: Vec<&str> = rest
            .iter()
            .map(|segment| segment.strip_suffix(".json").unwrap_or(segment))
            .collect();
        let rest = trimmed.as_slice();
        if let Some(project) = &call.who.project_id {
            self.default_group(project, call.now_ms);
        }
        if let [collection, id, "tags", ..] = rest {
            return self.tag_paths(collection, id, rest, call);
        }
        match rest.first().copied() {
            Some("networks") => self.network_paths(rest, call),
            Some("subnets") => self.subnet_paths(rest, call),
            Some("ports") => self.port_paths(rest, call),
            Some("security-groups") => self.security_group_paths(rest, call),
            Some("security-group-rules") => self.security_group_rule_paths(rest, call),
            Some("routers") => self.router_paths(rest, call),
            Some("floatingips") => self.floating_paths(rest, call),
            Some("quotas") => self.network_quota_paths(rest, call),
            _ => self.network_other_paths(rest, call),
        }
    }

    fn network_other_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        let extension = |alias: &str| json!({"alias": alias, "name": alias, "description": "", "links": [], "updated": "2020-01-01T00:00:00-00:00"});
        match (call.req.method.as_str(), rest) {
            ("GET", ["extensions"]) => {
                let all: Vec<_> = EXTENSIONS.into_iter().map(extension).collect();
                Ok(Resp::json(200, json!({"extensions": all})))
            }
            ("GET", ["extensions", alias]) if EXTENSIONS.contains(alias) => {
                Ok(Resp::json(200, json!({"extension": extension(alias)})))
            }
            ("GET", ["availability_zones"]) => {
                let zone = json!({"name": self.config.availability_zone, "resource": "network", "state": "available"});
                Ok(Resp::json(200, json!({"availability_zones": [zone]})))
            }
            _ => Err(nowhere()),
        }
    }
}
