//! An unplanned failover at site B. Absent: watching it (`watch`).

use super::Protected;
use super::watch::{OperationRun, action, run};
use crate::world::{Which, World};
use anyhow::Result;
use serde_json::{Value, json};

/// Asks site B for it, kills the product where the world's crash switch says so, and waits.
/// `shown` sees the operation at each look.
///
/// # Errors
/// A refusal; an operation that does not end.
pub async fn fail_over(
    world: &mut World,
    group: &Protected,
    mut shown: impl FnMut(&Value),
) -> Result<OperationRun> {
    let body = json!({ "failover": { "type": "unplanned" } });
    let ask = action(Which::B, group, body, world.now_ms());
    run(world, Which::B, ask, &mut shown).await
}
