//! The knobs of one endpoint.
//!
//! Deliberately absent: anything that differs between two calls to it.

use std::num::NonZeroU32;

/// How one endpoint is treated. The defaults suit a busy API that is a data centre away.
#[derive(Debug, Clone)]
pub struct RemoteOptions {
    /// From handing over the request until the answer is read, milliseconds. After that: `Unknown`.
    pub timeout_ms: u64,
    /// Longest wait for room, pace and a told pause together, milliseconds. After that: `NotSent`.
    pub queue_timeout_ms: u64,
    /// Calls in flight at once; the rest wait in order of arrival.
    pub concurrency_max: usize,
    /// Calls per second in the long run; `None`: no pace.
    pub rate_per_s: Option<NonZeroU32>,
    /// Calls that may go at once after a quiet time. Only with a rate.
    pub burst: NonZeroU32,
    /// Consecutive failures that open the circuit; 0: never.
    pub circuit_failures_max: u32,
    /// How long an open circuit rests before one call may probe, milliseconds.
    pub circuit_open_ms: u64,
    /// Whether an answer of 500 and above counts as a failure. Switch it off where one tenant's bad
    /// request can be answered so: the circuit is everybody's.
    pub circuit_counts_5xx: bool,
    /// Longest answer that is passed on, bytes.
    pub body_max_bytes: usize,
}

const DEFAULT_RATE_BURST: NonZeroU32 = NonZeroU32::MIN;

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            timeout_ms: 30_000,
            queue_timeout_ms: 30_000,
            concurrency_max: 16,
            rate_per_s: None,
            burst: DEFAULT_RATE_BURST,
            circuit_failures_max: 10,
            circuit_open_ms: 5_000,
            circuit_counts_5xx: true,
            body_max_bytes: 16 * 1024 * 1024,
        }
    }
}
