//! A shelf: objects of one kind on one array, found by sequence number or by name.
//! Names ignore case on input and are shown as created. Absent: rules about who may have a name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Something that stands on a shelf under a name.
pub(super) trait Named {
    fn name(&self) -> &str;
    fn name_set(&mut self, name: String);
}

/// Objects in creation order plus an index by lower-case name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Shelf<T> {
    items: BTreeMap<u64, T>,
    by_name: BTreeMap<String, u64>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            items: BTreeMap::new(),
            by_name: BTreeMap::new(),
        }
    }
}

pub(super) fn fold(name: &str) -> String {
    name.to_ascii_lowercase()
}

impl<T: Named> Shelf<T> {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn insert(&mut self, seq: u64, item: T) {
        self.by_name.insert(fold(item.name()), seq);
        self.items.insert(seq, item);
    }

    pub(super) fn remove(&mut self, seq: u64) -> Option<T> {
        let item = self.items.remove(&seq)?;
        self.by_name.remove(&fold(item.name()));
        Some(item)
    }

    pub(super) fn rename(&mut self, seq: u64, name: &str) {
        if let Some(item) = self.items.get_mut(&seq) {
            self.by_name.remove(&fold(item.name()));
            item.name_set(name.to_owned());
            self.by_name.insert(fold(name), seq);
        }
    }

    pub(super) fn seq_of(&self, name: &str) -> Option<u64> {
        self.by_name.get(&fold(name)).copied()
    }

    pub(super) fn get(&self, seq: u64) -> Option<&T> {
        self.items.get(&seq)
    }

    pub(super) fn get_mut(&mut self, seq: u64) -> Option<&mut T> {
        self.items.get_mut(&seq)
    }

    pub(super) fn find(&self, name: &str) -> Option<(u64, &T)> {
        let seq = self.seq_of(name)?;
        self.get(seq).map(|item| (seq, item))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.items.iter().map(|(seq, item)| (*seq, item))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut T)> {
        self.items.iter_mut().map(|(seq, item)| (*seq, item))
    }
}
