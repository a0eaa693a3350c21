//! An ordinary change at the leading site.

use super::{CourierError, Endpoint, bring, commit, message};
use http::Method;
use serde_json::{Value, json};

/// A change at the leader `at`, carried to its peer and back (section 7 of the protocol, "Change").
/// Returns the group's id.
///
/// # Errors
/// The first answer that is not as expected; what is left behind, `sync` finishes.
pub async fn change(
    at: &Endpoint,
    peer: &Endpoint,
    method: Method,
    path: &str,
    body: &Value,
) -> Result<String, CourierError> {
    let asked = at.call(method, path, Some(body)).await?;
    let group = asked
        .pointer("/protection_group/id")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let ticket = message(path, &asked, "ticket")?;
    let draft = json!({ "ticket": ticket });
    let reservation = bring(peer, "/sync/reservations", &draft, "reservation").await?;
    commit(at, peer, &ticket, &reservation).await?;
    Ok(group)
}

/// RP-01: the group is protected from where it is now. A change like any other.
///
/// # Errors
/// As `change`.
pub async fn reprotect(
    leader: &Endpoint,
    peer: &Endpoint,
    group: &str,
) -> Result<(), CourierError> {
    let path = format!("/protection-groups/{group}/action");
    let body = json!({ "reprotect": {} });
    change(leader, peer, Method::POST, &path, &body).await?;
    Ok(())
}
