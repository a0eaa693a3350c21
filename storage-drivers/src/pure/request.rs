//! A command as a request of REST 2.x. Absent: sending it (`connection`), reading its answer
//! (`answer`), and every call that this driver never makes: it eradicates nothing and has no word
//! for hosts, so those commands are refused here.

use http::Method;
use serde_json::{Map, Value, json};

use super::encode::{encode, filter_text, list};
use super::fault::refused;
use super::version::RestVersion;
use crate::link::LinkError;
use crate::model::{
    Command, GroupPatch, GroupSnapshotBody, Query, RetentionPatch, SchedulePatch, SnapshotPatch,
    Tag, VolumeItem, VolumePatch, VolumeSource,
};

/// One request, before there is a session or an address.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// Below `/api/2.x`.
    pub(super) path: &'static str,
    /// Encoded.
    query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

impl Ask {
    fn new(method: Method, path: &'static str) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            body: None,
        }
    }

    fn with(mut self, key: &'static str, value: impl AsRef<str>) -> Self {
        self.query.push((key, encode(value.as_ref())));
        self
    }

    fn flag(self, key: &'static str, value: bool) -> Self {
        self.with(key, if value { "true" } else { "false" })
    }

    /// Names that a change is about. None must never be read as all.
    fn names(mut self, key: &'static str, names: &[String]) -> Result<Self, LinkError> {
        if names.is_empty() || names.iter().any(String::is_empty) {
            return Err(refused("a change without a name is not sent", self.path));
        }
        self.query.push((key, list(names)));
        Ok(self)
    }

    /// Names that narrow a list; none: they do not.
    fn narrowed(mut self, key: &'static str, names: &[String]) -> Self {
        if !names.is_empty() {
            self.query.push((key, list(names)));
        }
        self
    }

    fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    fn listed(self, query: &Query) -> Self {
        let mut ask = self
            .narrowed("names", &query.names)
            .narrowed("source_names", &query.source_names);
        if let Some(filter) = &query.filter {
            ask = ask.with("filter", filter_text(filter));
        }
        if let Some(destroyed) = query.destroyed {
            ask = ask.flag("destroyed", destroyed);
        }
        if !query.sort.is_empty() {
            let key = |k: &crate::model::SortKey| {
                format!("{}{}", k.field, if k.descending { "-" } else { "" })
            };
            let keys: Vec<String> = query.sort.iter().map(key).collect();
            ask.query.push(("sort", list(&keys)));
            ask = ask.with("offset", query.offset.to_string());
        }
        if let Some(limit) = query.limit {
            ask = ask.with("limit", limit.to_string());
        }
        if let Some(token) = &query.continuation_token {
            ask = ask.with("continuation_token", token);
        }
        if query.total_item_count {
            ask = ask.flag("total_item_count", true);
        }
        ask
    }

    /// Path and query below the version.
    pub(super) fn path_and_query(&self) -> String {
        let pairs: Vec<String> = self.query.iter().map(|(k, v)| format!("{k}={v}")).collect();
        match pairs.as_slice() {
            [] => self.path.to_owned(),
            pairs => format!("{}?{}", self.path, pairs.join("&")),
        }
    }
}

fn get(path: &'static str) -> Ask {
    Ask::new(Method::GET, path)
}

fn post(path: &'static str) -> Ask {
    Ask::new(Method::POST, path)
}

fn patch(path: &'static str) -> Ask {
    Ask::new(Method::PATCH, path)
}

/// The request for `command`, as `version` has it.
///
/// Errors: `Refused` for a command that this driver does not send, or a change without names.
pub(super) fn ask_of(command: &Command, version: RestVersion) -> Result<Ask, LinkError> {
    Ok(match command {
        Command::ArraysGet => get("/arrays"),
        Command::ArrayConnectionsGet(query) => get("/array-connections").listed(query),
        Command::VolumesGet(query) => get("/volumes").listed(query),
        Command::VolumesPost {
            names,
            source,
            overwrite,
            add_to_groups,
        } if add_to_groups.is_empty() => volumes_post(names, source, *overwrite, version)?,
        Command::VolumesBatchPost { items, overwrite } => batch(items, *overwrite, version)?,
        Command::VolumesPatch {
            names,
            patch: change,
        } => patch("/volumes")
            .names("names", names)?
            .body(volume_body(change)),
        Command::VolumeSnapshotsGet(query) => get("/volume-snapshots").listed(query),
        Command::VolumeSnapshotsPost {
            source_names,
            suffix,
        } => post("/volume-snapshots")
            .names("source_names", source_names)?
            .body(
                suffix
                    .as_ref()
                    .map_or_else(|| json!({}), |s| json!({ "suffix": s })),
            ),
        Command::VolumeSnapshotsPatch {
            names,
            patch: change,
        } => patch("/volume-snapshots")
            .names("names", names)?
            .body(snapshot_body(change)),
        Command::TagsGet {
            resource_names,
            namespaces,
        } => get("/volumes/tags")
            .names("resource_names", resource_names)?
            .narrowed("namespaces", namespaces),
        Command::TagsPut {
            resource_names,
            tags,
        } => Ask::new(Method::PUT, "/volumes/tags/batch")
            .names("resource_names", resource_names)?
            .body(tags.iter().map(tag_body).collect()),
        other => return groups_ask(other),
    })
}

