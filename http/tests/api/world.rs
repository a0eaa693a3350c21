//! What the tests talk to: an engine that holds a few groups and says what it is told to say, a
//! Keystone with a few tokens, and a client.

use crate::admin_world::Office;
use crate::documented::assert_documented;
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use protector_domain::fence::OnReturn;
use protector_domain::health::HealthView;
use protector_domain::ids::{GroupId, OperationId, ProjectId, SiteId, TrustId};
use protector_domain::operation::{
    EventKind, Operation, OperationEvent, OperationKind, OperationMode, OperationStatus,
};
use protector_domain::plan::{OnMemberFailure, PLAN_SCHEMA, Plan};
use protector_domain::ports::engine::{
    Caller, Command, EngineError, GroupView, Query, Reply, SyncView, View,
};
use protector_domain::ports::identity::{TokenInfo, TrustAsk};
use protector_domain::ports::storage::RecoveryPoint;
use protector_domain::ports::{Acting, Engine, ErrorKind, Identity, PortError, PortResult};
use protector_domain::record::{
    GroupBody, GroupStatus, Mappings, ReplicationType, SidePlace, Sides,
};
use protector_domain::refusal::{Finding, Refusal, Severity};
use protector_domain::sync::{
    Content, Epoch, Head, Intent, Message, MessageContent, Nonce, Pair, RecordRef, Signed,
    SigningIdentity, Ticket, sign,
};
use protector_http::{Api, ApiOptions, routes};
use protector_runtime::Ctx;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt;
use uuid::Uuid;

pub const START_S: i64 = 1_800_000_000;
pub const MINE: &str = "p-mine";
pub const OTHER: &str = "p-other";
pub const KEYSTONE: &str = "http://keystone:5000";

pub fn group_id(n: u128) -> GroupId {
    GroupId(Uuid::from_u128(n))
}

pub fn site(n: u128) -> SiteId {
    SiteId(Uuid::from_u128(0xa000 + n))
}

/// A Keystone that knows these tokens.
#[derive(Default)]
pub struct Keystone {
    pub tokens: Mutex<BTreeMap<String, TokenInfo>>,
    pub is_down: AtomicBool,
    pub asked: AtomicUsize,
}

impl Keystone {
    pub fn add(&self, token: &str, project: Option<&str>, roles: &[&str]) {
        let info = TokenInfo {
            user_id: format!("user-of-{token}").into(),
            user_name: token.to_owned(),
            project_id: project.map(ProjectId::from),
            project_name: None,
            roles: roles.iter().map(ToString::to_string).collect(),
            expires_at_s: START_S + 3_600,
        };
        self.tokens.lock().unwrap().insert(token.to_owned(), info);
    }

    pub fn revoke(&self, token: &str) {
        self.tokens.lock().unwrap().remove(token);
    }
}

#[async_trait]
impl Identity for Keystone {
    async fn token_validate(&self, token: &SecretString) -> PortResult<Option<TokenInfo>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.is_down.load(Ordering::Relaxed) {
            return Err(PortError::new(ErrorKind::Unreachable, "keystone is away"));
        }
        Ok(self
            .tokens
            .lock()
            .unwrap()
            .get(token.expose_secret())
            .cloned())
    }

    async fn delegation_check(&self, _acting: &Acting) -> PortResult<()> {
        Ok(())
    }

    async fn trust_take(&self, _token: &SecretString, _ask: &TrustAsk) -> PortResult<TrustId> {
        Ok("t".into())
    }

    async fn trust_end(&self, _trust: &TrustId) -> PortResult<()> {
        Ok(())
    }
}

/// What the engine does with the next command.
pub enum Will {
    Answer(Box<Result<Reply, EngineError>>),
    /// Works for so long, notes the command as done, and answers.
    Work(Duration, Box<Reply>),
    Panic,
}

/// An engine with some groups, operations and events. Other projects' things do not exist for a
/// caller, as the port promises.
#[derive(Default)]
pub struct Script {
    pub groups: Mutex<Vec<GroupView>>,
    pub operations: Mutex<Vec<Operation>>,
    pub events: Mutex<Vec<OperationEvent>>,
    pub will: Mutex<Vec<Will>>,
    pub commands: Mutex<Vec<(Caller, Command)>>,
    pub done: AtomicUsize,
    pub queries: Mutex<Vec<(Caller, Query)>>,
    pub query_fails: Mutex<Option<EngineError>>,
}

