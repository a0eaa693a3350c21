//! What steps do to the ledger and to the story of their operations, decided in memory: one look at the
//! rows that many writes touch, one write after the other over them, and what is to be written in the end.
//!
//! So a commit that many steps share costs a few statements, not a few for each. A write that is at fault
//! leaves nothing behind here, and needs no savepoint. Absent: reading and writing (`q::ledger`).

use crate::error::StoreError;
use crate::model::{EffectSettle, NewEvent};
use crate::rows::effect::{EffectRow, SettleColumns};
use crate::rows::operation::EventRow;
use crate::write::{BATCH_MAX, Write, Written};
use protector_domain::effect::{Effect, EffectState};
use protector_domain::ids::{GroupId, OperationId};
use protector_domain::sync::Epoch;
use std::collections::{BTreeMap, BTreeSet};

/// The leaves of a write: itself, or what a batch holds.
fn leaves(write: &Write) -> &[Write] {
    match write {
        Write::Batch(writes) => writes,
        one => std::slice::from_ref(one),
    }
}

/// Whether a write is of steps alone, so that it can be decided here.
pub(crate) fn is_of_steps(write: &Write) -> bool {
    let known = |leaf: &Write| {
        matches!(
            leaf,
            Write::Fence { .. }
                | Write::EffectsIntend { .. }
                | Write::EffectsSettle { .. }
                | Write::EventsAppend { .. }
        )
    };
    leaves(write).len() <= BATCH_MAX && leaves(write).iter().all(known)
}

/// What has to be read before the writes are decided.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Whose epochs are asked.
    pub groups: BTreeSet<GroupId>,
    /// Keys of effects.
    pub keys: BTreeSet<String>,
    /// Whose stories go on.
    pub operations: BTreeSet<OperationId>,
}

impl Needs {
    pub fn of(writes: &[&Write]) -> Self {
        let mut needs = Self::default();
        for leaf in writes.iter().flat_map(|write| leaves(write)) {
            needs.add(leaf);
        }
        needs
    }

    fn add(&mut self, leaf: &Write) {
        match leaf {
            Write::Fence { group, .. } => {
                self.groups.insert(*group);
            }
            Write::EffectsIntend { group, effects, .. } => {
                self.groups.insert(*group);
                self.keys.extend(effects.iter().map(|e| e.key.to_string()));
            }
            Write::EffectsSettle { group, settles, .. } => {
                self.groups.insert(*group);
                self.keys.extend(settles.iter().map(|s| s.key.to_string()));
            }
            Write::EventsAppend { operation, .. } => {
                self.operations.insert(*operation);
            }
            _ => {}
        }
    }
}

/// What a group's row says to a fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub epoch: i64,
    /// What this site remembers of the group is in doubt (I12).
    pub suspect: bool,
}

/// One row, and what the database has of it.
#[derive(Clone)]
struct Kept {
    row: EffectRow,
    is_stored: bool,
    is_changed: bool,
}

/// What the changes of one write are taken back to, the latest last.
#[derive(Default)]
struct Undo {
    rows: Vec<(String, Option<Kept>)>,
    last: Vec<(OperationId, Option<i64>)>,
}

/// What is to be written in the end.
#[derive(Default)]
pub(crate) struct Outcome {
    pub new: Vec<EffectRow>,
    pub changed: Vec<EffectRow>,
    pub events: Vec<EventRow>,
}

/// The rows that some writes need, as they become under them.
pub(crate) struct Ledger {
    groups: BTreeMap<GroupId, Standing>,
    rows: BTreeMap<String, Kept>,
    last: BTreeMap<OperationId, i64>,
    events: Vec<EventRow>,
    undo: Undo,
    now_us: i64,
}

impl Ledger {
    /// As read: groups that are not there stand nowhere, operations without a story no last number.
    pub fn new(
        groups: BTreeMap<GroupId, Standing>,
        rows: Vec<EffectRow>,
        last: BTreeMap<OperationId, i64>,
        now_us: i64,
    ) -> Self {
        let stored = |row: EffectRow| Kept {
            row,
            is_stored: true,
            is_changed: false,
        };
        let rows = rows.into_iter();
        Self {
            groups,
            rows: rows
                .map(|row| (row.effect_key.clone(), stored(row)))
                .collect(),
            last,
            events: Vec::new(),
            undo: Undo::default(),
            now_us,
        }
    }

    /// One write, whole or not at all.
    ///
    /// Errors: `Fenced` unless the group is at the epoch, and for an intent of a group in doubt; `Missing` for a
    /// group that is not there and for an effect that was never intended (S12); `AlreadyThere` for the key of
    /// another group; `Illegal`.
    pub fn apply(&mut self, write: &Write) -> Result<Written, StoreError> {
        self.undo = Undo::default();
        let events = self.events.len();
        let done = match write {
            Write::Batch(writes) => {
                let answers = writes.iter().map(|leaf| self.apply_leaf(leaf));
                answers.collect::<Result<_, _>>().map(Written::Batch)
            }
            leaf => self.apply_leaf(leaf),
        };
        if done.is_err() {
            self.events.truncate(events);
            self.take_back();
        }
        done
    }

