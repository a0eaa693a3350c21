//! Who gets in, who sees what, and for how long a token is believed.

use crate::world::*;
use http::StatusCode;
use protector_http::{Need, ROUTES, Route};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A path that exists, in `tenant`.
fn path_in(route: &Route, tenant: &str) -> String {
    let operation = operation(0x51, MINE).id.to_string();
    route
        .template
        .replace("{tenant}", tenant)
        .replace("{group}", "web")
        .replace("{site}", "site-b")
        .replace("{operation}", &operation)
}

/// The status of every route for one token, grouped by what the route needs.
async fn statuses(token: &str, tenant: &str, need: Need) -> BTreeSet<u16> {
    let mut seen = BTreeSet::new();
    for route in ROUTES.iter().filter(|route| route.need == need) {
        let world = World::new();
        // A body that no endpoint takes: whoever gets as far as that got in.
        let got = world.send(request(
            token,
            route.method,
            &path_in(route, tenant),
            &[],
            "[]",
        ));
        let got = tokio::time::timeout(Duration::from_secs(700), got)
            .await
            .unwrap();
        seen.insert(got.status.as_u16());
    }
    seen
}

async fn check(token: &str, tenant: &str, need: Need, expected: &[u16]) {
    let seen = statuses(token, tenant, need).await;
    assert_eq!(
        seen,
        expected.iter().copied().collect(),
        "{token:?} in {tenant}: {need:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_matrix_of_tokens_and_routes() {
    for bad in ["", "unknown-token"] {
        for need in [Need::Token, Need::Read, Need::Write, Need::Admin] {
            check(bad, MINE, need, &[401]).await;
        }
    }
    check("", MINE, Need::Open, &[200, 300]).await;
    for token in ["nobody", "unscoped", "other", "reader", "member", "admin"] {
        check(token, MINE, Need::Token, &[200]).await;
    }
    check("nobody", MINE, Need::Read, &[403]).await;
    check("nobody", MINE, Need::Write, &[403]).await;
    check("reader", MINE, Need::Read, &[200]).await;
    check("reader", MINE, Need::Write, &[403]).await;
    check("member", MINE, Need::Read, &[200]).await;
    check("member", MINE, Need::Write, &[400]).await;
    for stranger in ["other", "unscoped"] {
        check(stranger, MINE, Need::Read, &[404]).await;
        check(stranger, MINE, Need::Write, &[404]).await;
    }
    check("admin", MINE, Need::Read, &[200]).await;
    check("admin", MINE, Need::Write, &[400]).await;
    check("admin", OTHER, Need::Write, &[400]).await;
    for token in ["reader", "member", "other", "unscoped", "nobody"] {
        check(token, MINE, Need::Admin, &[403]).await;
    }
    // What changes something got in: its body did not fit, or there is no such thing, or nothing to say.
    check("admin", MINE, Need::Admin, &[200, 204, 400, 404]).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_token_every_path_but_two_says_the_same() {
    let world = World::new();
    let odd = [
        ("GET", "/v1"),
        ("GET", "/v1/"),
        ("GET", "//"),
        ("GET", "/v1//health"),
        ("GET", "/v1/health/x"),
        ("GET", "/V1/health"),
        ("GET", "/v1%2Fhealth"),
        ("GET", "/nothing"),
        ("OPTIONS", "/"),
        ("OPTIONS", "/v1/health"),
        ("POST", "/v1/health"),
        ("TRACE", "/"),
        ("DELETE", "/v1/admin/actors"),
        ("GET", "/v1/admin/actors/"),
        ("GET", "/v1/p-mine/protection-groups/"),
        ("GET", "/v1/%ff"),
        ("POST", "/v1/p-mine/nothing"),
        ("GET", "/v1/openapi.json"),
        ("BREW", "/v1/p-mine/operations"),
    ];
    for (method, path) in odd {
        let got = world.call("", method, path, "").await;
        assert_eq!(got.line(), "401 unauthorized", "{method} {path}");
        assert_eq!(
            got.header("www-authenticate"),
            format!("Keystone uri=\"{KEYSTONE}\"")
        );
    }
    let head = world
        .call("", "HEAD", "/v1/p-mine/protection-groups", "")
        .await;
    assert_eq!(
        (head.status, head.text.as_str()),
        (StatusCode::UNAUTHORIZED, "")
    );
    assert_eq!(
        world.call("", "HEAD", "/v1/health", "").await.status,
        StatusCode::OK
    );
    assert_eq!(
        world.keystone.asked.load(Ordering::Relaxed),
        0,
        "nobody had anything to validate"
    );
    assert!(world.callers().is_empty(), "nobody reached the engine");
}

#[tokio::test(start_paused = true)]
async fn paths_and_methods_that_are_not_there() {
    let world = World::new();
    for (method, path, expected) in [
        ("GET", "/nothing", "404 not_found"),
        ("GET", "/v1//p-mine/operations", "404 not_found"),
        (
            "DELETE",
            "/v1/p-mine/protection-groups",
            "405 method_not_allowed",
        ),
        (
            "OPTIONS",
            "/v1/p-mine/protection-groups",
            "405 method_not_allowed",
        ),
        ("DELETE", "/v1/p-other/protection-groups", "404 not_found"),
        (
            "GET",
            "/v1/p-mine/protection-groups/web%00",
            "404 not_found",
        ),
    ] {
        assert_eq!(
            world.call("member", method, path, "").await.line(),
            expected,
            "{method} {path}"
        );
    }
    let got = world
        .call("member", "DELETE", "/v1/p-mine/protection-groups", "")
        .await;
    assert_eq!(got.header("allow"), "GET, POST");
    let long = format!("/v1/p-mine/protection-groups/{}", "x".repeat(5_000));
    assert_eq!(world.get("member", &long).await.line(), "414 uri_too_long");
}

/// S14, K6, K7: what is not mine answers as what is not there, word for word but for the path.
#[tokio::test(start_paused = true)]
async fn foreign_and_absent_things_look_alike() {
    let world = World::new();
    let foreign_operation = operation(0x52, OTHER).id.to_string();
    let absent_operation = operation(0x59, OTHER).id.to_string();
    let pairs = [
        (
            format!("/v1/{MINE}/protection-groups/{}", group_id(3)),
            format!("/v1/{MINE}/protection-groups/{}", group_id(9)),
        ),
        (
            format!("/v1/{MINE}/protection-groups/theirs"),
            format!("/v1/{MINE}/protection-groups/no-one"),
        ),
        (
            format!("/v1/{MINE}/protection-groups/theirs/sync"),
            format!("/v1/{MINE}/protection-groups/no-one/sync"),
        ),
        (
            format!("/v1/{MINE}/operations/{foreign_operation}"),
            format!("/v1/{MINE}/operations/{absent_operation}"),
        ),
        (
            format!("/v1/{MINE}/operations/{foreign_operation}/events"),
            format!("/v1/{MINE}/operations/not-an-id/events"),
        ),
        (
            format!("/v1/{OTHER}/protection-groups"),
            "/v1/no-such-project/protection-groups".to_owned(),
        ),
        (
            format!("/v1/{OTHER}/protection-groups/theirs"),
            format!("/v1/{MINE}/protection-groups/no-one"),
        ),
        (
            format!("/v1/{OTHER}/operations?limit=1"),
            "/v1/unknown/path".to_owned(),
        ),
    ];
    for (foreign, absent) in pairs {
        let texts = [&foreign, &absent].map(|path| {
            let world = &world;
            async move {
                let got = world.get("member", path).await;
                assert_eq!(got.status, StatusCode::NOT_FOUND, "{path}");
                let id = got.header("x-openstack-request-id").to_owned();
                let shown = path.split('?').next().unwrap();
                assert!(got.text.contains(shown), "{path}");
                got.text.replace(&id, "<id>").replace(shown, "<path>")
            }
        });
        let [one, other] = texts;
        assert_eq!(one.await, other.await, "{foreign} differs from {absent}");
    }
}

/// K8: headers that claim an identity are nothing but noise.
#[tokio::test(start_paused = true)]
async fn forged_identity_headers_change_nothing() {
    let world = World::new();
    let forged = [
        ("X-Project-Id", OTHER),
        ("X-Roles", "admin"),
        ("X-Role", "admin"),
        ("X-User-Id", "root"),
        ("X-Is-Admin-Project", "True"),
        ("X-Identity-Status", "Confirmed"),
        ("X-Tenant-Id", OTHER),
        ("X-Service-Token", "admin"),
        ("X-Forwarded-User", "root"),
    ];
    let got = world
        .send(request("member", "GET", &groups_path(), &forged, ""))
        .await;
    assert_eq!(got.status, StatusCode::OK);
    let caller = world.callers().remove(0);
    assert_eq!(caller.project.as_str(), MINE);
    assert_eq!(caller.user.as_str(), "user-of-member");
    assert!(!caller.is_admin);
    let got = world
        .send(request("member", "GET", "/v1/admin/actors", &forged, ""))
        .await;
    assert_eq!(got.line(), "403 forbidden");
    assert_eq!(
        world
            .send(request("", "GET", &groups_path(), &forged, ""))
            .await
            .line(),
        "401 unauthorized"
    );
}

#[tokio::test(start_paused = true)]
async fn an_admin_acts_in_the_project_of_the_path() {
    let world = World::new();
    let got = world
        .get("admin", &format!("/v1/{OTHER}/protection-groups/theirs"))
        .await;
    assert_eq!(got.json()["protection_group"]["name"], "theirs");
    let caller = world.callers().remove(0);
    assert_eq!((caller.project.as_str(), caller.is_admin), (OTHER, true));
    assert_eq!(caller.user.as_str(), "user-of-admin");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_believed_for_thirty_seconds_and_no_longer() {
    let world = World::new();
    let asked = || world.keystone.asked.load(Ordering::Relaxed);
    for _ in 0..5 {
        assert_eq!(
            world.get("member", &groups_path()).await.status,
            StatusCode::OK
        );
    }
    assert_eq!(asked(), 1, "one question for five requests");
    world.keystone.revoke("member");
    tokio::time::advance(Duration::from_millis(29_000)).await;
    assert_eq!(
        world.get("member", &groups_path()).await.status,
        StatusCode::OK
    );
    tokio::time::advance(Duration::from_millis(1_000)).await;
    assert_eq!(
        world.get("member", &groups_path()).await.line(),
        "401 unauthorized"
    );
    assert_eq!(
        world.get("member", &groups_path()).await.line(),
        "401 unauthorized"
    );
    assert_eq!(asked(), 3, "a bad token is asked about every time");
}

#[tokio::test(start_paused = true)]
async fn a_remembered_token_does_not_outlive_itself() {
    let world = World::new();
    world
        .keystone
        .tokens
        .lock()
        .unwrap()
        .get_mut("member")
        .unwrap()
        .expires_at_s = START_S + 10;
    assert_eq!(
        world.get("member", &groups_path()).await.status,
        StatusCode::OK
    );
    tokio::time::advance(Duration::from_secs(9)).await;
    assert_eq!(
        world.get("member", &groups_path()).await.status,
        StatusCode::OK
    );
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(
        world.get("member", &groups_path()).await.line(),
        "401 unauthorized"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_keystone_is_not_a_bad_token() {
    let world = World::new();
    world.keystone.is_down.store(true, Ordering::Relaxed);
    let got = world.get("member", &groups_path()).await;
    assert_eq!(got.line(), "503 identity_unavailable");
    assert!(!got.header("retry-after").is_empty());
    assert!(
        !got.text.contains("keystone is away"),
        "the service's words are for the log"
    );
    assert_eq!(world.get("", "/v1/health").await.status, StatusCode::OK);
    world.keystone.is_down.store(false, Ordering::Relaxed);
    assert_eq!(
        world.get("member", &groups_path()).await.status,
        StatusCode::OK
    );
}

#[tokio::test(start_paused = true)]
async fn odd_tokens_are_no_tokens() {
    let world = World::new();
    for headers in [
        vec![("X-Auth-Token", "member"), ("X-Auth-Token", "admin")],
        vec![("X-Auth-Token", "")],
        vec![("X-Subject-Token", "member")],
        vec![("Authorization", "Bearer member")],
    ] {
        let got = world
            .send(request("", "GET", &groups_path(), &headers, ""))
            .await;
        assert_eq!(got.line(), "401 unauthorized", "{headers:?}");
    }
    let long = "x".repeat(10_000);
    assert_eq!(
        world.get(&long, &groups_path()).await.line(),
        "401 unauthorized"
    );
    assert_eq!(world.keystone.asked.load(Ordering::Relaxed), 0);
}
