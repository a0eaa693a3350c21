//! Asking a site for an operation and watching it to its end, whatever happens to the product.
//!
//! Absent: what is asked for.

use super::Protected;
use crate::courier::{self, CourierError, Endpoint};
use crate::world::{Which, World};
use anyhow::{Context, Result, bail};
use http::Method;
use serde_json::Value;
use std::time::Duration;

/// Longest operation, in pauses of `POLL_MS` of the world's time.
const POLLS_MAX: u32 = 6_000;
const POLL_MS: u64 = 500;
/// How long a killed product stays down, milliseconds.
const DOWN_MS: u64 = 700;
/// Times that the request is repeated until it is answered.
const ASKS_MAX: u32 = 40;

/// An operation that has ended.
#[derive(Debug, Clone)]
pub struct OperationRun {
    pub operation: Value,
    /// Milliseconds of the world from the request to the end.
    pub rto_ms: i64,
    /// Times the product was killed on the way.
    pub crashes: u32,
}

/// One action at one site, under a key that names this request among all of its world.
pub(super) fn action(
    at: Which,
    group: &Protected,
    body: Value,
    now_ms: i64,
) -> impl AsyncFn(&World) -> Result<String> {
    let key = format!("asked-at-{now_ms}");
    let group = group.group.clone();
    async move |world: &World| {
        let endpoint = world.endpoint(at).await?;
        let answer = endpoint.act(&group, &body, &key).await?;
        Ok(courier::operation_id("action", &answer)?)
    }
}

/// Asks until there is an answer, then waits for the end of what it names. `at`: the site that runs
/// it, which is killed where its crash switch says so. `shown` sees the operation at each look.
///
/// # Errors
/// A refusal; an operation that does not end.
pub(super) async fn run(
    world: &mut World,
    at: Which,
    ask: impl AsyncFn(&World) -> Result<String>,
    shown: &mut impl FnMut(&Value),
) -> Result<OperationRun> {
    let began_ms = world.now_ms();
    let mut crashes = 0;
    let id = ask_until_answered(world, at, ask, &mut crashes).await?;
    let operation = poll_until_over(world, at, &id, &mut crashes, shown).await?;
    let rto_ms = world.now_ms() - began_ms;
    Ok(OperationRun {
        operation,
        rto_ms,
        crashes,
    })
}

async fn revive(world: &mut World, at: Which, crashes: &mut u32) -> Result<()> {
    *crashes += 1;
    world.site_mut(at).crash();
    tokio::time::sleep(Duration::from_millis(DOWN_MS)).await;
    let back = world.site_mut(at).boot().await;
    back.with_context(|| format!("{} does not come back", at.name()))
}

async fn ask_until_answered(
    world: &mut World,
    at: Which,
    ask: impl AsyncFn(&World) -> Result<String>,
    crashes: &mut u32,
) -> Result<String> {
    for _ in 0..ASKS_MAX {
        let crash = world.site(at).crash.clone();
        let answer = tokio::select! {
            biased;
            () = crash.struck() => None,
            answer = ask(world) => Some(answer),
        };
        match answer {
            None => revive(world, at, crashes).await?,
            Some(Ok(id)) => return Ok(id),
            Some(Err(error)) if ask_again(&error) => {
                tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
            }
            Some(Err(error)) => return Err(error),
        }
    }
    bail!("the operation was never accepted")
}

/// Nothing definite was heard (I3).
fn ask_again(error: &anyhow::Error) -> bool {
    let answered = error.downcast_ref::<CourierError>();
    answered.is_some_and(CourierError::is_unanswered)
}

async fn look(at: &Endpoint, id: &str) -> Result<Option<Value>, CourierError> {
    let path = format!("/operations/{id}");
    let shown = at.call(Method::GET, &path, None).await?;
    Ok(shown.get("operation").cloned())
}

/// The operation as its site shows it now; `None` if it does not answer.
pub async fn operation(at: &Endpoint, id: &str) -> Option<Value> {
    look(at, id).await.ok().flatten()
}

/// Looks at an operation of site `at` until it has ended, reviving the product when it is struck.
///
/// # Errors
/// It does not end.
pub async fn poll_until_over(
    world: &mut World,
    at: Which,
    id: &str,
    crashes: &mut u32,
    shown: &mut impl FnMut(&Value),
) -> Result<Value> {
    let mut endpoint = world.endpoint(at).await?;
    for _ in 0..POLLS_MAX {
        let crash = world.site(at).crash.clone();
        let struck = tokio::select! {
            biased;
            () = crash.struck() => true,
            () = tokio::time::sleep(Duration::from_millis(POLL_MS)) => false,
        };
        if struck {
            revive(world, at, crashes).await?;
            endpoint = world.endpoint(at).await?;
        }
        let operation = match look(&endpoint, id).await {
            Ok(Some(operation)) => operation,
            // A long operation outlives a token.
            Err(error) if error.status == 401 => {
                endpoint = world.endpoint(at).await?;
                continue;
            }
            Ok(None) | Err(_) => continue,
        };
        shown(&operation);
        if is_over(&operation) {
            return Ok(operation);
        }
    }
    bail!("operation {id} does not end")
}

fn is_over(operation: &Value) -> bool {
    let status = operation.get("status").and_then(Value::as_str);
    matches!(status, Some("completed" | "failed"))
}
