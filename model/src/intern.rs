//! Numbers for things that come up again and again: equal things have equal numbers, so that a
//! state of the whole world is four numbers. Absent: forgetting.

use std::collections::BTreeMap;
use std::rc::Rc;

/// A number that was given to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing has number {0}")]
pub struct Missing(pub u32);

/// Gives numbers to things by a key of theirs.
#[derive(Debug)]
pub struct Interner<K, T> {
    numbers: BTreeMap<K, u32>,
    things: Vec<Rc<T>>,
}

impl<K: Ord, T> Interner<K, T> {
    pub fn new() -> Self {
        Self {
            numbers: BTreeMap::new(),
            things: Vec::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.things.len()
    }

    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// The number of the thing with this key, if it has one.
    pub fn number(&self, key: &K) -> Option<u32> {
        self.numbers.get(key).copied()
    }

    /// Gives `thing` the next number. Its key must be new.
    pub fn add(&mut self, key: K, thing: T) -> u32 {
        let number = u32::try_from(self.things.len()).unwrap_or(u32::MAX);
        self.numbers.insert(key, number);
        self.things.push(Rc::new(thing));
        number
    }

    /// Errors: nothing has this number.
    pub fn get(&self, number: u32) -> Result<&Rc<T>, Missing> {
        let place = usize::try_from(number).map_err(|_| Missing(number))?;
        self.things.get(place).ok_or(Missing(number))
    }
}

impl<K: Ord, T> Default for Interner<K, T> {
    fn default() -> Self {
        Self::new()
    }
}
