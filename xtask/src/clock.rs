//! Elapsed time and deadlines of this tool: the one place here that reads the machine's clock.
//!
//! Deliberately absent: calendar time, and any use by product code (which takes time from `runtime::clock`).

use std::time::{Duration, Instant};

/// Pause between two looks at a condition, in milliseconds.
const POLL_EVERY_MS: u64 = 25;

/// Measures seconds since it was started.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[allow(clippy::disallowed_methods)] // this tool measures real work; nothing here is simulated
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Asks `look` until it answers something or `limit` has passed; `Ok(None)` means the time is up.
///
/// Errors: whatever `look` fails with, at once.
pub fn wait_until<T>(
    limit: Duration,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<Option<T>> {
    let watch = Stopwatch::start();
    loop {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        if watch.elapsed() >= limit {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(POLL_EVERY_MS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_with_the_answer_the_error_or_the_limit() {
        let mut looks = 0;
        let third = wait_until(Duration::from_secs(60), || {
            looks += 1;
            Ok((looks == 3).then_some(looks))
        });
        assert_eq!(third.unwrap(), Some(3));
        assert_eq!(wait_until(Duration::ZERO, || Ok(None::<u8>)).unwrap(), None);
        assert!(
            wait_until(Duration::from_secs(60), || anyhow::bail!("no")
                as anyhow::Result<Option<u8>>)
            .is_err()
        );
    }
}
