//! A drill at the site that does not lead, and its cleanup. The primary is not asked for anything.

use super::watch::{OperationRun, action, run};
use super::{Protected, leading};
use crate::world::World;
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// TF-01: starts the group's VMs on copies at the other site. `network_mapping`: networks of the
/// primary to isolated ones there.
///
/// # Errors
/// A refusal; an operation that does not end.
pub async fn drill(
    world: &mut World,
    group: &Protected,
    network_mapping: &BTreeMap<String, String>,
) -> Result<OperationRun> {
    let body = json!({ "test_failover": { "network_mapping": network_mapping } });
    at_the_other(world, group, body).await
}

/// TF-04: takes away what the newest drill made.
///
/// # Errors
/// A refusal; an operation that does not end.
pub async fn test_cleanup(world: &mut World, group: &Protected) -> Result<OperationRun> {
    at_the_other(world, group, json!({ "test_cleanup": {} })).await
}

async fn at_the_other(world: &mut World, group: &Protected, body: Value) -> Result<OperationRun> {
    let at = leading(world, group).await?.other();
    let ask = action(at, group, body, world.now_ms());
    run(world, at, ask, &mut |_| {}).await
}
