//! The children of one supervisor and what is going on with each.
//!
//! Deliberately absent: decisions. The actor makes them.

use std::collections::BTreeMap;

use ractor::{ActorCell, ActorId};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::Instant;

use super::handle::SupErr;
use super::spec::ChildSpec;
use crate::introspect::Entry;
use crate::mailbox::Reply;

/// What a child does.
pub(super) enum Life {
    /// Its first steps run.
    Starting(ActorCell),
    Up(ActorCell),
    /// It fell; the timer brings it back.
    Backoff(#[allow(dead_code, reason = "held for its drop")] Timer),
    /// It was removed and is ending; those who asked wait.
    Stopping(ActorCell, Vec<Reply<Result<(), SupErr>>>),
}

/// A pending respawn, cancelled on drop: a removed child must not come back.
pub(super) struct Timer {
    task: AbortHandle,
}

impl Timer {
    pub(super) fn over(task: &JoinHandle<()>) -> Self {
        let task = task.abort_handle();
        Self { task }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) struct Child {
    pub(super) spec: ChildSpec,
    /// Its actor changes through [`Roster::replace`] alone.
    pub(super) life: Life,
    /// Place in the order of first starts; they stop in the reverse of it.
    pub(super) order: u64,
    /// Changes with every fall: news about an older incarnation is stale.
    pub(super) incarnation: u64,
    /// Failures in a row.
    pub(super) fails: u32,
    pub(super) up_since: Instant,
    /// Keeps it in the live tree, also while it is down.
    pub(super) _entry: Entry,
}

impl Child {
    pub(super) fn cell(&self) -> Option<&ActorCell> {
        match &self.life {
            Life::Starting(cell) | Life::Up(cell) | Life::Stopping(cell, _) => Some(cell),
            Life::Backoff(_) => None,
        }
    }
}

#[derive(Default)]
pub(super) struct Roster {
    children: BTreeMap<String, Child>,
    /// Who is which child just now, so that a fall among very many costs no search.
    by_actor: BTreeMap<ActorId, String>,
    last_number: u64,
}

impl Roster {
    pub(super) fn len(&self) -> usize {
        self.children.len()
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.children.contains_key(id)
    }

    /// A number that was never given before. One row of numbers for orders and incarnations: also of
    /// a child of the same id that was removed, no late news can be mistaken.
    pub(super) fn number_take(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    pub(super) fn insert(&mut self, child: Child) {
        self.note(&child);
        self.children.insert(child.spec.id.clone(), child);
    }

    fn note(&mut self, child: &Child) {
        if let Some(cell) = child.cell() {
            self.by_actor.insert(cell.get_id(), child.spec.id.clone());
        }
    }

    fn forget(&mut self, child: &Child) {
        if let Some(cell) = child.cell() {
            self.by_actor.remove(&cell.get_id());
        }
    }

    /// Another actor, or none, is this child from now on.
    pub(super) fn replace(&mut self, id: &str, life: Life) {
        let Some(mut child) = self.children.remove(id) else {
            return;
        };
        self.forget(&child);
        child.life = life;
        self.insert(child);
    }

    pub(super) fn get(&mut self, id: &str) -> Option<&mut Child> {
        self.children.get_mut(id)
    }

    /// The child, if `incarnation` is still its present one.
    pub(super) fn present(&mut self, id: &str, incarnation: u64) -> Option<&mut Child> {
        let child = self.children.get_mut(id)?;
        (child.incarnation == incarnation).then_some(child)
    }

    /// By actor and not by name: an event may tell of an incarnation that is long replaced.
    pub(super) fn id_of(&self, actor: ActorId) -> Option<String> {
        self.by_actor.get(&actor).cloned()
    }

    /// Forgets the child and tells those who wait for that.
    pub(super) fn remove(&mut self, id: &str) {
        let Some(child) = self.children.remove(id) else {
            return;
        };
        self.forget(&child);
        if let Life::Stopping(_, waiting) = child.life {
            for reply in waiting {
                reply.send(Ok(()));
            }
        }
    }

    /// Takes everybody, last started first.
    pub(super) fn take_for_stop(&mut self) -> Vec<Child> {
        self.by_actor.clear();
        let mut all: Vec<Child> = std::mem::take(&mut self.children).into_values().collect();
        all.sort_by_key(|child| std::cmp::Reverse(child.order));
        all
    }
}
