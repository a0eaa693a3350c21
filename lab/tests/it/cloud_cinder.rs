//! Manage and unmanage, quotas, groups, transfers: the Cinder rules that bite a recovery.
use crate::cloud_support::{GIB, World, message, names, world};
use protector_lab::cloud::backend::VolumeBackend;
use protector_lab::cloud::{Allow, FailRule, Req, Resp, Service};
use serde_json::{Value, json};

/// A token of the service user in the tenant's project, with a role that implies `member` and a
/// policy that lets this role manage: what a tenant mapping grants.
fn mapped(world: &mut World) -> String {
    world.cloud.seed_role_implying("recovery", "member");
    let (user, project) = (
        world.ids.protector_user.clone(),
        world.ids.demo_project.clone(),
    );
    assert!(world.cloud.seed_grant(&user, &project, "recovery"));
    for rule in [
        "volume_extension:volume_manage",
        "volume_extension:volume_unmanage",
    ] {
        let allow = Allow::Roles(vec!["admin".to_owned(), "recovery".to_owned()]);
        world.cloud.knobs.policies.insert(rule.to_owned(), allow);
    }
    world.cloud.seed_token(&user, &project, world.now_ms)
}

fn manage_as(
    world: &mut World,
    token: &str,
    source: &str,
    change: impl FnOnce(&mut Value),
) -> Resp {
    let mut body = json!({"volume": {
        "host": "site-b@pure#pure", "ref": {"source-name": source}, "name": "recovered",
        "volume_type": "replicated-ssd", "bootable": true, "metadata": {"key": "op-1/import/v-1"}}});
    change(&mut body);
    let path = world.volume_url("/manageable_volumes");
    world.ask(token, Req::post(&path, &body))
}

fn manage(world: &mut World, token: &str, source: &str) -> String {
    let resp = manage_as(world, token, source, |_| {});
    assert_eq!(resp.status, 202, "{}", resp.body);
    assert_eq!(resp.body["volume"]["status"], "creating");
    resp.body["volume"]["id"].as_str().unwrap().to_owned()
}

fn on_array(world: &World) -> Vec<String> {
    world
        .array
        .volumes()
        .into_iter()
        .map(|volume| volume.name)
        .collect()
}

fn plant(world: &World, name: &str, bytes: u64) -> String {
    world.array.create(world.now_ms, name, bytes, "").unwrap()
}

fn action(world: &mut World, token: &str, id: &str, body: Value) -> Resp {
    let path = world.volume_url(&format!("/volumes/{id}/action"));
    world.ask(token, Req::post(&path, &body))
}

#[test]
fn manage_renames_the_array_volume_and_lands_in_the_tokens_project() {
    let mut world = world();
    let token = mapped(&mut world);
    let serial = plant(&world, "copy-of-db", 3 * GIB + 1);
    let id = manage(&mut world, &token, "copy-of-db");
    let volume = world.volume_show(&id);
    assert_eq!(volume["size"], 0);
    assert_eq!(volume["metadata"]["key"], "op-1/import/v-1");
    world.settle();
    let volume = world.volume_show(&id);
    assert_eq!(volume["status"], "available");
    assert_eq!(
        (&volume["size"], &volume["bootable"]),
        (&json!(4), &json!("true"))
    );
    assert_eq!(
        volume["os-vol-tenant-attr:tenant_id"],
        world.ids.demo_project
    );
    let written_over = json!({
        "array_volume_name": format!("volume-{id}-cinder"),
        "array_name": "pure",
    });
    assert_eq!(volume["metadata"], written_over);
    assert_eq!(volume["service_uuid"], Value::Null);
    assert_eq!(on_array(&world), vec![format!("volume-{id}-cinder")]);
    let truth = world.cloud.ground_truth(world.now_ms);
    assert_eq!(truth.volumes[0].serial.as_deref(), Some(serial.as_str()));
    // The old name is gone: the same request again is accepted and ends in error.
    let again = manage(&mut world, &token, "copy-of-db");
    world.settle();
    assert_eq!(world.volume_show(&again)["status"], "error");
    let demo = world.demo.clone();
    let path = world.volume_url("/volumes/detail?metadata={'array_name': 'pure'}&status=available");
    let found = world.get(&demo, &path);
    assert_eq!(found["volumes"].as_array().unwrap().len(), 1);
}

