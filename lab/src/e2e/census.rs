//! Everything that clouds and arrays hold, of all projects, as the stock clients list it: it has to be what was
//! there before, and what the ledgers say stands (S2, S3, L6). Both ways: nothing too many, nothing missing.
//!
//! Absent: reading the ledgers (`ledger`); which servers run (`judge`).

use super::judge::Wrong;
use super::ledger::Standing;
use super::places::Places;
use crate::world::Which;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// One object.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Thing {
    pub id: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
    /// What a port is of.
    #[serde(default)]
    pub device: Option<String>,
    /// Of an attachment.
    #[serde(default)]
    pub server: Option<String>,
    #[serde(default)]
    pub volume: Option<String>,
}

/// By place (a site, or an array), then by kind.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Census(BTreeMap<String, BTreeMap<String, Vec<Thing>>>);

impl Census {
    /// # Errors
    /// A cloud or an array does not answer.
    pub fn take(places: &Places, sites: &[Which]) -> Result<Self> {
        let words = std::iter::once("census").chain(sites.iter().map(|s| s.name()));
        let told = places.ask(&words.collect::<Vec<_>>())?;
        serde_json::from_str(&told).context("what the stock clients list")
    }

    fn things(&self, place: &str, kind: &str) -> &[Thing] {
        let kinds = self.0.get(place);
        kinds.and_then(|k| k.get(kind)).map_or(&[], Vec::as_slice)
    }

    fn ids(&self, place: &str, kind: &str) -> BTreeSet<String> {
        let things = self.things(place, kind).iter();
        things.map(|t| t.id.clone()).collect()
    }

    fn attachments(&self, site: &str) -> BTreeSet<(String, String)> {
        let things = self.things(site, "attachments").iter();
        let pair = |t: &Thing| Some((t.server.clone()?, t.volume.clone()?));
        things.filter_map(pair).collect()
    }

    /// A server of the tenant has gone, by the tenant's own hand: its ports went with it, its volumes not.
    pub fn forget_server(&mut self, which: Which, server: &str) {
        let Some(kinds) = self.0.get_mut(which.name()) else {
            return;
        };
        let of_it = |t: &Thing| {
            t.id == server
                || [&t.device, &t.server]
                    .iter()
                    .any(|x| x.as_deref() == Some(server))
        };
        for things in kinds.values_mut() {
            things.retain(|t| !of_it(t));
        }
    }
}

/// What is there at a site and its array, held against what has to be.
pub(super) struct Held<'a> {
    pub which: Which,
    pub now: &'a Census,
    /// Before the group was made.
    pub before: &'a Census,
    pub standing: &'a Standing,
    /// The name of the group on the arrays.
    pub array_group: &'a str,
}

