//! What administrators do at two running sites, over the wire: pairing and its refusals, arrays,
//! tenant mappings, and the audit of it all.

use http::Method;
use protector_domain::ids::SiteId;
use protector_domain::sync::{PairOffer, SigningIdentity, fingerprint};
use protector_lab::courier::Endpoint;
use protector_lab::story::protect;
use protector_lab::world::{Which, World, WorldOptions};
use protector_store::AuditEntry;
use serde_json::{Value, json};
use uuid::Uuid;

const SITES: &str = "/v1/admin/sites";
const PAIR_A: &str = "/v1/admin/sites/site-a/pair";
const ARRAYS: &str = "/v1/admin/arrays";
const MAPPINGS: &str = "/v1/admin/tenant-mappings";

async fn world(name: &str) -> World {
    World::build(WorldOptions::seeded(name, 31)).await.unwrap()
}

async fn post(at: &Endpoint, path: &str, body: Value) -> String {
    match at.send(Method::POST, path, Some(&body)).await {
        Ok(_) => "done".to_owned(),
        Err(refused) => format!("{} {}", refused.status, refused.code()),
    }
}

async fn offer_of(at: &Endpoint) -> PairOffer {
    let shown = at.send(Method::GET, "/v1/admin/pair", None).await.unwrap();
    let offer: PairOffer = serde_json::from_value(shown["pair"]["offer"].clone()).unwrap();
    assert_eq!(shown["pair"]["fingerprint"], fingerprint(&offer));
    offer
}

fn made_up(site: SiteId, installation: Uuid, seed: u8) -> PairOffer {
    PairOffer::of(&SigningIdentity::from_seed(site, &[seed; 32]), installation)
}

fn ask(offer: &PairOffer, replace: bool) -> Value {
    json!({ "pair": { "offer": offer, "fingerprint": fingerprint(offer), "replace": replace } })
}

async fn audit(world: &World, which: Which) -> Vec<AuditEntry> {
    let running = world.site(which).running.as_ref().unwrap();
    let mut all = running.store.audit_list(None, None, 1_000).await.unwrap();
    all.reverse();
    all
}

async fn sites(at: &Endpoint) -> Value {
    at.send(Method::GET, SITES, None).await.unwrap()["sites"].clone()
}

fn new_site(name: &str, auth_url: &str) -> Value {
    json!({ "site": { "name": name, "type": "secondary", "auth_url": auth_url,
        "region_name": "RegionOne" } })
}

/// The keys are pinned, the row has the site's own id, each change stands in the audit once, and a
/// site that comes up again still knows.
#[tokio::test(start_paused = true)]
async fn introduced_sites_know_each_other_and_remember() {
    let mut world = world("pair-known").await;
    let b = world.admin_endpoint(Which::B).await.unwrap();
    let offer = offer_of(&world.admin_endpoint(Which::A).await.unwrap()).await;
    let known = sites(&b).await;
    assert_eq!(known.as_array().unwrap().len(), 1, "{known}");
    assert_eq!(known[0]["id"], world.a.id.to_string());
    assert_eq!(known[0]["fingerprint"], fingerprint(&offer));
    assert_eq!(known[0]["status"], "active");
    let entries = audit(&world, Which::B).await;
    let actions: Vec<&str> = entries.iter().map(|e| e.action.as_str()).collect();
    let expected = [
        "site_create",
        "site_pair",
        "site_credential_set",
        "array_create",
        "array_create",
        "tenant_mapping_create",
    ];
    assert_eq!(actions, expected);
    let admin = &world.tenant(Which::B).standard.admin_user;
    assert!(
        entries
            .iter()
            .all(|e| e.user.as_str() == admin && e.request_id.starts_with("req-"))
    );
    for which in [Which::A, Which::B] {
        world.site_mut(which).crash();
        world.site_mut(which).boot().await.unwrap();
    }
    protect(&world).await.unwrap();
}

