//! What two real sites wrote, given to the checker of the model: it writes every record again by the rules alone,
//! and refuses what they would not have written there.
//!
//! Absent: the rules.

use anyhow::Result;
use protector_domain::sync::Signed;
use protector_lab::world::World;
use protector_model::replay::replay;
use std::sync::atomic::{AtomicUsize, Ordering};

static TRACES: AtomicUsize = AtomicUsize::new(0);
static RECORDS: AtomicUsize = AtomicUsize::new(0);

/// Histories that this process has had written again, and the records in them.
pub fn counted() -> (usize, usize) {
    let load = |of: &AtomicUsize| AtomicUsize::load(of, Ordering::Relaxed);
    (load(&TRACES), load(&RECORDS))
}

/// Writes again what is in one group's history. Returns how many records that were.
///
/// # Errors
/// What the rules do not write.
pub fn replay_one(history: &[Signed]) -> Result<usize, String> {
    let written = replay(history).map_err(|fault| format!("R1 to R13: {fault}"))?;
    AtomicUsize::fetch_add(&TRACES, 1, Ordering::Relaxed);
    AtomicUsize::fetch_add(&RECORDS, written, Ordering::Relaxed);
    Ok(written)
}

/// The same for every group of a world. What the rules do not write, as lines.
///
/// # Errors
/// The history cannot be had.
pub async fn replayed(world: &World) -> Result<Vec<String>> {
    let all = world.records().await?;
    let faults = all.values().filter_map(|history| replay_one(history).err());
    Ok(faults.collect())
}
