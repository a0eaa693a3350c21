//! `--kills`: the group moves there and back, and while it does, daemons are killed with SIGKILL at instants that
//! nobody chose, the second often while the first's start is still reading what was left.
//!
//! Absent: the loss of clouds (`story`).

use super::judge::{is_home, runs, stands_still, untouched};
use super::story::{Story, now_us};
use super::tenant::{is_full, over};
use crate::world::Which;
use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::Duration;

/// Most kills during one move.
const KILLS_MAX: u32 = 3;
/// Longest time between two, milliseconds: a move takes about 20 s.
const APART_MAX_MS: u64 = 9_000;

impl Story<'_> {
    /// So many moves; each has to end completed, with nothing doubled and nothing left.
    ///
    /// # Errors
    /// A refusal; a move that does not end.
    pub async fn kill_loop(&mut self, moves: u16, seed: u64) -> Result<()> {
        let mut chance = StdRng::seed_from_u64(seed);
        for run in 1..=moves {
            let is_away = run % 2 == 0;
            let since = now_us();
            let kills = if is_away {
                self.moved(Which::B, "failback", &mut chance).await?
            } else {
                self.moved(Which::A, "failover", &mut chance).await?
            };
            let (a, b) = (self.look(Which::A).await?, self.look(Which::B).await?);
            let leg = format!("run {run}");
            if is_away {
                self.judge(&leg, is_home(&self.a, &a));
                self.judge(&leg, untouched(&self.b, &b));
            } else {
                self.judge(&leg, runs(&self.a, &b, &self.b));
                self.judge(&leg, stands_still(&self.a, &a));
                self.tenant.reprotect(Which::B).await?;
                self.tenant.replicate(Which::B).await?;
            }
            self.took(&format!("{leg}: ended in full over {kills} kills"), since);
            if run == moves {
                self.counted(&leg, &[Which::A, Which::B]).await?;
            }
        }
        Ok(())
    }

    /// One move away from `leader`, with kills on its way. Returns how many.
    async fn moved(&mut self, leader: Which, verb: &str, chance: &mut StdRng) -> Result<u32> {
        let at = leader.other();
        let operation = self.tenant.hand_over(leader, verb).await?;
        let mut kills = 0;
        while kills < KILLS_MAX {
            let apart = chance.random_range(0..APART_MAX_MS);
            tokio::time::sleep(Duration::from_millis(apart)).await;
            let shown = self.tenant.look(at, &operation).await?;
            if shown.as_ref().is_some_and(over) {
                break;
            }
            // The source's daemon has no part in it, and is killed as well sometimes.
            let victim = if chance.random_bool(0.8) { at } else { leader };
            self.daemon(victim).kill();
            let http = self.http;
            self.daemon(victim).start(http).await?;
            kills += 1;
        }
        let shown = self.tenant.until_over(at, &operation).await?;
        is_full(&shown).with_context(|| format!("{verb} over {kills} kills"))?;
        self.tenant.sync(leader).await?;
        Ok(kills)
    }
}