fn missing(what: &str) -> EngineError {
    EngineError::NotFound {
        what: what.to_owned(),
    }
}

#[async_trait]
impl Engine for Script {
    async fn command(&self, caller: &Caller, command: Command) -> Result<Reply, EngineError> {
        self.commands
            .lock()
            .unwrap()
            .push((caller.clone(), command));
        let will = self
            .will
            .lock()
            .unwrap()
            .pop()
            .expect("no command was expected");
        match will {
            Will::Answer(answer) => *answer,
            Will::Work(time, reply) => {
                tokio::time::sleep(time).await;
                self.done.fetch_add(1, Ordering::Relaxed);
                Ok(*reply)
            }
            Will::Panic => panic!("the canary sang: s3cret-canary"),
        }
    }

    async fn query(&self, caller: &Caller, query: Query) -> Result<View, EngineError> {
        self.queries
            .lock()
            .unwrap()
            .push((caller.clone(), query.clone()));
        if let Some(error) = self.query_fails.lock().unwrap().clone() {
            return Err(error);
        }
        match query {
            Query::GroupList { marker, limit } => Ok(self.group_list(caller, marker, limit)),
            Query::Group { group } => self.group(caller, &group.0),
            Query::RecoveryPoints { group } => self.group(caller, &group.0).map(|_| points()),
            Query::Health { group } => self.group(caller, &group.0).map(|_| health()),
            Query::Sync { group } => self.group(caller, &group.0).map(|_| sync_view()),
            Query::OperationList { group, .. } => {
                let fits = |o: &Operation| group.is_none_or(|g| g == o.group);
                let operations = self
                    .operations_of(caller)
                    .into_iter()
                    .filter(fits)
                    .collect();
                Ok(View::Operations { operations })
            }
            Query::Operation { operation } => {
                let operation = Box::new(self.operation(caller, operation)?);
                Ok(View::Operation { operation })
            }
            Query::OperationEvents {
                operation,
                after_seq,
                limit,
            } => {
                let operation = self.operation(caller, operation)?.id;
                let all = self.events.lock().unwrap().clone();
                let fits = |e: &OperationEvent| e.operation == operation && e.seq > after_seq;
                let events = all.into_iter().filter(fits).take(limit as usize).collect();
                Ok(View::Events { events })
            }
        }
    }
}

impl Script {
    fn groups_of(&self, caller: &Caller) -> Vec<GroupView> {
        let all = self.groups.lock().unwrap().clone();
        all.into_iter()
            .filter(|g| g.project == caller.project)
            .collect()
    }

    fn group_list(&self, caller: &Caller, marker: Option<String>, limit: u32) -> View {
        let after = |g: &GroupView| marker.as_ref().is_none_or(|m| g.id.to_string() > *m);
        let seen = self.groups_of(caller).into_iter().filter(after);
        View::Groups {
            groups: seen.take(limit as usize).collect(),
        }
    }

    fn group(&self, caller: &Caller, wanted: &str) -> Result<View, EngineError> {
        let named = |g: &GroupView| g.id.to_string() == wanted || g.body.name == wanted;
        let mut found: Vec<_> = self.groups_of(caller).into_iter().filter(named).collect();
        match found.len() {
            0 => Err(missing(&format!("secret detail about {wanted}"))),
            1 => Ok(View::Group {
                group: Box::new(found.remove(0)),
            }),
            _ => Err(EngineError::Ambiguous {
                name: wanted.to_owned(),
            }),
        }
    }

    fn operations_of(&self, caller: &Caller) -> Vec<Operation> {
        let all = self.operations.lock().unwrap().clone();
        all.into_iter()
            .filter(|o| o.project == caller.project)
            .collect()
    }

    fn operation(&self, caller: &Caller, id: OperationId) -> Result<Operation, EngineError> {
        let found = self.operations_of(caller).into_iter().find(|o| o.id == id);
        found.ok_or_else(|| missing("operation"))
    }
}

