//! `site validate` on sites that are well, and that are not in each way (SITE-05, SITE-08, E6): found
//! before a failover needs it.

use super::scene::*;
use http::Method;
use protector_lab::cloud::Allow;
use protector_lab::world::{Which, World, lock};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MANAGE: &str = "volume_extension:volume_manage";
const INDEX: &str = "volume_extension:services:index";

/// The status after a look from A, and the checks by name.
async fn look(world: &World, site: &str) -> (String, BTreeMap<String, Value>) {
    let a = world.admin_endpoint(Which::A).await.unwrap();
    let path = format!("/v1/admin/sites/{site}/validate");
    let found = a.send(Method::POST, &path, None).await.unwrap()["validation"].clone();
    let checks = found["checks"].as_array().unwrap().clone();
    assert_eq!(checks.len(), 9, "{found}");
    let by_name = checks
        .into_iter()
        .map(|c| (c["name"].as_str().unwrap().to_owned(), c));
    let status = found["status"].as_str().unwrap_or("null").to_owned();
    (status, by_name.collect())
}

/// Those that failed, each with a cause and a remedy that say these words.
#[track_caller]
fn only_failed(found: &(String, BTreeMap<String, Value>), expected: &[(&str, &[&str])]) {
    let failed = found.1.iter().filter(|(_, c)| c["result"] == "failed");
    let failed: Vec<&String> = failed.map(|(name, _)| name).collect();
    let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    assert_eq!(failed, names, "{:?}", found.1);
    for (name, words) in expected {
        let check = &found.1[*name];
        assert!(check["remedy"].is_string(), "{check}");
        for word in *words {
            assert!(check.to_string().contains(word), "{word} is not in {check}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_site_that_is_well_is_active_and_its_own_look_agrees() {
    let world = world("look-well").await;
    let own = world.a.id.to_string();
    let before = lock(&world.b.cloud)
        .ground_truth(world.now_ms())
        .volumes
        .len();
    for site in ["site-b", &own] {
        let found = look(&world, site).await;
        only_failed(&found, &[]);
        assert_eq!(found.0, "active");
        let skipped = found.1.values().filter(|c| c["result"] == "skipped");
        assert_eq!(skipped.count(), 0, "{:?}", found.1);
    }
    let after = lock(&world.b.cloud)
        .ground_truth(world.now_ms())
        .volumes
        .len();
    assert_eq!(before, after, "a look imports nothing");
    let a = world.admin_endpoint(Which::A).await.unwrap();
    let nowhere = a.send(Method::POST, "/v1/admin/sites/nowhere/validate", None);
    refused(nowhere.await).is("404 not_found", &[]);
}

#[tokio::test(start_paused = true)]
async fn what_ails_a_site_is_named_with_its_remedy() {
    let world = world("look-ill").await;
    let forbid = |rule: &str, allow: Option<Allow>| {
        cloud(&world, Which::B, |c| match allow {
            Some(allow) => c.knobs.policies.insert(rule.to_owned(), allow),
            None => c.knobs.policies.remove(rule),
        })
    };
    forbid(MANAGE, Some(Allow::Nobody));
    let found = look(&world, "site-b").await;
    let words: &[&str] = &[
        "Policy doesn't allow volume_extension:volume_manage",
        "restart cinder-api",
    ];
    only_failed(&found, &[("volume_manage", words)]);
    assert_eq!(found.0, "error");
    forbid(MANAGE, None);

    forbid(INDEX, Some(Allow::Nobody));
    let found = look(&world, "site-b").await;
    only_failed(&found, &[("volume_services", &[INDEX, "policy.yaml"])]);
    forbid(INDEX, None);

    cloud(&world, Which::B, |c| c.knobs.cinder_volume_up = false);
    let found = look(&world, "site-b").await;
    let names: Vec<&str> = vec!["volume_services", "volume_types"];
    let failed = found.1.iter().filter(|(_, c)| c["result"] == "failed");
    assert_eq!(failed.map(|(n, _)| n.as_str()).collect::<Vec<_>>(), names);
    cloud(&world, Which::B, |c| c.knobs.cinder_volume_up = true);

    let a = world.admin_endpoint(Which::A).await.unwrap();
    let login = json!({ "credential": { "type": "password", "username": "protector",
        "password": "wrong", "project_name": "service" } });
    let path = "/v1/admin/sites/site-b/credential";
    a.send(Method::PUT, path, Some(&login)).await.unwrap();
    let found = look(&world, "site-b").await;
    only_failed(&found, &[("identity", &["site credential set site-b"])]);
    assert_eq!(found.0, "error", "it answers, and says no");
    assert_eq!(found.1["compute"]["result"], "skipped");
}

/// SITE-05: the command itself does not fail, the site is shown as unreachable from then on, and as
/// active again after the next look.
#[tokio::test(start_paused = true)]
async fn a_site_that_is_cut_off_is_unreachable_until_somebody_looks_again() {
    let world = world("look-cut").await;
    let a = world.admin_endpoint(Which::A).await.unwrap();
    let shown = async || {
        let shown = a.send(Method::GET, "/v1/admin/sites/site-b", None).await;
        shown.unwrap()["site"]["status"].clone()
    };
    world.fabric.down(&Which::B.cloud_host());
    let found = look(&world, "site-b").await;
    let words: &[&str] = &["firewall", "site set site-b --auth-url"];
    only_failed(&found, &[("identity", words)]);
    assert_eq!(
        (found.0.as_str(), shown().await),
        ("unreachable", json!("unreachable"))
    );
    let types = a.send(Method::GET, "/v1/admin/sites/site-b/volume-types", None);
    refused(types.await).is("409 could_not_ask", &["site-b", "site validate"]);
    world.fabric.up(&Which::B.cloud_host());
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let found = look(&world, "site-b").await;
    only_failed(&found, &[]);
    assert_eq!(shown().await, "active");
}

#[tokio::test(start_paused = true)]
async fn volume_types_are_listed_with_why_not() {
    let world = world("look-types").await;
    let a = world.admin_endpoint(Which::A).await.unwrap();
    for site in ["site-b".to_owned(), world.a.id.to_string()] {
        let path = format!("/v1/admin/sites/{site}/volume-types");
        let shown = a.send(Method::GET, &path, None).await.unwrap();
        let types = shown["volume_types"].as_array().unwrap().iter();
        let lines = types.map(|t| {
            let name = t["name"].as_str().unwrap();
            let why = t["reason"].as_str().unwrap_or("");
            format!("{name} {} {why}", t["eligible"])
        });
        let mut lines: Vec<String> = lines.collect();
        lines.sort();
        let expected = [
            "replicated-ssd true ",
            "replicated-sync true ",
            "standard false replication_enabled is not '<is> True'",
        ];
        assert_eq!(lines, expected);
    }
}
