//! An unplanned failover at site B, watched to its end whatever happens to the product.

use super::Protected;
use crate::courier::Endpoint;
use crate::world::{Which, World};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt;

/// Longest operation, in pauses of `POLL_MS` of the world's time.
const POLLS_MAX: u32 = 20_000;
const POLL_MS: u64 = 500;
/// How long a killed product stays down, milliseconds.
const DOWN_MS: u64 = 700;
/// Times that the request is repeated with its key until it is answered.
const ASKS_MAX: u32 = 40;

/// A failover that has ended.
#[derive(Debug, Clone)]
pub struct FailoverRun {
    pub operation: Value,
    /// Milliseconds of the world from the request to the end.
    pub rto_ms: i64,
    /// Times the product was killed on the way.
    pub crashes: u32,
}

/// Asks site B for it, kills the product where the world's crash switch says so, and waits.
/// `shown` sees the operation at each look.
///
/// # Errors
/// A refusal; an operation that does not end.
pub async fn fail_over(
    world: &mut World,
    group: &Protected,
    mut shown: impl FnMut(&Value),
) -> Result<FailoverRun> {
    let began_ms = world.now_ms();
    let mut crashes = 0;
    let id = ask(world, group, &mut crashes).await?;
    let operation = poll_until_over(world, &id, &mut crashes, &mut shown).await?;
    let rto_ms = world.now_ms() - began_ms;
    Ok(FailoverRun {
        operation,
        rto_ms,
        crashes,
    })
}

async fn revive(world: &mut World, crashes: &mut u32) -> Result<()> {
    *crashes += 1;
    world.b.crash();
    tokio::time::sleep(Duration::from_millis(DOWN_MS)).await;
    world.b.boot().await.context("site-b does not come back")
}

/// The request is repeated with its key until there is an answer (I3).
async fn ask(world: &mut World, group: &Protected, crashes: &mut u32) -> Result<String> {
    for _ in 0..ASKS_MAX {
        let crash = world.b.crash.clone();
        let answer = tokio::select! {
            biased;
            () = crash.struck() => None,
            answer = request(world, group) => Some(answer),
        };
        match answer {
            None => revive(world, crashes).await?,
            Some(Ok(answer)) => {
                let id = answer.pointer("/operation/id").and_then(Value::as_str);
                return id.map(str::to_owned).context("no operation in the answer");
            }
            Some(Err(error)) if ask_again(&error) => {
                tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
            }
            Some(Err(error)) => return Err(error),
        }
    }
    bail!("the failover was never accepted")
}

/// No answer yet: the same request with the same key.
fn ask_again(error: &anyhow::Error) -> bool {
    let text = error.to_string();
    text.starts_with("503") || text.starts_with("504")
}

async fn request(world: &World, group: &Protected) -> Result<Value> {
    let b = world.endpoint(Which::B).await?;
    let body = json!({ "failover": { "type": "unplanned" } });
    let path = format!(
        "{}/v1/{}/protection-groups/{}/action",
        b.url, b.project, group.group
    );
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("X-Auth-Token", &b.token)
        .header("Content-Type", "application/json")
        .header("Idempotency-Key", "the-night-of-the-fire")
        .body(Bytes::from(body.to_string()))?;
    let answer = b
        .http
        .clone()
        .oneshot(request)
        .await
        .map_err(|e| anyhow::anyhow!("503: {e}"))?;
    let text = String::from_utf8_lossy(answer.body()).into_owned();
    if answer.status().as_u16() != 202 {
        bail!("{} {text}", answer.status());
    }
    Ok(serde_json::from_str(&text)?)
}

/// The operation as B shows it now; `None` if B does not answer.
pub async fn operation(b: &Endpoint, id: &str) -> Option<Value> {
    let shown = b
        .call(Method::GET, &format!("/operations/{id}"), None)
        .await
        .ok()?;
    shown.get("operation").cloned()
}

/// Looks at the operation until it has ended, reviving the product when it is struck.
///
/// # Errors
/// It does not end.
pub async fn poll_until_over(
    world: &mut World,
    id: &str,
    crashes: &mut u32,
    shown: &mut impl FnMut(&Value),
) -> Result<Value> {
    let mut b = world.endpoint(Which::B).await?;
    for _ in 0..POLLS_MAX {
        let crash = world.b.crash.clone();
        let struck = tokio::select! {
            biased;
            () = crash.struck() => true,
            () = tokio::time::sleep(Duration::from_millis(POLL_MS)) => false,
        };
        if struck {
            revive(world, crashes).await?;
            b = world.endpoint(Which::B).await?;
        }
        let Some(operation) = operation(&b, id).await else {
            continue;
        };
        shown(&operation);
        let status = operation
            .get("status")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if matches!(status, "completed" | "failed") {
            return Ok(operation);
        }
    }
    bail!("operation {id} does not end")
}
