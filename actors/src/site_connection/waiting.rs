//! Who waits for what, and whose wait a listing ends. Pure.

use protector_domain::ids::{ServerId, VolumeId};
use protector_domain::ports::compute::{Server, ServerStatus};
use protector_domain::ports::volumes::Volume;
use protector_domain::ports::{Acting, ErrorKind, PortError, PortResult};
use protector_runtime::mailbox::Reply;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// Listings in a row that do not show the thing before it counts as gone, and how long it has been waited
/// for then at least, milliseconds: a list may lag behind a create (B20).
const ABSENT_MAX: u32 = 3;
const ABSENT_MS: u64 = 3_000;

/// A listing comes late by at most this share of what was waited for: what settles soon is seen soon, and
/// what takes minutes is not asked for four times a second.
const LATE_SHARE: u64 = 20;
/// Shortest and longest pause between two listings, milliseconds.
const PAUSE_MIN_MS: u64 = 250;
const PAUSE_MAX_MS: u64 = 5_000;

/// The pause before the next listing, when the youngest wait is so old. Milliseconds.
pub(super) fn pause_ms(waited_ms: u64) -> u64 {
    (waited_ms / LATE_SHARE).clamp(PAUSE_MIN_MS, PAUSE_MAX_MS)
}

fn waited_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A thing that settles.
pub(super) trait Settles: Clone {
    type Id: Ord + Clone + std::fmt::Display;
    fn id(&self) -> &Self::Id;
    fn is_settled(&self) -> bool;
}

impl Settles for Server {
    type Id = ServerId;
    fn id(&self) -> &ServerId {
        &self.id
    }
    fn is_settled(&self) -> bool {
        self.status != ServerStatus::Build
    }
}

impl Settles for Volume {
    type Id = VolumeId;
    fn id(&self) -> &VolumeId {
        &self.id
    }
    fn is_settled(&self) -> bool {
        !matches!(
            self.status.as_str(),
            "creating" | "managing" | "downloading" | "extending"
        )
    }
}

struct Waiter<T: Settles> {
    reply: Reply<PortResult<T>>,
    absent: u32,
    since: Instant,
}

/// Waiters by identity, then by thing.
pub(super) struct Waiting<T: Settles> {
    by: BTreeMap<Acting, BTreeMap<T::Id, Vec<Waiter<T>>>>,
}

impl<T: Settles> Default for Waiting<T> {
    fn default() -> Self {
        Self {
            by: BTreeMap::new(),
        }
    }
}

impl<T: Settles> Waiting<T> {
    pub fn add(&mut self, acting: Acting, id: T::Id, reply: Reply<PortResult<T>>) {
        let waiters = self.by.entry(acting).or_default().entry(id).or_default();
        let since = Instant::now();
        waiters.push(Waiter {
            reply,
            absent: 0,
            since,
        });
    }

    /// How long the youngest wait has lasted, milliseconds; `None`: nobody waits.
    pub fn youngest_ms(&self) -> Option<u64> {
        let waiters = self.by.values().flat_map(BTreeMap::values).flatten();
        waiters.map(|w| w.since).max().map(waited_ms)
    }

    pub fn identities(&self) -> Vec<Acting> {
        self.by.keys().cloned().collect()
    }

    pub fn count(&self) -> usize {
        self.by
            .values()
            .flat_map(BTreeMap::values)
            .map(Vec::len)
            .sum()
    }

    /// A listing came: whoever's thing has settled, or has been missing too often, is answered.
    pub fn listed(&mut self, acting: &Acting, things: &[T]) {
        let Some(waiting) = self.by.remove(acting) else {
            return;
        };
        let mut left = BTreeMap::new();
        for (id, waiters) in waiting {
            let still = match things.iter().find(|thing| thing.id() == &id) {
                Some(thing) if thing.is_settled() => {
                    for waiter in waiters {
                        waiter.reply.send(Ok(thing.clone()));
                    }
                    Vec::new()
                }
                Some(_) => waiters,
                None => absent_once_more::<T>(&id, waiters),
            };
            if !still.is_empty() {
                left.insert(id, still);
            }
        }
        if !left.is_empty() {
            self.by.insert(acting.clone(), left);
        }
    }
}

fn absent_once_more<T: Settles>(id: &T::Id, waiters: Vec<Waiter<T>>) -> Vec<Waiter<T>> {
    let mut still = Vec::new();
    for mut waiter in waiters {
        waiter.absent += 1;
        if waiter.absent < ABSENT_MAX || waited_ms(waiter.since) < ABSENT_MS {
            still.push(waiter);
        } else {
            let what = format!("{id} is not there any more");
            waiter
                .reply
                .send(Err(PortError::new(ErrorKind::Missing, what)));
        }
    }
    still
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_late_by_a_twentieth_at_most_and_never_hasty() {
        let mut waited = 0;
        for _ in 0..200 {
            let pause = pause_ms(waited);
            assert!((PAUSE_MIN_MS..=PAUSE_MAX_MS).contains(&pause));
            assert!(pause == PAUSE_MIN_MS || pause * LATE_SHARE <= waited);
            waited += pause;
        }
        assert_eq!(pause_ms(u64::MAX), PAUSE_MAX_MS);
    }
}
