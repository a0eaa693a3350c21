//! Two tenants who have nothing to do with each other, in one pair of sites, with groups, servers and networks
//! of the same names. Every route of the OpenAPI document is asked with one's token and the other's ids: the
//! answer has to be, letter by letter, the one for ids that nobody has (K6, K7, S14). A new route is asked by
//! itself; a new parameter turns the test red until it is said here what of the other tenant belongs there.
//!
//! Absent: who may do what within a project, and forged messages; those have tests of their own.

use bytes::Bytes;
use http::{Method, Request};
use protector_lab::courier::Endpoint;
use protector_lab::story::{
    Protected, drill, failback, planned_failover, protect, reprotect, take_point, test_cleanup,
};
use protector_lab::world::{Tenant, Which, World, WorldOptions};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tower::ServiceExt;

const SITES: [Which; 2] = [Which::A, Which::B];
/// What nobody has.
const NOBODYS_ID: &str = "01890000-0000-7000-8000-0000000000ff";
const NOBODYS_PROJECT: &str = "00000000000000000000000000000fff";
/// Longest answer, seconds of the world: a story of another one's operation would never end.
const ANSWER_S: u64 = 60;
/// Levels of a body that is made from its schema.
const BODY_DEPTH_MAX: u32 = 8;

/// What one site holds of the tenant who is to stay unseen.
#[derive(Debug, Clone)]
struct Unseen {
    project: String,
    group: String,
    operation: String,
    /// Every text that would give something away.
    words: BTreeSet<String>,
    /// Its own messages of the protocol.
    envelope: Value,
}

/// A request as it is told, and the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    status: u16,
    kind: String,
    text: String,
}

async fn ask(
    at: &Endpoint,
    method: &str,
    path: &str,
    body: Option<&Value>,
    stream: bool,
) -> Answer {
    let bytes = body.map(|b| Bytes::from(b.to_string())).unwrap_or_default();
    let accept = if stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    let request = Request::builder()
        .method(Method::from_bytes(method.to_uppercase().as_bytes()).unwrap())
        .uri(format!("{}{path}", at.url))
        .header("X-Auth-Token", &at.token)
        .header("Content-Type", "application/json")
        .header("Content-Length", bytes.len())
        .header("Accept", accept)
        .body(bytes)
        .unwrap();
    let asked = at.http.clone().oneshot(request);
    let limit = Duration::from_secs(ANSWER_S);
    let answer = tokio::time::timeout(limit, asked).await;
    let answer = answer
        .unwrap_or_else(|_| panic!("{method} {path} never ends"))
        .unwrap();
    let kind = answer.headers().get("content-type");
    Answer {
        status: answer.status().as_u16(),
        kind: kind
            .map(|k| k.to_str().unwrap().to_owned())
            .unwrap_or_default(),
        text: without_request_id(&String::from_utf8_lossy(answer.body())),
    }
}

/// Every request has an id of its own; nothing else may differ.
fn without_request_id(text: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(text) else {
        return text.to_owned();
    };
    let errors = value.get("errors").and_then(Value::as_array);
    let errors = errors.map_or(0, Vec::len);
    let each = (0..errors).map(|n| format!("/errors/{n}"));
    for place in each.chain(["/error".to_owned()]) {
        if let Some(error) = value.pointer_mut(&place).and_then(Value::as_object_mut) {
            error.remove("request_id");
        }
    }
    value.to_string()
}

/// Everything in a JSON text that names one thing and no other: ids, keys, signatures.
fn telling(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let hex = text.chars().filter(char::is_ascii_hexdigit).count();
            if text.len() >= 32 && hex >= 32 || text.contains("canary") {
                words.insert(text.clone());
            }
        }
        Value::Array(all) => all.iter().for_each(|v| telling(v, words)),
        Value::Object(all) => all.values().for_each(|v| telling(v, words)),
        _ => {}
    }
}

/// A lab in which X has been through everything that leaves traces, and Y has a group of the same name.
async fn both_tenants(name: &str) -> (World, Protected, [Tenant; 2], Protected) {
    let options = WorldOptions::seeded(name, 77);
    let mut world = World::build(options).await.unwrap();
    let mut y = world.another_tenant().await.unwrap();
    let xs = protect(&world).await.unwrap();
    take_point(&world, &xs, 7).await.unwrap();
    let networks: Vec<String> = SITES
        .map(|w| world.tenant(w).standard.networks.clone())
        .concat();
    let isolated = BTreeMap::from([(networks[0].clone(), networks[5].clone())]);
    drill(&mut world, &xs, &isolated).await.unwrap();
    test_cleanup(&mut world, &xs).await.unwrap();
    planned_failover(&mut world, &xs).await.unwrap();
    reprotect(&world, &xs, Which::B).await.unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    failback(&mut world, &xs).await.unwrap();
    std::mem::swap(&mut world.tenants, &mut y);
    let ys = protect(&world).await.unwrap();
    (world, xs, y, ys)
}

