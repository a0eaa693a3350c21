//! The table of paths: what each method and path asks of the array model.
//!
//! Absent: sessions (`sessions`), objects that the model does not have (`hardware`).

use super::ask::Ask;
use super::refusal::{Refused, refused};
use http::Method;
use protector_storage_drivers::model::{
    Command, GroupPatch, GroupSnapshotBody, Query, RetentionPatch, SchedulePatch, SnapshotPatch,
    Tag, VolumeItem, VolumePatch, VolumeSource,
};
use serde_json::Value;

/// Elements of one batch at most.
const BATCH_MAX: usize = 1_000;
/// Namespace of a tag that names none.
const DEFAULT_NAMESPACE: &str = "default";

/// The command of a request; `None`: the model knows nothing of this path.
pub(super) fn command(ask: &Ask) -> Result<Option<Command>, Refused> {
    let command = match ask.method {
        Method::GET => reads(ask)?,
        Method::POST => makes(ask)?,
        Method::PATCH | Method::PUT => changes(ask)?,
        Method::DELETE => removes(ask)?,
        _ => None,
    };
    Ok(command)
}

fn reads(ask: &Ask) -> Result<Option<Command>, Refused> {
    let query = || ask.query();
    Ok(Some(match ask.path.as_str() {
        "arrays" => Command::ArraysGet,
        "array-connections" => Command::ArrayConnectionsGet(query()?),
        "volumes" => Command::VolumesGet(query()?),
        "volume-snapshots" => Command::VolumeSnapshotsGet(query()?),
        "volumes/tags" => Command::TagsGet {
            resource_names: ask.names("resource_names"),
            namespaces: ask.names("namespaces"),
        },
        "protection-groups" => Command::GroupsGet(query()?),
        "protection-groups/volumes" | "volumes/protection-groups" => Command::GroupMembersGet {
            group_names: ask.names("group_names"),
            member_names: ask.names("member_names"),
            query: query()?,
        },
        "protection-groups/targets" => Command::GroupTargetsGet {
            group_names: ask.names("group_names"),
            query: query()?,
        },
        "protection-group-snapshots" => Command::GroupSnapshotsGet(query()?),
        "protection-group-snapshots/transfer" => Command::TransfersGet(query()?),
        "hosts" => Command::HostsGet(query()?),
        "connections" => Command::HostConnectionsGet {
            host_names: ask.names("host_names"),
            volume_names: ask.names("volume_names"),
            query: query()?,
        },
        _ => return Ok(None),
    }))
}

fn makes(ask: &Ask) -> Result<Option<Command>, Refused> {
    let names = || ask.names("names");
    Ok(Some(match ask.path.as_str() {
        "volumes" => Command::VolumesPost {
            names: names(),
            source: source(ask.field("source"), ask.field("provisioned"))?,
            overwrite: ask.flag("overwrite")?.unwrap_or_default(),
            add_to_groups: ask.names("add_to_protection_group_names"),
        },
        "volumes/batch" => Command::VolumesBatchPost {
            items: batch(ask)?,
            overwrite: ask.flag("overwrite")?.unwrap_or_default(),
        },
        "volume-snapshots" => Command::VolumeSnapshotsPost {
            source_names: ask.names("source_names"),
            suffix: ask.field_text("suffix")?,
        },
        "protection-groups" => Command::GroupsPost { names: names() },
        "protection-groups/volumes" => Command::GroupMembersPost {
            group_names: ask.names("group_names"),
            member_names: ask.names("member_names"),
        },
        "protection-groups/targets" => Command::GroupTargetsPost {
            group_names: ask.names("group_names"),
            member_names: ask.names("member_names"),
        },
        "protection-group-snapshots" => Command::GroupSnapshotsPost {
            source_names: ask.names("source_names"),
            body: GroupSnapshotBody {
                suffix: ask.field_text("suffix")?,
                replicate_now: ask.flag("replicate_now")?.unwrap_or_default(),
                replicate: ask.flag("replicate")?.unwrap_or_default(),
                apply_retention: ask.flag("apply_retention")?.unwrap_or_default(),
            },
        },
        "hosts" => Command::HostsPost {
            names: names(),
            iqns: texts(ask.field("iqns"), "iqns")?,
        },
        "connections" => Command::HostConnectionsPost {
            host_names: ask.names("host_names"),
            volume_names: ask.names("volume_names"),
        },
        _ => return Ok(None),
    }))
}

