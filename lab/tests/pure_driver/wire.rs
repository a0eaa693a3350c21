//! What can go wrong between the driver and an array: faults met by kind of call, and rivals who are
//! quicker.

use bytes::Bytes;
use http::{Method, Request, Response};
use protector_runtime::remote::{BoxErr, HttpService, NotSent};
use protector_storage_drivers::conformance::Call;
use protector_storage_drivers::link::{Fault, SharedWorld};
use protector_storage_drivers::model::Command;
use std::sync::{Arc, Mutex};
use tower::ServiceExt;

/// Armed faults and rivals of both arrays.
#[derive(Clone, Default)]
pub struct Trouble {
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

    async fn pass(
        &self,
        request: Request<Bytes>,
        inner: HttpService,
        world: &SharedWorld,
        array: &str,
    ) -> Result<Response<Bytes>, BoxErr> {
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

fn copy_of(request: &Request<Bytes>) -> Request<Bytes> {
    let mut copy = Request::new(request.body().clone());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}
