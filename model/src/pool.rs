//! Everything ever signed in one history, as a set with a number, and what can be counted in it.
//!
//! Absent: order of signing, and what became of a message. Anything in here may arrive at any time.

use crate::intern::{Interner, Missing};
use crate::letter::{Says, Written};
use crate::stage::Stage;
use protector_domain::sync::{LockKind, RecordKind, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// One set of messages.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    pub letters: Vec<u32>,
    pub records: usize,
    pub tickets: u32,
    pub epochs: BTreeSet<u64>,
    pub operations: BTreeSet<u32>,
    /// Leadership was taken without asking, at least once.
    pub forced: bool,
    /// Records by author, home first.
    pub authored: [Vec<u32>; 2],
    /// Two records stand at one pair (P1).
    pub forked: bool,
    /// The greatest epoch or version.
    pub greatest: u64,
    pairs: BTreeSet<(u64, u64)>,
}

/// All sets.
#[derive(Debug)]
pub struct Pools {
    sets: Interner<Vec<u32>, Pool>,
    sums: BTreeMap<(u32, u32), u32>,
}

impl Pools {
    /// The empty set has number 0.
    pub fn new() -> Self {
        let mut sets = Interner::new();
        sets.add(Vec::new(), Pool::default());
        Self {
            sets,
            sums: BTreeMap::new(),
        }
    }

    /// Errors: nothing has this number.
    pub fn get(&self, number: u32) -> Result<&Rc<Pool>, Missing> {
        self.sets.get(number)
    }

    /// The set with one more message.
    ///
    /// Errors: a number that was never given.
    pub fn with(&mut self, pool: u32, letter: u32, stage: &Stage) -> Result<u32, Missing> {
        if let Some(known) = self.sums.get(&(pool, letter)) {
            return Ok(*known);
        }
        let sum = self.put(pool, letter, stage)?;
        self.sums.insert((pool, letter), sum);
        Ok(sum)
    }

    fn put(&mut self, pool: u32, letter: u32, stage: &Stage) -> Result<u32, Missing> {
        let old = self.get(pool)?;
        let Err(place) = old.letters.binary_search(&letter) else {
            return Ok(pool);
        };
        let mut new = Pool::clone(old);
        new.letters.insert(place, letter);
        if let Some(known) = self.sets.number(&new.letters) {
            return Ok(known);
        }
        new.count(letter, &stage.letter(letter)?.says);
        Ok(self.sets.add(new.letters.clone(), new))
    }
}

impl Default for Pools {
    fn default() -> Self {
        Self::new()
    }
}

impl Pool {
    fn count(&mut self, letter: u32, says: &Says) {
        match says {
            Says::Ticket { .. } => self.tickets += 1,
            Says::Reservation { operation } => self.operations.extend(operation),
            Says::Envelope(written) => self.count_record(letter, written),
            _ => {}
        }
    }

    fn count_record(&mut self, letter: u32, written: &Written) {
        let pair = (written.at.epoch.0, written.at.version.0);
        self.records += 1;
        self.epochs.insert(pair.0);
        self.greatest = self.greatest.max(pair.0).max(pair.1);
        self.operations
            .extend(written.lock.map(|(number, _)| number));
        let parent = written.parent.as_ref().map(|parent| parent.epoch);
        let abandons =
            written.kind == RecordKind::Tombstone && parent.is_some_and(|e| e != written.at.epoch);
        self.forced |= abandons
            || written
                .lock
                .is_some_and(|(_, kind)| kind == LockKind::Forced);
        self.forked |= !self.pairs.insert(pair);
        let [home, other] = &mut self.authored;
        match written.author {
            Role::Home => home.push(letter),
            Role::Other => other.push(letter),
        }
    }

    pub fn authored_by(&self, role: Role) -> &[u32] {
        let [home, other] = &self.authored;
        match role {
            Role::Home => home,
            Role::Other => other,
        }
    }
}