fn changes(ask: &Ask) -> Result<Option<Command>, Refused> {
    let names = || ask.names("names");
    Ok(Some(match (&ask.method, ask.path.as_str()) {
        (&Method::PUT, "volumes/tags/batch") => Command::TagsPut {
            resource_names: ask.names("resource_names"),
            tags: tags(ask.list(), true)?,
        },
        (&Method::PATCH, "volumes") => Command::VolumesPatch {
            names: names(),
            patch: volume_patch(ask)?,
        },
        (&Method::PATCH, "volume-snapshots") => Command::VolumeSnapshotsPatch {
            names: names(),
            patch: SnapshotPatch {
                name: ask.field_text("name")?,
                destroyed: ask.field_bool("destroyed")?,
            },
        },
        (&Method::PATCH, "protection-groups") => Command::GroupsPatch {
            names: names(),
            patch: group_patch(ask)?,
        },
        (&Method::PATCH, "protection-groups/targets") => Command::GroupTargetsPatch {
            group_names: ask.names("group_names"),
            allowed: ask
                .field_bool("allowed")?
                .ok_or_else(|| refused("Nothing to change.", "allowed"))?,
        },
        (&Method::PATCH, "protection-group-snapshots") => Command::GroupSnapshotsPatch {
            names: names(),
            destroyed: ask
                .field_bool("destroyed")?
                .ok_or_else(|| refused("Nothing to change.", "destroyed"))?,
        },
        // Personality and CHAP have no effect here; they are taken, and the host is shown.
        (&Method::PATCH, "hosts") => Command::HostsGet(Query::named(names())),
        _ => return Ok(None),
    }))
}

fn removes(ask: &Ask) -> Result<Option<Command>, Refused> {
    let names = ask.names("names");
    Ok(Some(match ask.path.as_str() {
        "volumes" => Command::VolumesDelete { names },
        "volume-snapshots" => Command::VolumeSnapshotsDelete { names },
        "volumes/tags" => Command::TagsDelete {
            resource_names: ask.names("resource_names"),
            namespaces: ask.names("namespaces"),
            keys: ask.names("keys"),
        },
        "protection-groups" => Command::GroupsDelete { names },
        "protection-groups/volumes" => Command::GroupMembersDelete {
            group_names: ask.names("group_names"),
            member_names: ask.names("member_names"),
        },
        "protection-groups/targets" => Command::GroupTargetsDelete {
            group_names: ask.names("group_names"),
            member_names: ask.names("member_names"),
        },
        "protection-group-snapshots" => Command::GroupSnapshotsDelete { names },
        "hosts" => Command::HostsDelete { names },
        "connections" => Command::HostConnectionsDelete {
            host_names: ask.names("host_names"),
            volume_names: ask.names("volume_names"),
        },
        _ => return Ok(None),
    }))
}

/// The smallest and default size of a volume, bytes.
const VOLUME_MIN_BYTES: u64 = 1 << 20;

fn source(from: Option<&Value>, provisioned: Option<&Value>) -> Result<VolumeSource, Refused> {
    let name = from.and_then(|f| f.get("name")).and_then(Value::as_str);
    match (name, from, provisioned) {
        (Some(name), _, None) => Ok(VolumeSource::Name(name.to_owned())),
        (None, Some(_), _) => Err(refused("A source needs a name.", "source")),
        (Some(_), _, Some(_)) => Err(refused("Either a source or a size.", "provisioned")),
        (None, None, None) => Ok(VolumeSource::Provisioned(VOLUME_MIN_BYTES)),
        (None, None, Some(size)) => {
            let size = size.as_u64();
            let size = size.ok_or_else(|| refused("Invalid number.", "provisioned"))?;
            Ok(VolumeSource::Provisioned(size))
        }
    }
}

