//! Bringing behaviours to life.
//!
//! Deliberately absent: global names. Two sites of one process would share them; pass mailboxes.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorCell, ActorRuntime, SpawnErr};

use super::behaviour::{Behaviour, Tracked};
use super::envelope::{Mailbox, Slot};
use crate::ctx::Ctx;

/// What sort of actor it is, and how many messages it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// For introspection.
    pub name: &'static str,
    /// Messages queued and in hand; at least 1.
    pub cap: usize,
}

/// An actor whose `init` may still run.
pub(crate) struct Starting {
    pub(crate) cell: ActorCell,
    /// Ends with `init`: linked and up, or why not.
    pub(crate) done: BoxFuture<'static, Result<(), String>>,
}

/// Spawns an actor that no supervisor lists and shows it at `path` while it lives.
///
/// With a `parent` it is linked: it dies with the parent, and the parent's `on_child` hears of its end.
/// The handle ends with the actor.
///
/// # Errors
/// Its `init` failed.
pub async fn spawn_tracked<B: Behaviour>(
    ctx: &Ctx,
    path: impl Into<String>,
    kind: Kind,
    behaviour: B,
    args: B::Args,
    parent: Option<ActorCell>,
) -> Result<(Mailbox<B::Msg>, JoinHandle<()>), SpawnErr> {
    let slot = Slot::new(kind.name, kind.cap);
    let tracked = Tracked {
        behaviour,
        slot: slot.clone(),
        ctx: ctx.clone(),
        _entry: Some(ctx.tree.enter(path, slot.stats.clone())),
    };
    let (actor, handle) = match parent {
        Some(parent) => Actor::spawn_linked(None, tracked, args, parent).await?,
        None => Actor::spawn(None, tracked, args).await?,
    };
    slot.fill(Some(actor));
    Ok((Mailbox::to_slot(slot), handle))
}

/// Fills `slot` with a new incarnation below `parent` without waiting for its `init`. Messages may be
/// sent at once; they wait for the `init`, and are lost if it fails.
pub(crate) fn start_linked<B: Behaviour>(
    ctx: &Ctx,
    slot: &Arc<Slot<B::Msg>>,
    behaviour: B,
    args: B::Args,
    parent: ActorCell,
) -> Result<Starting, SpawnErr> {
    let tracked = Tracked {
        behaviour,
        slot: slot.clone(),
        ctx: ctx.clone(),
        _entry: None,
    };
    let (actor, opening) = ActorRuntime::spawn_linked_instant(None, tracked, args, parent)?;
    let cell = actor.get_cell();
    slot.fill(Some(actor));
    let done = opening.map(|opened| match opened {
        Ok(Ok(_running)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(lost) => Err(lost.to_string()),
    });
    Ok(Starting {
        cell,
        done: done.boxed(),
    })
}
