//! The bounded way into an actor.
//!
//! Deliberately absent: the actor itself, and any look at what a message says.

use std::sync::{Arc, Mutex};

use ractor::{ActorCell, ActorRef};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::introspect::Stats;
use crate::sync::lock;

/// Why a message was not taken. It certainly was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendErr {
    /// No room: the actor is busy. Say so to whoever asks; do not queue elsewhere.
    #[error("the mailbox is full")]
    Full,
    /// Nobody fills the slot now; a supervisor may be about to.
    #[error("the actor is gone")]
    Gone,
}

/// What an actor's successive incarnations share.
#[derive(Debug)]
pub(crate) struct Slot<M: Send + 'static> {
    pub(crate) stats: Arc<Stats>,
    room: Arc<Semaphore>,
    to: Mutex<Option<ActorRef<Env<M>>>>,
}

impl<M: Send + 'static> Slot<M> {
    pub(crate) fn new(kind: &'static str, cap: usize) -> Arc<Self> {
        let cap = cap.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            stats: Arc::new(Stats::new(kind, cap)),
            room: Arc::new(Semaphore::new(cap)),
            to: Mutex::new(None),
        })
    }

    pub(crate) fn fill(&self, by: Option<ActorRef<Env<M>>>) {
        *lock(&self.to) = by;
    }
}

/// A message on its way, with the room it takes.
pub struct Env<M> {
    pub(super) kind: &'static str,
    pub(super) msg: M,
    pub(super) room: Room,
}

/// Room for one message, given back on drop: also by messages that are lost in a crash.
pub(super) struct Room {
    stats: Arc<Stats>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.stats.depth_sub();
    }
}

/// The way to an actor. Clones share the room.
///
/// One that was handed out (by a spawn or a child spec) reaches whichever incarnation fills the slot.
/// The one that a behaviour gets as `me` reaches that incarnation only: what a crashed one had begun
/// must not report to its successor.
#[derive(Debug)]
pub struct Mailbox<M: Send + 'static> {
    slot: Arc<Slot<M>>,
    only: Option<ActorRef<Env<M>>>,
}

impl<M: Send + 'static> Clone for Mailbox<M> {
    fn clone(&self) -> Self {
        Self {
            slot: self.slot.clone(),
            only: self.only.clone(),
        }
    }
}

impl<M: Send + 'static> Mailbox<M> {
    pub(crate) fn to_slot(slot: Arc<Slot<M>>) -> Self {
        Self { slot, only: None }
    }

    pub(crate) fn to_incarnation(slot: Arc<Slot<M>>, only: ActorRef<Env<M>>) -> Self {
        Self {
            slot,
            only: Some(only),
        }
    }

    /// The same slot, whoever fills it.
    pub fn any_incarnation(&self) -> Self {
        Self::to_slot(self.slot.clone())
    }

    /// Hands a message over, or says at once why not. `kind` names it for introspection.
    ///
    /// # Errors
    /// `Full`, `Gone`: the message was not taken.
    pub fn try_send(&self, kind: &'static str, msg: M) -> Result<(), SendErr> {
        let room = self.slot.room.clone().try_acquire_owned();
        self.put(kind, msg, room.map_err(|_| SendErr::Full)?)
    }

    /// Hands a message over as soon as there is room.
    ///
    /// Not from inside a handler: two actors that wait for each other's room wait for ever.
    ///
    /// # Errors
    /// `Gone`: the message was not taken.
    pub async fn send(&self, kind: &'static str, msg: M) -> Result<(), SendErr> {
        let room = self.slot.room.clone().acquire_owned().await;
        self.put(kind, msg, room.map_err(|_| SendErr::Gone)?)
    }

    fn put(&self, kind: &'static str, msg: M, permit: OwnedSemaphorePermit) -> Result<(), SendErr> {
        let to = self.actor().ok_or(SendErr::Gone)?;
        let stats = self.slot.stats.clone();
        stats.depth_add();
        let room = Room {
            stats,
            _permit: permit,
        };
        to.cast(Env { kind, msg, room }).map_err(|_| SendErr::Gone)
    }

    /// The actor behind it, if one fills the slot. It may be dead already.
    pub fn actor(&self) -> Option<ActorRef<Env<M>>> {
        self.only.clone().or_else(|| lock(&self.slot.to).clone())
    }

    /// The same without its type: for linking children below it.
    pub fn cell(&self) -> Option<ActorCell> {
        self.actor().map(|actor| actor.get_cell())
    }

    /// Asks the actor to end after the message in hand. Queued messages are lost.
    pub fn stop(&self) {
        if let Some(actor) = self.actor() {
            actor.stop(None);
        }
    }

    /// The slot's figures.
    pub fn stats(&self) -> &Arc<Stats> {
        &self.slot.stats
    }
}
