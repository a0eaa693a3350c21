//! The cloud over HTTP, its version documents, its call log and its determinism.
use std::sync::{Arc, Mutex};

use crate::cloud_support::{START_MS, world, world_seeded};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use protector_lab::cloud::{NowMs, Req, routes};
use serde_json::{Value, json};
use tower::ServiceExt;

async fn send(
    cloud: &Arc<Mutex<protector_lab::cloud::Cloud>>,
    request: http::Request<Full<Bytes>>,
) -> (http::response::Parts, Value) {
    let now: NowMs = Arc::new(|| START_MS);
    let service = warp::service(routes(Arc::clone(cloud), now));
    let response = service.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    (parts, body)
}

#[tokio::test]
async fn a_login_and_a_list_travel_through_warp() {
    let cloud = Arc::new(Mutex::new(world().cloud));
    let auth = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": {
        "name": "demo", "domain": {"id": "default"}, "password": "secret"}}},
        "scope": {"project": {"name": "demo", "domain": {"id": "default"}}}}});
    let request = http::Request::post("/identity/v3/auth/tokens")
        .body(Full::from(auth.to_string()))
        .unwrap();
    let (parts, _) = send(&cloud, request).await;
    assert_eq!(parts.status, 201);
    let token = parts.headers["x-subject-token"].clone();
    let request = http::Request::get("/network/v2.0/networks?name=app-net")
        .header("X-Auth-Token", token)
        .body(Full::default())
        .unwrap();
    let (parts, body) = send(&cloud, request).await;
    assert_eq!(parts.headers["content-type"], "application/json");
    assert!(
        parts.headers["x-openstack-request-id"]
            .to_str()
            .unwrap()
            .starts_with("req-")
    );
    assert_eq!(body["networks"].as_array().unwrap().len(), 1);
    let head = http::Request::head("/identity/v3")
        .body(Full::default())
        .unwrap();
    let (parts, body) = send(&cloud, head).await;
    assert_eq!((parts.status.as_u16(), body), (200, Value::Null));
}

#[tokio::test]
async fn a_body_that_is_too_long_or_no_json_is_refused() {
    let cloud = Arc::new(Mutex::new(world().cloud));
    let long = vec![b' '; protector_lab::cloud::face::BODY_BYTES_MAX + 1];
    let request = http::Request::post("/identity/v3/auth/tokens")
        .body(Full::from(long))
        .unwrap();
    assert_eq!(send(&cloud, request).await.0.status, 413);
    let request = http::Request::post("/identity/v3/auth/tokens")
        .body(Full::from("{oops"))
        .unwrap();
    assert_eq!(send(&cloud, request).await.0.status, 400);
}

#[test]
fn every_service_root_tells_its_versions_without_a_token() {
    let mut world = world();
    for (path, status) in [
        ("/identity", 300),
        ("/identity/v3", 200),
        ("/compute", 200),
        ("/compute/v2.1", 200),
        ("/volume", 300),
        ("/volume/v3/", 200),
        ("/network", 200),
        ("/image", 300),
        ("/nothing", 404),
    ] {
        let resp = world.cloud.handle(&Req::get(path), world.now_ms);
        assert_eq!(resp.status, status, "{path}");
    }
    assert_eq!(
        world
            .cloud
            .handle(&Req::get("/image/v2/images"), world.now_ms)
            .status,
        401
    );
}

#[test]
fn the_call_log_tells_who_did_what_and_no_secret() {
    let mut world = world();
    let demo = world.demo.clone();
    world.cloud.calls_clear();
    world.get(&demo, "/compute/v2.1/servers?name=web");
    world.status("bogus-token-text", Req::get("/image/v2/images"));
    let calls: Vec<_> = world.cloud.calls().cloned().collect();
    assert_eq!(
        (calls[0].path.as_str(), calls[0].status),
        ("/compute/v2.1/servers?name=web", 200)
    );
    assert_eq!(
        calls[0].project_id.as_deref(),
        Some(world.ids.demo_project.as_str())
    );
    assert_eq!((calls[1].status, &calls[1].user_id), (401, &None));
    assert_ne!(calls[0].request_id, calls[1].request_id);
    let text = serde_json::to_string(&calls).unwrap();
    assert!(!text.contains(&demo) && !text.contains("bogus-token-text"));
}

/// A little life, as text.
fn story(seed: u64) -> String {
    let mut world = world_seeded(seed);
    let demo = world.demo.clone();
    let (id, _, _) = world.boot("web");
    world.boot("db");
    world.settle();
    world.ok(&demo, Req::delete(&format!("/compute/v2.1/servers/{id}")));
    world.settle();
    let calls: Vec<_> = world.cloud.calls().cloned().collect();
    let truth = world.cloud.ground_truth(world.now_ms);
    format!(
        "{}{}",
        serde_json::to_string(&truth).unwrap(),
        serde_json::to_string(&calls).unwrap()
    )
}

#[test]
fn the_same_seed_lives_the_same_life() {
    assert_eq!(story(3), story(3));
    assert_ne!(story(3), story(4));
}

#[test]
fn asking_more_often_changes_no_object() {
    let mut quiet = world();
    let mut busy = world();
    for world in [&mut quiet, &mut busy] {
        world.boot("web");
    }
    let demo = busy.demo.clone();
    for _ in 0..50 {
        busy.now_ms += 100;
        busy.get(&demo, "/compute/v2.1/servers/detail");
    }
    quiet.settle();
    busy.settle();
    let (left, right) = (
        quiet.cloud.ground_truth(START_MS + 60_000),
        busy.cloud.ground_truth(START_MS + 60_000),
    );
    assert_eq!(
        serde_json::to_string(&left).unwrap(),
        serde_json::to_string(&right).unwrap()
    );
}