#[test]
fn manage_needs_policy_project_host_and_a_living_service() {
    let mut world = world();
    plant(&world, "copy", GIB);
    let demo = world.demo.clone();
    let refused = manage_as(&mut world, &demo, "copy", |_| {});
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.body["forbidden"]["message"],
        "Policy doesn't allow volume_extension:volume_manage to be performed."
    );
    let admin = world.admin.clone();
    let refused = manage_as(&mut world, &admin, "copy", |_| {});
    assert_eq!(
        (refused.status, message(&refused)),
        (400, "Malformed request url".to_owned())
    );
    let token = mapped(&mut world);
    let refused = manage_as(&mut world, &token, "copy", |body| {
        body["volume"]["host"] = json!("other@pure#pure")
    });
    assert_eq!(
        (refused.status, message(&refused)),
        (400, "Host 'other@pure#pure' not found".to_owned())
    );
    world.cloud.knobs.cinder_volume_up = false;
    assert_eq!(manage_as(&mut world, &token, "copy", |_| {}).status, 400);
    world.cloud.knobs.cinder_volume_up = true;
    // The pool is looked at by the scheduler, after the answer.
    let late = manage_as(&mut world, &token, "copy", |body| {
        body["volume"]["host"] = json!("site-b@pure#gold")
    });
    assert_eq!(late.status, 202);
    world.settle();
    assert_eq!(
        world.volume_show(late.body["volume"]["id"].as_str().unwrap())["status"],
        "error"
    );
    assert_eq!(on_array(&world), vec!["copy"]);
}

#[test]
fn a_missing_or_connected_source_ends_in_error_and_leaves_the_array_alone() {
    let mut world = world();
    let token = mapped(&mut world);
    plant(&world, "busy", GIB);
    world
        .array
        .connect(world.now_ms, "busy", "some-host")
        .unwrap();
    for source in ["busy", "absent"] {
        let id = manage(&mut world, &token, source);
        world.settle();
        assert_eq!(world.volume_show(&id)["status"], "error", "{source}");
        let path = world.volume_url(&format!("/volumes/{id}"));
        assert_eq!(world.status(&token, Req::delete(&path)), 202);
        world.settle();
        assert_eq!(world.status(&token, Req::get(&path)), 404);
    }
    assert_eq!(on_array(&world), vec!["busy"]);
    world.cloud.knobs.manage_refs_checked_early = true;
    assert_eq!(manage_as(&mut world, &token, "absent", |_| {}).status, 404);
    assert_eq!(manage_as(&mut world, &token, "busy", |_| {}).status, 400);
}

#[test]
fn a_volume_of_another_cinder_volume_is_not_taken_unless_the_driver_steals() {
    let mut world = world();
    let token = mapped(&mut world);
    let victim = world.volume("victim", false);
    let name = format!("volume-{victim}-cinder");
    let refused = manage_as(&mut world, &token, &name, |_| {});
    assert_eq!(refused.status, 400);
    assert!(message(&refused).contains("already managed"));
    world.cloud.knobs.manage_may_steal = true;
    let thief = manage(&mut world, &token, &name);
    world.settle();
    assert_eq!(on_array(&world), vec![format!("volume-{thief}-cinder")]);
}

#[test]
fn manages_can_hang_and_fail_by_knob() {
    let mut world = world();
    let token = mapped(&mut world);
    plant(&world, "a", GIB);
    world.cloud.knobs.manages_stuck = true;
    let stuck = manage(&mut world, &token, "a");
    world.settle();
    world.now_ms += 86_400_000;
    assert_eq!(world.volume_show(&stuck)["status"], "creating");
    world.cloud.knobs.manages_stuck = false;
    world.cloud.knobs.manages_fail = true;
    let failed = manage(&mut world, &token, "a");
    world.settle();
    assert_eq!(world.volume_show(&failed)["status"], "error");
    assert_eq!(on_array(&world), vec!["a"]);
}

