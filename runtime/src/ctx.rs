//! What every part of one site is handed: its time, its randomness, its crash points, its live tree.
//!
//! Deliberately absent: configuration, ports and secrets.

use std::sync::Arc;

use uuid::Uuid;

use crate::clock::{Clock, SystemClock};
use crate::crash::{CrashPoints, NoCrash};
use crate::entropy::{Entropy, SystemEntropy, uuid_v7};
use crate::introspect::Tree;

/// The surroundings of one site. Cheap to clone; two sites in one process never share one.
#[derive(Clone)]
pub struct Ctx {
    /// The site's wall clock.
    pub clock: Arc<dyn Clock>,
    /// The site's randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Where a test may kill this site.
    pub crash: Arc<dyn CrashPoints>,
    /// The live actors of this site.
    pub tree: Arc<Tree>,
    /// The site's name, for names that are global in the process.
    pub site: String,
}

impl Ctx {
    /// The machine's clock and randomness, and no crash points.
    pub fn production(site: impl Into<String>) -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            crash: Arc::new(NoCrash),
            tree: Arc::new(Tree::default()),
            site: site.into(),
        }
    }

    /// Tokio's time from `unix_us` on and the randomness of `seed`: the same run every time.
    pub fn seeded(site: impl Into<String>, seed: u64, unix_us: i64) -> Self {
        Self {
            clock: Arc::new(crate::clock::TokioClock::starting_at(unix_us)),
            entropy: Arc::new(crate::entropy::SeededEntropy::new(seed)),
            ..Self::production(site)
        }
    }

    /// Unix time in microseconds.
    pub fn now_us(&self) -> i64 {
        self.clock.now_us()
    }

    /// Unix time in whole milliseconds, rounded down.
    pub fn now_ms(&self) -> i64 {
        self.now_us().div_euclid(1_000)
    }

    /// A fresh version 7 id.
    pub fn uuid(&self) -> Uuid {
        uuid_v7(&*self.clock, &*self.entropy)
    }

    /// Milliseconds from 0 to `max_ms`, both included.
    pub fn jitter_ms(&self, max_ms: u64) -> u64 {
        let drawn = self.entropy.next_u64();
        max_ms.checked_add(1).map_or(drawn, |ways| drawn % ways)
    }
}

impl std::fmt::Debug for Ctx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ctx")
            .field("site", &self.site)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn jitter_stays_inside_and_reaches_both_ends() {
        let ctx = Ctx::seeded("a", 1, 0);
        let drawn: Vec<u64> = (0..200).map(|_| ctx.jitter_ms(3)).collect();
        assert!(drawn.iter().all(|ms| *ms <= 3));
        assert!(drawn.contains(&0) && drawn.contains(&3));
        assert_eq!(ctx.jitter_ms(0), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn milliseconds_round_down_also_before_1970() {
        assert_eq!(Ctx::seeded("a", 1, 1_999).now_ms(), 1);
        assert_eq!(Ctx::seeded("a", 1, -1).now_ms(), -1);
    }

    #[tokio::test(start_paused = true)]
    async fn two_sites_with_one_seed_make_the_same_ids() {
        let ids = |seed| {
            let ctx = Ctx::seeded("a", seed, 77);
            [ctx.uuid(), ctx.uuid(), ctx.uuid()]
        };
        assert_eq!(ids(3), ids(3));
        assert_ne!(ids(3), ids(4));
    }
}
