//! Security groups and their rules.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{SecurityGroup, lists, missing};
use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::timefmt::iso_z;
use crate::cloud::wire::{Answer, Fault, Resp};

const GROUP_FILTERS: [&str; 4] = ["id", "name", "description", "project_id"];
const RULE_FILTERS: [&str; 10] = [
    "id",
    "security_group_id",
    "project_id",
    "direction",
    "protocol",
    "ethertype",
    "port_range_min",
    "port_range_max",
    "remote_ip_prefix",
    "remote_group_id",
];

impl Cloud {
    fn security_group_view(&self, group: &SecurityGroup) -> Value {
        let at = iso_z(group.created_ms);
        json!({
            "id": group.id, "name": group.name, "description": group.description, "stateful": true,
            "project_id": group.project_id, "tenant_id": group.project_id, "shared": false,
            "security_group_rules": group.rules.values().collect::<Vec<_>>(),
            "tags": self.neutron.tags_of(&group.id), "created_at": at, "updated_at": at, "revision_number": 1,
        })
    }

    /// The project's `default` group, made when it is first needed.
    pub(in crate::cloud) fn default_group(&mut self, project_id: &str, now_ms: i64) -> String {
        let mut all = self.neutron.security_groups.values();
        if let Some(group) = all.find(|one| one.project_id == project_id && one.name == "default") {
            return group.id.clone();
        }
        self.security_group_add(project_id, "default", "Default security group", now_ms)
    }

    /// A group with the two egress rules every new group has.
    pub(in crate::cloud) fn security_group_add(
        &mut self,
        project_id: &str,
        name: &str,
        description: &str,
        now_ms: i64,
    ) -> String {
        let id = self.ids.uuid();
        let mut rules = BTreeMap::new();
        for ethertype in ["IPv4", "IPv6"] {
            let rule_id = self.ids.uuid();
            let asked = json!({"direction": "egress", "ethertype": ethertype});
            rules.insert(
                rule_id.clone(),
                rule_view(&rule_id, &id, project_id, &asked),
            );
        }
        let group = SecurityGroup {
            id: id.clone(),
            name: name.to_owned(),
            description: description.to_owned(),
            project_id: project_id.to_owned(),
            rules,
            created_ms: now_ms,
        };
        self.neutron.security_groups.insert(id.clone(), group);
        id
    }

    fn security_group_seen(&self, id: &str, call: &Call<'_>) -> Result<&SecurityGroup, Fault> {
        let found = self.neutron.security_groups.get(id);
        found
            .filter(|group| call.who.sees(&group.project_id))
            .ok_or_else(|| missing("SecurityGroupNotFound", "Security group", id))
    }

    pub(super) fn security_group_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", ["security-groups"]) => {
                let all = self.neutron.security_groups.values();
                let views = all
                    .filter(|group| call.who.sees(&group.project_id))
                    .map(|group| self.security_group_view(group))
                    .collect();
                lists::answer(call, "security_groups", views, &GROUP_FILTERS)
            }
            ("POST", ["security-groups"]) => {
                let asked = json::need_object(&call.body, "security_group")?;
                self.network_quota_check(call.who.project(), "security_group", 1)?;
                let (name, text) = (
                    json::text_or_empty(asked, "name"),
                    json::text_or_empty(asked, "description"),
                );
                let id = self.security_group_add(call.who.project(), &name, &text, call.now_ms);
                let view = self.security_group_view(self.security_group_seen(&id, call)?);
                Ok(Resp::json(201, json!({"security_group": view})))
            }
            ("GET", ["security-groups", id]) => {
                let view = self.security_group_view(self.security_group_seen(id, call)?);
                Ok(Resp::json(200, json!({"security_group": view})))
            }
            ("DELETE", ["security-groups", id]) => self.security_group_delete(id, call),
            _ => Err(nowhere()),
        }
    }

    fn security_group_delete(&mut self, id: &str, call: &Call<'_>) -> Answer {
        self.security_group_seen(id, call)?;
        let mut ports = self.neutron.ports.values();
        if ports.any(|port| port.security_groups.iter().any(|one| one == id)) {
            let text = format!("Security Group {id} in use.");
            return Err(Fault::typed(409, "SecurityGroupInUse", text));
        }
        self.neutron.security_groups.remove(id);
        self.neutron.tags.remove(id);
        Ok(Resp::empty(204))
    }

    pub(super) fn security_group_rule_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", ["security-group-rules"]) => {
                let all = self.neutron.security_groups.values();
                let views = all
                    .filter(|group| call.who.sees(&group.project_id))
                    .flat_map(|group| group.rules.values().cloned())
                    .collect();
                lists::answer(call, "security_group_rules", views, &RULE_FILTERS)
            }
            ("POST", ["security-group-rules"]) => {
                let asked = json::need_object(&call.body, "security_group_rule")?;
                let group_id = json::need(asked, "security_group_id")?;
                let project_id = self.security_group_seen(group_id, call)?.project_id.clone();
                let rule_id = self.ids.uuid();
                let view = rule_view(&rule_id, group_id, &project_id, asked);
                if let Some(group) = self.neutron.security_groups.get_mut(group_id) {
                    group.rules.insert(rule_id, view.clone());
                }
                Ok(Resp::json(201, json!({"security_group_rule": view})))
            }
            ("DELETE", ["security-group-rules", id]) => {
                let mut groups = self.neutron.security_groups.values_mut();
                let group = groups.find(|group| {
                    call.who.sees(&group.project_id) && group.rules.contains_key(*id)
                });
                let gone = || missing("SecurityGroupRuleNotFound", "Security group rule", id);
                group.ok_or_else(gone)?.rules.remove(*id);
                Ok(Resp::empty(204))
            }
            _ => Err(nowhere()),
        }
    }
}

fn rule_view(id: &str, group_id: &str, project_id: &str, asked: &Value) -> Value {
    let mut view = json!({
        "id": id, "security_group_id": group_id, "project_id": project_id, "tenant_id": project_id,
        "direction": "ingress", "ethertype": "IPv4", "protocol": null, "port_range_min": null,
        "port_range_max": null, "remote_ip_prefix": null, "remote_group_id": null, "description": "",
    });
    for name in [
        "direction",
        "ethertype",
        "protocol",
        "port_range_min",
        "port_range_max",
        "remote_ip_prefix",
        "remote_group_id",
        "description",
    ] {
        if let Some(value) = asked.get(name) {
            json::put(&mut view, name, value.clone());
        }
    }
    view
}
