//! What administrators change, remove and look at later; and what nobody else may.

use crate::admin_world::*;
use crate::world::*;
use serde_json::{Value, json};

const SITE: &str = "/v1/admin/sites/site-b";
const VALIDATE: &str = "/v1/admin/sites/site-b/validate";
const TYPES: &str = "/v1/admin/sites/site-b/volume-types";
const ARRAY: &str = "/v1/admin/arrays/array-b";
const MAPPING: &str = "/v1/admin/tenant-mappings/00000000-0000-0000-0000-000000000007";

fn requests() -> [(&'static str, &'static str, Option<Value>, u16); 7] {
    let login = json!({ "type": "application_credential", "id": "a", "secret": "canary" });
    [
        (
            "PATCH",
            SITE,
            Some(json!({ "site": { "name": "cellar", "credential": login } })),
            200,
        ),
        ("DELETE", SITE, None, 204),
        ("POST", VALIDATE, None, 200),
        (
            "PATCH",
            ARRAY,
            Some(json!({ "array": { "allowed_projects": null, "api_token": "canary" } })),
            200,
        ),
        ("DELETE", ARRAY, None, 204),
        (
            "PATCH",
            MAPPING,
            Some(json!({ "tenant_mapping": { "description": "d" } })),
            200,
        ),
        ("DELETE", MAPPING, None, 204),
    ]
}

fn text(body: Option<&Value>) -> String {
    body.map(Value::to_string).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn they_reach_the_port_as_they_were_asked_for() {
    let world = World::new();
    for (method, path, body, status) in requests() {
        let got = world
            .call("admin", method, path, &text(body.as_ref()))
            .await;
        assert_eq!(got.status.as_u16(), status, "{method} {path}: {}", got.text);
        assert_eq!(got.text.is_empty(), status == 204, "{}", got.text);
        assert!(!got.text.contains("canary"), "{}", got.text);
    }
    let id = mapping().id.to_string();
    let expected = [
        (
            "site_update",
            "site-b",
            r#"Some("cellar") Some("application credential a")"#,
        ),
        ("site_delete", "site-b", ""),
        ("site_validate", "site-b", ""),
        // Left out stays, null is a value.
        (
            "array_update",
            "array-b",
            r#"Some(None) None Some("canary")"#,
        ),
        ("array_delete", "array-b", ""),
        ("tenant_mapping_update", &id, r#"Some("d")"#),
        ("tenant_mapping_delete", &id, ""),
    ];
    let asked = world.admin.asked.lock().unwrap().clone();
    let asked: Vec<Asked> = asked.into_iter().map(|(_, asked)| asked).collect();
    let later = |(verb, name, given): (&'static str, &str, &str)| {
        Asked::Later(verb, name.to_owned(), given.to_owned())
    };
    assert_eq!(asked, expected.map(later));
}

#[tokio::test(start_paused = true)]
async fn nobody_else_may() {
    let world = World::new();
    for (token, expected) in [
        ("", "401 unauthorized"),
        ("reader", "403 forbidden"),
        ("member", "403 forbidden"),
    ] {
        for (method, path, body, _) in requests() {
            let got = world.call(token, method, path, &text(body.as_ref())).await;
            assert_eq!(got.line(), expected, "{token:?} {method} {path}");
        }
        assert_eq!(world.get(token, TYPES).await.line(), expected, "{token:?}");
    }
    assert!(world.admin.asked.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_look_shows_each_check_and_each_type_with_its_reason() {
    let world = World::new();
    let got = world.call("admin", "POST", VALIDATE, "").await;
    let expected = json!({ "validation": { "name": "site-b", "status": "error", "checks": [
        { "name": "identity", "result": "ok", "cause": "as it is", "remedy": null },
        { "name": "volume_manage", "result": "failed", "cause": "as it is", "remedy": "allow it" },
    ] } });
    assert_eq!(got.json(), expected);
    let expected = json!({ "volume_types": [{ "id": "t-1", "name": "plain",
        "replication_enabled": false, "replication_type": null, "eligible": false,
        "reason": plain_type().against }] });
    assert_eq!(world.get("admin", TYPES).await.json(), expected);
}