/// X's own view, which must not change either.
async fn view_of_x(at: &Endpoint, xs: &Protected) -> Value {
    let group = format!("/protection-groups/{}", xs.group);
    let mut all = Vec::new();
    for path in [
        group.clone(),
        format!("{group}/members"),
        format!("{group}/policy"),
        format!("{group}/mappings"),
        format!("{group}/sync"),
        "/operations".to_owned(),
        "/protection-groups".to_owned(),
    ] {
        all.push(at.call(Method::GET, &path, None).await.unwrap());
    }
    json!(all)
}

async fn unseen(world: &World, at: &Endpoint, xs: &Protected, x: &Tenant) -> (Unseen, Value) {
    let view = view_of_x(at, xs).await;
    let mut words = BTreeSet::from([xs.array_group.clone(), x.project.clone(), x.user.clone()]);
    words.extend(x.servers.clone());
    words.extend(x.standard.networks.clone());
    telling(&view, &mut words);
    let operation = view[5]["operations"][0]["id"].as_str().unwrap().to_owned();
    // The sites themselves and what belongs to everybody are no secret.
    for common in [&world.a.id.to_string(), &world.b.id.to_string()] {
        words.remove(common);
    }
    let unseen = Unseen {
        project: x.project.clone(),
        group: xs.group.clone(),
        operation,
        words,
        envelope: view[4]["sync"]["envelope"].clone(),
    };
    (unseen, view)
}

/// The endpoint of a tenant who is not the world's present one.
async fn endpoint_of(world: &World, which: Which, tenant: &Tenant) -> Endpoint {
    let mut at = world.endpoint(which).await.unwrap();
    let http = at.http.clone();
    at.token = tenant.token(http, &which.auth_url()).await.unwrap();
    at.project = tenant.project.clone();
    at
}

/// What goes into one request: of the other tenant, or of nobody.
#[derive(Debug, Clone)]
struct Ids {
    tenant: String,
    group: String,
    operation: String,
}

impl Ids {
    fn of(&self, parameter: &str) -> &str {
        match parameter {
            "tenant" => &self.tenant,
            "group" | "marker" => &self.group,
            "operation" => &self.operation,
            // Administrators' names and numbers; no tenant's.
            "site" | "array" | "mapping" | "root" | "kind" => "site-b",
            "depth" | "limit" | "after" | "Last-Event-ID" => "1",
            "format" => "text",
            "abandon_peer" => "true",
            "Idempotency-Key" | "If-Match" => "*",
            new => panic!("{new}: say here what of another tenant belongs into it"),
        }
    }

    /// The ids are all that may differ.
    fn blank(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (id, name) in [
            (&self.tenant, "{tenant}"),
            (&self.group, "{group}"),
            (&self.operation, "{operation}"),
        ] {
            text = text.replace(id.as_str(), name);
        }
        text
    }
}

/// A body as the schema wants it; every text is an id of the other tenant's.
fn body_of(document: &Value, schema: &Value, ids: &Ids, depth: u32) -> Value {
    if depth > BODY_DEPTH_MAX {
        return Value::Null;
    }
    if let Some(named) = schema["$ref"].as_str() {
        let pointer = named.trim_start_matches('#');
        return body_of(document, document.pointer(pointer).unwrap(), ids, depth + 1);
    }
    for either in ["oneOf", "anyOf", "allOf"] {
        if let Some(all) = schema[either].as_array() {
            let first = all.iter().find(|s| s["type"] != "null").unwrap();
            return body_of(document, first, ids, depth + 1);
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        return values[0].clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds[0].as_str().unwrap_or_default(),
        kind => kind.as_str().unwrap_or_default(),
    };
    match kind {
        "object" => {
            let fields = schema["properties"].as_object();
            let fields = fields.into_iter().flatten();
            let made = fields.map(|(k, s)| (k.clone(), body_of(document, s, ids, depth + 1)));
            Value::Object(made.collect())
        }
        "array" => json!([body_of(document, &schema["items"], ids, depth + 1)]),
        "integer" | "number" => json!(1),
        "boolean" => json!(true),
        "string" => json!(ids.group),
        _ => json!({}),
    }
}

/// One request of the document.
#[derive(Debug, Clone)]
struct Ask {
    method: String,
    template: String,
    operation_id: String,
    path_names: Vec<String>,
    query_names: Vec<String>,
    body: Option<Value>,
    streams: bool,
}

fn asks(document: &Value) -> Vec<Ask> {
    let mut all = Vec::new();
    for (template, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            let parameters = described["parameters"].as_array().unwrap();
            let names = |place: &str| {
                let here = parameters.iter().filter(|p| p["in"] == place);
                here.map(|p| p["name"].as_str().unwrap().to_owned())
                    .collect()
            };
            let body = &described["requestBody"]["content"]["application/json"]["schema"];
            let ask = Ask {
                method: method.clone(),
                template: template.clone(),
                operation_id: described["operationId"].as_str().unwrap().to_owned(),
                path_names: names("path"),
                query_names: names("query"),
                body: Some(body.clone()).filter(|b| !b.is_null()),
                streams: described["operationId"] == "OperationEvents",
            };
            all.push(ask);
        }
    }
    all
}

