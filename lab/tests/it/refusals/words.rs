//! Words that do not fit what has happened: a point that is not there, another try of what was no forced move,
//! and nothing that it could have brought.

use super::scene::*;
use http::Method;
use protector_lab::courier;
use protector_lab::story::{drill, protect, take_point};
use protector_lab::world::Which;
use serde_json::json;
use std::collections::BTreeMap;

#[tokio::test(start_paused = true)]
async fn a_point_that_is_not_there_is_named() {
    let world = world("words-point").await;
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, 7).await.unwrap();
    let b = world.endpoint(Which::B).await.unwrap();
    let path = format!("/protection-groups/{}/action", group.group);
    let asked = json!({ "failover": { "type": "unplanned", "recovery_point": "yesterday" } });
    let said = refused(post(&b, &path, &asked).await);
    let words: &[&str] = &["yesterday", "protection-group show", "recovery points"];
    said.is("400 no_such_point", words);
    let path = format!("/operations?group={}", group.group);
    let begun = b.call(Method::GET, &path, None).await.unwrap();
    assert_eq!(begun["operations"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_try_belongs_to_a_forced_move_and_nothing_is_settled_without_one() {
    let mut world = world("words-try").await;
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, 7).await.unwrap();
    let networks = |which: Which| world.tenant(which).standard.networks.clone();
    let isolated = BTreeMap::from([(networks(Which::A)[0].clone(), networks(Which::B)[2].clone())]);
    let run = drill(&mut world, &group, &isolated).await.unwrap();
    let id = run.operation["id"].as_str().unwrap();
    let (a, b) = (
        world.endpoint(Which::A).await.unwrap(),
        world.endpoint(Which::B).await.unwrap(),
    );
    let path = format!("/operations/{id}/action");
    let said = refused(post(&b, &path, &json!({ "retry_members": {} })).await);
    said.is("409 not_the_move", &[id, "protection-group show"]);

    let path = format!("/protection-groups/{}/action", group.group);
    let settle = json!({ "settle_members": {} });
    let outcome = courier::change(&a, &b, Method::POST, &path, &settle).await;
    let words: &[&str] = &["where every member is", "protection-group show"];
    refused(outcome).is("409 nothing_to_settle", words);
}
