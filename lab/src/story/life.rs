//! What happens to a group besides its moves: other words, other times, a member less, its end. Each asked
//! at the site that leads, and carried to both.

use super::Protected;
use super::planned::leading;
use crate::courier::{self, CourierError, Endpoint};
use crate::world::World;
use anyhow::Result;
use serde_json::Value;

/// The leading site and its peer.
async fn both(world: &World, group: &Protected) -> Result<(Endpoint, Endpoint)> {
    let at = leading(world, group).await?;
    Ok((world.endpoint(at).await?, world.endpoint(at.other()).await?))
}

/// PG-11: other words, such as `{"name": "store"}`.
///
/// # Errors
/// A refusal, as a `CourierError`; no site leads.
pub async fn update(world: &World, group: &Protected, words: &Value) -> Result<()> {
    let (at, peer) = both(world, group).await?;
    said(courier::update(&at, &peer, &group.group, words).await)
}

/// MEM-10.
///
/// # Errors
/// As `update`.
pub async fn remove_member(world: &World, group: &Protected, server: &str) -> Result<()> {
    let (at, peer) = both(world, group).await?;
    said(courier::member_remove(&at, &peer, &group.group, server).await)
}

/// POL-07: all fields of the policy.
///
/// # Errors
/// As `update`.
pub async fn policy_update(world: &World, group: &Protected, policy: &Value) -> Result<()> {
    let (at, peer) = both(world, group).await?;
    said(courier::policy_update(&at, &peer, &group.group, policy).await)
}

/// PG-11: the group ends, and nothing else does.
///
/// # Errors
/// As `update`.
pub async fn delete(world: &World, group: &Protected) -> Result<()> {
    let (at, peer) = both(world, group).await?;
    said(courier::delete(&at, &peer, &group.group).await)
}

fn said(outcome: Result<(), CourierError>) -> Result<()> {
    Ok(outcome?)
}
