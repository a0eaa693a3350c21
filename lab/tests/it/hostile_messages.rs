//! Messages that are forged, old, replayed, misplaced or somebody else's, brought to two running sites
//! over the wire: each is refused with its code, changes nothing, and what is not genuine is told once.

use http::Method;
use protector_domain::sync::{MAX_MESSAGE_BYTES, Message, SigningIdentity, sign};
use protector_lab::courier::{CourierError, Endpoint, see, sync};
use protector_lab::story::{Protected, protect};
use protector_lab::world::{Tenant, Which, World, WorldOptions, lock};
use protector_store::AuditEntry;
use serde_json::{Value, json};

const ENVELOPES: &str = "/sync/envelopes";
const RESERVATIONS: &str = "/sync/reservations";
const COMMITS: &str = "/sync/commits";
const RECEIPTS: &str = "/sync/receipts";

struct Scene {
    world: World,
    group: Protected,
    a: Endpoint,
    b: Endpoint,
}

/// Every message of one change, as a courier held them.
struct Carried {
    ticket: Value,
    reservation: Value,
    envelope: Value,
    receipt: Value,
}

fn said(outcome: Result<Value, CourierError>) -> String {
    match outcome {
        Ok(_) => "200".to_owned(),
        Err(refused) => format!("{} {}", refused.status, refused.code()),
    }
}

impl Scene {
    async fn of(name: &str) -> Self {
        let world = World::build(WorldOptions::seeded(name, 41)).await.unwrap();
        let group = protect(&world).await.unwrap();
        let a = world.endpoint(Which::A).await.unwrap();
        let b = world.endpoint(Which::B).await.unwrap();
        Self { world, group, a, b }
    }

    async fn ticket(&self, network: &str) -> Value {
        let path = format!("/protection-groups/{}/mappings", self.group.group);
        let body = json!({ "mappings": { "networks": { "n1": network } } });
        let asked = self.a.call(Method::PUT, &path, Some(&body)).await.unwrap();
        asked["ticket"].clone()
    }

    /// A change, carried to its end; afterwards all of its messages are old.
    async fn carry(&self, network: &str) -> Carried {
        let ticket = self.ticket(network).await;
        let asked = json!({ "ticket": ticket });
        let answer = self.b.call(Method::POST, RESERVATIONS, Some(&asked)).await;
        let reservation = answer.unwrap()["reservation"].clone();
        let asked = json!({ "reservation": reservation });
        let answer = self.a.call(Method::POST, COMMITS, Some(&asked)).await;
        let envelope = answer.unwrap()["envelope"].clone();
        let asked = json!({ "envelope": envelope });
        let answer = self.b.call(Method::POST, ENVELOPES, Some(&asked)).await;
        let receipt = answer.unwrap()["receipt"].clone();
        let asked = json!({ "receipt": receipt });
        self.a
            .call(Method::POST, RECEIPTS, Some(&asked))
            .await
            .unwrap();
        Carried {
            ticket,
            reservation,
            envelope,
            receipt,
        }
    }

    /// What both sites hold of the group: head, signed record, and the group as it is shown.
    async fn held(&self) -> Value {
        let mut held = Vec::new();
        for at in [&self.a, &self.b] {
            let path = format!("/protection-groups/{}", self.group.group);
            let sync = format!("{path}/sync");
            held.push(at.call(Method::GET, &path, None).await.unwrap());
            held.push(at.call(Method::GET, &sync, None).await.unwrap());
            let listed = at.call(Method::GET, "/protection-groups", None).await;
            held.push(listed.unwrap());
        }
        Value::Array(held)
    }

    async fn audit(&self, which: Which) -> Vec<AuditEntry> {
        let running = self.world.site(which).running.as_ref().unwrap();
        running.store.audit_list(None, None, 1_000).await.unwrap()
    }
}

/// One message at one door, and what is said to it.
type Case<'a> = (&'a Endpoint, &'a str, &'a str, Value, &'a str);

async fn check(cases: Vec<Case<'_>>) {
    for (number, (at, path, field, message, expected)) in cases.into_iter().enumerate() {
        let body = json!({ field: message });
        let outcome = at.call(Method::POST, path, Some(&body)).await;
        assert_eq!(said(outcome), expected, "case {number} at {path}");
    }
}

fn edited(message: &Value, field: &str, edit: impl FnOnce(&str) -> String) -> Value {
    let mut message = message.clone();
    let text = edit(message[field].as_str().unwrap());
    message[field] = json!(text);
    message
}

