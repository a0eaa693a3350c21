//! The wall clock as a value that is handed in.
//!
//! Deliberately absent: sleeping and timeouts. Those are tokio's, so that paused time moves them.

use tokio::time::Instant;

/// Tells the time. Everything that stamps, compares or prints a time asks one of these.
pub trait Clock: Send + Sync {
    /// Unix time in microseconds.
    fn now_us(&self) -> i64;
}

/// The machine's clock. Production only.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    // The one place that may read it: everybody else is handed a `Clock`.
    #[allow(clippy::disallowed_methods)]
    fn now_us(&self) -> i64 {
        let now = std::time::SystemTime::now();
        match now.duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
        }
    }
}

/// A start plus the tokio time that has passed since: stands still and jumps with paused time.
#[derive(Debug, Clone, Copy)]
pub struct TokioClock {
    start_us: i64,
    made: Instant,
}

impl TokioClock {
    /// A clock that reads `unix_us` now.
    pub fn starting_at(unix_us: i64) -> Self {
        Self {
            start_us: unix_us,
            made: Instant::now(),
        }
    }
}

impl Clock for TokioClock {
    fn now_us(&self) -> i64 {
        let elapsed = i64::try_from(self.made.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.start_us.saturating_add(elapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn tokio_clock_moves_with_paused_time_only() {
        let clock = TokioClock::starting_at(1_000);
        assert_eq!(clock.now_us(), 1_000);
        tokio::time::advance(Duration::from_millis(250)).await;
        assert_eq!(clock.now_us(), 251_000);
    }

    #[test]
    fn system_clock_is_after_2020() {
        assert!(SystemClock.now_us() > 1_577_836_800_000_000);
    }
}
