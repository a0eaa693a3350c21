//! Rows of the model as Purity shows them: with the fields that its clients read and the model does not
//! need. A field that a client reads has to be there, or the client falls over.
//!
//! Absent: which rows (the model).

use protector_storage_drivers::model::{Answer, Page};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The body of an answer; `None`: there is none (removals).
pub(super) fn body(answer: Answer) -> Option<Value> {
    Some(match answer {
        Answer::Arrays(page) => list(page, array),
        Answer::ArrayConnections(page) => list(page, connection),
        Answer::Volumes(page) => list(page, volume),
        Answer::VolumeSnapshots(page) => list(page, as_it_is),
        Answer::Groups(page) => list(page, group),
        Answer::GroupMembers(page) => list(page, as_it_is),
        Answer::GroupTargets(page) => list(page, as_it_is),
        Answer::GroupSnapshots(page) => list(page, group_snapshot),
        Answer::Transfers(page) => list(page, as_it_is),
        Answer::Hosts(page) => list(page, host),
        Answer::HostConnections(page) => list(page, host_connection),
        Answer::Tags(page) => list(page, as_it_is),
        Answer::Done => return None,
    })
}

/// A whole list of what the model does not have.
pub(super) fn whole(items: Vec<Value>) -> Value {
    let count = items.len();
    json!({
        "items": items,
        "more_items_remaining": false,
        "total_item_count": count,
        "continuation_token": null,
    })
}

fn list<T: Serialize>(page: Page<T>, shape: fn(&mut Map<String, Value>)) -> Value {
    let items = page.items.into_iter().map(|row| {
        let mut row = serde_json::to_value(row).unwrap_or_default();
        if let Some(fields) = row.as_object_mut() {
            shape(fields);
        }
        row
    });
    let mut body = Map::new();
    body.insert("items".to_owned(), items.collect());
    let more = page.more_items_remaining;
    body.insert("more_items_remaining".to_owned(), more.into());
    body.insert(
        "continuation_token".to_owned(),
        json!(page.continuation_token),
    );
    // Null would be read as a number by some clients; absent unless it was asked for.
    if let Some(count) = page.total_item_count {
        body.insert("total_item_count".to_owned(), count.into());
    }
    Value::Object(body)
}

fn put(fields: &mut Map<String, Value>, name: &str, value: Value) {
    fields.entry(name.to_owned()).or_insert(value);
}

fn as_it_is(_: &mut Map<String, Value>) {}

fn array(fields: &mut Map<String, Value>) {
    // Over REST the clock stands in the answer's `Date`.
    fields.retain(|name, _| !name.starts_with("now_"));
    put(fields, "idle_timeout", json!(1_800_000));
    put(fields, "is_local", json!(true));
}

fn connection(fields: &mut Map<String, Value>) {
    put(fields, "management_address", Value::Null);
    put(fields, "replication_addresses", json!([]));
    put(fields, "version", json!("6.6.10"));
}

fn volume(fields: &mut Map<String, Value>) {
    fields.remove("tags");
    if fields.get("source").is_none_or(Value::is_null) {
        fields.insert("source".to_owned(), json!({}));
    }
    put(fields, "pod", json!({}));
    put(fields, "volume_group", json!({}));
    put(fields, "qos", json!({}));
    put(fields, "promotion_status", json!("promoted"));
    let size = fields.get("provisioned").cloned().unwrap_or_default();
    put(fields, "space", json!({ "total_provisioned": size }));
}

fn group(fields: &mut Map<String, Value>) {
    put(fields, "retention_lock", json!("unlocked"));
    put(fields, "host_count", json!(0));
    put(fields, "host_group_count", json!(0));
    put(fields, "pod", json!({}));
}

fn group_snapshot(fields: &mut Map<String, Value>) {
    put(fields, "pod", json!({}));
}

fn host(fields: &mut Map<String, Value>) {
    put(fields, "wwns", json!([]));
    put(fields, "nqns", json!([]));
    put(fields, "personality", Value::Null);
    put(fields, "host_group", json!({}));
    put(fields, "chap", json!({}));
    put(fields, "destroyed", json!(false));
}

fn host_connection(fields: &mut Map<String, Value>) {
    put(fields, "host_group", json!({}));
    put(fields, "protocol_endpoint", json!({}));
}