/// The signature of somebody who is nobody, over what the message says, under the key that he names.
fn signed_by_nobody(world: &World, message: &Value, as_key: Option<&str>) -> Value {
    let nobody = SigningIdentity::from_seed(world.a.id, &[66; 32]);
    let payload: Value = serde_json::from_str(message["payload"].as_str().unwrap()).unwrap();
    let content = protector_domain::sync::MessageContent::Envelope(
        serde_json::from_value(payload["content"].clone()).unwrap(),
    );
    let message = Message {
        group: serde_json::from_value(payload["group"].clone()).unwrap(),
        from: world.a.id,
        to: world.b.id,
        content,
    };
    let mut signed = serde_json::to_value(sign(&nobody, &message).unwrap()).unwrap();
    if let Some(key) = as_key {
        let own = nobody.key_id.to_string();
        signed["payload"] = json!(signed["payload"].as_str().unwrap().replace(&own, key));
        signed["key_id"] = json!(key);
    }
    signed
}

/// What somebody makes of a genuine record of A, and what B says to it.
fn forgeries(world: &World, genuine: &Value) -> Vec<(&'static str, Value, &'static str)> {
    let payload = genuine["payload"].as_str().unwrap();
    let at = payload.find("\"serial\":\"").unwrap() + 10;
    let serial = &payload[at..at + 24];
    let from = |which: Which| format!("\"from\":\"{}\"", world.site(which).id);
    let (from_a, from_b) = (from(Which::A), from(Which::B));
    let key = genuine["key_id"].as_str().unwrap();
    let flipped = |text: &str| {
        let last = if text.ends_with('0') { "1" } else { "0" };
        format!("{}{last}", &text[..text.len() - 1])
    };
    let payload = |from: &str, to: &str| edited(genuine, "payload", |p| p.replacen(from, to, 1));
    let (forged, unknown) = ("bad_signature", "unknown_key");
    let elsewhere = |_: &str| "00ff00ff00ff00ff".to_owned();
    vec![
        ("flipped", edited(genuine, "signature", flipped), forged),
        (
            "volume",
            payload(serial, "000000000000000000000BAD"),
            forged,
        ),
        ("version", payload("\"version\":", "\"version\":9"), forged),
        ("key id", edited(genuine, "key_id", elsewhere), unknown),
        ("key", signed_by_nobody(world, genuine, None), unknown),
        (
            "signature",
            signed_by_nobody(world, genuine, Some(key)),
            forged,
        ),
        ("sender", payload(&from_a, &from_b), "wrong_pair"),
    ]
}

/// X11, K15: what the peer did not sign, exactly so, is nobody's word.
#[tokio::test(start_paused = true)]
async fn what_is_not_genuine_is_refused_changes_nothing_and_is_told_once() {
    let scene = Scene::of("hostile-forged").await;
    let genuine = scene.carry("m1").await.envelope;
    let forged = forgeries(&scene.world, &genuine);
    let before = scene.held().await;
    let told_before = scene.audit(Which::B).await.len();
    for (what, message, expected) in &forged {
        for _ in 0..3 {
            let body = json!({ "envelope": message });
            let outcome = scene.b.call(Method::POST, ENVELOPES, Some(&body)).await;
            assert_eq!(said(outcome), format!("403 {expected}"), "{what}");
        }
    }
    assert_eq!(scene.held().await, before);
    let told = scene.audit(Which::B).await;
    let told = &told[..told.len() - told_before];
    let mut outcomes: Vec<&str> = told.iter().map(|e| e.outcome.as_str()).collect();
    outcomes.sort_unstable();
    let mut expected: Vec<&str> = forged.iter().map(|(_, _, e)| *e).collect();
    expected.sort_unstable();
    assert_eq!(outcomes, expected, "each forgery once: {told:?}");
    let ours = |e: &AuditEntry| e.action == "sync.store" && e.project.as_str() == scene.b.project;
    assert!(told.iter().all(ours), "{told:?}");
}

