//! The newest calls to one endpoint, for people who wonder what it was asked.
//!
//! Deliberately absent: headers, bodies and queries. Those carry tokens and secrets.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use serde::Serialize;

use crate::sync::lock;

/// How many calls are kept per endpoint, oldest dropped first.
pub const CALL_LOG_MAX: usize = 256;

/// Put into a request's extensions: the path as it is logged, such as `/servers/{id}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathTemplate(pub &'static str);

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum StatusOrError {
    /// A response with this status.
    Status(u16),
    /// No response, and why.
    Error(String),
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallRecord {
    /// When it was handed over, Unix microseconds.
    pub at_us: i64,
    /// `GET`, `POST`, ...
    pub method: String,
    /// The template if the caller gave one, else the path without its query.
    pub path: String,
    /// How it ended.
    pub status_or_error: StatusOrError,
    /// From handing it over to the whole answer, microseconds.
    pub elapsed_us: u64,
}

#[derive(Debug, Default)]
pub(super) struct CallLog {
    total: AtomicU64,
    newest: Mutex<VecDeque<CallRecord>>,
}

impl CallLog {
    /// Counts a call as it goes out, so that one that never ends is counted too.
    pub(super) fn count(&self) {
        self.total.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    pub(super) fn push(&self, record: CallRecord) {
        let mut newest = lock(&self.newest);
        while newest.len() >= CALL_LOG_MAX {
            newest.pop_front();
        }
        newest.push_back(record);
    }

    pub(super) fn newest(&self) -> Vec<CallRecord> {
        lock(&self.newest).iter().cloned().collect()
    }
}

/// What the log calls the path of `request`.
pub(super) fn path_of(request: &http::Request<Bytes>) -> String {
    match request.extensions().get::<PathTemplate>() {
        Some(PathTemplate(template)) => (*template).to_owned(),
        None => request.uri().path().to_owned(),
    }
}