/// Protection groups and their snapshots.
fn groups_ask(command: &Command) -> Result<Ask, LinkError> {
    Ok(match command {
        Command::GroupsGet(query) => get("/protection-groups").listed(query),
        Command::GroupsPost { names } => post("/protection-groups").names("names", names)?,
        Command::GroupsPatch {
            names,
            patch: change,
        } => patch("/protection-groups")
            .names("names", names)?
            .body(group_body(change)),
        Command::GroupMembersGet {
            group_names,
            member_names,
            query,
        } => get("/protection-groups/volumes")
            .narrowed("group_names", group_names)
            .narrowed("member_names", member_names)
            .listed(query),
        Command::GroupMembersPost {
            group_names,
            member_names,
        } => post("/protection-groups/volumes")
            .names("group_names", group_names)?
            .names("member_names", member_names)?,
        Command::GroupMembersDelete {
            group_names,
            member_names,
        } => Ask::new(Method::DELETE, "/protection-groups/volumes")
            .names("group_names", group_names)?
            .names("member_names", member_names)?,
        Command::GroupTargetsGet { group_names, query } => get("/protection-groups/targets")
            .narrowed("group_names", group_names)
            .listed(query),
        Command::GroupTargetsPost {
            group_names,
            member_names,
        } => post("/protection-groups/targets")
            .names("group_names", group_names)?
            .names("member_names", member_names)?,
        Command::GroupTargetsPatch {
            group_names,
            allowed,
        } => patch("/protection-groups/targets")
            .names("group_names", group_names)?
            .body(json!({ "allowed": allowed })),
        Command::GroupSnapshotsGet(query) => get("/protection-group-snapshots").listed(query),
        Command::GroupSnapshotsPost { source_names, body } => group_snapshot(source_names, body)?,
        Command::TransfersGet(query) => get("/protection-group-snapshots/transfer").listed(query),
        other => return Err(refused("this driver never makes that call", other.verb())),
    })
}

fn volumes_post(
    names: &[String],
    source: &VolumeSource,
    overwrite: bool,
    version: RestVersion,
) -> Result<Ask, LinkError> {
    let ask = post("/volumes").names("names", names)?;
    Ok(protection(ask, overwrite, version).body(Value::Object(source_body(source))))
}

fn batch(items: &[VolumeItem], overwrite: bool, version: RestVersion) -> Result<Ask, LinkError> {
    if items.is_empty() {
        return Err(refused(
            "a batch without a volume is not sent",
            "/volumes/batch",
        ));
    }
    let body = items.iter().map(item_body).collect();
    Ok(protection(post("/volumes/batch"), overwrite, version).body(body))
}

/// Our copies join no default SafeMode group. An overwrite makes none, and must not say so.
fn protection(ask: Ask, overwrite: bool, version: RestVersion) -> Ask {
    match (overwrite, version.has_default_protection()) {
        (true, _) => ask.flag("overwrite", true),
        (false, true) => ask.flag("with_default_protection", false),
        (false, false) => ask,
    }
}

fn source_body(source: &VolumeSource) -> Map<String, Value> {
    let mut body = Map::new();
    match source {
        VolumeSource::Provisioned(bytes) => body.insert("provisioned".to_owned(), json!(bytes)),
        VolumeSource::Name(name) => body.insert("source".to_owned(), json!({ "name": name })),
    };
    body
}

fn item_body(item: &VolumeItem) -> Value {
    let mut body = source_body(&item.source);
    body.insert("name".to_owned(), json!(item.name));
    if !item.tags.is_empty() {
        let tags: Value = item.tags.iter().map(tag_body).collect();
        body.insert("tags".to_owned(), tags);
    }
    if !item.add_to_groups.is_empty() {
        let groups: Value = item
            .add_to_groups
            .iter()
            .map(|g| json!({ "name": g }))
            .collect();
        body.insert("add_to_protection_groups".to_owned(), groups);
    }
    Value::Object(body)
}

fn tag_body(tag: &Tag) -> Value {
    json!({
        "key": tag.key, "value": tag.value, "namespace": tag.namespace, "copyable": tag.copyable,
    })
}

/// An object of those fields that are to change.
fn changed(fields: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    let kept = fields
        .into_iter()
        .filter_map(|(k, v)| Some((k.to_owned(), v?)));
    Value::Object(kept.collect())
}

