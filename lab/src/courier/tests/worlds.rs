//! Two whole sites, and couriers that stop on the way.

use crate::courier::{self, Endpoint, see, sync};
use crate::story::{Protected, fail_over, leading, protect, take_point};
use crate::world::{Which, World, WorldOptions};
use http::Method;
use serde_json::{Value, json};

async fn world(name: &str) -> (World, Protected) {
    let world = World::build(WorldOptions::seeded(name, 11)).await.unwrap();
    let group = protect(&world).await.unwrap();
    (world, group)
}

async fn both(world: &World) -> (Endpoint, Endpoint) {
    let a = world.endpoint(Which::A).await.unwrap();
    (a, world.endpoint(Which::B).await.unwrap())
}

fn mappings(network: &str) -> Value {
    json!({"mappings": {"networks": {"n1": network}}})
}

/// A change at A that is carried `steps` steps far.
async fn change_partly(a: &Endpoint, b: &Endpoint, group: &str, steps: usize) {
    let path = format!("/protection-groups/{group}/mappings");
    let asked = a.call(Method::PUT, &path, Some(&mappings("m1"))).await;
    let mut carried = asked.unwrap();
    for (to, path) in [
        (b, "/sync/reservations"),
        (a, "/sync/commits"),
        (b, "/sync/envelopes"),
    ]
    .into_iter()
    .take(steps)
    {
        let fields = carried.as_object_mut().unwrap();
        fields.remove("protection_group");
        carried = to.call(Method::POST, path, Some(&carried)).await.unwrap();
    }
}

async fn in_step(a: &Endpoint, b: &Endpoint, group: &str) -> bool {
    let (one, other) = (see(a, group).await.unwrap(), see(b, group).await.unwrap());
    one.head.at == other.head.at && one.head.synced && other.head.synced
}

#[tokio::test(start_paused = true)]
async fn what_a_courier_left_on_the_way_is_finished_by_the_next() {
    let (world, group) = world("courier-partly").await;
    let (a, b) = both(&world).await;
    for (steps, was_in_step) in [(0, true), (1, true), (2, false), (3, false)] {
        change_partly(&a, &b, &group.group, steps).await;
        assert_eq!(in_step(&a, &b, &group.group).await, was_in_step, "{steps}");
        let at = sync(&a, &b, &group.group).await.unwrap();
        assert!(at.lock.is_none());
        assert!(in_step(&a, &b, &group.group).await, "{steps}");
        let path = format!("/protection-groups/{}/mappings", group.group);
        let next = courier::change(&a, &b, Method::PUT, &path, &mappings("m2")).await;
        next.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_site_that_comes_back_hears_who_leads_now() {
    let (mut world, group) = world("courier-return").await;
    take_point(&world, &group, 7).await.unwrap();
    world.lose(Which::A);
    let run = fail_over(&mut world, &group, |_| {}).await.unwrap();
    assert_eq!(run.operation["status"], "completed");
    world.fabric.up(&Which::A.cloud_host());
    world.fabric.up(Which::A.array());
    world.a.boot().await.unwrap();
    assert_eq!(leading(&world, &group).await.unwrap(), Which::B);
    let (a, b) = both(&world).await;
    for _ in 0..2 {
        sync(&a, &b, &group.group).await.unwrap();
    }
    assert!(in_step(&a, &b, &group.group).await);
    assert!(!see(&a, &group.group).await.unwrap().head.leads);
}
