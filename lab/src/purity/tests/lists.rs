//! Names, filters, order and pages.

use super::{Client, names};
use http::Method;
use serde_json::{Value, json};

async fn with_volumes(count: usize) -> Client {
    let client = Client::new().await;
    let all: Vec<String> = (0..count).map(|n| format!("vol{n:02}")).collect();
    let path = format!("volumes?names={}", all.join(","));
    client
        .done(Method::POST, &path, json!({ "provisioned": 1 << 30 }))
        .await;
    client
}

async fn get(client: &Client, path: &str) -> Value {
    client.done(Method::GET, path, Value::Null).await
}

#[tokio::test(start_paused = true)]
async fn a_walk_by_token_sees_each_once_whatever_comes_meanwhile() {
    let client = with_volumes(5).await;
    let mut seen = Vec::new();
    let mut path = "volumes?limit=2".to_owned();
    loop {
        let page = get(&client, &path).await;
        seen.extend(names(&page));
        if page["more_items_remaining"] == false {
            assert!(page["continuation_token"].is_null());
            break;
        }
        let token = page["continuation_token"].as_str().unwrap();
        path = format!("volumes?limit=2&continuation_token={token}");
        if seen.len() == 2 {
            client
                .done(
                    Method::PATCH,
                    "volumes?names=vol00",
                    json!({ "destroyed": true }),
                )
                .await;
            client
                .done(Method::DELETE, "volumes?names=vol00", Value::Null)
                .await;
        }
    }
    assert_eq!(seen, ["vol00", "vol01", "vol02", "vol03", "vol04"]);
}

#[tokio::test(start_paused = true)]
async fn order_comes_in_both_spellings_and_walks_by_offset() {
    let client = with_volumes(4).await;
    for sort in ["name-", "-name"] {
        let page = get(&client, &format!("volumes?sort={sort}&limit=2&offset=1")).await;
        assert_eq!(names(&page), ["vol02", "vol01"], "{sort}");
        assert_eq!(page["more_items_remaining"], true);
        assert!(page["continuation_token"].is_null());
    }
}

#[tokio::test(start_paused = true)]
async fn counts_come_only_when_asked_for() {
    let client = with_volumes(3).await;
    let page = get(&client, "volumes").await;
    assert!(page.get("total_item_count").is_none());
    let page = get(&client, "volumes?limit=0&total_item_count=true").await;
    assert_eq!(
        (&page["items"], &page["total_item_count"]),
        (&json!([]), &json!(3))
    );
}

#[tokio::test(start_paused = true)]
async fn names_match_all_or_nothing_without_case_and_without_wildcards() {
    let client = with_volumes(3).await;
    let page = get(&client, "volumes?names=VOL01,vol02").await;
    assert_eq!(names(&page), ["vol01", "vol02"]);
    for path in ["volumes?names=vol01,vol9", "volumes?names=vol*"] {
        let said = client.no(Method::GET, path, Value::Null).await;
        assert_eq!(said, ["Volume does not exist."], "{path}");
    }
    let id = get(&client, "volumes?names=vol01").await["items"][0]["id"].clone();
    let page = get(&client, &format!("volumes?ids={}", id.as_str().unwrap())).await;
    assert_eq!(names(&page), ["vol01"]);
    client
        .no(Method::GET, "volumes?ids=nothing", Value::Null)
        .await;
    client
        .no(Method::GET, "volumes?ids=x&names=vol01", Value::Null)
        .await;
}

#[tokio::test(start_paused = true)]
async fn both_states_are_shown_unless_one_is_asked_for() {
    let client = with_volumes(2).await;
    client
        .done(
            Method::PATCH,
            "volumes?names=vol00",
            json!({ "destroyed": true }),
        )
        .await;
    assert_eq!(names(&get(&client, "volumes").await), ["vol00", "vol01"]);
    assert_eq!(
        names(&get(&client, "volumes?destroyed=true").await),
        ["vol00"]
    );
    assert_eq!(
        names(&get(&client, "volumes?destroyed=false").await),
        ["vol01"]
    );
    client
        .no(
            Method::GET,
            "volumes?names=vol00&destroyed=false",
            Value::Null,
        )
        .await;
    client
        .no(Method::GET, "volumes?destroyed=maybe", Value::Null)
        .await;
}

#[tokio::test(start_paused = true)]
async fn filters_sift_and_bad_ones_are_refused() {
    let client = with_volumes(12).await;
    let page = get(&client, "volumes?filter=name%3D'vol1*'").await;
    assert_eq!(names(&page), ["vol10", "vol11"]);
    let said = client
        .no(Method::GET, "volumes?filter=name%3D", Value::Null)
        .await;
    assert_eq!(said, ["Invalid filter."]);
    let page = get(&client, "controllers?filter=status%3D'ready'").await;
    assert_eq!(names(&page), ["CT0", "CT1"]);
    let page = get(&client, "ports?filter=name%3D'CT0.*'").await;
    assert_eq!(names(&page), ["CT0.ETH4"]);
    let page = get(
        &client,
        "network-interfaces?filter=eth.subtype%3D'lacp_bond'",
    )
    .await;
    assert_eq!(page["items"], json!([]));
}

/// An empty list never means "all": Cinder sends them.
#[tokio::test(start_paused = true)]
async fn an_empty_list_of_members_changes_nothing() {
    let client = with_volumes(1).await;
    client
        .done(Method::POST, "protection-groups?names=pg", Value::Null)
        .await;
    let members = "protection-groups/volumes?group_names=pg&member_names=vol00";
    client.done(Method::POST, members, Value::Null).await;
    let empty = "protection-groups/volumes?group_names=pg&member_names=";
    client.no(Method::DELETE, empty, Value::Null).await;
    let page = get(&client, "protection-groups/volumes?group_names=pg").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
}
