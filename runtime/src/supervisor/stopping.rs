//! Ending one actor: ask, wait, kill, wait.
//!
//! Deliberately absent: order among several; the roster knows it.

use std::time::Duration;

use ractor::{ActorCell, ActorStatus};

/// How long a killed actor may take to be gone, milliseconds. Longer: it is stuck without waiting
/// for anything, and nothing in this process can end it.
const KILL_WAIT_MS: u64 = 1_000;

/// Ends `cell` and waits for it. False: it is still there.
pub(super) async fn stop(cell: &ActorCell, shutdown_ms: u64) -> bool {
    let asked = cell.stop_and_wait(None, Some(Duration::from_millis(shutdown_ms)));
    if asked.await.is_ok() || cell.get_status() == ActorStatus::Stopped {
        return true;
    }
    let limit = Some(Duration::from_millis(KILL_WAIT_MS));
    cell.kill_and_wait(limit).await.is_ok() || cell.get_status() == ActorStatus::Stopped
}
