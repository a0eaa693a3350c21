//! A courier: carries signed messages between two sites' APIs with a tenant's own tokens. It is
//! trusted with nothing, and adds nothing of its own (section 7 of the protocol).
//!
//! Absent: withdrawal of a rejected record.

mod change;
mod endpoint;
mod moves;
mod release;
mod sync;
#[cfg(test)]
mod tests;

pub use change::{abandon_peer, change, delete, member_remove, policy_update, reprotect, update};
pub use endpoint::{CourierError, Endpoint};
pub use moves::{operation_id, planned_move};
pub use release::release;
pub use sync::{ROUNDS_MAX, Seen, see, sync};

use http::Method;
use serde_json::{Value, json};

/// A message as it stands in an answer, to be carried on.
///
/// # Errors
/// It is not there: the site said something else, such as a rejection.
fn message(path: &str, answer: &Value, name: &str) -> Result<Value, CourierError> {
    let found = answer.get(name).cloned();
    found.ok_or_else(|| CourierError::new("POST", path, 200, answer.clone()))
}

/// Brings messages to a site and takes the one it answers with.
async fn bring(
    to: &Endpoint,
    path: &str,
    messages: &Value,
    expected: &str,
) -> Result<Value, CourierError> {
    let answer = to.call(Method::POST, path, Some(messages)).await?;
    message(path, &answer, expected)
}

/// Has the leader commit what its peer attested, and brings the record to the peer.
async fn commit(
    leader: &Endpoint,
    peer: &Endpoint,
    ticket: &Value,
    reservation: &Value,
) -> Result<(), CourierError> {
    let attested = json!({ "ticket": ticket, "reservation": reservation });
    let envelope = bring(leader, "/sync/commits", &attested, "envelope").await?;
    deliver(leader, peer, &envelope).await
}

/// Brings an author's record to its peer and the receipt home: the last part of everything.
async fn deliver(author: &Endpoint, peer: &Endpoint, envelope: &Value) -> Result<(), CourierError> {
    let record = json!({ "envelope": envelope });
    let path = "/sync/envelopes";
    let answer = peer.call(Method::POST, path, Some(&record)).await?;
    if answer.get("written_here").is_some() {
        return Ok(()); // R6, last line: the peer's own record came back to it
    }
    let receipt = json!({ "receipt": message(path, &answer, "receipt")? });
    author
        .call(Method::POST, "/sync/receipts", Some(&receipt))
        .await?;
    Ok(())
}
