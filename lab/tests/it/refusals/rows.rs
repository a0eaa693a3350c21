//! Rows of the error table (requirements 1.24) that a site itself answers; `docs/refusals.md` says where each of
//! the others is shown.

use super::scene::*;
use http::Method;
use protector_lab::cloud::Allow;
use protector_lab::story::{fail_over, protect, take_point};
use protector_lab::world::Which;
use protector_storage_drivers::model::{Control, LinkState};
use serde_json::json;
use std::time::Duration;

const ASLEEP_S: u64 = 47 * 60;

#[tokio::test(start_paused = true)]
async fn a_type_without_replication_a_missing_mapping_and_an_unknown_site() {
    let world = world("row-type").await;
    let a = world.endpoint(Which::A).await.unwrap();
    let create = async |site: &str, kind: &str| {
        refused(post(&a, "/protection-groups", &group_of(site, kind)).await)
    };
    let words = [
        "volume type does not support replication",
        "standard",
        "replication_enabled",
    ];
    let each = "400 type_not_replicated,type_not_replicated";
    create("site-b", "standard").await.is(each, &words);
    for (which, named) in [(Which::A, "at this site"), (Which::B, "at site-b")] {
        let id = world.tenant(which).standard.type_replicated.clone();
        let set = |value: &str| {
            cloud(&world, which, |c| {
                c.seed_volume_type_change(&id, |kind| {
                    let specs = &mut kind.extra_specs;
                    specs.insert("replication_enabled".to_owned(), value.to_owned());
                });
            });
        };
        set("<is> False");
        let said = create("site-b", "replicated-ssd").await;
        said.is("400 type_not_replicated", &[named, "at both sites"]);
        set("<is> True");
    }
    let said = create("site-b", "gold").await;
    assert_eq!(
        said.codes,
        ["no_volume_type", "no_volume_type"],
        "one for each site"
    );
    assert!(said.text.contains("gold"), "{}", said.text);
    let said = create("site-x", "replicated-ssd").await;
    said.is("400 no_such_site", &["site-x", "site list"]);
    let admin = world.admin_endpoint(Which::A).await.unwrap();
    let mappings = "/v1/admin/tenant-mappings";
    let shown = admin.send(Method::GET, mappings, None).await.unwrap();
    let id = shown["tenant_mappings"][0]["id"].as_str().unwrap();
    let path = format!("{mappings}/{id}");
    admin.send(Method::DELETE, &path, None).await.unwrap();
    let said = create("site-b", "replicated-ssd").await;
    said.is(
        "409 no_tenant_mapping",
        &["site-b", "tenant mapping create"],
    );
}

/// FO-07, C13: a planned move is blocked by its age in the documented words, `force` takes it, and the
/// group's health has said so before.
#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_too_old_blocks_a_planned_failover() {
    let world = world("row-rpo").await;
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, 7).await.unwrap();
    let b = world.endpoint(Which::B).await.unwrap();
    let path = format!("/protection-groups/{}", group.group);
    let health = b.call(Method::GET, &format!("{path}/health"), None).await;
    let health = health.unwrap()["health"].clone();
    assert_eq!(health["failover_ready"], true, "{health}");
    let (from, to) = (Which::A.array().to_owned(), Which::B.array().to_owned());
    let cut = Control::LinkState {
        a: from,
        b: to,
        state: LinkState::Cut,
    };
    world.arrays.control(cut).unwrap();
    tokio::time::sleep(Duration::from_secs(ASLEEP_S)).await;
    let b = world.endpoint(Which::B).await.unwrap();
    let asked =
        |force| json!({ "failover": { "type": "planned", "dry_run": true, "force": force } });
    let action = format!("{path}/action");
    let said = refused(post(&b, &action, &asked(false)).await);
    let words = [
        "Latest snapshot age (47 min) exceeds RPO threshold (30 min)",
        "openstack protector consistency-group sync",
        "--force",
    ];
    said.is("409 rpo_violation", &words);
    let plan = post(&b, &action, &asked(true)).await.unwrap();
    let warnings = plan["plan"]["warnings"].to_string();
    assert!(warnings.contains("rpo_violation"), "{warnings}");
    let health = b.call(Method::GET, &format!("{path}/health"), None).await;
    let health = health.unwrap()["health"].clone();
    assert_eq!(health["failover_ready"], false, "{health}");
    let found = health["findings"].to_string();
    assert!(
        found.contains("rpo_violation") && found.contains("not_replicating"),
        "{health}"
    );
    let points = b
        .call(Method::GET, &format!("{path}/recovery-points"), None)
        .await;
    let points = points.unwrap()["recovery_points"].clone();
    assert_eq!(points[0]["complete"], true, "{points}");
}

/// E6: what the operation says of a Cinder that forbids imports names the rule, and the command that
/// would have found it before.
#[tokio::test(start_paused = true)]
async fn a_forbidden_import_names_the_rule_and_the_look() {
    let mut world = world("row-manage").await;
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, 7).await.unwrap();
    let rule = "volume_extension:volume_manage";
    cloud(&world, Which::B, |c| {
        c.knobs.policies.insert(rule.to_owned(), Allow::Nobody)
    });
    world.lose(Which::A);
    let run = fail_over(&mut world, &group, |_| {}).await.unwrap();
    let said = run.operation["error_message"].as_str().unwrap().to_owned();
    assert_eq!(run.operation["status"], "failed");
    for word in [
        "Policy doesn't allow volume_extension:volume_manage to be performed",
        "web-1",
        "openstack protector site validate",
        "retry-members",
    ] {
        assert!(said.contains(word), "{word} is not in: {said}");
    }
}
