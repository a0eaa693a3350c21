//! A cloud of one function: Keystone answers logins by itself, everything else is the test's word.
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use protector_domain::ports::{Acting, Cloud};
use protector_openstack::{CloudConfig, Credential, Interface, OpenStackCloud};
use protector_runtime::Ctx;
use protector_runtime::remote::{BoxErr, HttpService, NotSent, RemoteOptions};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

pub const START_US: i64 = 1_800_000_000_000_000;
pub const PASSWORD: &str = "canary-password";

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// With the query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    pub fn token(&self) -> &str {
        self.header("x-auth-token")
    }
}

/// What comes back, if anything.
pub enum Reply {
    Json(u16, Value),
    Raw(u16, &'static str),
    Header(u16, &'static str, &'static str),
    NotSent,
    Broken,
    /// The answer never comes.
    Hang,
    /// Keystone's usual answer to a login or to a question about a token.
    Usual,
}

type Handler = Box<dyn FnMut(&Seen, &mut Keystone) -> Reply + Send>;

/// How Keystone answers when it is left alone.
pub struct Keystone {
    /// Logins so far; the newest token is `tok-<logins>`.
    pub logins: usize,
    pub lifetime_s: i64,
    pub catalog: Value,
}

struct State {
    keystone: Keystone,
    seen: Vec<Seen>,
    handler: Handler,
}

#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

impl World {
    pub fn new(handler: impl FnMut(&Seen, &mut Keystone) -> Reply + Send + 'static) -> Self {
        let keystone = Keystone {
            logins: 0,
            lifetime_s: 3_600,
            catalog: catalog(&["compute", "volumev3", "network", "image"]),
        };
        let handler = Box::new(handler);
        Self(Arc::new(Mutex::new(State {
            keystone,
            seen: Vec::new(),
            handler,
        })))
    }

    pub fn cloud(&self) -> Cloud {
        self.cloud_with(password(), RemoteOptions::default())
    }

    pub fn cloud_with(&self, credential: Credential, remote: RemoteOptions) -> Cloud {
        let config = CloudConfig {
            auth_url: "http://cloud/identity".into(),
            region_name: Some("one".into()),
            interface: Interface::Public,
            credential,
            remote,
        };
        let ctx = Ctx::seeded("test", 1, START_US);
        Arc::new(OpenStackCloud::connect(config, self.service(), ctx)).ports()
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.0.lock().unwrap().seen.clone()
    }

    /// `METHOD /path` of everything but logins.
    pub fn calls(&self) -> Vec<String> {
        let seen = self.seen();
        let others = seen.iter().filter(|s| !is_login(s));
        others.map(|s| format!("{} {}", s.method, s.path)).collect()
    }

    pub fn logins(&self) -> usize {
        self.seen().iter().filter(|s| is_login(s)).count()
    }

    pub fn keystone(&self, change: impl FnOnce(&mut Keystone)) {
        change(&mut self.0.lock().unwrap().keystone);
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
                    Err(Lost::NotSent) => Err(Box::new(NotSent("refused".into())) as BoxErr),
                    Err(Lost::Broken) => Err("connection reset".into()),
                    Err(Lost::Hang) => std::future::pending().await,
                }
            }
        }))
    }

    fn answer(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Lost> {
        let seen = Seen {
            method: request.method().to_string(),
            path: request.uri().path_and_query().unwrap().to_string(),
            headers: request.headers().clone(),
            body: serde_json::from_slice(request.body()).unwrap_or(Value::Null),
        };
        let mut state = self.0.lock().unwrap();
        let State {
            keystone,
            seen: all,
            handler,
        } = &mut *state;
        all.push(seen.clone());
        let (status, header, body) = match handler(&seen, keystone) {
            Reply::Json(status, body) => (status, None, body.to_string()),
            Reply::Raw(status, body) => (status, None, body.to_owned()),
            Reply::Header(status, name, value) => (
                status,
                Some((name, value.to_owned())),
                json!({"x": {"message": ""}}).to_string(),
            ),
            Reply::NotSent => return Err(Lost::NotSent),
            Reply::Broken => return Err(Lost::Broken),
            Reply::Hang => return Err(Lost::Hang),
            Reply::Usual => keystone.answer(&seen),
        };
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status.try_into().unwrap();
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        Ok(response)
    }
}

enum Lost {
    NotSent,
    Broken,
    Hang,
}

type Plain = (u16, Option<(&'static str, String)>, String);

impl Keystone {
    fn answer(&mut self, seen: &Seen) -> Plain {
        assert!(
            seen.path.starts_with("/identity/v3/auth/tokens"),
            "{seen:?}"
        );
        if seen.method == "GET" {
            return (
                200,
                None,
                json!({"token": self.token(&Value::Null)}).to_string(),
            );
        }
        self.logins += 1;
        let token = self.token(&seen.body["auth"]["scope"]);
        let header = ("x-subject-token", format!("tok-{}", self.logins));
        (201, Some(header), json!({ "token": token }).to_string())
    }

    fn token(&self, scope: &Value) -> Value {
        let start = 1_795_000_000_i64;
        let at = |s: i64| {
            let (day, clock) = (s.div_euclid(86_400), s.rem_euclid(86_400));
            assert_eq!(day, start.div_euclid(86_400), "one day is enough here");
            let (h, m, sec) = (clock / 3_600, clock / 60 % 60, clock % 60);
            format!("2026-11-18T{h:02}:{m:02}:{sec:02}.000000Z")
        };
        let project = scope["project"]["id"].as_str().unwrap_or("service-project");
        let mut token = json!({
            "user": {"id": "u1", "name": "protector"},
            "project": {"id": project, "name": "x"},
            "roles": [{"id": "r", "name": "admin"}],
            "catalog": self.catalog,
            "issued_at": at(start),
            "expires_at": at(start + self.lifetime_s),
        });
        if let Some(trust) = scope["OS-TRUST:trust"]["id"].as_str() {
            token["OS-TRUST:trust"] = json!({ "id": trust });
            token["project"]["id"] = json!("tenant");
        }
        token
    }
}

pub fn is_login(seen: &Seen) -> bool {
    seen.method == "POST" && seen.path == "/identity/v3/auth/tokens"
}

pub fn catalog(types: &[&str]) -> Value {
    let entry = |kind: &&str| {
        let url = match *kind {
            "compute" => "http://cloud/compute/v2.1",
            "volumev3" => "http://cloud/volume/v3/service-project",
            "network" => "http://cloud/network",
            _ => "http://cloud/image",
        };
        json!({"type": kind, "endpoints": [
            {"interface": "public", "region_id": "one", "url": url},
            {"interface": "public", "region_id": "two", "url": "http://elsewhere/v3"}]})
    };
    types.iter().map(entry).collect()
}

pub fn password() -> Credential {
    Credential::Password {
        username: "protector".into(),
        user_domain_name: "Default".into(),
        password: SecretString::from(PASSWORD),
        project_name: "service".into(),
        project_domain_name: "Default".into(),
    }
}

pub fn by_trust() -> Acting {
    Acting::Trust {
        trust: "trust-1".into(),
        project: "tenant".into(),
    }
}

/// Nova's version document, up to `max`.
pub fn version(max: &str) -> Reply {
    Reply::Json(
        200,
        json!({"version": {"id": "v2.1", "version": max, "min_version": "2.1"}}),
    )
}

pub fn image() -> Reply {
    Reply::Json(200, json!({"id": "i1", "name": "tiny", "status": "active"}))
}