/// Bytes that are no message at all.
#[tokio::test(start_paused = true)]
async fn what_is_no_message_is_refused() {
    let scene = Scene::of("hostile-shapes").await;
    let envelope = &scene.carry("m1").await.envelope;
    let before = scene.held().await;
    let cut = |p: &str| p[..p.len() / 2].to_owned();
    let deep = |_: &str| "[".repeat(100_000);
    let huge = |p: &str| format!("{p}{}", " ".repeat(MAX_MESSAGE_BYTES));
    let no_hex = |_: &str| "zz".to_owned();
    let mut more = envelope.clone();
    more["extra"] = json!(1);
    let at_b = |message: Value, expected| (&scene.b, ENVELOPES, "envelope", message, expected);
    let malformed = "400 malformed_message";
    check(vec![
        at_b(edited(envelope, "payload", cut), malformed),
        at_b(edited(envelope, "payload", deep), malformed),
        at_b(edited(envelope, "payload", huge), "413 message_too_large"),
        at_b(edited(envelope, "signature", no_hex), "403 bad_signature"),
        at_b(more, "400 bad_request"),
        at_b(json!("E"), "400 bad_request"),
        at_b(json!(null), "400 bad_request"),
    ])
    .await;
    assert_eq!(scene.held().await, before);
}

/// Genuine messages at the wrong door, or at the wrong site: nobody plays a site its own words back,
/// except a record that it has in force anyhow.
#[tokio::test(start_paused = true)]
async fn what_is_misplaced_is_refused() {
    let scene = Scene::of("hostile-misplaced").await;
    let old = scene.carry("m1").await;
    let before = scene.held().await;
    let (a, b) = (&scene.a, &scene.b);
    let malformed = "400 malformed_message";
    let rejection = (a, "/sync/rejections", "rejection");
    let release = (a, "/sync/releases", "release");
    check(vec![
        (b, ENVELOPES, "envelope", old.receipt.clone(), malformed),
        (b, RECEIPTS, "receipt", old.envelope.clone(), malformed),
        (b, RESERVATIONS, "ticket", old.envelope.clone(), malformed),
        (a, COMMITS, "reservation", old.ticket.clone(), malformed),
        (
            rejection.0,
            rejection.1,
            rejection.2,
            old.receipt.clone(),
            malformed,
        ),
        (
            release.0,
            release.1,
            release.2,
            old.receipt.clone(),
            malformed,
        ),
        (b, RECEIPTS, "receipt", old.receipt, "403 wrong_pair"),
        (a, RESERVATIONS, "ticket", old.ticket, "403 wrong_pair"),
        (b, COMMITS, "reservation", old.reservation, "403 wrong_pair"),
        (a, ENVELOPES, "envelope", old.envelope, "200"),
    ])
    .await;
    assert_eq!(scene.held().await, before);
}

/// P7, X2, X6: what was good once is not good again, and no version gets a second content.
#[tokio::test(start_paused = true)]
async fn what_is_old_or_used_has_no_second_effect() {
    let scene = Scene::of("hostile-old").await;
    let older = scene.carry("m1").await;
    let newer = scene.carry("m2").await;
    let before = scene.held().await;
    let (a, b) = (&scene.a, &scene.b);
    let (stale, ahead) = ("409 reservation_stale", "409 peer_ahead");
    let body = json!({ "envelope": older.envelope });
    check(vec![
        (
            b,
            ENVELOPES,
            "envelope",
            older.envelope,
            "409 older_version",
        ),
        (b, ENVELOPES, "envelope", newer.envelope.clone(), "200"),
        (b, RESERVATIONS, "ticket", older.ticket, ahead),
        (b, RESERVATIONS, "ticket", newer.ticket, ahead),
        (a, COMMITS, "reservation", older.reservation, stale),
        (a, COMMITS, "reservation", newer.reservation, stale),
        (a, RECEIPTS, "receipt", newer.receipt, "200"),
    ])
    .await;
    assert_eq!(scene.held().await, before);

    // An old record is answered with the newer one, so that any courier can bring it home (I11).
    let refused = b.call(Method::POST, ENVELOPES, Some(&body)).await;
    assert_eq!(refused.unwrap_err().body["envelope"], newer.envelope);
}

/// R7: a receipt for an older record does not make a newer pending one synced.
#[tokio::test(start_paused = true)]
async fn an_old_receipt_acknowledges_nothing_new() {
    let scene = Scene::of("hostile-receipt").await;
    let old = scene.carry("m1").await;
    let asked = json!({ "ticket": scene.ticket("m2").await });
    let answer = scene.b.call(Method::POST, RESERVATIONS, Some(&asked)).await;
    let asked = json!({ "reservation": answer.unwrap()["reservation"] });
    let committed = scene.a.call(Method::POST, COMMITS, Some(&asked)).await;
    committed.unwrap();
    let body = json!({ "receipt": old.receipt });
    let _ = scene.a.call(Method::POST, RECEIPTS, Some(&body)).await;
    let group = &scene.group.group;
    assert!(!see(&scene.a, group).await.unwrap().head.synced);
    sync(&scene.a, &scene.b, group).await.unwrap();
}