/// Keys count from the answer on, without a restart: wrong ones shut the peer out, right ones let it
/// in again.
#[tokio::test(start_paused = true)]
async fn a_site_paired_afresh_is_believed_at_once_and_its_old_keys_no_longer() {
    let world = world("pair-afresh").await;
    let b = world.admin_endpoint(Which::B).await.unwrap();
    let real = offer_of(&world.admin_endpoint(Which::A).await.unwrap()).await;
    let other_keys = made_up(real.site, real.installation, 9);
    assert_eq!(
        post(&b, PAIR_A, ask(&other_keys, false)).await,
        "409 other_keys"
    );
    assert_eq!(post(&b, PAIR_A, ask(&other_keys, true)).await, "done");
    let error = format!("{:#}", protect(&world).await.unwrap_err());
    assert!(error.contains("unknown_key"), "{error}");
    assert_eq!(post(&b, PAIR_A, ask(&real, true)).await, "done");
    let last = audit(&world, Which::B).await.pop().unwrap();
    assert_eq!(
        (last.action.as_str(), last.target.as_str()),
        ("site_pair", "site-a")
    );
    assert_eq!(last.detail["pinning"], "replaced");
    assert_eq!(last.detail["before"], fingerprint(&other_keys));
    protect(&world).await.unwrap();
}

/// C9: whatever is not the site that was compared is refused, and nothing of it is kept.
#[tokio::test(start_paused = true)]
async fn offers_of_somebody_else_change_nothing() {
    let world = world("pair-refused").await;
    let b = world.admin_endpoint(Which::B).await.unwrap();
    let real = offer_of(&world.admin_endpoint(Which::A).await.unwrap()).await;
    let own = offer_of(&b).await;
    let before = (sites(&b).await, audit(&world, Which::B).await);
    let mut typed_wrong = ask(&real, true);
    typed_wrong["pair"]["fingerprint"] = json!(fingerprint(&own));
    let clone = made_up(real.site, Uuid::from_u128(0xc10e), 9);
    let mut restored = real.clone();
    restored.installation = Uuid::from_u128(0xc10e);
    let mut empty = real.clone();
    empty.keys.clear();
    for (body, expected) in [
        (typed_wrong, "403 fingerprint_mismatch"),
        (ask(&own, true), "400 own_offer"),
        (ask(&empty, true), "400 bad_offer"),
        (ask(&clone, false), "409 other_installation"),
        (ask(&restored, false), "409 other_installation"),
    ] {
        assert_eq!(post(&b, PAIR_A, body).await, expected);
    }
    let nowhere = post(&b, "/v1/admin/sites/nowhere/pair", ask(&real, false)).await;
    assert_eq!(nowhere, "404 not_found");
    assert_eq!(before, (sites(&b).await, audit(&world, Which::B).await));
    // The same again is no change, and yet an accepted request (S18).
    assert_eq!(post(&b, PAIR_A, ask(&real, false)).await, "done");
    assert_eq!(before.0, sites(&b).await);
    let last = audit(&world, Which::B).await.pop().unwrap();
    assert_eq!(last.detail["pinning"], "unchanged");
}

/// A replaced site is a new one: it takes the row and the mappings over, but never groups.
#[tokio::test(start_paused = true)]
async fn a_new_site_takes_over_what_no_group_needs() {
    let world = world("pair-replaced").await;
    let b = world.admin_endpoint(Which::B).await.unwrap();
    let new = made_up(SiteId(Uuid::from_u128(0x0e77)), Uuid::from_u128(1), 9);
    assert_eq!(
        post(&b, SITES, new_site("spare", "http://spare.test")).await,
        "done"
    );
    let real = offer_of(&world.admin_endpoint(Which::A).await.unwrap()).await;
    let twice = post(&b, "/v1/admin/sites/spare/pair", ask(&real, false)).await;
    assert_eq!(twice, "409 site_taken");
    assert_eq!(post(&b, PAIR_A, ask(&new, true)).await, "done");
    let mappings = b.send(Method::GET, MAPPINGS, None).await.unwrap();
    assert_eq!(
        mappings["tenant_mappings"][0]["remote_site"],
        new.site.to_string()
    );
    assert_eq!(sites(&b).await[0]["id"], new.site.to_string());
    assert_eq!(post(&b, PAIR_A, ask(&real, true)).await, "done");
    protect(&world).await.unwrap();
    assert_eq!(post(&b, PAIR_A, ask(&new, true)).await, "409 site_in_use");
}

