//! A VM leaves its group, and goes on as if nothing had been.

use super::scene::*;
use http::Method;
use protector_lab::courier::{Endpoint, sync};
use protector_lab::story::{drill, fail_over, remove_member, take_point_at, test_cleanup};
use protector_lab::world::Which;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

fn server(scene: &Scene) -> String {
    scene.world.tenant(Which::A).servers[0].clone()
}

/// The members' names that a site shows.
async fn members(scene: &Scene, which: Which) -> BTreeSet<String> {
    let shown = scene.shown(which, "/members").await.unwrap();
    let members = shown["members"].as_array().unwrap().iter();
    members
        .map(|m| m["name"].as_str().unwrap().to_owned())
        .collect()
}

fn names(wanted: &[&str]) -> BTreeSet<String> {
    wanted.iter().map(|name| (*name).to_owned()).collect()
}

/// What the tenant has at A is what it was; the array's group has lost exactly these.
fn assert_left(scene: &Scene, before: &Holds, had: &BTreeSet<String>, its: &BTreeSet<String>) {
    assert!(!its.is_empty());
    let rest: BTreeSet<String> = had.difference(its).cloned().collect();
    assert_eq!(scene.members_on_array(), rest);
    assert!(scene.on_array(Which::A).unwrap().replicates);
    assert_eq!(&scene.holds(Which::A), before, "S4, S5");
}

#[tokio::test(start_paused = true)]
async fn a_removed_vm_goes_on_and_a_failover_boots_only_the_rest() {
    let mut scene = Scene::of("life-remove").await;
    let (gone, before, had) = (
        server(&scene),
        scene.holds(Which::A),
        scene.members_on_array(),
    );
    let its = scene.serials_of(&gone);
    remove_member(&scene.world, &scene.group, &gone)
        .await
        .unwrap();
    rest(SWEPT_S).await;
    assert_left(&scene, &before, &had, &its);
    for which in [Which::A, Which::B] {
        assert_eq!(members(&scene, which).await, names(&["web-2", "web-3"]));
    }
    let trail = scene.trail(Which::A).await;
    assert_eq!(trail.last().unwrap(), "member removed: web-1");
    // By the point of before, which holds the removed one's volumes, too.
    scene.world.lose(Which::A);
    let run = fail_over(&mut scene.world, &scene.group, |_| {})
        .await
        .unwrap();
    assert_eq!(run.operation["outcome"], "full", "{}", run.operation);
    assert_eq!(scene.running(Which::B), names(&["web-2", "web-3"]));
    assert!(scene.running(Which::A).contains("web-1"));
}

#[tokio::test(start_paused = true)]
async fn it_can_join_again_and_is_recovered_from_a_newer_point() {
    let mut scene = Scene::of("life-rejoin").await;
    let gone = server(&scene);
    remove_member(&scene.world, &scene.group, &gone)
        .await
        .unwrap();
    rest(SWEPT_S).await;
    let body = json!({ "member": { "instance_id": gone } });
    let path = scene.path("/members");
    let joined = scene
        .carry(Method::POST, &path, Some(&body), Until::Stored)
        .await;
    joined.unwrap();
    let (a, b) = (scene.at(Which::A).await, scene.at(Which::B).await);
    sync(&a, &b, &scene.group.group).await.unwrap();
    take_point_at(&scene.world, Which::A, &scene.group, GIVEN)
        .await
        .unwrap();
    scene.world.lose(Which::A);
    let run = fail_over(&mut scene.world, &scene.group, |_| {})
        .await
        .unwrap();
    assert_eq!(run.operation["outcome"], "full", "{}", run.operation);
    assert_eq!(scene.running(Which::B), names(&["web-1", "web-2", "web-3"]));
}

/// Its volumes are connected to nothing any more, so only we could be in the way of their end.
#[tokio::test(start_paused = true)]
async fn one_whose_server_is_deleted_leaves_and_its_volumes_stay() {
    let scene = Scene::of("life-remove-dead").await;
    let (gone, had) = (server(&scene), scene.members_on_array());
    let its = scene.serials_of(&gone);
    let nova = Endpoint {
        url: format!("http://{}", Which::A.cloud_host()),
        ..scene.at(Which::A).await
    };
    let path = format!("/compute/v2.1/servers/{gone}");
    nova.send(Method::DELETE, &path, None).await.unwrap();
    rest(SWEPT_S).await;
    let before = scene.holds(Which::A);
    assert_eq!(before.servers.len(), 2);
    assert_eq!(before.contents.len(), had.len());
    remove_member(&scene.world, &scene.group, &gone)
        .await
        .unwrap();
    rest(SWEPT_S).await;
    assert_left(&scene, &before, &had, &its);
}