/// A second tenant with a login at both sites.
fn second_tenant(world: &World, which: Which) -> Tenant {
    let mut cloud = lock(&world.site(which).cloud);
    let project = cloud.seed_project("rival");
    let user = cloud.seed_user("mallory", "secret");
    cloud.seed_grant(&user, &project, "member");
    Tenant {
        project,
        user,
        servers: Vec::new(),
        standard: world.tenant(which).standard.clone(),
    }
}

async fn endpoint_of(world: &World, which: Which, tenant: &Tenant) -> Endpoint {
    let http = world.fabric.client("rival-laptop");
    Endpoint {
        url: format!("http://{}", which.api_host()),
        token: tenant.token(http.clone(), &which.auth_url()).await.unwrap(),
        project: tenant.project.clone(),
        http,
    }
}

/// S14: a genuine message in another tenant's hands opens nothing and tells nothing; it is answered as
/// one about a group that was never there.
#[tokio::test(start_paused = true)]
async fn another_tenants_messages_are_not_there() {
    let scene = Scene::of("hostile-foreign").await;
    let old = scene.carry("m1").await;
    let before = scene.held().await;
    let rival_a = second_tenant(&scene.world, Which::A);
    let rival_b = second_tenant(&scene.world, Which::B);
    let a = endpoint_of(&scene.world, Which::A, &rival_a).await;
    let b = endpoint_of(&scene.world, Which::B, &rival_b).await;
    for (at, path, body) in [
        (&b, ENVELOPES, json!({ "envelope": old.envelope })),
        (&b, RESERVATIONS, json!({ "ticket": old.ticket })),
        (&a, COMMITS, json!({ "reservation": old.reservation })),
        (&a, RECEIPTS, json!({ "receipt": old.receipt })),
    ] {
        let refused = at.call(Method::POST, path, Some(&body)).await.unwrap_err();
        assert_eq!(refused.status, 404, "{path}: {refused}");
        let text = refused.body.to_string();
        assert!(!text.contains(&scene.group.group), "{text}");
    }
    for at in [&a, &b] {
        let group = &scene.group.group;
        for path in [
            format!("/protection-groups/{group}"),
            format!("/protection-groups/{group}/sync"),
            "/protection-groups/00000000-0000-0000-0000-000000000000".to_owned(),
            "/protection-groups/shop".to_owned(),
        ] {
            let refused = at.call(Method::GET, &path, None).await.unwrap_err();
            assert_eq!(
                (refused.status, refused.code()),
                (404, "not_found"),
                "{path}"
            );
        }
        let listed = at
            .call(Method::GET, "/protection-groups", None)
            .await
            .unwrap();
        assert_eq!(listed["protection_groups"], json!([]));
        let listed = at.call(Method::GET, "/operations", None).await.unwrap();
        assert_eq!(listed["operations"], json!([]));
    }
    assert_eq!(scene.held().await, before);
}

/// C9: another installation that calls itself by the same site id is not the peer.
#[tokio::test(start_paused = true)]
async fn a_clone_of_the_peer_is_not_the_peer() {
    let scene = Scene::of("hostile-clone-one").await;
    let clone = {
        let world = WorldOptions::seeded("hostile-clone-two", 42);
        let world = World::build(world).await.unwrap();
        let group = protect(&world).await.unwrap();
        let (a, b) = (
            world.endpoint(Which::A).await.unwrap(),
            world.endpoint(Which::B).await.unwrap(),
        );
        Scene { world, group, a, b }
    };
    assert_eq!(clone.world.a.id, scene.world.a.id);
    let strange = clone.carry("m1").await;
    let before = scene.held().await;
    for (at, path, body) in [
        (&scene.b, ENVELOPES, json!({ "envelope": strange.envelope })),
        (&scene.b, RESERVATIONS, json!({ "ticket": strange.ticket })),
        (
            &scene.a,
            COMMITS,
            json!({ "reservation": strange.reservation }),
        ),
        (&scene.a, RECEIPTS, json!({ "receipt": strange.receipt })),
    ] {
        let outcome = at.call(Method::POST, path, Some(&body)).await;
        assert_eq!(said(outcome), "403 unknown_key", "{path}");
    }
    assert_eq!(scene.held().await, before);
}
