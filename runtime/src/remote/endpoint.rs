//! One endpoint that we call: who may go when, what is believed of it, and what was asked.
//!
//! A call waits in line (room, a told pause, pace), asks the circuit, and then flies in a task of its
//! own. A caller that is dropped while waiting has sent nothing; one that is dropped later changes
//! nothing, the flight ends, is logged and counted all the same.
//! Deliberately absent: retries, and any idea of what a call means.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tower::ServiceExt;
use tracing::Instrument;

use super::HttpService;
use super::call_log::{CallLog, CallRecord, StatusOrError, path_of};
use super::circuit::{Circuit, Leave};
use super::errors::{CallError, classify};
use super::options::RemoteOptions;
use super::pace::Pace;
use super::retry_after::retry_after_ms;
use crate::ctx::Ctx;
use crate::sync::lock;

type Answer = Result<http::Response<Bytes>, CallError>;

/// An endpoint. Clones share everything.
#[derive(Clone)]
pub struct Remote {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    service: HttpService,
    options: RemoteOptions,
    ctx: Ctx,
    made: Instant,
    room: Arc<Semaphore>,
    /// Held by the one caller that waits for pause and pace: the lock is fair, so the order is too.
    head_of_line: tokio::sync::Mutex<()>,
    pace: Pace,
    circuit: Mutex<Circuit>,
    /// Nobody goes before this, milliseconds since `made`.
    pause_until_ms: AtomicU64,
    log: CallLog,
}

/// An endpoint as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemoteView {
    /// Its name.
    pub name: String,
    /// Calls handed over so far.
    pub calls: u64,
    /// Calls in flight or at the head of the line.
    pub in_flight: usize,
    /// `closed`, `open` or `half_open`.
    pub circuit: &'static str,
    /// Milliseconds until the pause it asked for ends; 0: none.
    pub pause_ms: u64,
}

impl Remote {
    /// An endpoint behind `service`, treated by `options`.
    pub fn new(
        name: impl Into<String>,
        service: HttpService,
        options: RemoteOptions,
        ctx: Ctx,
    ) -> Self {
        let concurrency = options.concurrency_max.clamp(1, Semaphore::MAX_PERMITS);
        let circuit = Circuit::new(options.circuit_failures_max, options.circuit_open_ms);
        let inner = Inner {
            name: name.into(),
            service,
            ctx,
            made: Instant::now(),
            room: Arc::new(Semaphore::new(concurrency)),
            head_of_line: tokio::sync::Mutex::new(()),
            pace: Pace::new(&options),
            circuit: Mutex::new(circuit),
            pause_until_ms: AtomicU64::new(0),
            log: CallLog::default(),
            options,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Sends one request once.
    ///
    /// # Errors
    /// `NotSent`, `CircuitOpen`: certainly no effect. `Unknown` (also after the timeout),
    /// `BodyTooBig`: perhaps. Every status is a response, not an error.
    pub async fn call(&self, request: http::Request<Bytes>) -> Answer {
        let room = self.inner.wait_in_line().await?;
        let leave = self.inner.leave()?;
        let flight = fly(leave, room, request).in_current_span();
        // In a task of its own: see the head of this file.
        match tokio::spawn(flight).await {
            Ok(answer) => answer,
            Err(_) => Err(CallError::Unknown("the flight was cut off".to_owned())),
        }
    }

    /// Calls handed over so far, whatever became of them.
    pub fn calls(&self) -> u64 {
        self.inner.log.total()
    }

    /// The newest calls, oldest first.
    pub fn call_log(&self) -> Vec<CallRecord> {
        self.inner.log.newest()
    }

    /// How it stands.
    pub fn view(&self) -> RemoteView {
        let inner = &self.inner;
        let room = inner.options.concurrency_max.max(1);
        RemoteView {
            name: inner.name.clone(),
            calls: inner.log.total(),
            in_flight: room.saturating_sub(inner.room.available_permits()),
            circuit: lock(&inner.circuit).name(),
            pause_ms: inner.pause_left_ms(),
        }
    }
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Remote").field(&self.inner.name).finish()
    }
}

impl Inner {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn pause_left_ms(&self) -> u64 {
        let until_ms = self.pause_until_ms.load(Ordering::Relaxed);
        until_ms.saturating_sub(self.now_ms())
    }

    /// Waits for room, the end of a told pause, and pace; nothing is sent yet.
    async fn wait_in_line(&self) -> Result<OwnedSemaphorePermit, CallError> {
        if let Some(retry_after_ms) = lock(&self.circuit).refuses(self.now_ms()) {
            return Err(CallError::CircuitOpen { retry_after_ms });
        }
        let deadline = Instant::now() + Duration::from_millis(self.options.queue_timeout_ms);
        let late = |_| CallError::NotSent("waited too long in line".to_owned());
        timeout_at(deadline, self.turn(deadline))
            .await
            .map_err(late)?
    }