impl Ask {
    fn path(&self, ids: &Ids, with_query: bool) -> String {
        let mut path = self.template.clone();
        for name in &self.path_names {
            path = path.replace(&format!("{{{name}}}"), ids.of(name));
        }
        let query = self.query_names.iter();
        let query: Vec<String> = query.map(|q| format!("{q}={}", ids.of(q))).collect();
        if with_query && !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        path
    }

    async fn send(
        &self,
        document: &Value,
        at: &Endpoint,
        ids: &Ids,
        query: bool,
        stream: bool,
    ) -> Answer {
        let body = self.body.as_ref();
        let body = body.map(|schema| body_of(document, schema, ids, 0));
        ask(
            at,
            &self.method,
            &self.path(ids, query),
            body.as_ref(),
            stream,
        )
        .await
    }
}

/// What an answer gives away. `expected`: the answer for ids of nobody; both without the ids they were asked by.
fn leaks(what: &str, got: &Answer, expected: &Answer, words: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    if got != expected {
        found.push(format!(
            "S14: {what}: {got:?}, but for nobody's ids {expected:?}"
        ));
    }
    let shown = words.iter().filter(|word| got.text.contains(word.as_str()));
    found.extend(shown.map(|word| format!("S14: {what} shows {word}")));
    found
}

/// Every route at one site: with X's ids where ids go, in Y's project and in X's.
async fn walk(document: &Value, y: &Endpoint, x: &Unseen) -> (usize, Vec<String>) {
    let mut found = Vec::new();
    let mut asked = 0;
    for tenant in [
        (&y.project, &y.project),
        (&x.project, &NOBODYS_PROJECT.to_owned()),
    ] {
        let theirs = Ids {
            tenant: tenant.0.clone(),
            group: x.group.clone(),
            operation: x.operation.clone(),
        };
        let nobodys = Ids {
            tenant: tenant.1.clone(),
            group: NOBODYS_ID.to_owned(),
            operation: NOBODYS_ID.replace("ff", "fe"),
        };
        for one in asks(document) {
            // A draft that Y may make changes what the next one finds.
            let makes = one.path_names == ["tenant"] && one.method != "get";
            let makes = makes && tenant.0 == tenant.1 && one.operation_id == "GroupCreate";
            for (query, stream) in [(false, false), (true, false), (false, true)] {
                if makes || (stream && !one.streams) {
                    continue;
                }
                let got = one.send(document, y, &theirs, query, stream).await;
                let expected = one.send(document, y, &nobodys, query, stream).await;
                let blank = |ids: &Ids, answer: &Answer| Answer {
                    text: ids.blank(&answer.text),
                    ..answer.clone()
                };
                let what = format!("{} {}", one.method, one.path(&theirs, query));
                let (got, expected) = (blank(&theirs, &got), blank(&nobodys, &expected));
                found.extend(leaks(&what, &got, &expected, &x.words));
                asked += 1;
            }
        }
    }
    (asked, found)
}

/// Y carries X's own messages, genuine as they are, into its own project.
async fn carried(y: &Endpoint, x: &Unseen) -> Vec<String> {
    let mut found = Vec::new();
    for (path, name) in [
        ("envelopes", "envelope"),
        ("receipts", "envelope"),
        ("commits", "ticket"),
        ("reservations", "ticket"),
        ("releases", "release"),
    ] {
        let path = format!("/v1/{}/sync/{path}", y.project);
        let body = json!({ name: x.envelope });
        let got = ask(y, "POST", &path, Some(&body), false).await;
        if got.status < 400 {
            found.push(format!("S14: {path} takes what is X's: {got:?}"));
        }
        // What Y has brought along may come back to it; what it has not may not.
        let brought = body.to_string();
        let new = x.words.iter().filter(|w| !brought.contains(w.as_str()));
        let shown = new.filter(|w| got.text.contains(w.as_str()));
        found.extend(shown.map(|w| format!("S14: {path} shows {w}")));
    }
    found
}

