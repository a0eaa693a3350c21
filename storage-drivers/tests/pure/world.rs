//! Two arrays of one function: logins and names are answered as usual, everything else is the test's
//! word.

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use protector_domain::ids::ArrayId;
use protector_domain::ports::PortResult;
use protector_domain::ports::storage::GroupSpec;
use protector_runtime::Ctx;
use protector_runtime::remote::{BoxErr, HttpService, NotSent};
use protector_storage_drivers::pure::{ArrayAccess, ArrayRegistry, Connector, PureStorageDriver};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

pub const START_US: i64 = 1_800_000_000_000_000;
/// `Fri, 15 Jan 2027 08:00:00 GMT`.
pub const START_MS: i64 = START_US / 1_000;
pub const DATE: &str = "Fri, 15 Jan 2027 08:00:00 GMT";
pub const API_TOKEN: &str = "canary-api-token";

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `a` or `b`.
    pub host: String,
    pub method: String,
    /// `36` of 2.36; empty where none is in the path.
    pub version: String,
    /// Below the version, with the query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    pub fn is(&self, start: &str) -> bool {
        format!("{} {}", self.method, self.path).starts_with(start)
    }

    /// `a GET /arrays`.
    pub fn line(&self) -> String {
        format!("{} {} {}", self.host, self.method, self.path)
    }
}

pub enum Reply {
    Json(u16, Value),
    Raw(u16, &'static str),
    Header(u16, &'static str, &'static str),
    NotSent,
    Broken,
    /// As an array usually answers: versions, logins, its name, its connection to the other.
    Usual,
}

pub fn items(rows: Value) -> Reply {
    Reply::Json(200, json!({"items": rows, "more_items_remaining": false}))
}

pub fn refusal(message: &str, context: &str) -> Reply {
    Reply::Json(
        400,
        json!({"errors": [{"message": message, "context": context}]}),
    )
}

type Handler = Box<dyn FnMut(&Seen) -> Reply + Send>;

struct State {
    seen: Vec<Seen>,
    handler: Handler,
    versions: Vec<&'static str>,
    registered: BTreeMap<ArrayId, ArrayAccess>,
    logins: usize,
}

#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

impl World {
    pub fn new(handler: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        let access = |host: &str| (ArrayId(format!("id-{host}")), access(host, API_TOKEN));
        Self(Arc::new(Mutex::new(State {
            seen: Vec::new(),
            handler: Box::new(handler),
            versions: vec!["1.19", "2.4", "2.31", "2.36"],
            registered: BTreeMap::from([access("a"), access("b")]),
            logins: 0,
        })))
    }

    pub fn speaking(self, versions: &[&'static str]) -> Self {
        self.0.lock().unwrap().versions = versions.to_vec();
        self
    }

    pub fn register(&self, id: &str, access: Option<ArrayAccess>) {
        let mut state = self.0.lock().unwrap();
        let id = ArrayId(id.to_owned());
        match access {
            Some(access) => state.registered.insert(id, access),
            None => state.registered.remove(&id),
        };
    }

    pub fn driver(&self) -> PureStorageDriver {
        let world = self.clone();
        let connector: Connector = Arc::new(move |_: &ArrayAccess| Ok(world.service()));
        let ctx = Ctx::seeded("test", 1, START_US);
        PureStorageDriver::new(Arc::new(self.clone()), connector, ctx)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.0.lock().unwrap().seen.clone()
    }

    /// All calls but versions, logins and the question who it is.
    pub fn calls(&self) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|s| !["/api_version", "/login", "/arrays"].contains(&s.path.as_str()));
        seen
    }

    pub fn lines(&self) -> Vec<String> {
        self.calls().iter().map(Seen::line).collect()
    }

    pub fn writes(&self) -> Vec<String> {
        let calls = self.calls();
        calls
            .iter()
            .filter(|s| s.method != "GET")
            .map(Seen::line)
            .collect()
    }

    pub fn logins(&self) -> usize {
        self.seen().iter().filter(|s| s.path == "/login").count()
    }