#[test]
fn unmanage_renames_and_is_refused_while_attached_or_grouped() {
    let mut world = world();
    let token = mapped(&mut world);
    let (_server, volume, _port) = world.boot("web");
    world.settle();
    assert_eq!(
        action(&mut world, &token, &volume, json!({"os-unmanage": {}})).status,
        400
    );
    let free = world.volume("free", false);
    let demo = world.demo.clone();
    assert_eq!(
        action(&mut world, &demo, &free, json!({"os-unmanage": {}})).status,
        403
    );
    let group = grouped(&mut world, &[&free]);
    assert_eq!(
        action(&mut world, &token, &free, json!({"os-unmanage": {}})).status,
        400
    );
    let path = world.volume_url(&format!("/groups/{group}"));
    world.ok(
        &demo,
        Req::put(&path, &json!({"group": {"remove_volumes": free}})),
    );
    world.settle();
    assert_eq!(
        action(&mut world, &token, &free, json!({"os-unmanage": {}})).status,
        202
    );
    world.settle();
    assert!(on_array(&world).contains(&format!("volume-{free}-cinder-unmanaged")));
    let path = world.volume_url(&format!("/volumes/{free}"));
    assert_eq!(world.status(&demo, Req::get(&path)), 404);
}

/// A group of demo that takes `replicated-ssd`, with these volumes in it.
fn grouped(world: &mut World, volumes: &[&str]) -> String {
    let demo = world.demo.clone();
    let body = json!({"group": {"name": "g", "group_type": world.ids.group_type,
        "volume_types": [world.ids.type_replicated]}});
    let path = world.volume_url("/groups");
    let made = world.ok(&demo, Req::post(&path, &body));
    world.settle();
    let id = made["group"]["id"].as_str().unwrap().to_owned();
    if volumes.is_empty() {
        return id;
    }
    let path = world.volume_url(&format!("/groups/{id}"));
    world.ok(
        &demo,
        Req::put(&path, &json!({"group": {"add_volumes": volumes.join(",")}})),
    );
    world.settle();
    id
}

#[test]
fn groups_take_their_own_types_and_projects_only_and_hold_their_volumes() {
    let mut world = world();
    let demo = world.demo.clone();
    let volume = world.volume("a", false);
    let group = grouped(&mut world, &[&volume]);
    let path = world.volume_url(&format!("/groups/{group}?list_volume=true"));
    assert_eq!(world.get(&demo, &path)["group"]["volumes"], json!([volume]));
    assert_eq!(world.volume_show(&volume)["group_id"], json!(group));
    let (project, user) = (world.ids.demo_project.clone(), world.ids.demo_user.clone());
    let plain = world
        .cloud
        .seed_volume((&project, &user), "p", 1, "standard", world.now_ms)
        .unwrap();
    let path = world.volume_url(&format!("/groups/{group}"));
    let refused = world.ask(
        &demo,
        Req::put(&path, &json!({"group": {"add_volumes": plain}})),
    );
    assert_eq!(refused.status, 400);
    assert!(message(&refused).contains("is not supported by the group"));
    let other = grouped(&mut world, &[]);
    let twice = world.volume_url(&format!("/groups/{other}"));
    assert_eq!(
        world.status(
            &demo,
            Req::put(&twice, &json!({"group": {"add_volumes": volume}}))
        ),
        400
    );
    let delete = world.volume_url(&format!("/volumes/{volume}"));
    assert_eq!(world.status(&demo, Req::delete(&delete)), 400);
    let action = world.volume_url(&format!("/groups/{group}/action"));
    assert_eq!(
        world.status(
            &demo,
            Req::post(&action, &json!({"delete": {"delete-volumes": false}}))
        ),
        400
    );
    assert_eq!(
        world.status(
            &demo,
            Req::post(&action, &json!({"delete": {"delete-volumes": true}}))
        ),
        202
    );
    world.settle();
    assert_eq!(world.status(&demo, Req::get(&delete)), 404);
    let old = Req::get(&path).version("volume 3.12");
    assert_eq!(world.status(&demo, old), 404);
}

