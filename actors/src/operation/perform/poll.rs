//! Waiting for a thing to become so, within a limit. Absent: what "so" is.

use protector_domain::ports::{ErrorKind, PortError, PortResult};
use std::time::Duration;

/// Pause between two looks, milliseconds.
const POLL_MS: u64 = 1_000;

/// Looks until `seen` gives something, at most `polls_max` times.
///
/// Errors: those of the look; `Busy` when it did not become so in time, to be asked again.
pub(super) async fn until<T, F>(what: &str, polls_max: u32, seen: impl Fn() -> F) -> PortResult<T>
where
    F: Future<Output = PortResult<Option<T>>>,
{
    for _ in 0..polls_max {
        if let Some(found) = seen().await? {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
    }
    let kind = ErrorKind::Busy {
        retry_after_ms: None,
    };
    Err(PortError::new(kind, format!("{what} takes too long")))
}