/// One that has arrived, and one on its way.
fn points() -> View {
    let point = |suffix: &str, completed_ms, sequence| RecoveryPoint {
        suffix: suffix.into(),
        created_ms: 1_000,
        completed_ms,
        age_s: Some(60),
        sequence,
    };
    View::RecoveryPoints {
        points: vec![point("b", None, 2), point("a", Some(2_000), 1)],
    }
}

fn health() -> View {
    let finding = Finding {
        severity: Severity::Blocking,
        refusal: Refusal::RpoViolation {
            age_min: 47,
            max_min: 15,
        },
    };
    View::Health {
        health: Box::new(HealthView {
            replicating: Some(true),
            newest_point: None,
            rpo_max_s: Some(900),
            rpo_met: Some(false),
            synced: true,
            failover_ready: false,
            findings: vec![finding],
        }),
    }
}

fn sync_view() -> View {
    let head = Head {
        at: Some(base(1, 3)),
        synced: true,
        leads: true,
        ..Head::default()
    };
    let sync = SyncView {
        head,
        envelope: ticket(1, 3),
        synced: true,
    };
    View::Sync {
        sync: Box::new(sync),
    }
}

pub fn group(n: u128, name: &str, project: &str) -> GroupView {
    let side = |n| SidePlace {
        site: site(n),
        project: project.into(),
        volume_type: format!("type-{n}"),
    };
    GroupView {
        id: group_id(n),
        project: project.into(),
        body: GroupBody {
            schema: 1,
            name: name.to_owned(),
            description: String::new(),
            replication_type: ReplicationType::Async,
            sides: Sides {
                home: side(1),
                other: side(2),
            },
            status: GroupStatus::Active,
            policy: None,
            mappings: Mappings::default(),
            members: vec![],
            protected: true,
            on_return: OnReturn::default(),
            failover_count: 0,
            last_failover_at_us: None,
            created_at_us: 0,
        },
        conditions: Vec::new(),
        pair: Pair::new(1, 3),
        synced: true,
        current_primary_site: site(1),
        deleted: false,
    }
}

pub fn plan(operation: OperationId) -> Plan {
    Plan {
        schema: PLAN_SCHEMA,
        operation,
        group: group_id(1),
        kind: OperationKind::Failover,
        site: site(2),
        peer: site(1),
        project: MINE.into(),
        fence: Epoch(2),
        fence_after: Epoch(2),
        point: None,
        on_member_failure: OnMemberFailure::Continue,
        stages: vec![],
        warnings: vec![],
        left_out: vec![],
    }
}

pub fn operation(n: u128, project: &str) -> Operation {
    let id = OperationId(Uuid::from_u128(n));
    Operation {
        id,
        group: group_id(1),
        project: project.into(),
        kind: OperationKind::Failover,
        mode: OperationMode::Unplanned,
        status: OperationStatus::Running,
        outcome: None,
        epoch: Epoch(2),
        source_site: site(1),
        target_site: site(2),
        plan: plan(id),
        progress_pct: 40,
        steps_completed: 4,
        steps_failed: 0,
        instances_failed: 0,
        error_message: None,
        started_at_us: 0,
        completed_at_us: None,
        requested_by: "u".into(),
        request_id: "req-x".into(),
        idempotency_key: None,
    }
}

pub fn event(operation: &Operation, seq: u64, kind: EventKind) -> OperationEvent {
    let text = format!("event {seq}");
    OperationEvent {
        operation: operation.id,
        seq,
        at_us: 0,
        kind,
        lane: None,
        step: None,
        text,
    }
}

fn base(epoch: u64, version: u64) -> RecordRef {
    let digest = protector_domain::sync::Digest::of_bytes(b"x");
    let pair = Pair::new(epoch, version);
    RecordRef {
        epoch: pair.epoch,
        version: pair.version,
        digest,
    }
}

/// A really signed ticket for a change of what stands at this version.
pub fn ticket(epoch: u64, version: u64) -> Signed {
    let content = Ticket {
        nonce: Nonce("00".repeat(16)),
        intent: Intent::Change,
        base: Some(base(epoch, version)),
        next_digest: None,
        draft: Some(Content {
            body: Value::Null,
            sealed: BTreeMap::new(),
        }),
    };
    let message = Message {
        group: group_id(1),
        from: site(1),
        to: site(2),
        content: MessageContent::Ticket(content),
    };
    sign(&SigningIdentity::from_seed(site(1), &[7; 32]), &message).unwrap()
}

