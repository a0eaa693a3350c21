//! Copies and overwrites on the wire: in a batch, and one by one where there is none.

use protector_domain::ids::PointSuffix;
use protector_domain::ports::storage::{Copied, CopyAsk};
use protector_domain::ports::{ErrorKind, PortResult, StorageDriver};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::world::{Reply, START_MS, Seen, World, items, refusal, spec, volume};

/// Whole answers of a target with the complete point `A:pg.p` of `v1` and `v2`.
fn target(seen: &Seen) -> Reply {
    if seen.is("GET /protection-group-snapshots/transfer") {
        return items(
            json!([{"name": "A:pg.p", "started": START_MS, "completed": START_MS,
            "progress": 1.0, "destroyed": false}]),
        );
    }
    if seen.is("GET /volume-snapshots") {
        return items(json!([]));
    }
    Reply::Usual
}

async fn copy(world: &World) -> PortResult<Vec<Copied>> {
    let ask = |n: u8| CopyAsk {
        source_name: format!("v{n}"),
        copy_name: format!("c{n}"),
    };
    let point = PointSuffix("p".to_owned());
    world
        .driver()
        .recover_point(&spec(), &point, &[ask(1), ask(2)])
        .await
}

fn made(name: &str) -> Value {
    let mut row = volume(name, &format!("S-{name}"));
    row["source"] = json!({"name": format!("A:pg.p.v{}", &name[1..]), "id": "x"});
    row
}

#[tokio::test(start_paused = true)]
async fn a_group_is_copied_in_one_call() {
    let world = World::new(|seen| match seen.is("POST /volumes/batch") {
        true => items(json!([made("c1"), made("c2")])),
        false if seen.is("GET /volumes?") => items(json!([])),
        false => target(seen),
    });
    let copied = copy(&world).await.unwrap();
    assert_eq!(copied[1].serial.as_str(), "S-c2");
    assert_eq!(
        world.writes(),
        ["b POST /volumes/batch?with_default_protection=false"]
    );
    let body = world.calls().pop().unwrap().body;
    let mark = |key: &str, value: &str| json!({"key": key, "value": value, "namespace": "protector", "copyable": false});
    assert_eq!(
        body[0],
        json!({"name": "c1", "source": {"name": "A:pg.p.v1"},
            "tags": [mark("protector-copy", "c1"), mark("protector-source", "A:pg.p.v1")]})
    );
}

/// An array without batches that keeps what it is told: volumes by name, with their tags.
fn old_array(mut full_at: usize, lost: &'static str) -> World {
    let mut held: BTreeMap<String, Value> = BTreeMap::new();
    let mut loses = lost.to_owned();
    let mut answer = move |seen: &Seen| {
        let value = |key: &str| {
            let after = seen.path.split(&format!("{key}=")).nth(1)?;
            after.split('&').next().map(str::to_owned)
        };
        if seen.is("POST /volumes?") {
            let name = value("names").unwrap();
            if held.contains_key(&name) {
                return refusal("Volume already exists.", &name);
            }
            if held.len() >= full_at {
                full_at = usize::MAX;
                return refusal("Volume limit reached.", &name);
            }
            held.insert(name.clone(), json!([]));
            return items(json!([made(&name)]));
        }
        if seen.is("PUT /volumes/tags/batch") {
            let name = value("resource_names").unwrap();
            let tag = |t: &Value| {
                let mut tag = t.clone();
                tag["resource"] = json!({"name": name});
                tag
            };
            let tags = seen.body.as_array().unwrap().iter().map(tag).collect();
            held.insert(name, tags);
            return items(json!([]));
        }
        if seen.is("GET /volumes/tags") {
            let asked = value("resource_names").unwrap();
            let of = asked.split(',').filter_map(|n| held[n].as_array().cloned());
            return items(of.flatten().collect());
        }
        if seen.is("PATCH /volumes") {
            held.remove(&value("names").unwrap());
            return items(json!([]));
        }
        if seen.is("GET /volumes?") {
            return items(held.keys().map(|name| made(name)).collect());
        }
        target(seen)
    };
    let world = World::new(move |seen: &Seen| {
        let reply = answer(seen);
        if !loses.is_empty() && seen.is(&loses) {
            loses.clear();
            return Reply::Broken;
        }
        reply
    });
    world.speaking(&["2.4", "2.31"])
}

#[tokio::test(start_paused = true)]
async fn without_a_batch_each_copy_is_made_and_marked() {
    let world = old_array(usize::MAX, "");
    assert_eq!(copy(&world).await.unwrap().len(), 2);
    assert_eq!(
        world.writes(),
        [
            "b POST /volumes?names=c1&with_default_protection=false",
            "b PUT /volumes/tags/batch?resource_names=c1",
            "b POST /volumes?names=c2&with_default_protection=false",
            "b PUT /volumes/tags/batch?resource_names=c2"
        ]
    );
    copy(&world).await.unwrap();
    assert_eq!(world.writes().len(), 4, "nothing is made twice");
}

/// B2: whichever answer is lost, the second attempt ends with two copies, marked, and no third.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_between_copy_and_mark_is_made_up_for() {
    for lost in [
        "POST /volumes?names=c1",
        "PUT /volumes/tags/batch?resource_names=c1",
        "POST /volumes?names=c2",
        "PUT /volumes/tags/batch?resource_names=c2",
    ] {
        let world = old_array(usize::MAX, lost);
        let error = copy(&world).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unknown, "{lost}");
        assert_eq!(copy(&world).await.unwrap().len(), 2, "{lost}");
        let before = world.writes().len();
        copy(&world).await.unwrap();
        assert_eq!(
            world.writes().len(),
            before,
            "{lost}: all are there and marked"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_half_way_leaves_no_half_group() {
    let world = old_array(1, "");
    let error = copy(&world).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.what.contains("limit reached"), "{error}");
    assert_eq!(world.writes().last().unwrap(), "b PATCH /volumes?names=c1");
    assert_eq!(
        world.calls().last().unwrap().body,
        json!({"destroyed": true})
    );
}

/// Somebody else's volume under our name is not adopted for want of marks.
#[tokio::test(start_paused = true)]
async fn a_taken_name_is_refused_without_a_batch_too() {
    let world = World::new(|seen| match seen.is("GET /volumes?") {
        true => items(json!([volume("c1", "S1")])),
        false if seen.is("GET /volumes/tags") => items(json!([])),
        false => target(seen),
    });
    let error = copy(&world.speaking(&["2.31"])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyThere);
}
