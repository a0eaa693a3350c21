//! Randomness as a value that is handed in, and the ids made from it.
//!
//! Deliberately absent: a process-wide generator. The same seed gives the same run.

use std::sync::Mutex;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use crate::clock::Clock;
use crate::sync::lock;

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills all of `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// A number evenly spread over all of `u64`.
    fn next_u64(&self) -> u64;
}

/// The kernel's generator: good enough for keys and tickets. Production only.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            // A guessable key is worse than no process: there is nothing to go on with.
            tracing::error!(%error, "the kernel gives no randomness");
            std::process::abort();
        }
    }

    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// A generator that repeats itself for the same seed. Tests and simulation only: never for keys.
#[derive(Debug)]
pub struct SeededEntropy {
    rng: Mutex<StdRng>,
}

impl SeededEntropy {
    /// The sequence that belongs to `seed`, from its beginning.
    pub fn new(seed: u64) -> Self {
        Self {
            rng: Mutex::new(StdRng::seed_from_u64(seed)),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        lock(&self.rng).fill_bytes(bytes);
    }

    fn next_u64(&self) -> u64 {
        lock(&self.rng).next_u64()
    }
}

/// A version 7 id: milliseconds of `clock` first, so that ids of one table sort by age.
pub fn uuid_v7(clock: &dyn Clock, entropy: &dyn Entropy) -> Uuid {
    let millis = u64::try_from(clock.now_us().div_euclid(1_000)).unwrap_or(0);
    let mut random = [0; 10];
    entropy.fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::TokioClock;

    fn ids(seed: u64, at_us: i64) -> Vec<Uuid> {
        let (clock, entropy) = (TokioClock::starting_at(at_us), SeededEntropy::new(seed));
        (0..5).map(|_| uuid_v7(&clock, &entropy)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn one_seed_one_sequence_of_ids() {
        assert_eq!(ids(7, 5_000_000), ids(7, 5_000_000));
        assert_ne!(ids(7, 5_000_000), ids(8, 5_000_000));
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_is_version_7_carries_its_millisecond_and_sorts_by_it() {
        let early = ids(1, 1_700_000_000_123_000)[0];
        let late = ids(2, 1_700_000_000_124_000)[0];
        assert_eq!(early.get_version_num(), 7);
        assert_eq!(
            early.get_timestamp().map(|t| t.to_unix()),
            Some((1_700_000_000, 123_000_000))
        );
        assert!(early < late);
    }

    #[test]
    fn system_entropy_fills_everything() {
        let (mut one, mut two) = ([0; 32], [0; 32]);
        SystemEntropy.fill(&mut one);
        SystemEntropy.fill(&mut two);
        assert_ne!(one, two);
    }
}