pub fn ticket_reply(epoch: u64, version: u64) -> Result<Reply, EngineError> {
    Ok(Reply::Ticket {
        group: group_id(1),
        ticket: ticket(epoch, version),
    })
}

/// An answer, read to its end.
pub struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e} in {:?}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// `404 not_found`.
    pub fn line(&self) -> String {
        let code = self.json()["error"]["code"]
            .as_str()
            .unwrap_or("-")
            .to_owned();
        format!("{} {code}", self.status.as_u16())
    }
}

/// One site's API with its engine and its Keystone.
pub struct World {
    pub engine: Arc<Script>,
    pub admin: Arc<Office>,
    pub keystone: Arc<Keystone>,
    pub api: Api,
    pub service: warp::filters::BoxedFilter<(warp::reply::Response,)>,
}

impl World {
    /// Two groups of mine (`web`, `db`) and one of somebody else (`theirs`); tokens `reader`,
    /// `member`, `admin`, `other` (a member elsewhere), `unscoped`, `nobody` (no role).
    pub fn new() -> Self {
        let engine = Arc::new(Script::default());
        *engine.groups.lock().unwrap() = vec![
            group(1, "web", MINE),
            group(2, "db", MINE),
            group(3, "theirs", OTHER),
        ];
        *engine.operations.lock().unwrap() = vec![operation(0x51, MINE), operation(0x52, OTHER)];
        let keystone = Arc::new(Keystone::default());
        for role in ["reader", "member", "admin"] {
            keystone.add(role, Some(MINE), &[role]);
        }
        keystone.add("nobody", Some(MINE), &["auditor"]);
        keystone.add("other", Some(OTHER), &["member"]);
        keystone.add("unscoped", None, &["member"]);
        let admin = Arc::new(Office::default());
        let api = Api {
            engine: engine.clone(),
            admin: admin.clone(),
            identity: keystone.clone(),
            ctx: Ctx::seeded("a", 1, START_S * 1_000_000),
            options: ApiOptions {
                keystone_uri: KEYSTONE.to_owned(),
                public_endpoint: String::new(),
                ..ApiOptions::default()
            },
        };
        let service = routes(api.clone());
        Self {
            engine,
            admin,
            keystone,
            api,
            service,
        }
    }

    pub fn will(&self, answer: Result<Reply, EngineError>) {
        self.engine
            .will
            .lock()
            .unwrap()
            .insert(0, Will::Answer(Box::new(answer)));
    }

    pub fn commands(&self) -> Vec<Command> {
        self.engine
            .commands
            .lock()
            .unwrap()
            .iter()
            .map(|(_, command)| command.clone())
            .collect()
    }

    pub fn callers(&self) -> Vec<Caller> {
        let commands = self.engine.commands.lock().unwrap();
        let queries = self.engine.queries.lock().unwrap();
        let asked = queries.iter().map(|(caller, _)| caller.clone());
        asked
            .chain(commands.iter().map(|(caller, _)| caller.clone()))
            .collect()
    }

    pub async fn open(&self, request: Request<Full<Bytes>>) -> warp::reply::Response {
        warp::service(self.service.clone())
            .oneshot(request)
            .await
            .unwrap()
    }

    /// Every answer of every test has a status that the document names for its path and method.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Got {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let (parts, body) = self.open(request).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert_documented(&method, &path, parts.status);
        Got {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }

    /// `token`: empty for none.
    pub async fn call(&self, token: &str, method: &str, path: &str, body: &str) -> Got {
        self.send(request(token, method, path, &[], body)).await
    }

    pub async fn get(&self, token: &str, path: &str) -> Got {
        self.call(token, "GET", path, "").await
    }

    pub async fn post(&self, path: &str, body: &str) -> Got {
        self.call("member", "POST", path, body).await
    }
}

pub fn request(
    token: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Request<Full<Bytes>> {
    let method: Method = method.parse().unwrap();
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header("X-Auth-Token", token);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
        .body(Full::new(Bytes::from(body.to_owned())))
        .unwrap()
}

pub fn groups_path() -> String {
    format!("/v1/{MINE}/protection-groups")
}

pub fn group_path(rest: &str) -> String {
    format!("/v1/{MINE}/protection-groups/web{rest}")
}
