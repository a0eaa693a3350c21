//! Procedure S: what any courier may do at any time, and what is the last part of everything.
//!
//! Absent: a rejection's way home, and a dead lock's release: a group in need of them is said not to be in
//! step.

use super::{CourierError, Endpoint, bring, deliver};
use http::Method;
use protector_domain::sync::{Head, overall};
use serde_json::{Value, json};

/// Rounds after which the sites are said not to come into step.
pub const ROUNDS_MAX: u32 = 8;

/// One site as it stands (M7), and its newest record (M3).
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub head: Head,
    /// `None`: the site has never heard of the group.
    pub envelope: Option<Value>,
}

/// Where a site stands. One that does not know the group stands nowhere.
///
/// # Errors
/// No answer, or none that can be read.
pub async fn see(at: &Endpoint, group: &str) -> Result<Seen, CourierError> {
    let path = format!("/protection-groups/{group}/sync");
    let answer = match at.call(Method::GET, &path, None).await {
        Ok(answer) => answer,
        Err(error) if error.status == 404 => return Ok(Seen::default()),
        Err(error) => return Err(error),
    };
    let head = answer.pointer("/sync/head").cloned().unwrap_or_default();
    let head = serde_json::from_value(head)
        .map_err(|e| CourierError::new("GET", &path, 200, json!(e.to_string())))?;
    let envelope = answer.pointer("/sync/envelope").cloned();
    Ok(Seen { head, envelope })
}

/// What the next round does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Both hold the same record and its author knows it.
    InStep,
    /// `one` has the greater record, or the one whose author waits for a receipt.
    PushOne,
    PushOther,
    /// `one` was restored, and has to hear where the other stands.
    CompareOne,
    CompareOther,
    /// More than carrying is needed.
    Stuck(&'static str),
}

pub(super) fn next(one: &Head, other: &Head) -> Next {
    if overall(one, Some(other)).in_sync {
        return Next::InStep;
    }
    if one.suspect {
        return Next::CompareOne;
    }
    if other.suspect {
        return Next::CompareOther;
    }
    let pair = |head: &Head| head.at.as_ref().map(|at| at.pair());
    match pair(one).cmp(&pair(other)) {
        std::cmp::Ordering::Greater => Next::PushOne,
        std::cmp::Ordering::Less => Next::PushOther,
        std::cmp::Ordering::Equal if one.at.is_none() => Next::Stuck("no site knows the group"),
        std::cmp::Ordering::Equal if one.leads => Next::PushOne,
        std::cmp::Ordering::Equal => Next::PushOther,
    }
}

/// Brings two sites into step, from whatever a courier before this one left behind. Returns where
/// both stand; a lock in it is of an operation that goes on.
///
/// # Errors
/// A site that does not answer; sites that do not come into step by carrying alone.
pub async fn sync(a: &Endpoint, b: &Endpoint, group: &str) -> Result<Head, CourierError> {
    let mut left = json!("the sites do not come into step");
    for _ in 0..ROUNDS_MAX {
        let (one, other) = (see(a, group).await?, see(b, group).await?);
        let pushed = match next(&one.head, &other.head) {
            Next::InStep => return Ok(one.head),
            Next::PushOne => push(a, b, &one).await,
            Next::PushOther => push(b, a, &other).await,
            Next::CompareOne => compare(a, b, group, (&one, &other)).await,
            Next::CompareOther => compare(b, a, group, (&other, &one)).await,
            Next::Stuck(why) => return Err(CourierError::new("GET", group, 200, json!(why))),
        };
        match pushed {
            Ok(()) => {}
            // A site went on while its record was on its way: look again.
            Err(error) if error.status == 409 => left = *error.body,
            Err(error) => return Err(error),
        }
    }
    Err(CourierError::new("GET", group, 200, left))
}

async fn push(author: &Endpoint, peer: &Endpoint, seen: &Seen) -> Result<(), CourierError> {
    let envelope = seen.envelope.clone().unwrap_or_default();
    deliver(author, peer, &envelope).await
}

/// A restored site gets its peer's signed head, and the record with it where that is the greater one. What it
/// then writes, if it leads, goes over like any record.
async fn compare(
    suspect: &Endpoint,
    peer: &Endpoint,
    group: &str,
    (at, there): (&Seen, &Seen),
) -> Result<(), CourierError> {
    let path = |end: &str| format!("/protection-groups/{group}/sync/{end}");
    let ticket = bring(suspect, &path("head-tickets"), &json!({}), "ticket").await?;
    let asked = json!({ "ticket": ticket });
    let head = bring(peer, &path("heads"), &asked, "head").await?;
    let pair = |seen: &Seen| seen.head.at.as_ref().map(|at| at.pair());
    let mut told = json!({ "head": head });
    let newer = there.envelope.clone().filter(|_| pair(there) > pair(at));
    if let (Some(envelope), Some(fields)) = (newer, told.as_object_mut()) {
        fields.insert("envelope".to_owned(), envelope);
    }
    let answer = suspect
        .call(Method::POST, "/sync/heads", Some(&told))
        .await?;
    if answer.get("rejection").is_some() {
        return Err(CourierError::new("POST", "/sync/heads", 200, answer));
    }
    match answer.get("envelope") {
        Some(base) => deliver(suspect, peer, base).await,
        None => Ok(()),
    }
}
