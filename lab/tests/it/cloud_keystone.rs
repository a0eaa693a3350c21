//! Logins, walls and deaths of tokens and trusts, through the one door.
use crate::cloud_support::{START_MS, World, world, world_seeded};
use protector_lab::cloud::{Req, Resp};
use serde_json::{Value, json};

const TOKENS: &str = "/identity/v3/auth/tokens";
const TRUSTS: &str = "/identity/v3/OS-TRUST/trusts";

fn login(world: &mut World, user: &str, scope: Value) -> Resp {
    let identity = json!({"methods": ["password"], "password": {"user": {
        "name": user, "domain": {"name": "Default"}, "password": "secret"}}});
    let body = json!({"auth": {"identity": identity, "scope": scope}});
    world.cloud.handle(&Req::post(TOKENS, &body), world.now_ms)
}

fn token_of(resp: &Resp) -> String {
    assert_eq!(resp.status, 201, "{}", resp.body);
    resp.headers["X-Subject-Token"].clone()
}

fn trust(world: &mut World, token: &str) -> Resp {
    let body = json!({"trust": {
        "trustor_user_id": world.ids.demo_user, "trustee_user_id": world.ids.protector_user,
        "project_id": world.ids.demo_project, "impersonation": true, "roles": [{"name": "member"}]}});
    world.ask(token, Req::post(TRUSTS, &body))
}

/// A trust of demo for protector, and a token made with it.
fn trusted(world: &mut World) -> (String, String) {
    let demo = world.demo.clone();
    let made = trust(world, &demo);
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.body["trust"]["id"].as_str().unwrap().to_owned();
    let resp = login(world, "protector", json!({"OS-TRUST:trust": {"id": id}}));
    (id, token_of(&resp))
}

#[test]
fn a_scoped_login_carries_roles_and_a_usable_catalog() {
    let mut world = world();
    let scope = json!({"project": {"name": "demo", "domain": {"id": "default"}}});
    let resp = login(&mut world, "demo", scope);
    let token = token_of(&resp);
    let body = &resp.body["token"];
    let roles: Vec<&str> = body["roles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|role| role["name"].as_str().unwrap())
        .collect();
    assert!(
        roles.contains(&"member") && roles.contains(&"reader"),
        "{roles:?}"
    );
    let catalog = body["catalog"].as_array().unwrap();
    let volume = catalog
        .iter()
        .find(|entry| entry["type"] == "volumev3")
        .unwrap();
    let endpoint = volume["endpoints"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["interface"] == "public")
        .unwrap();
    assert_eq!(endpoint["region"], "RegionOne");
    let url = endpoint["url"]
        .as_str()
        .unwrap()
        .strip_prefix("http://site-b.cloud.test")
        .unwrap()
        .to_owned();
    world.get(&token, &format!("{url}/volumes/detail"));
    let seen = world.ask(&token, Req::get(TOKENS).header("x-subject-token", &token));
    assert_eq!(seen.body["token"]["project"]["id"], world.ids.demo_project);
}

#[test]
fn bad_proof_and_foreign_projects_are_all_the_same_401() {
    let mut world = world();
    let wrong = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": {
        "id": world.ids.demo_user, "password": "guess"}}}}});
    let resp = world.cloud.handle(&Req::post(TOKENS, &wrong), world.now_ms);
    assert_eq!(
        (resp.status, resp.body["error"]["code"].as_u64()),
        (401, Some(401))
    );
    let foreign = json!({"project": {"id": world.ids.admin_project}});
    assert_eq!(login(&mut world, "demo", foreign).status, 401);
    assert_eq!(
        login(&mut world, "demo", json!({"project": {"id": "none"}})).status,
        401
    );
    assert_eq!(
        world.status("never-issued", Req::get("/compute/v2.1/servers")),
        401
    );
}

#[test]
fn a_token_ends_with_its_lifetime_and_holds_on_its_own_site_only() {
    let mut world = world();
    world.cloud.knobs.token_lifetime_s = 60;
    let scope = json!({"project": {"id": world.ids.demo_project}});
    let token = token_of(&login(&mut world, "demo", scope));
    assert_eq!(world.status(&token, Req::get("/compute/v2.1/servers")), 200);
    let mut other = world_seeded(8);
    assert_eq!(other.status(&token, Req::get("/compute/v2.1/servers")), 401);
    world.now_ms = START_MS + 60_000;
    let resp = world.ask(&token, Req::get("/compute/v2.1/servers"));
    assert_eq!(resp.status, 401);
    assert!(resp.headers["WWW-Authenticate"].starts_with("Keystone uri="));
}

