//! Random choices of a plan, all from one seed.

use protector_runtime::entropy::{Entropy, SeededEntropy};

pub(super) struct Dice(SeededEntropy);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    /// Evenly from 0 to `end`, without it; 0 of nothing.
    pub(super) fn below(&self, end: u64) -> u64 {
        self.0.next_u64().checked_rem(end).unwrap_or_default()
    }

    /// True in one of `n` cases.
    pub(super) fn one_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of these; they must not be empty, or the default is it.
    pub(super) fn pick<T: Copy + Default>(&self, all: &[T]) -> T {
        let at = usize::try_from(self.below(all.len() as u64)).unwrap_or_default();
        all.get(at).copied().unwrap_or_default()
    }
}
