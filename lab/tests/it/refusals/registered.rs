//! What is registered is changed and forgotten; not under those who use it, and no secret goes where it
//! was not given for.

use super::scene::*;
use http::Method;
use protector_lab::courier::Endpoint;
use protector_lab::story::protect;
use protector_lab::world::Which;
use serde_json::{Value, json};

const SITE: &str = "/v1/admin/sites/site-b";
const ARRAY: &str = "/v1/admin/arrays/array-b";
const MAPPINGS: &str = "/v1/admin/tenant-mappings";

async fn mapping(at: &Endpoint) -> Value {
    let shown = at.send(Method::GET, MAPPINGS, None).await.unwrap();
    shown["tenant_mappings"][0].clone()
}

#[tokio::test(start_paused = true)]
async fn what_a_group_uses_stays_and_says_whose_it_is() {
    let world = world("used").await;
    protect(&world).await.unwrap();
    let a = world.admin_endpoint(Which::A).await.unwrap();
    let id = mapping(&a).await["id"].as_str().unwrap().to_owned();
    let path = format!("{MAPPINGS}/{id}");
    for path in [SITE, ARRAY, &path] {
        let outcome = a.send(Method::DELETE, path, None).await;
        refused(outcome).is("409 in_use", &["protection groups shop"]);
    }
    let other = json!({ "tenant_mapping": { "remote_project": "p" } });
    let outcome = a.send(Method::PATCH, &path, Some(&other)).await;
    refused(outcome).is("409 in_use", &["shop"]);
    let words = json!({ "tenant_mapping": { "description": "the shop's" } });
    let changed = a.send(Method::PATCH, &path, Some(&words)).await.unwrap();
    assert_eq!(changed["tenant_mapping"]["description"], "the shop's");
    assert_eq!(mapping(&a).await, changed["tenant_mapping"]);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_uses_goes_and_each_change_is_in_the_audit() {
    let world = world("unused").await;
    let a = world.admin_endpoint(Which::A).await.unwrap();
    let id = mapping(&a).await["id"].as_str().unwrap().to_owned();
    let outcome = a.send(Method::DELETE, SITE, None).await;
    refused(outcome).is("409 in_use", &["tenant mappings", &id]);
    let named = json!({ "site": { "name": "cellar", "description": "cold" } });
    let shown = a.send(Method::PATCH, SITE, Some(&named)).await.unwrap();
    assert_eq!(shown["site"]["name"], "cellar");
    assert_eq!(shown["site"]["has_credential"], true);
    for path in [
        format!("{MAPPINGS}/{id}"),
        "/v1/admin/sites/cellar".to_owned(),
        ARRAY.to_owned(),
    ] {
        a.send(Method::DELETE, &path, None).await.unwrap();
        refused(a.send(Method::DELETE, &path, None).await).is("404 not_found", &[]);
    }
    let running = world.a.running.as_ref().unwrap();
    let trail = running.store.audit_list(None, None, 4).await.unwrap();
    let actions: Vec<&str> = trail.iter().rev().map(|e| e.action.as_str()).collect();
    let expected = [
        "site_update",
        "tenant_mapping_delete",
        "site_delete",
        "array_delete",
    ];
    assert_eq!(actions, expected);
}

#[tokio::test(start_paused = true)]
async fn a_secret_goes_only_where_it_was_given_for() {
    let world = world("secrets").await;
    let a = world.admin_endpoint(Which::A).await.unwrap();
    let site = json!({ "site": { "auth_url": "http://elsewhere.test/v3" } });
    let outcome = a.send(Method::PATCH, SITE, Some(&site)).await;
    refused(outcome).is("409 secret_needed", &["site-b", "--secret-file"]);
    let token = json!({ "array": { "api_token": "canary-token" } });
    let shown = a.send(Method::PATCH, ARRAY, Some(&token)).await.unwrap();
    assert!(!shown.to_string().contains("canary"), "{shown}");
    let moved = json!({ "array": { "url": "https://elsewhere.test" } });
    let outcome = a.send(Method::PATCH, ARRAY, Some(&moved)).await;
    refused(outcome).is("409 secret_needed", &["array-b", "--api-token-file"]);
    let both = json!({ "array": { "url": "https://elsewhere.test", "api_token": "other" } });
    a.send(Method::PATCH, ARRAY, Some(&both)).await.unwrap();
    let shown = a.send(Method::GET, SITE, None).await.unwrap();
    assert_eq!(shown["site"]["auth_url"], Which::B.auth_url());
    let bad = json!({ "site": { "auth_url": "http://169.254.169.254/v3" } });
    let outcome = a.send(Method::PATCH, SITE, Some(&bad)).await;
    assert_eq!(outcome.unwrap_err().code(), "bad_url", "K11");
    let clash = json!({ "array": { "name": "array-a" } });
    let outcome = a.send(Method::PATCH, ARRAY, Some(&clash)).await;
    refused(outcome).is("409 name_taken", &["array-a"]);
}
