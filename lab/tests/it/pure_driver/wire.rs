//! What can go wrong between the driver and an array: faults met by kind of call, rivals who are
//! quicker, sessions that die all the time, pages of one row, an array without power.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use protector_runtime::remote::{BoxErr, HttpService, NotSent};
use protector_storage_drivers::conformance::Call;
use protector_storage_drivers::link::{Fault, SharedWorld};
use protector_storage_drivers::model::Command;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tower::ServiceExt;

/// Calls that one session lives for.
const SESSION_CALLS: u64 = 7;

/// Armed faults and rivals of both arrays, and what the arrays may speak.
#[derive(Clone, Default)]
pub struct Trouble {
    /// Of the versions on offer only these; none: all.
    versions: Vec<&'static str>,
    /// Calls of each session.
    sessions: Arc<Mutex<BTreeMap<Vec<u8>, u64>>>,
    faults: Arc<Mutex<Vec<(Call, Fault)>>>,
    deeds: Arc<Mutex<Vec<Command>>>,
}

/// What kind of change a request is.
fn call_of(request: &Request<Bytes>) -> Option<Call> {
    let path = request.uri().path();
    let below = path.strip_prefix("/api/2.")?;
    let below = &below[below.find('/')?..];
    let body = String::from_utf8_lossy(request.body());
    let destroys = body.contains("destroyed");
    Some(match (request.method(), below) {
        (&Method::POST, "/volumes/batch" | "/volumes") => Call::Copy,
        (&Method::POST, "/protection-groups") => Call::GroupMake,
        (&Method::PATCH, "/protection-groups") => Call::GroupChange,
        (&Method::POST, "/protection-group-snapshots") => Call::GroupSnapshot,
        (&Method::POST, "/protection-groups/volumes") => Call::MembersAdd,
        (&Method::DELETE, "/protection-groups/volumes") => Call::MembersRemove,
        (&Method::POST, "/protection-groups/targets") => Call::TargetAdd,
        (&Method::PATCH, "/volumes") if destroys => Call::Destroy,
        (&Method::POST, "/volume-snapshots") => Call::VolumeSnapshot,
        (&Method::PATCH, "/volume-snapshots") if destroys => Call::VolumeSnapshotDestroy,
        _ => return None,
    })
}

impl Trouble {
    /// None so far, on arrays that speak these versions.
    pub fn speaking(versions: &[&'static str]) -> Self {
        Self {
            versions: versions.to_vec(),
            ..Self::default()
        }
    }

    pub fn arm(&self, call: Call, fault: Fault) {
        self.faults.lock().unwrap().push((call, fault));
    }

    pub fn rival(&self, deed: Command) {
        self.deeds.lock().unwrap().push(deed);
    }

    pub fn left(&self) -> usize {
        self.faults.lock().unwrap().len()
    }

    fn due(&self, call: Call) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let at = faults.iter().position(|(armed, _)| *armed == call)?;
        Some(faults.remove(at).1)
    }

    /// `inner`, the array called `array` of `world`, behind this trouble.
    pub fn before(
        &self,
        inner: HttpService,
        world: SharedWorld,
        array: &'static str,
    ) -> HttpService {
        let trouble = self.clone();
        HttpService::new(tower::service_fn(move |request: Request<Bytes>| {
            let (trouble, inner, world) = (trouble.clone(), inner.clone(), world.clone());
            async move { trouble.pass(request, inner, &world, array).await }
        }))
    }

    /// A session that was used often enough is one that the array no longer knows.
    fn aged(&self, mut request: Request<Bytes>) -> Request<Bytes> {
        if let Some(token) = request.headers_mut().get_mut("x-auth-token") {
            let mut sessions = self.sessions.lock().unwrap();
            let calls = sessions.entry(token.as_bytes().to_vec()).or_default();
            *calls += 1;
            if *calls > SESSION_CALLS {
                *token = HeaderValue::from_static("dead");
            }
        }
        request
    }

    async fn pass(
        &self,
        request: Request<Bytes>,
        inner: HttpService,
        world: &SharedWorld,
        array: &str,
    ) -> Result<Response<Bytes>, BoxErr> {
        // Without power nobody listens.
        if world.apply(array, Command::ArraysGet).is_err() {
            return Err(Box::new(NotSent("connection refused".to_owned())));
        }
        if request.uri().path() == "/api/api_version" && !self.versions.is_empty() {
            let body = json!({ "version": self.versions });
            return Ok(Response::new(Bytes::from(body.to_string())));
        }
        let request = self.aged(one_row(request));
        let Some(call) = call_of(&request) else {
            return inner.oneshot(request).await;
        };
        let fault = self.due(call);
        if fault == Some(Fault::NotSent) {
            return Err(Box::new(NotSent("connection refused".to_owned())));
        }
        if matches!(call, Call::Copy | Call::VolumeSnapshotDestroy) {
            for deed in std::mem::take(&mut *self.deeds.lock().unwrap()) {
                world.apply(array, deed).unwrap();
            }
        }
        if fault == Some(Fault::Twice) {
            let _ = inner.clone().oneshot(copy_of(&request)).await;
        }
        let answer = inner.oneshot(request).await;
        match fault {
            Some(Fault::AnswerLost) => Err("connection reset".into()),
            _ => answer,
        }
    }
}

/// A list comes in pages of one row, so that none of two is whole at once.
fn one_row(mut request: Request<Bytes>) -> Request<Bytes> {
    if *request.method() == Method::GET && request.uri().path() != "/api/api_version" {
        let sign = if request.uri().query().is_some() {
            '&'
        } else {
            '?'
        };
        let uri = format!("{}{sign}limit=1", request.uri());
        *request.uri_mut() = uri.parse().unwrap();
    }
    request
}

fn copy_of(request: &Request<Bytes>) -> Request<Bytes> {
    let mut copy = Request::new(request.body().clone());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}
