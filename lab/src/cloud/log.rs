//! Who called what, for tests. Deliberately absent: tokens, bodies, and any way to read it by HTTP.

use std::collections::VecDeque;

use serde::Serialize;

use super::Cloud;
use super::wire::Service;

/// Records kept; older ones fall out and are counted.
const RECORDS_MAX: usize = 1_000_000;

/// One answered request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallRecord {
    /// When it was handled, Unix milliseconds.
    pub at_ms: i64,
    /// The service, unless the path belongs to none.
    pub service: Option<Service>,
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Status of the answer.
    pub status: u16,
    /// `X-OpenStack-Request-Id` of the answer.
    pub request_id: String,
    /// Acting user, the trustor for an impersonating trust.
    pub user_id: Option<String>,
    /// Project of the token.
    pub project_id: Option<String>,
    /// The trust the token came from.
    pub trust_id: Option<String>,
}

/// All calls, oldest first.
#[derive(Default)]
pub(super) struct CallLog {
    records: VecDeque<CallRecord>,
    dropped: u64,
    total: u64,
}

impl CallLog {
    pub(super) fn push(&mut self, record: CallRecord) {
        if self.records.len() >= RECORDS_MAX {
            self.records.pop_front();
            self.dropped += 1;
        }
        self.total += 1;
        self.records.push_back(record);
    }

    /// Calls ever pushed; clearing does not change it.
    pub(super) fn total(&self) -> u64 {
        self.total
    }
}

impl Cloud {
    /// Every call since the start or the last `calls_clear`, oldest first.
    pub fn calls(&self) -> impl Iterator<Item = &CallRecord> {
        self.log.records.iter()
    }

    /// Calls that fell out of the log because it was full.
    pub fn calls_dropped(&self) -> u64 {
        self.log.dropped
    }

    /// Forgets all calls; request ids go on counting.
    pub fn calls_clear(&mut self) {
        self.log.records.clear();
    }
}