impl Held<'_> {
    /// Everything that is not so.
    pub fn wrong(&self) -> Wrong {
        let stands = self.standing;
        let site = self.which.name();
        let mut wrong = Vec::new();
        for (kind, listed) in [
            ("servers", &stands.servers),
            ("ports", &stands.ports),
            ("volumes", &stands.volumes),
            ("groups", &BTreeSet::new()),
            ("trusts", &stands.trusts),
        ] {
            wrong.extend(self.unlike(site, kind, listed));
        }
        wrong.extend(self.unlike(self.which.array(), "volumes", &stands.array_volumes));
        wrong.extend(self.attached_wrongly());
        wrong.extend(self.unknown_on_array());
        let failed = |t: &&Thing| {
            let status = t.status.as_deref().unwrap_or_default();
            status.to_lowercase().starts_with("error")
        };
        for kind in ["servers", "volumes"] {
            let failed = self.now.things(site, kind).iter().filter(failed);
            wrong.extend(failed.map(|t| {
                let name = t.name.as_deref().unwrap_or_default();
                format!("{kind} {} ({name}) at {site} is in error", t.id)
            }));
        }
        wrong
    }

    fn unlike(&self, place: &str, kind: &str, listed: &BTreeSet<String>) -> Wrong {
        let now = self.now.ids(place, kind);
        let mut due = self.before.ids(place, kind);
        due.extend(listed.iter().cloned());
        let more = now.difference(&due);
        let more = more.map(|id| format!("{kind}: {id} at {place} is in no ledger (S3)"));
        let less = due.difference(&now);
        let less = less.map(|id| format!("{kind}: {id} is not at {place}, and stands in a ledger"));
        more.chain(less).collect()
    }

    fn attached_wrongly(&self) -> Wrong {
        let site = self.which.name();
        let now = self.now.attachments(site);
        let mut due = self.before.attachments(site);
        due.extend(self.standing.attachments.iter().cloned());
        let mut wrong = Vec::new();
        for (server, volume) in now.symmetric_difference(&due) {
            let is = now.contains(&(server.clone(), volume.clone()));
            let (is, due) = if is { ("is", "not") } else { ("is not", "") };
            wrong.push(format!(
                "volume {volume} {is} attached to {server} at {site}, and has {due} to be"
            ));
        }
        // Cinder's driver connects what is attached, and nothing else.
        let connected = self.now.ids(self.which.array(), "connections");
        let volumes = now
            .iter()
            .map(|(_, volume)| format!("volume-{volume}-cinder"));
        let volumes: BTreeSet<String> = volumes.collect();
        let odd = connected.symmetric_difference(&volumes);
        wrong.extend(odd.map(|name| {
            let array = self.which.array();
            format!("{name} on {array} is connected or attached, and not both")
        }));
        wrong
    }

    /// Groups, points and snapshots have names that say whose they are.
    fn unknown_on_array(&self) -> Wrong {
        let array = self.which.array();
        let own_name = |id: &str| id.rsplit(':').next().unwrap_or_default().to_owned();
        let known: BTreeSet<String> = self.before.ids(array, "groups").into_iter().collect();
        let known: BTreeSet<String> = known.iter().map(|id| own_name(id)).collect();
        let is_known = |group: &str| group == self.array_group || known.contains(group);
        let before = self.before.ids(array, "snapshots");
        let mut wrong = Vec::new();
        for kind in ["groups", "points", "snapshots"] {
            for id in self.now.ids(array, kind) {
                let name = own_name(&id);
                let group = name.split('.').next().unwrap_or_default();
                let suffix = name.rsplit('.').next().unwrap_or_default();
                let ours = is_known(group) || self.standing.safety.contains(suffix);
                if !ours && !before.contains(&id) {
                    wrong.push(format!("{kind}: {id} on {array} is nobody's (S3)"));
                }
            }
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use serde_json::{Value, json};

    fn census(value: Value) -> Census {
        serde_json::from_value(value).unwrap()
    }

    /// Before the group was made: a server with a volume, Cinder's own group on the array.
    fn empty() -> Value {
        json!({
            "site-a": {
                "servers": [{"id": "s0", "name": "other", "status": "ACTIVE"}],
                "ports": [{"id": "p0", "device": "s0"}],
                "volumes": [{"id": "v0", "name": "d", "status": "in-use"}],
                "attachments": [{"id": "a0", "server": "s0", "volume": "v0"}],
                "groups": [], "trusts": [],
            },
            "site-a-array": {
                "volumes": [{"id": "SER0", "name": "volume-v0-cinder"}],
                "groups": [{"id": "cinder-group"}], "points": [], "snapshots": [],
                "connections": [{"id": "volume-v0-cinder"}],
            },
        })
    }

    fn add(census: &mut Value, place: &str, kind: &str, thing: Value) {
        let place = place.replace("array", Which::A.array());
        census[place][kind].as_array_mut().unwrap().push(thing);
    }

    /// And with what the ledger below lists.
    fn whole() -> Value {
        let mut now = rekeyed(empty());
        for (place, kind, thing) in [
            ("site-a", "servers", json!({"id": "s1", "status": "ACTIVE"})),
            ("site-a", "ports", json!({"id": "p1", "device": "s1"})),
            ("site-a", "volumes", json!({"id": "v1", "status": "in-use"})),
            (
                "site-a",
                "attachments",
                json!({"id": "a1", "server": "s1", "volume": "v1"}),
            ),
            ("site-a", "trusts", json!({"id": "t1"})),
            ("array", "volumes", json!({"id": "SER1"})),
            ("array", "connections", json!({"id": "volume-v1-cinder"})),
            ("array", "groups", json!({"id": "other-array:pg"})),
            ("array", "points", json!({"id": "other-array:pg.1"})),
            (
                "array",
                "snapshots",
                json!({"id": "volume-v0-cinder.op-safety"}),
            ),
        ] {
            add(&mut now, place, kind, thing);
        }
        now
    }

    fn rekeyed(mut value: Value) -> Value {
        let array = value["site-a-array"].take();
        value.as_object_mut().unwrap().remove("site-a-array");
        value[Which::A.array()] = array;
        value
    }

    fn wrong(now: Value) -> Wrong {
        let set = |id: &str| BTreeSet::from([id.to_owned()]);
        let standing = Standing {
            servers: set("s1"),
            ports: set("p1"),
            volumes: set("v1"),
            trusts: set("t1"),
            attachments: BTreeSet::from([("s1".to_owned(), "v1".to_owned())]),
            array_volumes: set("SER1"),
            safety: set("op-safety"),
        };
        let held = Held {
            which: Which::A,
            now: &census(now),
            before: &census(rekeyed(empty())),
            standing: &standing,
            array_group: "pg",
        };
        held.wrong()
    }

    #[test]
    fn what_was_there_and_what_the_ledger_lists_is_right() {
        assert_eq!(wrong(whole()), Wrong::new());
    }

    #[test]
    fn one_object_too_many_of_any_kind_is_told() {
        for (place, kind, id) in [
            ("site-a", "servers", "s9"),
            ("site-a", "ports", "p9"),
            ("site-a", "volumes", "v9"),
            ("site-a", "groups", "g9"),
            ("site-a", "trusts", "t9"),
            ("array", "volumes", "SER9"),
            ("array", "groups", "pg9"),
            ("array", "points", "pg9.1"),
            ("array", "snapshots", "volume-v0-cinder.else"),
            ("array", "connections", "volume-v9-cinder"),
        ] {
            let mut now = whole();
            add(&mut now, place, kind, json!({ "id": id }));
            let wrong = wrong(now);
            assert!(wrong.len() == 1 && wrong[0].contains(id), "{id}: {wrong:?}");
        }
        let mut now = whole();
        let twice = json!({"id": "a9", "server": "s1", "volume": "v0"});
        add(&mut now, "site-a", "attachments", twice);
        assert_eq!(wrong(now).len(), 1);
    }

    #[test]
    fn one_object_too_few_of_any_kind_is_told() {
        for (place, kind) in [
            ("site-a", "servers"),
            ("site-a", "ports"),
            ("site-a", "volumes"),
            ("site-a", "trusts"),
            ("site-a", "attachments"),
            ("array", "volumes"),
            ("array", "connections"),
        ] {
            let place = place.replace("array", Which::A.array());
            let mut now = whole();
            let _ = now[&place][kind].as_array_mut().unwrap().pop();
            assert!(!wrong(now).is_empty(), "{kind}");
        }
    }

    #[test]
    fn a_server_in_error_is_told_and_one_that_the_tenant_deleted_is_not_missed() {
        let mut now = whole();
        now["site-a"]["servers"][1]["status"] = json!("ERROR");
        assert_eq!(wrong(now).len(), 1);
        let mut before = census(rekeyed(empty()));
        before.forget_server(Which::A, "s0");
        for kind in ["servers", "ports", "attachments"] {
            assert!(before.ids("site-a", kind).is_empty(), "{kind}");
        }
        assert_eq!(before.ids("site-a", "volumes").len(), 1);
    }
}
