//! What others may ask of a supervisor.
//!
//! Deliberately absent: a way to look at it. That is introspection's.

use ractor::concurrency::JoinHandle;
use ractor::{ActorCell, SpawnErr};

use super::actor::{Msg, OneForOne};
use super::spec::{
    ChildSpec, Restart, SUPERVISOR_SHUTDOWN_MS, StartPlace, Started, SupervisorOptions,
};
use super::stopping;
use crate::ctx::Ctx;
use crate::mailbox::{AskErr, Kind, Mailbox, Slot, spawn_tracked, start_linked};

/// Requests a supervisor holds.
const MAILBOX_CAP: usize = 256;
/// How long [`Supervisor::add`] waits for its answer, milliseconds.
const ADD_MS: u64 = 10_000;
/// How long [`Supervisor::remove`] waits, milliseconds: well above any child's `shutdown_ms`.
const REMOVE_MS: u64 = 120_000;

const KIND: Kind = Kind {
    name: "supervisor",
    cap: MAILBOX_CAP,
};

/// Why a supervisor did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SupErr {
    /// A child of that id is there, perhaps on its way out.
    #[error("a child of that id exists")]
    Exists,
    /// No child of that id.
    #[error("no such child")]
    NoSuchChild,
    /// The child does not end, even when killed. It stays listed.
    #[error("the child does not end")]
    Stuck,
    /// The supervisor could not be asked or did not answer.
    #[error("the supervisor: {0}")]
    Ask(#[from] AskErr),
}

/// The way to a supervisor. Clones are equal; good for all its incarnations.
#[derive(Debug, Clone)]
pub struct Supervisor {
    mailbox: Mailbox<Msg>,
}

impl Supervisor {
    /// Starts the top of a tree and its children one after the other. The handle ends with it: after
    /// an orderly stop, or because its budget was spent.
    ///
    /// # Errors
    /// The supervisor itself could not be spawned. A child that cannot start is a failed child.
    pub async fn start(
        ctx: &Ctx,
        path: impl Into<String>,
        options: SupervisorOptions,
        children: Vec<ChildSpec>,
    ) -> Result<(Self, JoinHandle<()>), SpawnErr> {
        let path = path.into();
        let behaviour = OneForOne::new(ctx.clone(), path.clone(), options);
        let (mailbox, handle) = spawn_tracked(ctx, path, KIND, behaviour, children, None).await?;
        Ok((Self { mailbox }, handle))
    }

    /// A supervisor as a permanent child of another. After a restart it has the children given here;
    /// those added later are gone, and whoever added them must add them again.
    pub fn child(
        ctx: &Ctx,
        id: impl Into<String>,
        options: SupervisorOptions,
        children: Vec<ChildSpec>,
    ) -> (ChildSpec, Self) {
        let slot = Slot::new(KIND.name, KIND.cap);
        let (ctx, filled) = (ctx.clone(), slot.clone());
        let start = move |place: StartPlace| {
            let behaviour = OneForOne::new(ctx.clone(), place.path, options.clone());
            let parent = place.supervisor;
            let starting = start_linked(&ctx, &filled, behaviour, children.clone(), parent)?;
            Ok(Started {
                cell: starting.cell,
                done: starting.done,
            })
        };
        let spec = ChildSpec {
            stats: slot.stats.clone(),
            ..ChildSpec::new(
                id,
                Restart::Permanent,
                SUPERVISOR_SHUTDOWN_MS,
                KIND.name,
                start,
            )
        };
        let mailbox = Mailbox::to_slot(slot);
        (spec, Self { mailbox })
    }

    /// Adds a child and begins to start it. Its mailbox takes messages from now on.
    ///
    /// # Errors
    /// `Exists`; `Ask`: unknown whether it was added, unless `Full` or `Gone`.
    pub async fn add(&self, spec: ChildSpec) -> Result<(), SupErr> {
        let question = |reply| Msg::Add(Box::new(spec), reply);
        self.mailbox.ask("add", ADD_MS, question).await?
    }

    /// Ends a child and forgets it, also one that waits for its restart. Returns when it is gone.
    /// After `Stuck` the child stays listed and is forgotten as soon as it does end.
    ///
    /// # Errors
    /// `NoSuchChild`, `Stuck`, `Ask`.
    pub async fn remove(&self, id: &str) -> Result<(), SupErr> {
        let question = |reply| Msg::Remove(id.to_owned(), reply);
        self.mailbox.ask("remove", REMOVE_MS, question).await?
    }

    /// Stops all children, last started first, then itself, and waits for it. Of a child supervisor:
    /// its parent starts it again; remove it there instead.
    pub async fn stop(&self) {
        if let Some(cell) = self.mailbox.cell() {
            stopping::stop(&cell, SUPERVISOR_SHUTDOWN_MS).await;
        }
    }

    /// Kills the whole tree at once, as a power failure would. For tests and for last resorts.
    pub fn kill(&self) {
        if let Some(cell) = self.mailbox.cell() {
            cell.kill();
        }
    }

    /// The actor itself, if it lives.
    pub fn cell(&self) -> Option<ActorCell> {
        self.mailbox.cell()
    }
}