    fn service(&self) -> HttpService {
        let world = self.clone();
        HttpService::new(tower::service_fn(move |request: Request<Bytes>| {
            let reply = world.answer(&request);
            async move {
                // A short way there, so that calls made at once overlap.
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                match reply {
                    Ok(response) => Ok(response),
                    Err(true) => Err(Box::new(NotSent("refused".into())) as BoxErr),
                    Err(false) => Err("connection reset".into()),
                }
            }
        }))
    }

    fn answer(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, bool> {
        let mut state = self.0.lock().unwrap();
        let seen = see(request);
        state.seen.push(seen.clone());
        let mut response = Response::new(Bytes::new());
        response.headers_mut().insert("date", DATE.parse().unwrap());
        let (status, body) = match (state.handler)(&seen) {
            Reply::Json(status, body) => (status, body.to_string()),
            Reply::Raw(status, body) => (status, body.to_owned()),
            Reply::Header(status, name, value) => {
                response.headers_mut().insert(name, value.parse().unwrap());
                (status, "{}".to_owned())
            }
            Reply::NotSent => return Err(true),
            Reply::Broken => return Err(false),
            Reply::Usual => {
                if seen.path == "/login" {
                    state.logins += 1;
                    let token = format!("session-{}", state.logins);
                    response
                        .headers_mut()
                        .insert("x-auth-token", token.parse().unwrap());
                }
                (200, usual(&seen, &state.versions).to_string())
            }
        };
        *response.status_mut() = status.try_into().unwrap();
        *response.body_mut() = Bytes::from(body);
        Ok(response)
    }
}

fn see(request: &Request<Bytes>) -> Seen {
    let path = request.uri().path_and_query().unwrap().as_str();
    let below = path.strip_prefix("/api").unwrap();
    let (version, below) = match below.strip_prefix("/2.") {
        Some(rest) => rest.split_at(rest.find('/').unwrap()),
        None => ("", below),
    };
    Seen {
        host: request.uri().host().unwrap().to_owned(),
        method: request.method().to_string(),
        version: version.to_owned(),
        path: below.to_owned(),
        headers: request.headers().clone(),
        body: serde_json::from_slice(request.body()).unwrap_or(Value::Null),
    }
}

fn usual(seen: &Seen, versions: &[&str]) -> Value {
    let other = if seen.host == "a" { "b" } else { "a" };
    let row = match seen.path.as_str() {
        "/api_version" => return json!({ "version": versions }),
        "/login" => json!({"username": "pureuser"}),
        "/arrays" => json!({
            "id": format!("id-{}", seen.host), "name": seen.host.to_uppercase(),
            "version": "6.6.0", "os": "Purity//FA"}),
        "/array-connections" => json!({
            "name": other.to_uppercase(), "status": "connected", "type": "async-replication",
            "remote": {"name": other.to_uppercase(), "id": format!("id-{other}")}}),
        path => panic!("nobody said what {path} answers"),
    };
    json!({"items": [row], "more_items_remaining": false})
}

#[async_trait]
impl ArrayRegistry for World {
    async fn access(&self, id: &ArrayId) -> PortResult<Option<ArrayAccess>> {
        Ok(self.0.lock().unwrap().registered.get(id).cloned())
    }
}

pub fn access(host: &str, token: &str) -> ArrayAccess {
    ArrayAccess {
        url: format!("http://{host}/"),
        api_token: Some(SecretString::from(token)),
        certificate_pem: None,
    }
}

/// From A to B.
pub fn spec() -> GroupSpec {
    GroupSpec {
        name: "pg".into(),
        source: "id-a".into(),
        target: "id-b".into(),
        replication_interval_s: 900,
        target_retention_s: 86_400,
    }
}

pub fn volume(name: &str, serial: &str) -> Value {
    json!({"id": format!("id-{serial}"), "name": name, "serial": serial, "provisioned": 1_048_576,
        "created": START_MS, "destroyed": false, "connection_count": 0, "subtype": "regular"})
}