#[test]
fn quotas_count_volumes_at_once_and_a_managed_volumes_gigabytes_late() {
    let mut world = world();
    let token = mapped(&mut world);
    let project = world.ids.demo_project.clone();
    world
        .cloud
        .seed_quota(Service::Volume, &project, "volumes", 2);
    world
        .cloud
        .seed_quota(Service::Volume, &project, "gigabytes", 5);
    let path = world.volume_url("/volumes");
    let create = |size: i64| Req::post(&path, &json!({"volume": {"size": size}}));
    assert_eq!(world.status(&token, create(3)), 202);
    let refused = world.ask(&token, create(3));
    assert_eq!(refused.status, 413);
    assert!(message(&refused).starts_with("VolumeSizeExceedsAvailableQuota"));
    assert_eq!(refused.headers["Retry-After"], "0");
    plant(&world, "big", 3 * GIB);
    let late = manage(&mut world, &token, "big");
    world.settle();
    assert_eq!(world.volume_show(&late)["status"], "error");
    let refused = manage_as(&mut world, &token, "big", |_| {});
    assert_eq!(
        (
            refused.status,
            message(&refused).contains("VolumeLimitExceeded")
        ),
        (413, true)
    );
    let usage = world.volume_url(&format!("/os-quota-sets/{project}?usage=True"));
    let shown = world.get(&token, &usage);
    assert_eq!(
        shown["quota_set"]["volumes"],
        json!({"limit": 2, "in_use": 2, "reserved": 0})
    );
    assert_eq!(shown["quota_set"]["gigabytes"]["in_use"], 3);
}

#[test]
fn a_transfer_moves_a_volume_to_whoever_has_the_key() {
    let mut world = world();
    let demo = world.demo.clone();
    let (other, project, _) = world.stranger();
    let volume = world.volume("gift", false);
    let made = world.ok(
        &demo,
        Req::post(
            &world.volume_url("/os-volume-transfer"),
            &json!({"transfer": {"volume_id": volume}}),
        ),
    );
    assert_eq!(world.volume_show(&volume)["status"], "awaiting-transfer");
    let id = made["transfer"]["id"].as_str().unwrap().to_owned();
    let path = format!("/volume/v3/{project}/os-volume-transfer/{id}/accept");
    assert_eq!(
        world.status(
            &other,
            Req::post(&path, &json!({"accept": {"auth_key": "wrong"}}))
        ),
        400
    );
    world
        .cloud
        .seed_quota(Service::Volume, &project, "volumes", 0);
    let accept = Req::post(
        &path,
        &json!({"accept": {"auth_key": made["transfer"]["auth_key"]}}),
    );
    assert_eq!(world.status(&other, accept.clone()), 413);
    world
        .cloud
        .seed_quota(Service::Volume, &project, "volumes", -1);
    assert_eq!(world.status(&other, accept), 202);
    let own = world.volume_url(&format!("/volumes/{volume}"));
    assert_eq!(world.status(&demo, Req::get(&own)), 404);
    let theirs = world.get(&other, &format!("/volume/v3/{project}/volumes/{volume}"));
    assert_eq!(theirs["volume"]["status"], "available");
}

#[test]
fn a_created_volume_becomes_available_and_goes_away_again() {
    let mut world = world();
    let demo = world.demo.clone();
    let body = json!({"volume": {"size": 2, "name": "data", "imageRef": world.ids.image, "volume_type": "replicated-ssd"}});
    let made = world.ok(&demo, Req::post(&world.volume_url("/volumes"), &body));
    let id = made["volume"]["id"].as_str().unwrap().to_owned();
    assert_eq!(made["volume"]["status"], "creating");
    world.settle();
    let shown = world.volume_show(&id);
    assert_eq!(
        (&shown["status"], &shown["bootable"]),
        (&json!("available"), &json!("true"))
    );
    assert_eq!(shown["volume_image_metadata"]["hw_disk_bus"], "virtio");
    assert_eq!(shown["os-vol-host-attr:host"], "site-b@pure#pure");
    assert_eq!(
        action(
            &mut world,
            &demo,
            &id,
            json!({"os-extend": {"new_size": 2}})
        )
        .status,
        400
    );
    assert_eq!(
        action(
            &mut world,
            &demo,
            &id,
            json!({"os-extend": {"new_size": 5}})
        )
        .status,
        202
    );
    world.settle();
    assert_eq!(world.array.volumes()[0].size_bytes, 5 * GIB);
    let path = world.volume_url(&format!("/volumes/{id}"));
    assert_eq!(world.status(&demo, Req::delete(&path)), 202);
    world.settle();
    assert_eq!(world.status(&demo, Req::get(&path)), 404);
    assert!(on_array(&world).is_empty());
}

