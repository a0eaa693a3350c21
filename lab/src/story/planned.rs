//! Moves on purpose: away from the site that leads, protected again from the new one, and home.

use super::Protected;
use super::watch::{OperationRun, run};
use crate::courier::{self, Endpoint};
use crate::world::{Which, World};
use anyhow::{Context, Result};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Times that the last part of a move is tried, and the pause between.
const SYNCS_MAX: u32 = 10;
const SYNC_PAUSE_MS: u64 = 2_000;

/// FO-01, planned: the group moves to the site that does not lead now.
///
/// # Errors
/// A refusal; an operation that does not end; sites that do not come into step afterwards.
pub async fn planned_failover(world: &mut World, group: &Protected) -> Result<OperationRun> {
    moved(world, group, "failover").await
}

/// FB-01: the group moves back to where it was made.
///
/// # Errors
/// As `planned_failover`.
pub async fn failback(world: &mut World, group: &Protected) -> Result<OperationRun> {
    moved(world, group, "failback").await
}

/// RP-01: the group is protected from `leader`, where it is now. Returns the group as shown there;
/// there is no operation to wait for, the leader's engine makes the array follow by itself.
///
/// # Errors
/// A refusal.
pub async fn reprotect(world: &World, group: &Protected, leader: Which) -> Result<Value> {
    let (at, peer) = both(world, leader).await?;
    courier::sync(&at, &peer, &group.group).await?;
    courier::reprotect(&at, &peer, &group.group).await?;
    let path = format!("/protection-groups/{}", group.group);
    let shown = at.call(Method::GET, &path, None).await?;
    let shown = shown.get("protection_group").cloned();
    shown.context("no protection group in the answer")
}

/// The site that leads: of all that answer, the one with the greatest record that says so.
///
/// # Errors
/// None does.
pub async fn leading(world: &World, group: &Protected) -> Result<Which> {
    let mut leaders = Vec::new();
    for which in [Which::A, Which::B] {
        let Ok(endpoint) = world.endpoint(which).await else {
            continue;
        };
        let Ok(seen) = courier::see(&endpoint, &group.group).await else {
            continue;
        };
        if let Some(at) = seen.head.at.filter(|_| seen.head.leads) {
            leaders.push((at.pair(), which));
        }
    }
    let newest = leaders.into_iter().max();
    newest.map(|(_, which)| which).context("no site leads")
}

async fn moved(world: &mut World, group: &Protected, verb: &str) -> Result<OperationRun> {
    let leader = leading(world, group).await?;
    let ask = async |world: &World| hand_over(world, group, leader, verb).await;
    let run = run(world, leader.other(), ask, &mut |_| {}).await?;
    in_step(world, group, leader).await?;
    Ok(run)
}

/// Procedure S, repeated while a site cannot answer, as whoever holds the laptop would.
async fn in_step(world: &World, group: &Protected, leader: Which) -> Result<()> {
    let mut tries = 0;
    loop {
        tries += 1;
        let (one, other) = both(world, leader).await?;
        match courier::sync(&one, &other, &group.group).await {
            Err(error) if error.is_unanswered() && tries < SYNCS_MAX => {
                tokio::time::sleep(Duration::from_millis(SYNC_PAUSE_MS)).await;
            }
            other => return Ok(other.map(drop)?),
        }
    }
}

/// One attempt. Whatever an earlier one left on its way is finished first: if that is a lock, its
/// operation is the one that was asked for; if the lead has gone over, the newest is.
async fn hand_over(world: &World, group: &Protected, leader: Which, verb: &str) -> Result<String> {
    let (from, to) = both(world, leader).await?;
    let at = courier::sync(&from, &to, &group.group).await?;
    if let Some(lock) = at.lock {
        return Ok(lock.operation.to_string());
    }
    if !at.leads {
        return newest(&to, group, verb).await;
    }
    let body = json!({ "type": "planned" });
    let operation = courier::planned_move(&from, &to, &group.group, verb, &body).await;
    Ok(operation?)
}

/// The id of the last operation of a kind; ids grow with time.
async fn newest(at: &Endpoint, group: &Protected, kind: &str) -> Result<String> {
    let path = format!("/operations?group={}", group.group);
    let listed = at.call(Method::GET, &path, None).await?;
    let all = listed.get("operations").and_then(Value::as_array);
    let of_kind = |operation: &&Value| text(operation, "operation_type") == kind;
    let ids = all.into_iter().flatten().filter(of_kind);
    let newest = ids.map(|operation| text(operation, "id")).max();
    newest
        .map(str::to_owned)
        .with_context(|| format!("no {kind} at the site that leads"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

async fn both(world: &World, first: Which) -> Result<(Endpoint, Endpoint)> {
    let one = world.endpoint(first).await?;
    Ok((one, world.endpoint(first.other()).await?))
}
