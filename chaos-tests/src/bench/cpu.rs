//! Processor time, in a form that does not care what else runs on the machine.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

fn read(clock: ClockId) -> Duration {
    let at = clock_gettime(clock);
    let seconds = u64::try_from(at.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(at.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}

/// What the calling thread has used.
pub(super) fn of_thread() -> Duration {
    read(ClockId::ThreadCPUTime)
}