    async fn turn(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, CallError> {
        let room = self.room.clone().acquire_owned().await;
        let room = room.map_err(|_| CallError::NotSent("the endpoint is closed".to_owned()))?;
        let _head = self.head_of_line.lock().await;
        // Ends at the deadline at the latest: the caller holds a timeout over it.
        loop {
            self.pause_fits(deadline)?;
            let pause_ms = self.pause_left_ms();
            if pause_ms > 0 {
                sleep(Duration::from_millis(pause_ms)).await;
                continue;
            }
            match self.pace.take() {
                Ok(()) => return Ok(room),
                Err(wait) => sleep(wait).await,
            }
        }
    }

    /// Refuses at once if a told pause outlasts the caller: no use in standing in line for it.
    fn pause_fits(&self, deadline: Instant) -> Result<(), CallError> {
        let retry_after_ms = self.pause_left_ms();
        if Instant::now() + Duration::from_millis(retry_after_ms) > deadline {
            return Err(CallError::CircuitOpen { retry_after_ms });
        }
        Ok(())
    }

    fn leave(self: &Arc<Self>) -> Result<Flight, CallError> {
        let leave = lock(&self.circuit).admit(self.now_ms());
        if let Leave::No { retry_after_ms } = leave {
            return Err(CallError::CircuitOpen { retry_after_ms });
        }
        Ok(Flight {
            inner: self.clone(),
            was_probe: leave == Leave::Probe,
            failed: true,
        })
    }

    fn is_failure(&self, answer: &Answer) -> bool {
        match answer {
            Ok(response) => self.options.circuit_counts_5xx && response.status().is_server_error(),
            Err(CallError::NotSent(_) | CallError::Unknown(_)) => true,
            // It answered; nobody is asked while the circuit is open.
            Err(CallError::BodyTooBig | CallError::CircuitOpen { .. }) => false,
        }
    }

    /// Slows everybody down if the endpoint asks for it (fault `B5`).
    fn heed(&self, answer: &Answer) {
        let Ok(response) = answer else { return };
        if !matches!(response.status().as_u16(), 429 | 503) {
            return;
        }
        if let Some(pause_ms) = retry_after_ms(response.headers(), self.ctx.now_ms()) {
            let until_ms = self.now_ms().saturating_add(pause_ms);
            self.pause_until_ms.fetch_max(until_ms, Ordering::Relaxed);
        }
    }

    fn record(&self, at: (i64, Instant), method: &http::Method, path: String, answer: &Answer) {
        let status_or_error = match answer {
            Ok(response) => StatusOrError::Status(response.status().as_u16()),
            Err(error) => StatusOrError::Error(error.to_string()),
        };
        let elapsed_us = u64::try_from(at.1.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(remote = %self.name, %method, %path, ?status_or_error, elapsed_us, "called");
        self.log.push(CallRecord {
            at_us: at.0,
            method: method.to_string(),
            path,
            status_or_error,
            elapsed_us,
        });
    }
}

/// Leave to fly. Reports to the circuit when dropped: a probe that panics must not leave it waiting.
struct Flight {
    inner: Arc<Inner>,
    was_probe: bool,
    failed: bool,
}

impl Drop for Flight {
    fn drop(&mut self) {
        let now_ms = self.inner.now_ms();
        lock(&self.inner.circuit).report(self.was_probe, self.failed, now_ms);
    }
}

async fn fly(
    mut flight: Flight,
    room: OwnedSemaphorePermit,
    request: http::Request<Bytes>,
) -> Answer {
    let inner = flight.inner.clone();
    let (method, path) = (request.method().clone(), path_of(&request));
    let began = (inner.ctx.now_us(), Instant::now());
    inner.log.count();
    let limit = Duration::from_millis(inner.options.timeout_ms);
    let answer = match timeout(limit, inner.service.clone().oneshot(request)).await {
        Ok(Ok(response)) if response.body().len() > inner.options.body_max_bytes => {
            Err(CallError::BodyTooBig)
        }
        Ok(outcome) => outcome.map_err(|error| classify(&error)),
        Err(_) => Err(CallError::Unknown("no answer in time".to_owned())),
    };
    inner.heed(&answer);
    inner.record(began, &method, path, &answer);
    flight.failed = inner.is_failure(&answer);
    drop(room);
    answer
}
