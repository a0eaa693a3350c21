//! The little of Purity REST that the driver speaks, over the array model: envelopes, statuses,
//! parameters and sessions that die often, pages of one row. Absent: every call the driver does not make.

use bytes::Bytes;
use http::{Method, Request, Response};
use protector_runtime::remote::{BoxErr, HttpService, NotSent};
use protector_storage_drivers::link::{LinkError, SharedWorld};
use protector_storage_drivers::model::{
    Answer, ArrayError, Command, Filter, GroupPatch, GroupSnapshotBody, Page, Query,
    RetentionPatch, SchedulePatch, SnapshotPatch, Tag, VolumeItem, VolumePatch, VolumeSource,
};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Calls that one session lives for.
const SESSION_CALLS: u64 = 7;
/// Rows of a page: no list of two is whole at once.
const PAGE_ROWS: u64 = 1;

pub struct Face {
    pub world: SharedWorld,
    pub array: &'static str,
    pub versions: Vec<&'static str>,
    pub calls: AtomicU64,
}

impl Face {
    pub fn service(self) -> HttpService {
        let face = Arc::new(self);
        HttpService::new(tower::service_fn(move |request: Request<Bytes>| {
            let face = face.clone();
            async move { face.answer(&request) }
        }))
    }

    fn answer(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, BoxErr> {
        let path = request.uri().path();
        // Without power nobody listens.
        let Ok(Answer::Arrays(now)) = self.apply(Command::ArraysGet) else {
            return Err(Box::new(NotSent("connection refused".to_owned())));
        };
        let (status, body, token) = self.route(request, path);
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = status.try_into().unwrap();
        let at =
            std::time::UNIX_EPOCH + std::time::Duration::from_millis(now.items[0].now_ms as u64);
        response
            .headers_mut()
            .insert("date", httpdate::fmt_http_date(at).parse().unwrap());
        if let Some(token) = token {
            response
                .headers_mut()
                .insert("x-auth-token", token.parse().unwrap());
        }
        Ok(response)
    }

    fn route(&self, request: &Request<Bytes>, path: &str) -> (u16, Value, Option<String>) {
        if path == "/api/api_version" {
            return (200, json!({ "version": self.versions }), None);
        }
        let below = path.strip_prefix("/api/2.").unwrap();
        let below = &below[below.find('/').unwrap()..];
        let session = (self.calls.fetch_add(1, Ordering::Relaxed) / SESSION_CALLS).to_string();
        if below == "/login" {
            return (200, json!({"items": [{"username": "x"}]}), Some(session));
        }
        if request.headers().get("x-auth-token").unwrap() != session.as_str() {
            return (401, json!({"errors": [{"message": "Unauthorized"}]}), None);
        }
        match self.apply(command_of(request, below)) {
            Ok(answer) => (200, shown(answer), None),
            Err(LinkError::Refused(ArrayError::Refused(items))) => {
                let errors: Vec<Value> = items
                    .iter()
                    .map(|e| json!({"message": e.message, "context": e.context}))
                    .collect();
                (400, json!({ "errors": errors }), None)
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn apply(&self, command: Command) -> Result<Answer, LinkError> {
        self.world.apply(self.array, command)
    }
}

fn shown(answer: Answer) -> Value {
    match answer {
        Answer::Arrays(page) => items(page),
        Answer::ArrayConnections(page) => items(page),
        Answer::Volumes(page) => items(page),
        Answer::VolumeSnapshots(page) => items(page),
        Answer::Groups(page) => items(page),
        Answer::GroupMembers(page) => items(page),
        Answer::GroupTargets(page) => items(page),
        Answer::GroupSnapshots(page) => items(page),
        Answer::Transfers(page) => items(page),
        Answer::Tags(page) => items(page),
        _ => json!({}),
    }
}

fn items<T: Serialize>(page: Page<T>) -> Value {
    let mut whole = serde_json::to_value(page).unwrap();
    for row in whole["items"].as_array_mut().unwrap() {
        let row = row.as_object_mut().unwrap();
        for inner in ["tags", "now_ms", "now_step_ms"] {
            row.remove(inner);
        }
    }
    whole
}

/// Decoded parameters.
struct Params(BTreeMap<String, String>);

impl Params {
    fn of(request: &Request<Bytes>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let pairs = query.split('&').filter(|p| !p.is_empty());
        Self(
            pairs
                .map(|p| p.split_once('=').unwrap())
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .collect(),
        )
    }

    fn text(&self, key: &str) -> Option<String> {
        self.0.get(key).map(|v| decode(v))
    }

    fn list(&self, key: &str) -> Vec<String> {
        let raw = self.0.get(key).map(String::as_str).unwrap_or_default();
        raw.split(',')
            .filter(|v| !v.is_empty())
            .map(decode)
            .collect()
    }

    fn is(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|v| v == "true")
    }

    fn query(&self) -> Query {
        Query {
            names: self.list("names"),
            source_names: self.list("source_names"),
            filter: self.text("filter").map(|text| filter_of(&text)),
            destroyed: self.0.get("destroyed").map(|v| v == "true"),
            continuation_token: self.text("continuation_token"),
            limit: Some(PAGE_ROWS),
            ..Query::default()
        }
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let pair = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&pair).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// `a='x'`, `a=('x','y')`, `tags('k','v')`, several with `or`. Names here have no quotes in them.
fn filter_of(text: &str) -> Filter {
    let quoted = |text: &str| -> Vec<String> {
        text.split('\'')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let one = |part: &str| match part.split_once(['=', '(']).unwrap() {
        ("tags", rest) => {
            let values = quoted(rest);
            Filter::Tags {
                key: values[0].clone(),
                value: values[1].clone(),
            }
        }
        (field, rest) if rest.starts_with('(') => Filter::any_of(field, quoted(rest)),
        (field, rest) => Filter::eq(field, quoted(rest)[0].as_str()),
    };
    let mut parts: Vec<Filter> = text.split(" or ").map(one).collect();
    if parts.len() == 1 {
        parts.remove(0)
    } else {
        Filter::Or(parts)
    }
}

fn tags_of(value: &Value) -> Vec<Tag> {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

fn source_of(value: &Value) -> VolumeSource {
    VolumeSource::Name(value["source"]["name"].as_str().unwrap().to_owned())
}

fn schedule_of(value: &Value) -> SchedulePatch {
    SchedulePatch {
        enabled: value["enabled"].as_bool(),
        frequency_ms: value["frequency"].as_i64(),
        at_s: value["at"].as_i64(),
    }
}

fn command_of(request: &Request<Bytes>, path: &str) -> Command {
    let (p, method) = (Params::of(request), request.method());
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let destroyed = body["destroyed"].as_bool();
    match (method, path) {
        (&Method::GET, "/arrays") => Command::ArraysGet,
        (&Method::GET, "/array-connections") => Command::ArrayConnectionsGet(p.query()),
        (&Method::GET, "/volumes") => Command::VolumesGet(p.query()),
        (&Method::GET, "/volume-snapshots") => Command::VolumeSnapshotsGet(p.query()),
        (&Method::GET, "/protection-groups") => Command::GroupsGet(p.query()),
        (&Method::GET, "/protection-group-snapshots") => Command::GroupSnapshotsGet(p.query()),
        (&Method::GET, "/protection-group-snapshots/transfer") => Command::TransfersGet(p.query()),
        (&Method::GET, "/volumes/tags") => Command::TagsGet {
            resource_names: p.list("resource_names"),
            namespaces: p.list("namespaces"),
        },
        (&Method::PUT, "/volumes/tags/batch") => Command::TagsPut {
            resource_names: p.list("resource_names"),
            tags: tags_of(&body),
        },
        (&Method::POST, "/volumes") => Command::VolumesPost {
            names: p.list("names"),
            source: source_of(&body),
            overwrite: p.is("overwrite"),
            add_to_groups: Vec::new(),
        },
        (&Method::POST, "/volumes/batch") => Command::VolumesBatchPost {
            items: body
                .as_array()
                .unwrap()
                .iter()
                .map(|item| VolumeItem {
                    name: item["name"].as_str().unwrap().to_owned(),
                    source: source_of(item),
                    tags: tags_of(&item["tags"]),
                    add_to_groups: Vec::new(),
                })
                .collect(),
            overwrite: p.is("overwrite"),
        },
        (&Method::PATCH, "/volumes") => Command::VolumesPatch {
            names: p.list("names"),
            patch: VolumePatch {
                destroyed,
                ..VolumePatch::default()
            },
        },
        (&Method::POST, "/volume-snapshots") => Command::VolumeSnapshotsPost {
            source_names: p.list("source_names"),
            suffix: body["suffix"].as_str().map(str::to_owned),
        },
        (&Method::PATCH, "/volume-snapshots") => Command::VolumeSnapshotsPatch {
            names: p.list("names"),
            patch: SnapshotPatch {
                destroyed,
                ..SnapshotPatch::default()
            },
        },
        _ => group_command(method, path, &p, &body),
    }
}

fn group_command(method: &Method, path: &str, p: &Params, body: &Value) -> Command {
    let destroyed = body["destroyed"].as_bool();
    match (method, path) {
        (&Method::POST, "/protection-groups") => Command::GroupsPost {
            names: p.list("names"),
        },
        (&Method::PATCH, "/protection-groups") => Command::GroupsPatch {
            names: p.list("names"),
            patch: GroupPatch {
                replication_schedule: schedule_of(&body["replication_schedule"]),
                target_retention: RetentionPatch {
                    all_for_s: body["target_retention"]["all_for_sec"].as_i64(),
                    days: body["target_retention"]["days"].as_i64(),
                    per_day: body["target_retention"]["per_day"].as_i64(),
                },
                destroyed,
                ..GroupPatch::default()
            },
        },
        (&Method::POST, "/protection-group-snapshots") => Command::GroupSnapshotsPost {
            source_names: p.list("source_names"),
            body: GroupSnapshotBody {
                suffix: body["suffix"].as_str().map(str::to_owned),
                replicate_now: p.is("replicate_now"),
                replicate: p.is("replicate"),
                apply_retention: p.is("apply_retention"),
            },
        },
        (method, "/protection-groups/volumes") => members_of(method, p),
        (method, "/protection-groups/targets") => targets_of(method, p, body),
        (method, path) => panic!("the driver called {method} {path}"),
    }
}

fn members_of(method: &Method, p: &Params) -> Command {
    let (group_names, member_names) = (p.list("group_names"), p.list("member_names"));
    match *method {
        Method::POST => Command::GroupMembersPost {
            group_names,
            member_names,
        },
        Method::DELETE => Command::GroupMembersDelete {
            group_names,
            member_names,
        },
        _ => Command::GroupMembersGet {
            group_names,
            member_names,
            query: p.query(),
        },
    }
}

fn targets_of(method: &Method, p: &Params, body: &Value) -> Command {
    let (group_names, member_names) = (p.list("group_names"), p.list("member_names"));
    match *method {
        Method::POST => Command::GroupTargetsPost {
            group_names,
            member_names,
        },
        Method::PATCH => Command::GroupTargetsPatch {
            group_names,
            allowed: body["allowed"].as_bool().unwrap(),
        },
        _ => Command::GroupTargetsGet {
            group_names,
            query: p.query(),
        },
    }
}
