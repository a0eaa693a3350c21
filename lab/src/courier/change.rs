//! Ordinary changes at the leading site, one function each that people ask for by a verb.

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
    carry(at, peer, method, path, Some(body)).await
}

async fn carry(
    at: &Endpoint,
    peer: &Endpoint,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<String, CourierError> {
    let asked = at.call(method, path, body).await?;
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
    act(leader, peer, group, &json!({ "reprotect": {} })).await
}

/// MEM-10: the VM with this server leaves the group, and stays what it is.
///
/// # Errors
/// As `change`.
pub async fn member_remove(
    leader: &Endpoint,
    peer: &Endpoint,
    group: &str,
    server: &str,
) -> Result<(), CourierError> {
    let body = json!({ "member_remove": { "instance_id": server } });
    act(leader, peer, group, &body).await
}

/// POL-07: other times; `policy` as it was created, with them.
///
/// # Errors
/// As `change`.
pub async fn policy_update(
    leader: &Endpoint,
    peer: &Endpoint,
    group: &str,
    policy: &Value,
) -> Result<(), CourierError> {
    act(leader, peer, group, &json!({ "policy_update": policy })).await
}

async fn act(
    leader: &Endpoint,
    peer: &Endpoint,
    group: &str,
    body: &Value,
) -> Result<(), CourierError> {
    let path = format!("/protection-groups/{group}/action");
    change(leader, peer, Method::POST, &path, body).await?;
    Ok(())
}

/// PG-11: another name or description, as `words` say.
///
/// # Errors
/// As `change`.
pub async fn update(
    leader: &Endpoint,
    peer: &Endpoint,
    group: &str,
    words: &Value,
) -> Result<(), CourierError> {
    let path = format!("/protection-groups/{group}");
    let body = json!({ "protection_group": words });
    change(leader, peer, Method::PATCH, &path, &body).await?;
    Ok(())
}

/// PG-11: the group ends as a tombstone at both sites.
///
/// # Errors
/// As `change`.
pub async fn delete(leader: &Endpoint, peer: &Endpoint, group: &str) -> Result<(), CourierError> {
    let path = format!("/protection-groups/{group}");
    carry(leader, peer, Method::DELETE, &path, None).await?;
    Ok(())
}

/// The group ends at `survivor`, whose peer is gone for good. For administrators; nothing is carried.
///
/// # Errors
/// A refusal.
pub async fn abandon_peer(survivor: &Endpoint, group: &str) -> Result<(), CourierError> {
    let path = format!("/protection-groups/{group}?abandon_peer=true");
    survivor.call(Method::DELETE, &path, None).await?;
    Ok(())
}
