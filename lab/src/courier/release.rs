//! A planned move that went back has left the leader locked: its holder signs that it is over, and
//! the leader takes its lock back (R11).
//!
//! Absent: deciding whether it is over; the holder's rules do that.

use super::{CourierError, Endpoint, sync};
use http::Method;
use serde_json::json;

/// Carries the release of `operation` from its holder to the leader, and the unlock to both.
///
/// # Errors
/// The holder's operation lives, or was never there; no answer.
pub async fn release(
    leader: &Endpoint,
    holder: &Endpoint,
    group: &str,
    operation: &str,
) -> Result<(), CourierError> {
    let path = format!("/protection-groups/{group}/sync/release");
    let asked = json!({ "operation": operation });
    let signed = holder.call(Method::POST, &path, Some(&asked)).await?;
    let release = json!({ "release": signed.get("release") });
    leader
        .call(Method::POST, "/sync/releases", Some(&release))
        .await?;
    sync(leader, holder, group).await.map(|_| ())
}