#[tokio::test(start_paused = true)]
async fn nothing_of_one_tenant_shows_to_another() {
    let (world, xs, x, ys) = both_tenants("two-tenants").await;
    let mut found = Vec::new();
    for (which, x) in SITES.into_iter().zip(&x) {
        let (at_x, at_y) = (
            endpoint_of(&world, which, x).await,
            world.endpoint(which).await.unwrap(),
        );
        let (unseen, before) = unseen(&world, &at_x, &xs, x).await;
        assert!(unseen.words.len() > 20, "there is something to hide");
        let document = ask(&at_y, "GET", "/v1/openapi.json", None, false).await;
        let document: Value = serde_json::from_str(&document.text).unwrap();
        let (asked, leaked) = walk(&document, &at_y, &unseen).await;
        println!(
            "{which:?}: {asked} pairs of requests, {} words",
            unseen.words.len()
        );
        found.extend(leaked);
        found.extend(carried(&at_y, &unseen).await);

        let groups = at_y
            .call(Method::GET, "/protection-groups", None)
            .await
            .unwrap();
        let groups = groups["protection_groups"].as_array().unwrap();
        let named = groups.iter().filter(|g| g["name"] == "shop").count();
        assert_eq!((groups.len(), named), (1, 1), "S14: counts are Y's own");
        assert_eq!(groups[0]["id"], ys.group.as_str());
        let operations = at_y.call(Method::GET, "/operations", None).await.unwrap();
        assert_eq!(
            operations["operations"],
            json!([]),
            "S14: Y has done nothing"
        );
        let after = view_of_x(&at_x, &xs).await;
        assert_eq!(after, before, "nothing of X changed at {which:?}");
    }
    assert!(
        found.is_empty(),
        "{} leaks:\n{}",
        found.len(),
        found.join("\n")
    );
}

/// A server of one tenant's is never started in the network of another, whoever knows its id.
#[tokio::test(start_paused = true)]
async fn a_mapping_does_not_reach_over_the_wall() {
    let mut world = World::build(WorldOptions::seeded("over-the-wall", 78))
        .await
        .unwrap();
    let mut tenants = world.another_tenant().await.unwrap();
    std::mem::swap(&mut world.tenants, &mut tenants);
    let (ours, theirs) = (world.tenants.clone(), tenants);
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, 7).await.unwrap();
    let at = world.endpoint(Which::B).await.unwrap();
    let drill = |network: &str| {
        let from = ours[0].standard.networks[0].clone();
        json!({ "test_failover": { "network_mapping": { from: network } } })
    };
    let over = drill(&theirs[1].standard.networks[2]);
    let refused = at.act(&group.group, &over, "over").await.unwrap_err();
    let nowhere = at
        .act(&group.group, &drill(NOBODYS_ID), "nowhere")
        .await
        .unwrap_err();
    assert_eq!(
        (refused.status, refused.code()),
        (nowhere.status, nowhere.code()),
        "S14: as for a network that nobody has"
    );
    let own = drill(&ours[1].standard.networks[2]);
    at.act(&group.group, &own, "own")
        .await
        .expect("its own one serves");
}

/// The judge itself: what it is there for turns it red.
#[test]
fn a_planted_leak_is_seen() {
    let words = BTreeSet::from(["id-of-x".to_owned()]);
    let answer = |status, text: &str| Answer {
        status,
        kind: "application/json".to_owned(),
        text: text.to_owned(),
    };
    let nobody = answer(404, "no group {group}");
    assert_eq!(leaks("a", &nobody, &nobody, &words), Vec::<String>::new());
    for leaky in [
        answer(403, "no group {group}"),
        answer(404, "no group {group} of shop"),
        answer(404, "no group {group}, but id-of-x"),
        answer(200, "{}"),
    ] {
        assert!(!leaks("a", &leaky, &nobody, &words).is_empty(), "{leaky:?}");
    }
    let shown = leaks(
        "a",
        &answer(200, "id-of-x"),
        &answer(200, "id-of-x"),
        &words,
    );
    assert_eq!(shown.len(), 1, "the same for everybody, and still X's");
}
