//! What clients do with objects, the texts they look for, and the fields they read.

use super::{Client, names};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

const GB: u64 = 1 << 30;

async fn volume(client: &Client, name: &str) {
    let path = format!("volumes?names={name}&with_default_protection=false");
    client
        .done(Method::POST, &path, json!({ "provisioned": GB }))
        .await;
}

/// Calls that are refused, with the fragment that a client looks for.
fn refused_calls() -> Vec<(Method, &'static str, Value, &'static str)> {
    vec![
        (
            Method::POST,
            "volumes?names=vol",
            json!({}),
            "already exists",
        ),
        (
            Method::PATCH,
            "volumes?names=none",
            json!({ "name": "x" }),
            "does not exist",
        ),
        (
            Method::POST,
            "volumes?names=copy",
            json!({ "source": { "name": "none" } }),
            "No such volume or snapshot",
        ),
        (Method::POST, "hosts?names=h", json!({}), "already exists"),
        (
            Method::POST,
            "hosts?names=i",
            json!({ "iqns": ["iqn.one"] }),
            "already in use",
        ),
        (
            Method::DELETE,
            "hosts?names=h",
            Value::Null,
            "cannot be deleted due to existing connections",
        ),
        (
            Method::POST,
            "connections?host_names=h&volume_names=vol",
            Value::Null,
            "Connection already exists",
        ),
        (
            Method::POST,
            "connections?host_names=none&volume_names=vol",
            Value::Null,
            "Host does not exist",
        ),
        (
            Method::DELETE,
            "connections?host_names=h&volume_names=none",
            Value::Null,
            "does not exist",
        ),
        (
            Method::POST,
            "protection-groups?names=pg",
            Value::Null,
            "already exists",
        ),
        (
            Method::GET,
            "protection-groups?names=none",
            Value::Null,
            "does not exist",
        ),
        (Method::POST, "volumes?names=..", json!({}), "name"),
    ]
}

#[tokio::test(start_paused = true)]
async fn clients_find_the_texts_that_they_look_for() {
    let client = Client::new().await;
    volume(&client, "vol").await;
    client
        .done(
            Method::POST,
            "hosts?names=h",
            json!({ "iqns": ["iqn.one"] }),
        )
        .await;
    client
        .done(
            Method::POST,
            "connections?host_names=h&volume_names=vol",
            Value::Null,
        )
        .await;
    client
        .done(Method::POST, "protection-groups?names=pg", Value::Null)
        .await;
    for (method, path, body, fragment) in refused_calls() {
        let said = client.no(method, path, body).await;
        assert!(said[0].contains(fragment), "{path}: {said:?}");
    }
}

/// A name in the bin must not read as a live one.
#[tokio::test(start_paused = true)]
async fn a_destroyed_name_is_taken_in_words_of_its_own() {
    let client = Client::new().await;
    client
        .done(Method::POST, "protection-groups?names=pg", Value::Null)
        .await;
    client
        .done(
            Method::PATCH,
            "protection-groups?names=pg",
            json!({ "destroyed": true }),
        )
        .await;
    let said = client
        .no(Method::POST, "protection-groups?names=pg", Value::Null)
        .await;
    assert!(
        said[0].contains("has been destroyed") && !said[0].contains("already exists"),
        "{said:?}"
    );
    client
        .done(Method::DELETE, "protection-groups?names=pg", Value::Null)
        .await;
    client
        .done(Method::POST, "protection-groups?names=pg", Value::Null)
        .await;
}

#[tokio::test(start_paused = true)]
async fn many_names_are_all_or_nothing() {
    let client = Client::new().await;
    volume(&client, "one").await;
    client
        .no(
            Method::POST,
            "volumes?names=two,one",
            json!({ "provisioned": GB }),
        )
        .await;
    client
        .no(
            Method::PATCH,
            "volumes?names=one,none",
            json!({ "destroyed": true }),
        )
        .await;
    let page = client.done(Method::GET, "volumes", Value::Null).await;
    assert_eq!(names(&page), ["one"]);
    assert_eq!(page["items"][0]["destroyed"], false);
}

