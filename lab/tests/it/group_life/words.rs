//! Another name, another description.

use super::scene::*;
use http::Method;
use protector_lab::courier::{self, sync};
use protector_lab::story::update;
use protector_lab::world::Which;
use serde_json::json;

const NAMES: [Which; 2] = [Which::A, Which::B];

/// A group without members, made at `home` and known at both sites.
async fn another(scene: &Scene, home: Which, name: &str) -> String {
    let (at, peer) = (scene.at(home).await, scene.at(home.other()).await);
    let create = json!({ "protection_group": {
        "name": name,
        "replication_type": "async",
        "secondary_site": home.other().name(),
        "volume_type": "replicated-ssd",
    }});
    let made = courier::change(&at, &peer, Method::POST, "/protection-groups", &create).await;
    made.unwrap()
}

#[tokio::test(start_paused = true)]
async fn both_sites_know_a_group_by_its_new_name_and_its_array_object_stays() {
    let scene = Scene::of("life-rename").await;
    let (before, object) = (scene.holds(Which::A), scene.on_array(Which::A).unwrap());
    let words = json!({ "name": "store", "description": "of all" });
    update(&scene.world, &scene.group, &words).await.unwrap();
    rest(SWEPT_S).await;
    for which in NAMES {
        let shown = scene.shown(which, "").await.unwrap()["protection_group"].clone();
        assert_eq!(
            (&shown["name"], &shown["description"]),
            (&json!("store"), &json!("of all"))
        );
        let at = scene.at(which).await;
        for (name, found) in [("store", "done"), ("shop", "404 not_found")] {
            let path = format!("/protection-groups/{name}");
            let by_name = at.call(Method::GET, &path, None).await;
            assert_eq!(said(by_name), found, "{which:?}");
        }
    }
    assert_eq!(scene.on_array(Which::A), Some(object));
    assert_eq!(scene.holds(Which::A), before);
    let trail = scene.trail(Which::A).await;
    assert!(trail.ends_with(&["name".to_owned(), "description".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_cannot_be_is_refused_and_nothing_is_left_of_it() {
    let scene = Scene::of("life-bad-name").await;
    another(&scene, Which::A, "store").await;
    for (words, expected) in [
        (json!({ "name": "store" }), "name_taken"),
        (json!({ "name": "" }), "bad_name"),
        (json!({ "name": "shop" }), "nothing_to_change"),
        (json!({}), "nothing_to_change"),
        (json!({ "name": "x", "colour": "red" }), "bad_request"),
    ] {
        let outcome = update(&scene.world, &scene.group, &words).await;
        let refused = outcome.unwrap_err();
        let refused = refused.downcast_ref::<courier::CourierError>().unwrap();
        assert_eq!(refused.code(), expected, "{words}");
    }
    for which in NAMES {
        let mut names = scene.names(which).await;
        names.sort();
        assert_eq!(names, ["shop", "store"]);
    }
}

/// Both were free to take it when they asked.
#[tokio::test(start_paused = true)]
async fn of_two_that_want_one_name_at_once_one_gets_it() {
    let scene = Scene::of("life-name-race").await;
    let other = another(&scene, Which::A, "store").await;
    let words = json!({ "protection_group": { "name": "one" } });
    let (mine, its) = (scene.path(""), format!("/protection-groups/{other}"));
    let mut reserved = Vec::new();
    for path in [&mine, &its] {
        let carried = scene.carry(Method::PATCH, path, Some(&words), Until::Reserved);
        reserved.push(carried.await.unwrap());
    }
    let (a, b) = (scene.at(Which::A).await, scene.at(Which::B).await);
    let mut outcomes = Vec::new();
    for reservation in &reserved {
        let commit = a.call(Method::POST, "/sync/commits", Some(reservation));
        outcomes.push(said(commit.await));
    }
    assert_eq!(outcomes, ["done", "409 name_taken"]);
    sync(&a, &b, &scene.group.group).await.unwrap();
    sync(&a, &b, &other).await.unwrap();
    for which in NAMES {
        let mut names = scene.names(which).await;
        names.sort();
        assert_eq!(names, ["one", "store"]);
    }
}

/// The peer knows of a name that this site has not heard of.
#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_at_the_peer_is_refused_before_anything_is_written() {
    let scene = Scene::of("life-name-there").await;
    let (a, b) = (scene.at(Which::A).await, scene.at(Which::B).await);
    // Committed at B, and its courier has gone.
    let create = json!({ "protection_group": {
        "name": "theirs",
        "replication_type": "async",
        "secondary_site": Which::A.name(),
        "volume_type": "replicated-ssd",
    }});
    let asked = b
        .call(Method::POST, "/protection-groups", Some(&create))
        .await;
    let ticket = json!({ "ticket": asked.unwrap()["ticket"] });
    let answer = a
        .call(Method::POST, "/sync/reservations", Some(&ticket))
        .await;
    let reservation = json!({ "reservation": answer.unwrap()["reservation"] });
    let committed = b
        .call(Method::POST, "/sync/commits", Some(&reservation))
        .await;
    let theirs = committed.unwrap()["protection_group"]["id"].clone();
    let words = json!({ "name": "theirs" });
    let outcome = update(&scene.world, &scene.group, &words).await;
    assert_eq!(code(outcome), "rejected_by_peer");
    sync(&b, &a, theirs.as_str().unwrap()).await.unwrap();
    let shown = scene.shown(Which::A, "").await.unwrap();
    assert_eq!(shown["protection_group"]["name"], "shop");
    assert_eq!(shown["protection_group"]["synced"], true);
}
