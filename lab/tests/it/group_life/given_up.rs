//! A peer is gone for good, and an administrator ends the group without it (section 10 of the protocol).

use super::scene::*;
use http::Method;
use protector_lab::courier::{abandon_peer, see, sync};
use protector_lab::world::Which;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn an_administrator_ends_a_group_whose_peer_is_gone() {
    let mut scene = Scene::of("life-given-up").await;
    let before = scene.holds(Which::A);
    scene.world.lose(Which::B);
    let group = scene.group.group.clone();
    let tenant = scene.at(Which::A).await;
    let refused = abandon_peer(&tenant, &group).await;
    assert_eq!(said(refused), "403 forbidden");
    let path = format!("/protection-groups/{group}?abandon_peer=maybe");
    let admin = scene.world.admin_endpoint(Which::A).await.unwrap();
    let odd = admin.call(Method::DELETE, &path, None).await;
    assert_eq!(said(odd), "400 bad_request");
    abandon_peer(&admin, &group).await.unwrap();
    rest(SWEPT_S).await;
    assert_eq!(scene.on_array(Which::A), None);
    assert_eq!(scene.holds(Which::A), before, "S4, S5");
    assert!(scene.names(Which::A).await.is_empty());
    let shown = scene.shown(Which::A, "").await;
    assert_eq!(said(shown), "410 group_deleted");
    let running = scene.world.a.running.as_ref().unwrap();
    let told = running.store.audit_list(None, None, 1_000).await.unwrap();
    let told = told.iter().filter(|e| e.action == "group.abandon_peer");
    assert_eq!(told.count(), 1, "S18");

    // It returns all the same: it stops leading, and keeps what it has.
    let kept = scene.holds(Which::B);
    scene.world.come_back(Which::B).await.unwrap();
    rest(SWEPT_S).await;
    let (a, b) = (scene.at(Which::A).await, scene.at(Which::B).await);
    sync(&a, &b, &group).await.unwrap();
    rest(SWEPT_S).await;
    let head = see(&b, &group).await.unwrap().head;
    assert!(head.deleted && !head.leads);
    assert_eq!(scene.holds(Which::B), kept);
    let body = json!({ "failover": { "type": "unplanned" } });
    let path = scene.path("/action");
    let moved = b.call(Method::POST, &path, Some(&body)).await;
    assert_eq!(said(moved), "410 group_deleted");
}