fn batch(ask: &Ask) -> Result<Vec<VolumeItem>, Refused> {
    let list = ask.list();
    if list.len() > BATCH_MAX {
        return Err(refused("Too many volumes in one call.", "volumes"));
    }
    let item = |one: &Value| {
        let name = one.get("name").and_then(Value::as_str).unwrap_or_default();
        let groups = one
            .get("add_to_protection_groups")
            .and_then(Value::as_array);
        let groups = groups.into_iter().flatten();
        let group = |g: &Value| g.get("name").and_then(Value::as_str).map(str::to_owned);
        let own_tags = one.get("tags").and_then(Value::as_array);
        Ok(VolumeItem {
            name: name.to_owned(),
            source: source(one.get("source"), one.get("provisioned"))?,
            tags: tags(own_tags.into_iter().flatten().collect(), false)?,
            add_to_groups: groups.filter_map(group).collect(),
        })
    };
    list.into_iter().map(item).collect()
}

fn tags(list: Vec<&Value>, needed: bool) -> Result<Vec<Tag>, Refused> {
    if list.is_empty() && needed {
        return Err(refused("At least one tag is required.", "tags"));
    }
    let text = |one: &Value, name: &str| {
        let value = one.get(name).and_then(Value::as_str);
        value.map(str::to_owned)
    };
    let tag = |one: &Value| {
        Ok(Tag {
            key: text(one, "key").ok_or_else(|| refused("A tag needs a key.", "key"))?,
            value: text(one, "value").unwrap_or_default(),
            namespace: text(one, "namespace").unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()),
            copyable: one.get("copyable").and_then(Value::as_bool).unwrap_or(true),
        })
    };
    list.into_iter().map(tag).collect()
}

fn texts(value: Option<&Value>, name: &str) -> Result<Vec<String>, Refused> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let list = value
        .as_array()
        .ok_or_else(|| refused("Invalid list.", name))?;
    let text = |one: &Value| one.as_str().map(str::to_owned);
    let texts: Option<Vec<String>> = list.iter().map(text).collect();
    texts.ok_or_else(|| refused("Invalid text.", name))
}

fn volume_patch(ask: &Ask) -> Result<VolumePatch, Refused> {
    let provisioned = ask.field_int("provisioned")?;
    let provisioned = provisioned.map(u64::try_from).transpose();
    for elsewhere in ["pod.name", "volume_group.name"] {
        if ask
            .field_text(elsewhere)?
            .is_some_and(|name| !name.is_empty())
        {
            return Err(refused(
                "Pods and volume groups are not simulated.",
                elsewhere,
            ));
        }
    }
    Ok(VolumePatch {
        name: ask.field_text("name")?,
        provisioned: provisioned.map_err(|_| refused("Invalid number.", "provisioned"))?,
        truncate: ask.flag("truncate")?.unwrap_or_default(),
        destroyed: ask.field_bool("destroyed")?,
    })
}

fn schedule(ask: &Ask, name: &str) -> Result<SchedulePatch, Refused> {
    Ok(SchedulePatch {
        enabled: ask.field_bool(&format!("{name}.enabled"))?,
        frequency_ms: ask.field_int(&format!("{name}.frequency"))?,
        at_s: ask.field_int(&format!("{name}.at"))?,
    })
}

fn retention(ask: &Ask, name: &str) -> Result<RetentionPatch, Refused> {
    Ok(RetentionPatch {
        all_for_s: ask.field_int(&format!("{name}.all_for_sec"))?,
        days: ask.field_int(&format!("{name}.days"))?,
        per_day: ask.field_int(&format!("{name}.per_day"))?,
    })
}

fn group_patch(ask: &Ask) -> Result<GroupPatch, Refused> {
    if ask.field("name").is_some() {
        return Err(refused(
            "Renaming a protection group is not simulated.",
            "name",
        ));
    }
    Ok(GroupPatch {
        replication_schedule: schedule(ask, "replication_schedule")?,
        snapshot_schedule: schedule(ask, "snapshot_schedule")?,
        source_retention: retention(ask, "source_retention")?,
        target_retention: retention(ask, "target_retention")?,
        destroyed: ask.field_bool("destroyed")?,
    })
}