/// The peer may fail over to what it knows: nothing is taken from that before it has heard.
#[tokio::test(start_paused = true)]
async fn its_volumes_stay_in_the_arrays_group_until_the_peer_has_heard() {
    let mut scene = Scene::of("life-remove-pending").await;
    let (gone, before, had) = (
        server(&scene),
        scene.holds(Which::A),
        scene.members_on_array(),
    );
    let its = scene.serials_of(&gone);
    let body = json!({ "member_remove": { "instance_id": gone } });
    let path = scene.path("/action");
    for until in [Until::Committed, Until::Stored] {
        if until == Until::Committed {
            let carried = scene.carry(Method::POST, &path, Some(&body), until).await;
            carried.unwrap();
        }
        scene.kill(Which::A).await;
        rest(SWEPT_S).await;
        assert_eq!(scene.members_on_array(), had, "{until:?}");
    }
    let (a, b) = (scene.at(Which::A).await, scene.at(Which::B).await);
    sync(&a, &b, &scene.group.group).await.unwrap();
    rest(SWEPT_S).await;
    assert_left(&scene, &before, &had, &its);
}

/// A3: killed after the receipt and before the array heard of it.
#[tokio::test(start_paused = true)]
async fn killed_between_commit_and_array_the_array_follows() {
    let mut scene = Scene::of("life-remove-killed").await;
    let (gone, before, had) = (
        server(&scene),
        scene.holds(Which::A),
        scene.members_on_array(),
    );
    let its = scene.serials_of(&gone);
    scene.world.fabric.down(Which::A.array());
    remove_member(&scene.world, &scene.group, &gone)
        .await
        .unwrap();
    scene.kill(Which::A).await;
    rest(30).await;
    assert_eq!(scene.members_on_array(), had, "it could not be asked");
    scene.world.fabric.up(Which::A.array());
    rest(SWEPT_S).await;
    assert_left(&scene, &before, &had, &its);
}

#[tokio::test(start_paused = true)]
async fn the_last_one_leaves_an_empty_group_that_sends_nothing() {
    let scene = Scene::of("life-remove-all").await;
    let before = scene.holds(Which::A);
    for server in scene.world.tenant(Which::A).servers.clone() {
        remove_member(&scene.world, &scene.group, &server)
            .await
            .unwrap();
    }
    rest(SWEPT_S).await;
    assert!(scene.members_on_array().is_empty());
    assert!(!scene.on_array(Which::A).unwrap().replicates);
    assert_eq!(scene.holds(Which::A), before);
}

#[tokio::test(start_paused = true)]
async fn while_a_copy_of_it_runs_it_stays() {
    let mut scene = Scene::of("life-remove-drill").await;
    let gone = server(&scene);
    let (a, b) = (&scene.world.tenants[0], &scene.world.tenants[1]);
    let (from, to) = (&a.standard.networks[0], &b.standard.networks[2]);
    let isolated = BTreeMap::from([(from.clone(), to.clone())]);
    // Begun, and nothing of it stands yet.
    let body = json!({ "test_failover": { "network_mapping": isolated } });
    let at_b = scene.at(Which::B).await;
    let begun = at_b.act(&scene.group.group, &body, "once").await.unwrap();
    let outcome = remove_member(&scene.world, &scene.group, &gone).await;
    assert_eq!(code(outcome), "operation_in_progress");
    let id = begun["operation"]["id"].as_str().unwrap().to_owned();
    assert_eq!(scene.end_of(Which::B, &id).await["status"], "completed");

    let outcome = remove_member(&scene.world, &scene.group, &gone).await;
    let refused = outcome.unwrap_err();
    let refused = refused
        .downcast_ref::<protector_lab::courier::CourierError>()
        .unwrap();
    assert_eq!(refused.code(), "drill_is_up");
    let remedy = refused.body["error"]["remedy"].as_str().unwrap();
    assert!(remedy.contains("test-cleanup"), "{remedy}");
    assert!(members(&scene, Which::A).await.contains("web-1"));

    test_cleanup(&mut scene.world, &scene.group).await.unwrap();
    remove_member(&scene.world, &scene.group, &gone)
        .await
        .unwrap();
    // Whoever is no member runs in no drill.
    let run = drill(&mut scene.world, &scene.group, &isolated).await;
    assert_eq!(run.unwrap().operation["status"], "completed");
    assert_eq!(scene.running(Which::B), names(&["web-2", "web-3"]));
}

#[tokio::test(start_paused = true)]
async fn who_is_no_member_cannot_leave_and_strangers_see_nothing() {
    let scene = Scene::of("life-remove-who").await;
    let outcome = remove_member(&scene.world, &scene.group, "no-such-server").await;
    assert_eq!(code(outcome), "not_a_member");
    let (a, b) = (scene.at(Which::A).await, scene.at(Which::B).await);
    let path = scene.path("/action");
    for (at, body, expected) in [
        (&a, json!({ "member_remove": {} }), "400 bad_request"),
        (
            &a,
            json!({ "member_remove": { "instance_id": "x", "force": true } }),
            "400 bad_request",
        ),
        (
            &b,
            json!({ "member_remove": { "instance_id": server(&scene) } }),
            "409 not_leader",
        ),
    ] {
        let outcome = at.call(Method::POST, &path, Some(&body)).await;
        assert_eq!(said(outcome), expected, "{body}");
    }
}
