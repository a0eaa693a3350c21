//! A planned move of leadership, up to where the target needs no courier any more.
//!
//! Absent: watching it, and the last part (`sync`), when the target has ended it.

use super::{CourierError, Endpoint, bring, commit, message};
use serde_json::{Value, json};

/// Hands the lead of `leader` to an operation at `target` (section 7, "Planned failover", 1 to 5).
/// `verb` is `failover` or `failback`, `body` what it is asked with, without the ticket. Returns the
/// operation's id; it runs at the target.
///
/// The ticket is good for one request, so its signature is the request's `Idempotency-Key`.
///
/// # Errors
/// The first answer that is not as expected; what is left behind, `sync` finishes.
pub async fn planned_move(
    leader: &Endpoint,
    target: &Endpoint,
    group: &str,
    verb: &str,
    body: &Value,
) -> Result<String, CourierError> {
    let path = format!("/protection-groups/{group}/sync/lock-tickets");
    let ticket = bring(leader, &path, &json!({}), "ticket").await?;
    let asked = target
        .act(group, &action(verb, body, &ticket), key(&ticket))
        .await?;
    let operation = operation_id(verb, &asked)?;
    let reservation = message(verb, &asked, "reservation")?;
    commit(leader, target, &ticket, &reservation).await?;
    Ok(operation)
}

fn action(verb: &str, body: &Value, ticket: &Value) -> Value {
    let mut asked = body.clone();
    if let Some(fields) = asked.as_object_mut() {
        fields.insert("ticket".to_owned(), ticket.clone());
    }
    json!({ verb: asked })
}

fn key(ticket: &Value) -> &str {
    let signature = ticket.get("signature").and_then(Value::as_str);
    signature.unwrap_or_default()
}

/// The id in a 202 of an action.
///
/// # Errors
/// There is none.
pub fn operation_id(path: &str, answer: &Value) -> Result<String, CourierError> {
    let id = answer.pointer("/operation/id").and_then(Value::as_str);
    let none = || CourierError::new("POST", path, 202, answer.clone());
    id.map(str::to_owned).ok_or_else(none)
}
