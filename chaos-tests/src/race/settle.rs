//! The last part of everything: a courier that does not give up brings the sites into step, waits for an operation
//! that lives, and carries the release of one that does not (section 7 of the protocol, S).

use anyhow::{Context, Result, bail};
use protector_domain::sync::{Head, LockKind};
use protector_lab::courier::{CourierError, release, see, sync};
use protector_lab::story::{Protected, leading, poll_until_over};
use protector_lab::world::{Which, World};
use std::time::Duration;

/// Rounds until the sites are at rest; each is one thing that somebody left behind.
const ROUNDS_MAX: u32 = 20;
const PAUSE_MS: u64 = 2_000;

/// Both sites hold one record, its author knows it, and no operation holds the group. Returns where they stand.
pub(super) async fn settle(world: &mut World, group: &Protected) -> Result<[Head; 2]> {
    let mut last = "nothing was asked".to_owned();
    for _ in 0..ROUNDS_MAX {
        match round(world, group).await {
            Ok(Some(heads)) => return Ok(heads),
            Ok(None) => "an operation has ended".clone_into(&mut last),
            Err(error) => last = format!("{error:#}"),
        }
        tokio::time::sleep(Duration::from_millis(PAUSE_MS)).await;
    }
    bail!("P6: the sites do not come into step: {last}")
}

async fn round(world: &mut World, group: &Protected) -> Result<Option<[Head; 2]>> {
    let leader = leading(world, group).await?;
    let (one, other) = (
        world.endpoint(leader).await?,
        world.endpoint(leader.other()).await?,
    );
    let at = sync(&one, &other, &group.group).await?;
    if let Some(lock) = at.lock {
        let holder = match lock.kind {
            LockKind::Planned => leader.other(),
            LockKind::Forced => leader,
        };
        ended(world, group, holder, leader, &lock.operation.to_string()).await?;
        return Ok(None);
    }
    let heads = [
        see(&world.endpoint(Which::A).await?, &group.group)
            .await?
            .head,
        see(&world.endpoint(Which::B).await?, &group.group)
            .await?
            .head,
    ];
    // A late message came between: once more.
    let at_rest = heads.iter().all(|head| head.synced && head.lock.is_none());
    Ok((at_rest && heads[0].at == heads[1].at).then_some(heads))
}

/// The operation of a lock: waited for, and released if it moved nothing.
async fn ended(
    world: &mut World,
    group: &Protected,
    holder: Which,
    leader: Which,
    operation: &str,
) -> Result<()> {
    let over = poll_until_over(world, holder, operation, &mut 0, &mut |_| {}).await?;
    let status = over.get("status").and_then(|s| s.as_str());
    if status == Some("completed") || holder == leader {
        return Ok(());
    }
    let (one, other) = (world.endpoint(leader).await?, world.endpoint(holder).await?);
    let freed = release(&one, &other, &group.group, operation).await;
    freed.map_err(|e: CourierError| e).context("release")
}
