//! Children as data.
//!
//! Deliberately absent: running anything. A spec can be kept, cloned and started many times.

use std::sync::Arc;

use futures::future::BoxFuture;
use ractor::{ActorCell, SpawnErr};

use crate::ctx::Ctx;
use crate::introspect::Stats;
use crate::mailbox::{Behaviour, Kind, Mailbox, Slot, start_linked};

/// When a child that ended is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Always.
    Permanent,
    /// After a crash or a kill, but not after a clean end.
    Transient,
    /// Never.
    Temporary,
}

/// How long a supervisor below another may take to stop its own children, milliseconds.
pub const SUPERVISOR_SHUTDOWN_MS: u64 = 60_000;

/// A supervisor's patience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupervisorOptions {
    /// Restarts within the window that are still borne; one more and the supervisor fails.
    pub restarts_max: usize,
    /// The sliding window, milliseconds. A child that was up so long starts its pauses afresh.
    pub window_ms: u64,
    /// The pause before the first restart, milliseconds.
    pub backoff_base_ms: u64,
    /// The longest pause, milliseconds. If `restarts_max` such pauses outlast the window, one broken
    /// child never brings the supervisor down.
    pub backoff_max_ms: u64,
}

impl Default for SupervisorOptions {
    fn default() -> Self {
        Self {
            restarts_max: 5,
            window_ms: 60_000,
            backoff_base_ms: 100,
            backoff_max_ms: 10_000,
        }
    }
}

/// Where a child is started.
#[derive(Debug, Clone)]
pub struct StartPlace {
    /// Link the child to this one.
    pub supervisor: ActorCell,
    /// The child's path in the live tree.
    pub path: String,
}

/// A child on its way up.
pub struct Started {
    /// The new actor.
    pub cell: ActorCell,
    /// Ends when it is linked and its first steps are done, or says why it cannot live.
    pub done: BoxFuture<'static, Result<(), String>>,
}

type StartFn = dyn Fn(StartPlace) -> Result<Started, SpawnErr> + Send + Sync;

/// One child: how it is started, restarted and stopped.
#[derive(Clone)]
pub struct ChildSpec {
    /// Unique among its siblings; the last part of its path.
    pub id: String,
    /// When it is started again.
    pub restart: Restart,
    /// How long it may take to stop before it is killed, milliseconds.
    pub shutdown_ms: u64,
    pub(super) stats: Arc<Stats>,
    pub(super) start: Arc<StartFn>,
}

impl ChildSpec {
    /// A child that is started by `start`, which must not block.
    pub fn new(
        id: impl Into<String>,
        restart: Restart,
        shutdown_ms: u64,
        kind: &'static str,
        start: impl Fn(StartPlace) -> Result<Started, SpawnErr> + Send + Sync + 'static,
    ) -> Self {
        Self {
            id: id.into(),
            restart,
            shutdown_ms,
            stats: Arc::new(Stats::new(kind, 0)),
            start: Arc::new(start),
        }
    }

    /// A child with a bounded mailbox. `make` gives the behaviour and its arguments for each start.
    ///
    /// The mailbox is good for all incarnations; before the first start it answers `Gone`.
    pub fn tracked<B: Behaviour>(
        ctx: &Ctx,
        id: impl Into<String>,
        restart: Restart,
        shutdown_ms: u64,
        kind: Kind,
        make: impl Fn() -> (B, B::Args) + Send + Sync + 'static,
    ) -> (Self, Mailbox<B::Msg>) {
        let slot = Slot::new(kind.name, kind.cap);
        let (ctx, filled) = (ctx.clone(), slot.clone());
        let start = move |place: StartPlace| {
            let (behaviour, args) = make();
            let starting = start_linked(&ctx, &filled, behaviour, args, place.supervisor)?;
            Ok(Started {
                cell: starting.cell,
                done: starting.done,
            })
        };
        let spec = Self {
            stats: slot.stats.clone(),
            ..Self::new(id, restart, shutdown_ms, kind.name, start)
        };
        (spec, Mailbox::to_slot(slot))
    }
}

impl std::fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChildSpec")
            .field("id", &self.id)
            .field("restart", &self.restart)
            .field("shutdown_ms", &self.shutdown_ms)
            .finish_non_exhaustive()
    }
}