#[test]
fn tenants_see_their_own_volumes_and_three_extra_specs() {
    let mut world = world();
    let (demo, admin) = (world.demo.clone(), world.admin.clone());
    let volume = world.volume("mine", false);
    let (other, project, _) = world.stranger();
    assert_eq!(
        world.status(
            &other,
            Req::get(&format!("/volume/v3/{project}/volumes/{volume}"))
        ),
        404
    );
    assert_eq!(
        names(
            &world.get(
                &other,
                &format!("/volume/v3/{project}/volumes/detail?all_tenants=1")
            )["volumes"]
        ),
        Vec::<String>::new()
    );
    let specs = |body: Value| {
        body["volume_type"]["extra_specs"]
            .as_object()
            .unwrap()
            .len()
    };
    let kind = world.ids.type_replicated.clone();
    let path = world.volume_url(&format!("/types/{kind}"));
    assert_eq!(
        specs(world.get(&demo, &path)),
        1,
        "replication_enabled alone"
    );
    let path = format!("/volume/v3/{}/types/{kind}", world.ids.admin_project);
    assert_eq!(specs(world.get(&admin, &path)), 3);
    assert!(!world.volume_show(&volume)["os-vol-host-attr:host"].is_null());
    let shown = world.get(&demo, &world.volume_url(&format!("/volumes/{volume}")));
    assert!(shown["volume"].get("os-vol-host-attr:host").is_none());
    assert_eq!(
        world.status(&demo, Req::get(&world.volume_url("/os-services"))),
        403
    );
}

#[test]
fn a_full_page_has_a_next_link_even_when_nothing_follows() {
    let mut world = world();
    let demo = world.demo.clone();
    for name in ["a", "b", "c", "d"] {
        world.now_ms += 1;
        world.volume(name, false);
    }
    let mut path = world.volume_url("/volumes/detail?limit=2");
    let mut seen = Vec::new();
    for _ in 0..3 {
        let body = world.get(&demo, &path);
        seen.push(names(&body["volumes"]));
        let Some(href) = body["volumes_links"][0]["href"].as_str() else {
            break;
        };
        path = href
            .strip_prefix("http://site-b.cloud.test")
            .unwrap()
            .to_owned();
    }
    assert_eq!(seen, vec![vec!["d", "c"], vec!["b", "a"], vec![]]);
}

#[test]
fn forced_answers_come_before_or_after_the_deed() {
    let mut world = world();
    let demo = world.demo.clone();
    let create = Req::post(
        &world.volume_url("/volumes"),
        &json!({"volume": {"size": 1}}),
    );
    let rule = FailRule::new("/volumes$", 503)
        .unwrap()
        .method("POST")
        .service(Service::Volume)
        .skip(1)
        .times(1);
    world.cloud.knobs.fail_rules.push(rule);
    assert_eq!(world.status(&demo, create.clone()), 202);
    assert_eq!(world.status(&demo, create.clone()), 503);
    assert_eq!(world.cloud.ground_truth(world.now_ms).volumes.len(), 1);
    let lost = FailRule::new("/volumes$", 502)
        .unwrap()
        .method("POST")
        .after();
    world.cloud.knobs.fail_rules.push(lost);
    assert_eq!(world.status(&demo, create.clone()), 502);
    assert_eq!(world.cloud.ground_truth(world.now_ms).volumes.len(), 2);
    assert_eq!(world.status(&demo, create), 202);
}
