//! The pace of one endpoint: a token bucket that lives in tokio's time.
//!
//! The bucket's own clock reads the processor and its own sleep ignores paused time; both are
//! replaced here. Deliberately absent: the order of waiters. The endpoint lets one wait at a time.

use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use super::options::RemoteOptions;

/// Nanoseconds of tokio time since the pace was made.
#[derive(Debug, Clone, Copy)]
struct PaceClock(Instant);

impl Clock for PaceClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, PaceClock, NoOpMiddleware<Nanos>>;

#[derive(Debug)]
pub(super) struct Pace {
    bucket: Option<Bucket>,
    clock: PaceClock,
}

impl Pace {
    pub(super) fn new(options: &RemoteOptions) -> Self {
        let clock = PaceClock(Instant::now());
        let quota = |rate| Quota::per_second(rate).allow_burst(options.burst);
        let bucket = options
            .rate_per_s
            .map(|rate| RateLimiter::direct_with_clock(quota(rate), clock));
        Self { bucket, clock }
    }

    /// Takes a token, or says how long until there is one.
    pub(super) fn take(&self) -> Result<(), Duration> {
        let Some(bucket) = &self.bucket else {
            return Ok(());
        };
        bucket
            .check()
            .map_err(|early| early.wait_time_from(self.clock.now()))
    }
}
