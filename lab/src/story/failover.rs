//! An unplanned failover at site B. Absent: watching it (`watch`).

use super::Protected;
use super::watch::{OperationRun, action, run};
use crate::courier;
use crate::world::{Which, World};
use anyhow::Result;
use http::Method;
use serde_json::{Value, json};

/// I14: another try at site B for the members that its operation `moved` left down; what it achieved is
/// brought into both sites' records if `settle`.
///
/// # Errors
/// A refusal; an operation that does not end; with `settle`, sites that do not come into step.
pub async fn retry_members(
    world: &mut World,
    group: &Protected,
    moved: &str,
    settle: bool,
) -> Result<OperationRun> {
    let path = format!("/operations/{moved}/action");
    let ask = async |world: &World| {
        let at = world.endpoint(Which::B).await?;
        let order = json!({ "retry_members": {} });
        let answer = at.call(Method::POST, &path, Some(&order)).await?;
        Ok(courier::operation_id("retry_members", &answer)?)
    };
    let run = run(world, Which::B, ask, &mut |_| {}).await?;
    if settle {
        settle_members(world, group).await?;
    }
    Ok(run)
}

/// Brings into both sites' records what further tries at site B brought up.
///
/// # Errors
/// A refusal; sites that do not come into step.
pub async fn settle_members(world: &World, group: &Protected) -> Result<()> {
    let (b, a) = (
        world.endpoint(Which::B).await?,
        world.endpoint(Which::A).await?,
    );
    courier::sync(&b, &a, &group.group).await?;
    let path = format!("/protection-groups/{}/action", group.group);
    let body = json!({ "settle_members": {} });
    courier::change(&b, &a, Method::POST, &path, &body).await?;
    Ok(())
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
) -> Result<OperationRun> {
    let body = json!({ "failover": { "type": "unplanned" } });
    let ask = action(Which::B, group, body, world.now_ms());
    run(world, Which::B, ask, &mut shown).await
}

/// As `fail_over`, to the point that is named.
///
/// # Errors
/// A refusal; an operation that does not end.
pub async fn fail_over_to(
    world: &mut World,
    group: &Protected,
    point: &str,
) -> Result<OperationRun> {
    let body = json!({ "failover": { "type": "unplanned", "recovery_point": point } });
    let ask = action(Which::B, group, body, world.now_ms());
    run(world, Which::B, ask, &mut |_| {}).await
}