/// C26: a login is for a site we know, is never shown, outlives the process, and goes with the site it
/// was for.
#[tokio::test(start_paused = true)]
async fn a_login_belongs_to_the_site_it_was_given_for() {
    let mut world = world("pair-login").await;
    let b = world.admin_endpoint(Which::B).await.unwrap();
    let login = json!({ "credential": { "type": "password", "username": "protector",
        "password": "canary", "project_name": "service" } });
    let spare = new_site("spare", "http://spare.test");
    assert_eq!(post(&b, SITES, spare).await, "done");
    for (site, expected) in [("spare", "409 not_paired"), ("nowhere", "404 not_found")] {
        assert_eq!(put_login(&b, site, &login).await, expected);
    }
    let bad =
        json!({ "credential": { "type": "application_credential", "id": "a", "secret": "" } });
    assert_eq!(put_login(&b, "site-a", &bad).await, "400 bad_name");
    assert_eq!(put_login(&b, "site-a", &login).await, "done");
    let entry = audit(&world, Which::B).await.pop().unwrap();
    assert_eq!(
        (entry.action.as_str(), &entry.detail["who"]),
        (
            "site_credential_set",
            &json!("user protector in project service")
        )
    );
    assert!(!format!("{entry:?}").contains("canary"));

    world.site_mut(Which::B).crash();
    world.site_mut(Which::B).boot().await.unwrap();
    let b = world.admin_endpoint(Which::B).await.unwrap();
    assert_eq!(
        has_login(&b).await,
        [("site-a", true), ("spare", false)].map(named)
    );
    let new = made_up(SiteId(Uuid::from_u128(0x0e77)), Uuid::from_u128(1), 9);
    assert_eq!(post(&b, PAIR_A, ask(&new, true)).await, "done");
    assert_eq!(
        has_login(&b).await,
        [("site-a", false), ("spare", false)].map(named)
    );
}

fn named((name, has): (&str, bool)) -> (String, bool) {
    (name.to_owned(), has)
}

async fn has_login(at: &Endpoint) -> Vec<(String, bool)> {
    let shown = sites(at).await;
    let all = shown.as_array().unwrap().iter();
    all.map(|s| named((s["name"].as_str().unwrap(), s["has_credential"] == true)))
        .collect()
}

async fn put_login(at: &Endpoint, site: &str, body: &Value) -> String {
    let path = format!("{SITES}/{site}/credential");
    match at.send(Method::PUT, &path, Some(body)).await {
        Ok(shown) => {
            assert!(!shown.to_string().contains("canary"));
            "done".to_owned()
        }
        Err(refused) => format!("{} {}", refused.status, refused.code()),
    }
}

/// K11, names, and what needs a paired site.
#[tokio::test(start_paused = true)]
async fn what_may_not_be_registered() {
    let world = world("pair-names").await;
    let b = world.admin_endpoint(Which::B).await.unwrap();
    let before = audit(&world, Which::B).await.len();
    for bad in [
        "http://2130706433",
        "http://[::ffff:169.254.169.254]/",
        "file:///etc/passwd",
    ] {
        assert_eq!(
            post(&b, SITES, new_site("new", bad)).await,
            "400 bad_url",
            "{bad}"
        );
        let array = json!({ "array": { "name": "new", "url": bad, "array_id": "x" } });
        assert_eq!(post(&b, ARRAYS, array).await, "400 bad_url", "{bad}");
    }
    let id = world.a.id.to_string();
    assert_eq!(
        post(&b, SITES, new_site(&id, "http://new.test")).await,
        "400 bad_name"
    );
    assert_eq!(
        post(&b, SITES, new_site("site-a", "http://new.test")).await,
        "409 name_taken"
    );
    let array_id = world.a.array_id("array-a").unwrap();
    for (name, id) in [
        ("array-a", "x"),
        ("new", array_id.as_str()),
        ("new", "array-a"),
    ] {
        let array = json!({ "array": { "name": name, "url": "https://new.test", "array_id": id } });
        assert_eq!(
            post(&b, ARRAYS, array).await,
            "409 name_taken",
            "{name} {id}"
        );
    }
    let mapping = |site: &str, local: &str| {
        json!({ "tenant_mapping": { "local_project": local, "remote_site": site,
            "remote_project": "p" } })
    };
    assert_eq!(
        post(&b, MAPPINGS, mapping("nowhere", "p")).await,
        "404 not_found"
    );
    let own = world.tenant(Which::B).project.clone();
    assert_eq!(
        post(&b, MAPPINGS, mapping("site-a", &own)).await,
        "409 name_taken"
    );
    assert_eq!(
        audit(&world, Which::B).await.len(),
        before,
        "refusals leave no audit entry"
    );
    assert_eq!(
        post(&b, SITES, new_site("spare", "http://spare.test")).await,
        "done"
    );
    assert_eq!(
        post(&b, MAPPINGS, mapping("spare", "p")).await,
        "409 not_paired"
    );
    assert_eq!(post(&b, MAPPINGS, mapping(&id, "p")).await, "done");
}