    fn take_back(&mut self) {
        let undo = std::mem::take(&mut self.undo);
        for (key, before) in undo.rows.into_iter().rev() {
            match before {
                Some(kept) => self.rows.insert(key, kept),
                None => self.rows.remove(&key),
            };
        }
        for (operation, before) in undo.last.into_iter().rev() {
            match before {
                Some(seq) => self.last.insert(operation, seq),
                None => self.last.remove(&operation),
            };
        }
    }

    fn apply_leaf(&mut self, leaf: &Write) -> Result<Written, StoreError> {
        match leaf {
            Write::Fence { group, epoch } => drop(self.check_fence(*group, *epoch)?),
            Write::EffectsIntend {
                group,
                fence,
                effects,
            } => {
                self.check_begins(*group, *fence)?;
                effects.iter().try_for_each(|e| self.intend(*group, e))?;
            }
            Write::EffectsSettle {
                group,
                fence,
                settles,
            } => {
                self.check_fence(*group, *fence)?;
                settles.iter().try_for_each(|s| self.settle(*group, s))?;
            }
            Write::EventsAppend { operation, events } => {
                return self.append(*operation, events).map(Written::Seq);
            }
            _ => return Err(StoreError::Illegal("not a step's write".to_owned())),
        }
        Ok(Written::Done)
    }

    fn check_fence(&self, group: GroupId, fence: Epoch) -> Result<Standing, StoreError> {
        let standing = self.groups.get(&group).ok_or(StoreError::Missing)?;
        if u64::try_from(standing.epoch) == Ok(fence.0) {
            Ok(*standing)
        } else {
            Err(StoreError::Fenced)
        }
    }

    /// What was begun before the doubt may still say how it ended; nothing begins in it.
    fn check_begins(&self, group: GroupId, fence: Epoch) -> Result<(), StoreError> {
        if self.check_fence(group, fence)?.suspect {
            return Err(StoreError::Fenced);
        }
        Ok(())
    }

    fn put(&mut self, row: EffectRow, is_stored: bool) {
        let key = row.effect_key.clone();
        let kept = Kept {
            row,
            is_stored,
            is_changed: true,
        };
        let before = self.rows.insert(key.clone(), kept);
        self.undo.rows.push((key, before));
    }

    /// A new row, or an old one set back to intended with one more attempt. What is known of the object
    /// stays: it is where the next look begins.
    fn intend(&mut self, group: GroupId, effect: &Effect) -> Result<(), StoreError> {
        let key = &effect.key;
        if effect.group != group {
            return Err(StoreError::Illegal(format!("{key} is not of this group")));
        }
        if effect.state != EffectState::Intended {
            return Err(StoreError::Illegal(format!("{key} is not intended")));
        }
        let fresh = EffectRow::new(effect)?;
        let Some(kept) = self.rows.get(key.as_str()) else {
            self.put(fresh.first_intent(), false);
            return Ok(());
        };
        if kept.row.protection_group_id != fresh.protection_group_id {
            return Err(StoreError::AlreadyThere {
                what: "effect of another group",
                id: Some(key.to_string()),
            });
        }
        let (row, is_stored) = (kept.row.clone().intended_again(&fresh), kept.is_stored);
        self.put(row, is_stored);
        Ok(())
    }

    fn settle(&mut self, group: GroupId, settle: &EffectSettle) -> Result<(), StoreError> {
        let kept = self.rows.get(settle.key.as_str());
        let kept = kept.filter(|kept| kept.row.protection_group_id == group.to_string());
        let kept = kept.ok_or(StoreError::Missing)?;
        let columns = SettleColumns::new(settle, self.now_us)?;
        let (row, is_stored) = (kept.row.clone().settled(columns), kept.is_stored);
        self.put(row, is_stored);
        Ok(())
    }

    /// Numbers the events from the last one on; returns the last number.
    fn append(&mut self, operation: OperationId, events: &[NewEvent]) -> Result<u64, StoreError> {
        let before = self.last.get(&operation).copied();
        let mut seq = before.unwrap_or(0);
        for event in events {
            seq = seq.saturating_add(1);
            self.events.push(EventRow::new(operation, seq, event)?);
        }
        self.last.insert(operation, seq);
        self.undo.last.push((operation, before));
        u64::try_from(seq).map_err(|_| StoreError::Corrupt("dr_operation_events.seq".to_owned()))
    }

    pub fn outcome(self) -> Outcome {
        let mut outcome = Outcome {
            events: self.events,
            ..Outcome::default()
        };
        for kept in self.rows.into_values().filter(|kept| kept.is_changed) {
            if kept.is_stored {
                outcome.changed.push(kept.row);
            } else {
                outcome.new.push(kept.row);
            }
        }
        outcome
    }
}

#[cfg(test)]
mod tests;