#[test]
fn a_trust_token_acts_as_the_trustor_in_the_trustors_project() {
    let mut world = world();
    let (id, token) = trusted(&mut world);
    let volume = world.volume("root", true);
    let network = world.ids.networks[0].clone();
    let port = world.port(&token, json!({"network_id": network}));
    let body = world.server_body("by-trust", &volume, port["id"].as_str().unwrap());
    let made = world.ok(&token, Req::post("/compute/v2.1/servers", &body));
    let shown = world.server_show(made["server"]["id"].as_str().unwrap());
    assert_eq!(shown["user_id"], world.ids.demo_user);
    assert_eq!(shown["tenant_id"], world.ids.demo_project);
    let call = world
        .cloud
        .calls()
        .find(|call| call.method == "POST" && call.path.ends_with("/servers"))
        .unwrap();
    assert_eq!(call.trust_id.as_deref(), Some(id.as_str()));
}

#[test]
fn a_deleted_trust_is_401_for_its_tokens_and_404_for_new_ones() {
    let mut world = world();
    let (id, token) = trusted(&mut world);
    let demo = world.demo.clone();
    assert_eq!(
        world.status(&demo, Req::delete(&format!("{TRUSTS}/{id}"))),
        204
    );
    assert_eq!(world.status(&token, Req::get("/compute/v2.1/servers")), 401);
    assert_eq!(
        login(
            &mut world,
            "protector",
            json!({"OS-TRUST:trust": {"id": id}})
        )
        .status,
        404
    );
}

#[test]
fn a_disabled_trustor_turns_trust_tokens_into_503() {
    let mut world = world();
    let (id, token) = trusted(&mut world);
    let (admin, user) = (world.admin.clone(), world.ids.demo_user.clone());
    let off = Req::new("PATCH", &format!("/identity/v3/users/{user}"))
        .json(&json!({"user": {"enabled": false}}));
    assert_eq!(world.status(&admin, off), 200);
    assert_eq!(world.status(&token, Req::get("/compute/v2.1/servers")), 503);
    let check = Req::get(TOKENS).header("x-subject-token", &token);
    assert_eq!(world.status(&admin, check), 403);
    assert_eq!(
        login(
            &mut world,
            "protector",
            json!({"OS-TRUST:trust": {"id": id}})
        )
        .status,
        403
    );
    let demo = world.demo.clone();
    assert_eq!(world.status(&demo, Req::get("/compute/v2.1/servers")), 401);
}

#[test]
fn a_removed_role_kills_tokens_credentials_and_trusts() {
    let mut world = world();
    let (id, token) = trusted(&mut world);
    let (admin, demo, user) = (
        world.admin.clone(),
        world.demo.clone(),
        world.ids.demo_user.clone(),
    );
    let credentials = format!("/identity/v3/users/{user}/application_credentials");
    let made = world.ok(
        &demo,
        Req::post(
            &credentials,
            &json!({"application_credential": {"name": "backup"}}),
        ),
    );
    let role = world.cloud.role_id("member").unwrap();
    let grant = format!(
        "/identity/v3/projects/{}/users/{user}/roles/{role}",
        world.ids.demo_project
    );
    assert_eq!(world.status(&admin, Req::delete(&grant)), 204);
    assert_eq!(world.status(&demo, Req::get("/compute/v2.1/servers")), 401);
    assert_eq!(world.status(&token, Req::get("/compute/v2.1/servers")), 503);
    assert_eq!(
        login(
            &mut world,
            "protector",
            json!({"OS-TRUST:trust": {"id": id}})
        )
        .status,
        403
    );
    let auth = json!({"auth": {"identity": {"methods": ["application_credential"], "application_credential": {
        "id": made["application_credential"]["id"], "secret": made["application_credential"]["secret"]}}}});
    assert_eq!(
        world
            .cloud
            .handle(&Req::post(TOKENS, &auth), world.now_ms)
            .status,
        401
    );
}

#[test]
fn a_deleted_user_takes_its_trusts_along() {
    let mut world = world();
    let (id, token) = trusted(&mut world);
    let (admin, user) = (world.admin.clone(), world.ids.demo_user.clone());
    assert_eq!(
        world.status(&admin, Req::delete(&format!("/identity/v3/users/{user}"))),
        204
    );
    assert_eq!(
        world.status(&admin, Req::get(&format!("{TRUSTS}/{id}"))),
        404
    );
    assert_eq!(world.status(&token, Req::get("/compute/v2.1/servers")), 401);
}

