//! What a deleted group leaves on the arrays, and when it may go: its replicating group and its epoch
//! marks, at each site's own array, once both sites hold the tombstone. Until then a forced move of the
//! peer could need them, and the higher epoch would make an orphan of the deletion.
//!
//! Pure. Absent: doing it (`actors::sweepers`). Servers and volumes stay, and so does what has arrived at
//! the target array.

use crate::change::is_own_array_group;
use crate::fence::mark_prefix;
use crate::ids::ArrayId;
use crate::ports::storage::GroupSpec;
use crate::record::{Policy, Tombstone};
use crate::sync::{Record, RecordHeader, RecordKind, Role};

/// What one site takes away at its own array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retirement {
    /// The direction that this site's array replicates.
    pub spec: GroupSpec,
    /// Marks whose names start so.
    pub mark_prefix: String,
}

impl Retirement {
    /// The array of both.
    pub fn array(&self) -> &ArrayId {
        &self.spec.source
    }
}

/// What this site, `here`, may take away now; `synced`: the peer has `record`, too. `None`: the group lives,
/// the peer is not known to have its tombstone, or there is nothing of it on this array.
pub fn retirement(record: &Record, here: Role, synced: bool) -> Option<Retirement> {
    let header = &record.header;
    let may = if is_abandonment(header) {
        // Nobody will ever acknowledge it; of a peer that returns nothing is torn down by it.
        header.author == here
    } else {
        synced
    };
    if !header.deleted || !may {
        return None;
    }
    let tombstone: Tombstone = serde_json::from_value(record.body.clone()).ok()?;
    // The name ends in the group's own id: what does not is not this group's, whoever signed it (S4).
    let is_own = |policy: &Policy| is_own_array_group(&policy.array_group, header.group);
    let policy = tombstone.policy.filter(is_own)?;
    Some(Retirement {
        spec: policy.spec_towards(here.peer()),
        mark_prefix: mark_prefix(header.group),
    })
}

/// True for a tombstone that opened an epoch of its own: the peer was given up (R4, section 10).
fn is_abandonment(header: &RecordHeader) -> bool {
    let moved = header
        .parent
        .as_ref()
        .is_some_and(|p| p.epoch < header.epoch);
    header.kind == RecordKind::Tombstone && moved
}

#[cfg(test)]
mod tests;
