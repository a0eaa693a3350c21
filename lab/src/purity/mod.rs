//! The array model served as Purity REST 2.x, as far as asynchronous replication goes: for our own
//! driver, for the vendor's client, and for Cinder's iSCSI driver.
//!
//! Absent: behaviour (`protector_storage_drivers::model`), a data path, pods, OAuth.

mod answers;
mod ask;
mod commands;
mod filter_text;
mod hardware;
mod refusal;
mod serve;
mod sessions;
#[cfg(test)]
mod tests;

pub use serve::{ArraysOptions, arrays};

use ask::Ask;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use protector_runtime::ctx::Ctx;
use protector_runtime::remote::{BoxErr, HttpService};
use protector_storage_drivers::link::ArrayLink;
use protector_storage_drivers::model::{Answer, Command, Filter, Query};
use refusal::{Refused, refused};
use secrecy::SecretString;
use serde_json::{Value, json};
use sessions::Sessions;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// Versions on offer, oldest first: clients walk the list from its end.
pub const VERSIONS: [&str; 8] = ["2.0", "2.2", "2.4", "2.16", "2.26", "2.32", "2.35", "2.36"];
/// Longest request body, bytes.
pub const BODY_MAX_BYTES: usize = 4 << 20;

/// One array behind its management address.
pub struct Face {
    link: Arc<dyn ArrayLink>,
    /// Its name in the model.
    array: String,
    sessions: Sessions,
    ctx: Ctx,
}

impl Face {
    pub fn new(link: Arc<dyn ArrayLink>, array: &str, api_token: SecretString, ctx: Ctx) -> Self {
        Self {
            link,
            array: array.to_owned(),
            sessions: Sessions::new(api_token),
            ctx,
        }
    }

    /// The face behind the HTTP seam, for callers of the same process.
    pub fn service(self: Arc<Self>) -> HttpService {
        let handle = move |request: Request<Bytes>| {
            let face = self.clone();
            // What was begun ends, whoever hangs up meanwhile.
            let task = tokio::spawn(async move { face.answer(request).await });
            async move { task.await.map_err(BoxErr::from) }
        };
        HttpService::new(tower::service_fn(handle))
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let request_id = request.headers().get("X-Request-ID").cloned();
        let outcome = self.dispatch(&request).await;
        let mut response = match outcome {
            Ok(Said { headers, body }) => written(StatusCode::OK, headers, body.as_ref()),
            Err(no) => written(no.status(), HeaderMap::new(), Some(&no.body())),
        };
        // Clients show an answer's headers only when this one came back.
        if let Some(id) = request_id {
            response.headers_mut().insert("X-Request-ID", id);
        }
        if let Some(date) = self.date().await {
            response.headers_mut().insert("Date", date);
        }
        response
    }

    async fn dispatch(&self, request: &Request<Bytes>) -> Result<Said, Refused> {
        if request.body().len() > BODY_MAX_BYTES {
            return Err(Refused::TooLarge);
        }
        let path = request.uri().path();
        if path == "/api/api_version" {
            return Ok(Said::body(json!({ "version": VERSIONS })));
        }
        let below = path.strip_prefix("/api/").ok_or(Refused::NoSuchPath)?;
        let (version, below) = below.split_once('/').ok_or(Refused::NoSuchPath)?;
        if !VERSIONS.contains(&version) {
            return Err(Refused::NoSuchPath);
        }
        let header = |name: &str| {
            let value = request.headers().get(name);
            value.and_then(|v| v.to_str().ok()).unwrap_or_default()
        };
        if below == "login" {
            return self.login(header("api-token"));
        }
        let session = header("x-auth-token");
        if !self.sessions.is_alive(session, self.ctx.now_ms()) {
            return Err(Refused::NoSession);
        }
        if below == "logout" {
            self.sessions.logout(session);
            return Ok(Said::default());
        }
        let mut ask = Ask::of(below, request)?;
        if ask.flag("total_only")? == Some(true) {
            return Err(refused("Totals are not simulated.", "total_only"));
        }
        self.names_for_ids(&mut ask).await?;
        let known = hardware::answer(&ask, &self.array)?;
        if let Some(body) = known {
            return Ok(Said::body(body));
        }
        let Some(command) = commands::command(&ask)? else {
            return Err(self.unknown(&ask));
        };
        let answer = self.link.call(&self.array, command).await?;
        Ok(Said {
            body: answers::body(answer),
            ..Said::default()
        })
    }

    /// 404 for a path that is none, 405 for a method that a path does not take.
    fn unknown(&self, ask: &Ask) -> Refused {
        let read = ask.as_bare_read();
        let is_path = matches!(commands::command(&read), Ok(Some(_)))
            || matches!(hardware::answer(&read, &self.array), Ok(Some(_)));
        if is_path {
            Refused::NotAllowed
        } else {
            Refused::NoSuchPath
        }
    }

    fn login(&self, api_token: &str) -> Result<Said, Refused> {
        let token = self.sessions.login(api_token, &self.ctx);
        let token = token.ok_or(Refused::NoSession)?;
        let mut said = Said::body(answers::whole(vec![json!({ "username": "pureuser" })]));
        let header = HeaderValue::from_str(&token).map_err(|_| Refused::Broken)?;
        said.headers.insert("x-auth-token", header);
        Ok(said)
    }

    /// The array's own clock: `Date` counts its seconds.
    async fn date(&self) -> Option<HeaderValue> {
        let answer = self.link.call(&self.array, Command::ArraysGet).await.ok()?;
        let Answer::Arrays(page) = answer else {
            return None;
        };
        let now_ms = u64::try_from(page.items.first()?.now_ms).ok()?;
        let at = UNIX_EPOCH + Duration::from_millis(now_ms);
        HeaderValue::from_str(&httpdate::fmt_http_date(at)).ok()
    }

    /// `ids` instead of `names`: each must be there, as with names.
    async fn names_for_ids(&self, ask: &mut Ask) -> Result<(), Refused> {
        let ids = ask.names("ids");
        if ids.is_empty() {
            return Ok(());
        }
        if ask.has("names") {
            return Err(refused("Either names or ids.", "ids"));
        }
        let query = Query::filtered(Filter::any_of("id", &ids));
        let list = match ask.path.split('/').next().unwrap_or_default() {
            "volumes" => Command::VolumesGet(query),
            "volume-snapshots" => Command::VolumeSnapshotsGet(query),
            "protection-groups" => Command::GroupsGet(query),
            "protection-group-snapshots" => Command::GroupSnapshotsGet(query),
            _ => return Err(refused("Ids are not simulated here.", "ids")),
        };
        let rows = answers::body(self.link.call(&self.array, list).await?).unwrap_or_default();
        let rows = rows.get("items").and_then(Value::as_array);
        let rows = rows.into_iter().flatten();
        let names = rows.filter_map(|row| row.get("name")?.as_str().map(str::to_owned));
        let names: Vec<String> = names.collect();
        if names.len() < ids.len() {
            return Err(refused("Object does not exist.", &ids.join(",")));
        }
        ask.set_names(&names);
        Ok(())
    }
}

/// A yes.
#[derive(Default)]
struct Said {
    headers: HeaderMap,
    body: Option<Value>,
}

impl Said {
    fn body(body: Value) -> Self {
        Self {
            body: Some(body),
            ..Self::default()
        }
    }
}

fn written(status: StatusCode, headers: HeaderMap, body: Option<&Value>) -> Response<Bytes> {
    let bytes = body.map(|body| Bytes::from(body.to_string()));
    let mut response = Response::new(bytes.unwrap_or_default());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert("Content-Type", json);
    response
}
