//! The promises of an endpoint, in virtual time; and a scripted world to call.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod calls;
mod circuits;
mod in_process;
mod order;
mod sessions;

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep};

use super::*;
use crate::ctx::Ctx;

/// What the far side does with one call.
#[derive(Debug, Clone)]
enum Act {
    Status(u16),
    Header(u16, &'static str, &'static str),
    Body(usize),
    Refuse,
    Break,
    Slow(u64, u16),
    Panic,
}

/// The far side: acts by its script, then answers 200.
#[derive(Clone, Default)]
struct Far {
    script: Arc<Mutex<VecDeque<Act>>>,
    /// Path and millisecond of each arrival, and how many were there at once at most.
    seen: Arc<Mutex<Vec<(String, u64)>>>,
    now: Arc<Mutex<(usize, usize)>>,
    ended: Arc<Mutex<usize>>,
}

struct Rig {
    far: Far,
    remote: Remote,
    began: Instant,
}

fn rate(per_s: u32, burst: u32) -> RemoteOptions {
    RemoteOptions {
        rate_per_s: NonZeroU32::new(per_s),
        burst: NonZeroU32::new(burst).unwrap(),
        queue_timeout_ms: 600_000,
        concurrency_max: 100,
        ..RemoteOptions::default()
    }
}

fn rig(options: RemoteOptions, script: &[Act]) -> Rig {
    let (far, began) = (Far::default(), Instant::now());
    far.script.lock().unwrap().extend(script.iter().cloned());
    let answering = far.clone();
    let service = tower::service_fn(move |request: http::Request<Bytes>| {
        let far = answering.clone();
        async move { far.answer(request, began).await }
    });
    let remote = Remote::new(
        "far",
        HttpService::new(service),
        options,
        Ctx::seeded("a", 1, 1_700_000_000_000_000),
    );
    Rig { far, remote, began }
}

impl Far {
    async fn answer(
        &self,
        request: http::Request<Bytes>,
        began: Instant,
    ) -> Result<http::Response<Bytes>, BoxErr> {
        let at_ms = began.elapsed().as_millis() as u64;
        self.seen
            .lock()
            .unwrap()
            .push((request.uri().path().to_owned(), at_ms));
        {
            let mut now = self.now.lock().unwrap();
            now.0 += 1;
            now.1 = now.1.max(now.0);
        }
        let act = self
            .script
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Act::Status(200));
        let outcome = act.perform().await;
        self.now.lock().unwrap().0 -= 1;
        *self.ended.lock().unwrap() += 1;
        outcome
    }
}

impl Act {
    async fn perform(self) -> Result<http::Response<Bytes>, BoxErr> {
        let reply = http::Response::builder();
        Ok(match self {
            Act::Status(status) => reply.status(status).body(Bytes::new())?,
            Act::Header(status, name, value) => reply
                .status(status)
                .header(name, value)
                .body(Bytes::new())?,
            Act::Body(len) => reply.body(vec![7; len].into())?,
            Act::Refuse => return Err(NotSent("connection refused".into()).into()),
            Act::Break => return Err("reset in the middle".into()),
            Act::Slow(ms, status) => {
                sleep(Duration::from_millis(ms)).await;
                reply.status(status).body(Bytes::new())?
            }
            Act::Panic => panic!("told to"),
        })
    }
}

impl Rig {
    async fn get(&self, path: &str) -> Result<u16, CallError> {
        get(&self.remote, path).await
    }

    /// Starts `count` calls at once and waits for all.
    async fn many(&self, count: usize) -> Vec<Result<u16, CallError>> {
        let remote = &self.remote;
        let calls = (0..count).map(|n| async move { get(remote, &format!("/{n}")).await });
        futures::future::join_all(calls).await
    }

    fn seen(&self) -> Vec<(String, u64)> {
        self.far.seen.lock().unwrap().clone()
    }

    fn seen_ms(&self) -> Vec<u64> {
        self.seen().into_iter().map(|(_, at)| at).collect()
    }

    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }
}

async fn get(remote: &Remote, path: &str) -> Result<u16, CallError> {
    let request = http::Request::get(format!("http://far{path}")).body(Bytes::new());
    let response = remote.call(request.unwrap()).await?;
    Ok(response.status().as_u16())
}

async fn ms(time: u64) {
    sleep(Duration::from_millis(time)).await;
}