/// As `changed`; nothing when nothing is to change.
fn nested(fields: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Option<Value> {
    Some(changed(fields)).filter(|v| v.as_object().is_some_and(|map| !map.is_empty()))
}

fn volume_body(patch: &VolumePatch) -> Value {
    changed([
        ("name", patch.name.as_ref().map(|name| json!(name))),
        ("provisioned", patch.provisioned.map(Value::from)),
        ("destroyed", patch.destroyed.map(Value::from)),
    ])
}

fn snapshot_body(patch: &SnapshotPatch) -> Value {
    changed([
        ("name", patch.name.as_ref().map(|name| json!(name))),
        ("destroyed", patch.destroyed.map(Value::from)),
    ])
}

fn schedule_body(patch: SchedulePatch) -> Option<Value> {
    nested([
        ("enabled", patch.enabled.map(Value::from)),
        ("frequency", patch.frequency_ms.map(Value::from)),
        ("at", patch.at_s.map(Value::from)),
    ])
}

fn retention_body(patch: RetentionPatch) -> Option<Value> {
    nested([
        ("all_for_sec", patch.all_for_s.map(Value::from)),
        ("days", patch.days.map(Value::from)),
        ("per_day", patch.per_day.map(Value::from)),
    ])
}

fn group_body(patch: &GroupPatch) -> Value {
    changed([
        (
            "replication_schedule",
            schedule_body(patch.replication_schedule),
        ),
        ("snapshot_schedule", schedule_body(patch.snapshot_schedule)),
        ("source_retention", retention_body(patch.source_retention)),
        ("target_retention", retention_body(patch.target_retention)),
        ("destroyed", patch.destroyed.map(Value::from)),
    ])
}

fn group_snapshot(source_names: &[String], body: &GroupSnapshotBody) -> Result<Ask, LinkError> {
    let mut ask = post("/protection-group-snapshots").names("source_names", source_names)?;
    for (key, wanted) in [
        ("replicate_now", body.replicate_now),
        ("replicate", body.replicate),
        ("apply_retention", body.apply_retention),
    ] {
        if wanted {
            ask = ask.flag(key, true);
        }
    }
    Ok(ask.body(changed([(
        "suffix",
        body.suffix.as_ref().map(|s| json!(s)),
    )])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(command: &Command) -> Result<String, LinkError> {
        let version = RestVersion::choose(&["2.36"]).unwrap();
        ask_of(command, version).map(|ask| format!("{} {}", ask.method, ask.path_and_query()))
    }

    /// An empty list must never be read as "all of them".
    #[test]
    fn a_change_without_names_is_not_sent() {
        let patch = VolumePatch {
            destroyed: Some(true),
            ..VolumePatch::default()
        };
        for names in [vec![], vec![String::new()]] {
            for command in [
                Command::VolumesPatch {
                    names: names.clone(),
                    patch: patch.clone(),
                },
                Command::VolumeSnapshotsPatch {
                    names: names.clone(),
                    patch: SnapshotPatch::default(),
                },
                Command::GroupsPatch {
                    names: names.clone(),
                    patch: GroupPatch::default(),
                },
                Command::GroupMembersDelete {
                    group_names: vec!["pg".to_owned()],
                    member_names: names.clone(),
                },
                Command::VolumeSnapshotsPost {
                    source_names: names.clone(),
                    suffix: None,
                },
                Command::TagsPut {
                    resource_names: names.clone(),
                    tags: Vec::new(),
                },
            ] {
                assert!(asked(&command).is_err(), "{command:?}");
            }
        }
        let none = Command::VolumesBatchPost {
            items: Vec::new(),
            overwrite: true,
        };
        assert!(asked(&none).is_err());
    }

    #[test]
    fn nothing_is_eradicated_and_no_host_is_touched() {
        let names = || vec!["x".to_owned()];
        for command in [
            Command::VolumesDelete { names: names() },
            Command::VolumeSnapshotsDelete { names: names() },
            Command::GroupsDelete { names: names() },
            Command::GroupSnapshotsDelete { names: names() },
            Command::HostsDelete { names: names() },
            Command::HostConnectionsDelete {
                host_names: names(),
                volume_names: names(),
            },
        ] {
            assert!(asked(&command).is_err(), "{command:?}");
        }
    }

    #[test]
    fn a_list_is_narrowed_by_what_was_asked() {
        let mut query = Query::named(["a,b", "A:pg.s"]).live();
        query.sort = vec![crate::model::SortKey::down("started")];
        query.limit = Some(5);
        assert_eq!(
            asked(&Command::TransfersGet(query)).unwrap(),
            "GET /protection-group-snapshots/transfer?names=a%2Cb,A%3Apg.s&destroyed=false\
             &sort=started-&offset=0&limit=5"
        );
    }

    #[test]
    fn a_patch_names_only_what_changes() {
        let patch = GroupPatch {
            replication_schedule: SchedulePatch {
                enabled: Some(false),
                ..SchedulePatch::default()
            },
            destroyed: Some(true),
            ..GroupPatch::default()
        };
        let expected = json!({"replication_schedule": {"enabled": false}, "destroyed": true});
        assert_eq!(group_body(&patch), expected);
        let retention = RetentionPatch {
            all_for_s: Some(60),
            days: Some(0),
            per_day: None,
        };
        assert_eq!(
            retention_body(retention),
            Some(json!({"all_for_sec": 60, "days": 0}))
        );
    }
}
