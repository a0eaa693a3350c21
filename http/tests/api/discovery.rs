//! Versions, request ids, links, and the document that describes it all.

use crate::world::*;
use http::StatusCode;
use protector_http::{ApiOptions, ROUTES, openapi_document, routes};
use serde_json::Value;
use std::collections::BTreeSet;

#[tokio::test(start_paused = true)]
async fn the_root_lists_versions_to_anybody() {
    let world = World::new();
    let got = world.get("", "/").await;
    assert_eq!(got.status, StatusCode::MULTIPLE_CHOICES);
    let version = &got.json()["versions"][0];
    assert_eq!(
        (&version["id"], &version["status"]),
        (&"v1.0".into(), &"CURRENT".into())
    );
    assert_eq!(version["links"][0]["href"], "/v1/");
    assert_eq!(got.header("openstack-api-version"), "protector 1.0");
    assert_eq!(got.header("content-type"), "application/json");
    assert_eq!(
        world.get("", "/v1/health").await.text,
        r#"{"health":{"status":"up"}}"#
    );
}

#[tokio::test(start_paused = true)]
async fn links_carry_the_configured_address_and_never_the_host_header() {
    let mut world = World::new();
    let public_endpoint = "https://dr.example:8788/".to_owned();
    world.api.options = ApiOptions {
        public_endpoint,
        ..world.api.options
    };
    world.service = routes(world.api.clone());
    let got = world
        .send(request("", "GET", "/", &[("Host", "evil.example")], ""))
        .await;
    assert_eq!(
        got.json()["versions"][0]["links"][0]["href"],
        "https://dr.example:8788/v1/"
    );
    assert!(!got.text.contains("evil"));
}

#[tokio::test(start_paused = true)]
async fn only_existing_versions_are_negotiated() {
    let world = World::new();
    for (asked, expected) in [
        ("protector 1.0", 200),
        ("protector latest", 200),
        ("compute 2.90", 200),
        ("protector 1.1", 406),
        ("compute 2.90, protector 9.9", 406),
        ("protector one", 400),
    ] {
        let headers = [("OpenStack-API-Version", asked)];
        let got = world
            .send(request("member", "GET", &groups_path(), &headers, ""))
            .await;
        assert_eq!(got.status.as_u16(), expected, "{asked}");
        assert_eq!(got.header("openstack-api-version"), "protector 1.0");
    }
    let before_token = [("OpenStack-API-Version", "protector 9.9")];
    let got = world
        .send(request("", "GET", &groups_path(), &before_token, ""))
        .await;
    assert_eq!(
        got.line(),
        "401 unauthorized",
        "versions are nobody's business before the token"
    );
}

#[tokio::test(start_paused = true)]
async fn request_ids_are_made_or_taken_over() {
    let world = World::new();
    let got = world.get("member", &groups_path()).await;
    let made = got.header("x-openstack-request-id").to_owned();
    assert!(made.starts_with("req-") && made.len() == 40, "{made}");
    let given = "req-0197a2b0-0000-7000-8000-000000000001";
    for (sent, is_taken) in [
        (given, true),
        ("req-1; drop", false),
        ("0197a2b0-0000-7000-8000-000000000001", false),
    ] {
        let headers = [("X-OpenStack-Request-ID", sent)];
        let got = world
            .send(request(
                "member",
                "GET",
                "/v1/p-mine/protection-groups/none",
                &headers,
                "",
            ))
            .await;
        let echoed = got.header("x-openstack-request-id");
        assert_eq!(echoed == sent, is_taken, "{sent} became {echoed}");
        assert_eq!(got.json()["error"]["request_id"], echoed);
        assert_eq!(world.callers().last().unwrap().request_id, echoed);
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_request_ids() {
    let (one, other) = (World::new(), World::new());
    for _ in 0..3 {
        let [a, b] = [one.get("", "/").await, other.get("", "/").await];
        assert_eq!(
            a.header("x-openstack-request-id"),
            b.header("x-openstack-request-id")
        );
    }
}

/// Walks over the document's own list of paths: each must lead somewhere.
#[tokio::test(start_paused = true)]
async fn every_documented_path_is_routed_and_every_route_documented() {
    let world = World::new();
    let document = world.get("reader", "/v1/openapi.json").await.json();
    assert_eq!(document, openapi_document());
    let mut documented = BTreeSet::new();
    for (template, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            documented.insert((method.to_uppercase(), template.clone()));
            let operation = operation(0x51, MINE).id.to_string();
            let path = template
                .replace("{tenant}", MINE)
                .replace("{group}", "web")
                .replace("{site}", "site-b")
                .replace("{array}", "array-b")
                .replace("{mapping}", "00000000-0000-0000-0000-000000000007")
                .replace("{operation}", &operation);
            let response = world
                .open(request("admin", &method.to_uppercase(), &path, &[], "[]"))
                .await;
            assert!(
                !matches!(response.status().as_u16(), 404 | 405),
                "{method} {path}: {}",
                response.status()
            );
        }
    }
    let routed = ROUTES
        .iter()
        .map(|route| (route.method.to_owned(), route.template.to_owned()));
    assert_eq!(documented, routed.collect());
}

/// Each way in which a route can fail is told, and each with the one form of errors.
#[test]
fn every_route_names_its_errors_and_their_form() {
    let document = openapi_document();
    let form = document.pointer("/components/schemas/ErrorAnswer").unwrap();
    assert_eq!(form["required"], serde_json::json!(["error"]));
    for route in ROUTES {
        let place = &document["paths"][route.template][route.method.to_lowercase()];
        let responses = place["responses"].as_object().unwrap();
        assert!(!responses.contains_key("default"), "{route:?}");
        let errors = responses
            .iter()
            .filter(|(status, _)| status.as_str() >= "400");
        assert!(errors.clone().count() >= 6, "{route:?}");
        for (status, answer) in errors {
            let form = &answer["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(
                form, "#/components/schemas/ErrorAnswer",
                "{status} {route:?}"
            );
        }
    }
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    let document = openapi_document();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 20, "references were not found");
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(
            document.pointer(pointer).is_some(),
            "{reference} leads nowhere"
        );
    }
}

fn collect(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            for (key, inner) in entries {
                if let (true, Some(text)) = (key == "$ref", inner.as_str()) {
                    into.insert(text.to_owned());
                }
                collect(inner, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        _ => {}
    }
}