/// The fields that Cinder and the vendor's client read of a volume are there.
#[tokio::test(start_paused = true)]
async fn rows_have_what_clients_read() {
    let client = Client::new().await;
    volume(&client, "vol").await;
    let page = client.done(Method::GET, "volumes", Value::Null).await;
    let row = &page["items"][0];
    let serial = row["serial"].as_str().unwrap();
    assert!(
        serial.len() == 24
            && serial
                .bytes()
                .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    );
    for field in [
        "id",
        "name",
        "provisioned",
        "created",
        "destroyed",
        "connection_count",
        "source",
        "pod",
        "volume_group",
        "qos",
        "space",
        "subtype",
    ] {
        assert!(row.get(field).is_some(), "{field}");
    }
    let group = client
        .done(Method::POST, "protection-groups?names=pg", Value::Null)
        .await;
    for field in [
        "retention_lock",
        "target_count",
        "volume_count",
        "is_local",
        "source",
        "replication_schedule",
        "target_retention",
    ] {
        assert!(group["items"][0].get(field).is_some(), "{field}");
    }
    let space = client.done(Method::GET, "arrays/space", Value::Null).await;
    assert!(space["items"][0]["space"]["total_physical"].is_u64());
    let load = "arrays/performance?start_time=1&end_time=2&resolution=30000&total_item_count=true";
    let load = client.done(Method::GET, load, Value::Null).await;
    assert_eq!(load["total_item_count"], 1);
    assert!(load["items"][0]["queue_usec_per_write_op"].is_u64());
    let arrays = client.done(Method::GET, "arrays", Value::Null).await;
    assert!(arrays["items"][0].get("now_ms").is_none());
}

#[tokio::test(start_paused = true)]
async fn tags_are_put_listed_and_taken_away() {
    let client = Client::new().await;
    volume(&client, "vol").await;
    let tag = json!([{ "key": "k", "value": "v", "namespace": "ns", "copyable": false }]);
    client
        .done(Method::PUT, "volumes/tags/batch?resource_names=vol", tag)
        .await;
    let page = client
        .done(
            Method::GET,
            "volumes/tags?resource_names=vol&namespaces=ns",
            Value::Null,
        )
        .await;
    let row = &page["items"][0];
    assert_eq!(
        (&row["key"], &row["value"], &row["resource"]["name"]),
        (&json!("k"), &json!("v"), &json!("vol"))
    );
    let gone = "volumes/tags?resource_names=vol&namespaces=ns&keys=k";
    client.done(Method::DELETE, gone, Value::Null).await;
    let page = client
        .done(
            Method::GET,
            "volumes/tags?resource_names=vol&namespaces=ns",
            Value::Null,
        )
        .await;
    assert_eq!(page["items"], json!([]));
    client
        .no(
            Method::PUT,
            "volumes/tags/batch?resource_names=vol",
            json!([]),
        )
        .await;
}

/// The whole way of an asynchronous group: set up, allowed, snapped, arrived, copied out in one call.
#[tokio::test(start_paused = true)]
async fn a_group_replicates_and_is_recovered_in_one_batch() {
    let client = Client::new().await;
    volume(&client, "one").await;
    volume(&client, "two").await;
    client
        .done(Method::POST, "protection-groups?names=pg", Value::Null)
        .await;
    let members = "protection-groups/volumes?group_names=pg&member_names=one,two";
    client.done(Method::POST, members, Value::Null).await;
    let target = "protection-groups/targets?group_names=pg&member_names=array-b";
    client.done(Method::POST, target, Value::Null).await;
    let again = client.no(Method::POST, target, Value::Null).await;
    assert!(again[0].contains("already includes"), "{again:?}");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let allow = "protection-groups/targets?group_names=array-a:pg";
    let (status, answer) = client
        .call_b(Method::PATCH, allow, json!({ "allowed": true }))
        .await;
    assert!(
        status == 200 || answer.to_string().contains("already allowed on"),
        "{answer}"
    );
    let schedule = json!({ "replication_schedule": { "enabled": true, "frequency": 900_000 } });
    client
        .done(Method::PATCH, "protection-groups?names=pg", schedule)
        .await;
    let merged = json!({ "replication_schedule": { "enabled": false } });
    let group = client
        .done(Method::PATCH, "protection-groups?names=pg", merged)
        .await;
    assert_eq!(
        group["items"][0]["replication_schedule"]["frequency"],
        900_000
    );
    let snap = "protection-group-snapshots?source_names=pg&replicate_now=true";
    client
        .done(Method::POST, snap, json!({ "suffix": "s1" }))
        .await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    let transfers = "protection-group-snapshots/transfer?names=array-a:pg&destroyed=false&filter=progress%3D%221.0%22&sort=started-&limit=1";
    let (_, page) = client.call_b(Method::GET, transfers, Value::Null).await;
    assert_eq!(names(&page), ["array-a:pg.s1"]);
    assert!(page["items"][0]["completed"].is_i64());
    let copies = json!([
        { "name": "c1", "source": { "name": "array-a:pg.s1.one" } },
        { "name": "c2", "source": { "name": "array-a:pg.s1.two" } },
    ]);
    let batch = "volumes/batch?with_default_protection=false";
    let (status, made) = client.call_b(Method::POST, batch, copies.clone()).await;
    assert_eq!(
        (status, names(&made)),
        (200, vec!["c1".to_owned(), "c2".to_owned()])
    );
    let (status, _) = client.call_b(Method::POST, batch, copies).await;
    assert_eq!(status, 400, "a batch is never done by half, nor twice");
    let truth = client.world.ground_truth();
    assert!(truth.volume("array-b", "c1").is_some());
}
