//! Who writes when: epochs, versions, their order, and the leader that an epoch's number names.
//!
//! Absent on purpose: negotiation. The leader of every epoch follows from the number alone, so two
//! sites that never talk still agree on it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Largest epoch or version that is accepted: numbers above 2^53 do not survive JSON, and the
/// distance to it leaves every site room to mint.
pub const MAX_NUMBER: u64 = 1 << 52;

/// How far a site jumps over what it may have forgotten: more epochs or records than it can have
/// written on top of what it knows between two restores of its database.
pub const MARK_STRIDE: u64 = 1 << 20;

/// Counts the moves of leadership of one group. Epoch 1 is its creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// Counts the records of one group, on over all epochs. It may have gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

/// One of the two sites of a group. `Home` made the group, and stays home for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The creator of the group.
    Home,
    /// Its peer.
    Other,
}

impl Role {
    /// The other one of the two.
    pub fn peer(self) -> Self {
        match self {
            Self::Home => Self::Other,
            Self::Other => Self::Home,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Home => "home",
            Self::Other => "other",
        })
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Version {
    /// The next version. Versions count on over epochs: a mint takes the one after its base.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// The order of records (S8): epoch first, then version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pair {
    pub epoch: Epoch,
    pub version: Version,
}

impl Pair {
    pub fn new(epoch: u64, version: u64) -> Self {
        Self {
            epoch: Epoch(epoch),
            version: Version(version),
        }
    }
}

impl fmt::Display for Pair {
    /// As people read it: `17 (epoch 3)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (epoch {})", self.version, self.epoch)
    }
}

/// The one site that may write in `epoch`: home in odd epochs, other in even ones.
pub fn leader(epoch: Epoch) -> Role {
    if epoch.0 % 2 == 1 {
        Role::Home
    } else {
        Role::Other
    }
}

/// The smallest epoch above `current` whose leader is `mover`: one further for the follower, two
/// for the leader itself.
pub fn next_own_epoch(current: Epoch, mover: Role) -> Epoch {
    own_epoch_from(Epoch(current.0.saturating_add(1)), mover)
}

/// The smallest epoch at or above `floor` whose leader is `mover` (R13: the jump after a restore).
pub fn own_epoch_from(floor: Epoch, mover: Role) -> Epoch {
    if leader(floor) == mover {
        floor
    } else {
        Epoch(floor.0.saturating_add(1))
    }
}

/// The mark to raise after a restore (R13): above every number that this site may have written on
/// its own account.
///
/// `known`: the greatest mark in the database and beside the identity key. The clock only makes the
/// mark unique where both were lost. One more than `known` would not do: of two neighbouring marks
/// the same epoch can be the next own one, and records written since lie above the old mark.
pub fn raised_mark(known: u64, unix_ms: u64) -> u64 {
    known.saturating_add(MARK_STRIDE).max(unix_ms)
}

/// The number to go on with in place of `next`, after a restore: above the mark, and above all that
/// this site can have written on top of what it knows now. The mark alone would not do: the peer,
/// restored under a clock that is ahead of ours, may have led the numbers past it.
pub fn jump_over(next: u64, restore_mark: u64) -> u64 {
    next.saturating_add(MARK_STRIDE).max(restore_mark)
}
