//! Administrators register sites, arrays and mappings, and pair; tenants see names and status.

use crate::admin_world::*;
use crate::world::*;
use protector_domain::admin::{AdminRefusal, PairAsk, UrlFault};
use protector_domain::ports::admin::{AdminError, SiteCreate, SiteType, TenantMappingCreate};
use protector_domain::sync::fingerprint;
use serde_json::{Value, json};

const SITES: &str = "/v1/admin/sites";
const PAIR: &str = "/v1/admin/sites/site-b/pair";
const ARRAYS: &str = "/v1/admin/arrays";
const MAPPINGS: &str = "/v1/admin/tenant-mappings";

const CREDENTIAL: &str = "/v1/admin/sites/site-b/credential";

fn method(path: &str) -> &'static str {
    if path == CREDENTIAL { "PUT" } else { "POST" }
}

fn bodies() -> [(&'static str, Value); 5] {
    [
        (
            SITES,
            json!({ "site": { "name": "site-b", "type": "secondary",
                "auth_url": "http://site-b.test/v3", "region_name": "RegionOne" } }),
        ),
        (
            PAIR,
            json!({ "pair": { "offer": offer(), "fingerprint": fingerprint(&offer()) } }),
        ),
        (
            CREDENTIAL,
            json!({ "credential": { "type": "password", "username": "protector",
                "password": "canary", "project_name": "service" } }),
        ),
        (
            ARRAYS,
            json!({ "array": { "name": "array-b", "url": "https://array-b.test",
                "array_id": "array-id-1", "allowed_projects": [MINE],
                "certificate": "pem", "api_token": "canary" } }),
        ),
        (
            MAPPINGS,
            json!({ "tenant_mapping": { "local_project": MINE, "remote_site": "site-b",
                "remote_project": OTHER } }),
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn changes_reach_the_port_as_they_were_asked_for() {
    let world = World::new();
    for (path, body) in bodies() {
        let got = world
            .call("admin", method(path), path, &body.to_string())
            .await;
        let expected = if [PAIR, CREDENTIAL].contains(&path) {
            200
        } else {
            201
        };
        assert!(!got.text.contains("canary"), "{path}: {}", got.text);
        assert_eq!(got.status.as_u16(), expected, "{path}: {}", got.text);
    }
    let asked = world.admin.asked.lock().unwrap().clone();
    assert!(asked.iter().all(|(caller, _)| caller.is_admin
        && caller.user.as_str() == "user-of-admin"
        && caller.project.as_str() == MINE));
    let asked: Vec<Asked> = asked.into_iter().map(|(_, asked)| asked).collect();
    let expected = vec![
        Asked::Site(SiteCreate {
            name: "site-b".to_owned(),
            description: String::new(),
            site_type: SiteType::Secondary,
            auth_url: "http://site-b.test/v3".to_owned(),
            region_name: "RegionOne".to_owned(),
        }),
        Asked::Pair(
            "site-b".to_owned(),
            PairAsk {
                offer: offer(),
                fingerprint: fingerprint(&offer()),
                replace: false,
            },
        ),
        Asked::Credential(
            "site-b".to_owned(),
            "user protector in project service".to_owned(),
        ),
        Asked::Array(array(), Some("pem".to_owned()), Some("canary".to_owned())),
        Asked::Mapping(TenantMappingCreate {
            local_project: MINE.into(),
            remote_site: "site-b".to_owned(),
            remote_project: OTHER.into(),
            description: String::new(),
        }),
    ];
    assert_eq!(asked, expected);
}

#[tokio::test(start_paused = true)]
async fn reads_have_the_documented_names() {
    let world = World::new();
    let site = json!({
        "id": site(2), "name": "site-b", "description": "cellar", "type": "secondary",
        "auth_url": "http://site-b.test/v3", "region_name": "RegionOne", "status": "active",
        "checked_at": "1970-01-01T00:00:00.000000Z", "paired": true,
        "fingerprint": fingerprint(&offer()), "has_credential": true,
    });
    let mapping = json!({
        "id": mapping().id, "local_project": MINE, "remote_site": site_b().id,
        "remote_project": OTHER, "description": "", "mappings": {
            "networks": {}, "subnets": {}, "security_groups": {}, "flavors": {},
            "keypairs": { "ops": "dr-ops" }, "availability_zones": {},
        },
    });
    let array = json!({
        "id": "array-id-1", "name": "array-b", "url": "https://array-b.test",
        "allowed_projects": [MINE],
    });
    let pair = json!({ "offer": offer(), "fingerprint": fingerprint(&offer()) });
    for (path, expected) in [
        (SITES, json!({ "sites": [site] })),
        ("/v1/admin/sites/site-b", json!({ "site": site })),
        ("/v1/admin/pair", json!({ "pair": pair })),
        (ARRAYS, json!({ "arrays": [array] })),
        (MAPPINGS, json!({ "tenant_mappings": [mapping] })),
    ] {
        assert_eq!(world.get("admin", path).await.json(), expected, "{path}");
    }
}

/// A tenant learns neither where the other site is nor who it is.
#[tokio::test(start_paused = true)]
async fn tenants_see_names_and_status_only() {
    let world = World::new();
    let expected = json!({ "sites": [{ "name": "site-b", "status": "active" }] });
    for token in ["reader", "member", "admin"] {
        let got = world.get(token, "/v1/p-mine/sites").await;
        assert_eq!(got.json(), expected, "{token}");
    }
    let foreign = world.get("member", "/v1/p-other/sites").await;
    assert_eq!(foreign.line(), "404 not_found");
    assert_eq!(
        world.get("member", "/v1/admin/sites").await.line(),
        "403 forbidden"
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_but_an_administrator_reaches_the_port() {
    let world = World::new();
    for (path, body) in bodies() {
        for (token, expected) in [
            ("", "401 unauthorized"),
            ("member", "403 forbidden"),
            ("reader", "403 forbidden"),
            ("other", "403 forbidden"),
            ("unscoped", "403 forbidden"),
        ] {
            let got = world
                .call(token, method(path), path, &body.to_string())
                .await;
            assert_eq!(got.line(), expected, "{token:?} {path}");
        }
    }
    assert!(world.admin.asked.lock().unwrap().is_empty());
}

fn of_registration() -> Vec<(AdminRefusal, &'static str)> {
    let site = || "site-b".to_owned();
    vec![
        (
            AdminRefusal::BadName {
                field: "name".to_owned(),
            },
            "400 bad_name",
        ),
        (
            AdminRefusal::BadUrl {
                field: "auth_url".to_owned(),
                fault: UrlFault::Loopback,
            },
            "400 bad_url",
        ),
        (
            AdminRefusal::BadOffer {
                why: "it has no key in use".to_owned(),
            },
            "400 bad_offer",
        ),
        (AdminRefusal::OwnOffer, "400 own_offer"),
        (
            AdminRefusal::FingerprintMismatch,
            "403 fingerprint_mismatch",
        ),
        (
            AdminRefusal::Taken {
                what: "site".to_owned(),
                name: site(),
            },
            "409 name_taken",
        ),
        (AdminRefusal::OtherKeys { site: site() }, "409 other_keys"),
        (
            AdminRefusal::OtherInstallation { site: site() },
            "409 other_installation",
        ),
        (
            AdminRefusal::SiteTaken {
                site: site(),
                offered: site_b().id,
            },
            "409 site_taken",
        ),
        (
            AdminRefusal::SiteInUse {
                site: site(),
                groups: 3,
            },
            "409 site_in_use",
        ),
        (AdminRefusal::NotPaired { site: site() }, "409 not_paired"),
    ]
}

fn of_what_is_registered() -> Vec<(AdminRefusal, &'static str)> {
    let site = || "site-b".to_owned();
    vec![
        (
            AdminRefusal::InUse {
                what: "site".to_owned(),
                name: site(),
                by: "protection groups shop".to_owned(),
            },
            "409 in_use",
        ),
        (
            AdminRefusal::SecretNeeded {
                what: "site".to_owned(),
                name: site(),
            },
            "409 secret_needed",
        ),
        (
            AdminRefusal::NoCredential { site: site() },
            "409 no_credential",
        ),
        (
            AdminRefusal::CouldNotAsk {
                site: site(),
                why: "connection refused".to_owned(),
            },
            "409 could_not_ask",
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn every_refusal_has_its_status_code_and_way_out() {
    let refusals = of_registration().into_iter().chain(of_what_is_registered());
    for (refusal, expected) in refusals {
        let world = World::new();
        world.admin.fail(refusal.clone());
        let (path, body) = &bodies()[1];
        let got = world.call("admin", "POST", path, &body.to_string()).await;
        assert_eq!(got.line(), expected);
        let error = &got.json()["error"];
        assert_eq!(error["message"], refusal.to_string());
        assert_eq!(error["remedy"], refusal.remedy());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_and_what_cannot_answer() {
    let world = World::new();
    for path in [
        "/v1/admin/sites/nowhere",
        "/v1/admin/sites/x%00",
        "/v1/admin/sites/a/pear",
    ] {
        assert_eq!(
            world.get("admin", path).await.line(),
            "404 not_found",
            "{path}"
        );
    }
    let got = world.call("admin", "DELETE", SITES, "").await;
    assert_eq!(got.line(), "405 method_not_allowed");
    let why = "disk of database host db-7".to_owned();
    world.admin.fail(AdminError::Unavailable { why });
    for path in [
        SITES,
        ARRAYS,
        MAPPINGS,
        "/v1/admin/pair",
        "/v1/p-mine/sites",
    ] {
        let got = world.get("admin", path).await;
        assert_eq!(got.line(), "503 engine_unavailable", "{path}");
        assert!(!got.text.contains("db-7"), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_that_do_not_fit() {
    let world = World::new();
    for (path, body) in bodies() {
        let (key, inner) = body.as_object().unwrap().iter().next().unwrap();
        let mut more = inner.clone();
        more["unknown"] = json!(1);
        for bad in [json!({}), json!({ key: {} }), json!({ key: more })] {
            let got = world
                .call("admin", method(path), path, &bad.to_string())
                .await;
            assert_eq!(got.line(), "400 bad_request", "{path} {bad}");
        }
    }
    assert!(world.admin.asked.lock().unwrap().is_empty());
}