#[test]
fn application_credentials_log_in_but_make_no_trusts() {
    let mut world = world();
    let (demo, user) = (world.demo.clone(), world.ids.demo_user.clone());
    let credentials = format!("/identity/v3/users/{user}/application_credentials");
    let made = world.ok(
        &demo,
        Req::post(
            &credentials,
            &json!({"application_credential": {"name": "ci"}}),
        ),
    );
    let one = &made["application_credential"];
    let auth = json!({"auth": {"identity": {"methods": ["application_credential"],
        "application_credential": {"id": one["id"], "secret": one["secret"]}}}});
    let token = token_of(&world.cloud.handle(&Req::post(TOKENS, &auth), world.now_ms));
    assert_eq!(world.status(&token, Req::get("/compute/v2.1/servers")), 200);
    let refused = trust(&mut world, &token);
    assert_eq!(refused.status, 403);
    let listed = world.get(&demo, &credentials).to_string();
    assert!(!listed.contains(one["secret"].as_str().unwrap()));
}

#[test]
fn trusts_give_only_what_the_trustor_has_and_only_to_the_trustee() {
    let mut world = world();
    let demo = world.demo.clone();
    let too_much = json!({"trust": {"trustor_user_id": world.ids.demo_user, "trustee_user_id": world.ids.protector_user,
        "project_id": world.ids.demo_project, "impersonation": true, "roles": [{"name": "admin"}]}});
    assert_eq!(world.status(&demo, Req::post(TRUSTS, &too_much)), 404);
    let protector = world.protector.clone();
    assert_eq!(
        trust(&mut world, &protector).status,
        403,
        "the trustor must ask in person"
    );
    let (id, token) = trusted(&mut world);
    assert_eq!(
        login(&mut world, "admin", json!({"OS-TRUST:trust": {"id": id}})).status,
        403
    );
    let rescope = json!({"auth": {"identity": {"methods": ["token"], "token": {"id": token}},
        "scope": {"project": {"id": world.ids.service_project}}}});
    assert_eq!(
        world
            .cloud
            .handle(&Req::post(TOKENS, &rescope), world.now_ms)
            .status,
        403
    );
}

#[test]
fn the_directory_is_the_admins_and_a_reader_may_not_write() {
    let mut world = world();
    let (demo, admin) = (world.demo.clone(), world.admin.clone());
    assert_eq!(world.status(&demo, Req::get("/identity/v3/users")), 403);
    let path = format!(
        "/identity/v3/role_assignments?user.id={}&effective&include_names",
        world.ids.demo_user
    );
    let found = world.get(&admin, &path);
    let roles: Vec<&str> = found["role_assignments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["role"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(roles.len(), 2, "{roles:?}");
    let watcher = world.cloud.seed_user("watcher", "secret");
    let project = world.ids.demo_project.clone();
    assert!(world.cloud.seed_grant(&watcher, &project, "reader"));
    let token = world.cloud.seed_token(&watcher, &project, world.now_ms);
    assert_eq!(world.status(&token, Req::get("/compute/v2.1/servers")), 200);
    let network = json!({"port": {"network_id": world.ids.networks[0]}});
    assert_eq!(
        world.status(&token, Req::post("/network/v2.0/ports", &network)),
        403
    );
}

#[test]
fn losing_one_of_two_roles_revokes_the_tokens_made_with_both() {
    let mut world = world();
    let (demo, admin, user) = (
        world.demo.clone(),
        world.admin.clone(),
        world.ids.demo_user.clone(),
    );
    let project = world.ids.demo_project.clone();
    assert!(world.cloud.seed_grant(&user, &project, "admin"));
    let role = world.cloud.role_id("admin").unwrap();
    let grant = format!("/identity/v3/projects/{project}/users/{user}/roles/{role}");
    assert_eq!(world.status(&admin, Req::delete(&grant)), 204);
    let servers = Req::get("/compute/v2.1/servers");
    assert_eq!(world.status(&demo, servers.clone()), 401);
    let scope = json!({"project": {"id": project}});
    let fresh = token_of(&login(&mut world, "demo", scope));
    assert_eq!(world.status(&fresh, servers), 200);
}
