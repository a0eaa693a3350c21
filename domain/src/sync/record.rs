//! The record of a group: what is signed, stored verbatim and carried between the sites (K1).
//!
//! The body is opaque here; its meaning and its validation belong to `crate::record`. Absent: how a
//! record comes to be (`author`) and who may write one (`rules`).

use super::digest::Digest;
use super::order::{Epoch, MAX_NUMBER, Pair, Role, Version, leader};
use super::refusal::SyncRefusal;
use crate::ids::{GroupId, OperationId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Epochs that a lineage lists by name; older ones are folded into a rolling hash.
pub const MAX_LINEAGE: usize = 64;

/// Names exactly one record: where it stands and what it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordRef {
    pub epoch: Epoch,
    pub version: Version,
    pub digest: Digest,
}

impl RecordRef {
    pub fn pair(&self) -> Pair {
        Pair {
            epoch: self.epoch,
            version: self.version,
        }
    }
}

/// What a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    /// The first record of a group, `(1, 1)`.
    Create,
    /// An ordinary change.
    Edit,
    /// The right to start VMs goes to one planned operation.
    Lock,
    /// The right comes back: released, or settled after a restore.
    Unlock,
    /// Leadership moves to the author.
    Mint,
    /// The end of a forced move.
    Finish,
    /// The group is deleted, for ever.
    Tombstone,
    /// Written above everything after a restore, of this site or of its peer.
    Base,
    /// A change that the peer refused, taken back.
    Withdraw,
}

impl RecordKind {
    /// Whether the peer may refuse such a record for its body (R8).
    pub fn is_rejectable(self) -> bool {
        matches!(self, Self::Create | Self::Edit)
    }
}

/// How an operation came to hold the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LockKind {
    /// The leader handed the right over.
    Planned,
    /// Taken with a new epoch, asking nobody.
    Forced,
}

/// One operation holds the right to start VMs. It does not run out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    pub operation: OperationId,
    pub holder: Role,
    pub kind: LockKind,
    /// Digest of the frozen plan.
    pub plan_digest: Digest,
}

/// What a mint was built on, and so what it left out. Newest epoch first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    /// The last record of each epoch left behind; at most [`MAX_LINEAGE`].
    pub entries: Vec<RecordRef>,
    /// Rolling hash over the entries that no longer fit, oldest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older: Option<Digest>,
}

impl Lineage {
    /// The lineage of a mint on top of `base`, whose own lineage this is.
    ///
    /// Errors: [`SyncRefusal::Malformed`] if an entry has no canonical form.
    pub fn after(&self, base: &RecordRef) -> Result<Self, SyncRefusal> {
        let mut entries = Vec::with_capacity(self.entries.len().saturating_add(1));
        entries.push(base.clone());
        entries.extend(self.entries.iter().cloned());
        let mut older = self.older.clone();
        while entries.len() > MAX_LINEAGE {
            if let Some(last) = entries.pop() {
                older = Some(Digest::of_json(&(&older, &last))?);
            }
        }
        Ok(Self { entries, older })
    }

    /// The last record of `epoch` that this lineage was built on.
    pub fn entry(&self, epoch: Epoch) -> Option<&RecordRef> {
        self.entries.iter().find(|entry| entry.epoch == epoch)
    }
}

/// The part of a record that the rules read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordHeader {
    pub group: GroupId,
    pub epoch: Epoch,
    pub version: Version,
    /// The record it was written on; none for a create.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<RecordRef>,
    pub lineage: Lineage,
    pub author: Role,
    pub kind: RecordKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
    pub deleted: bool,
}

impl RecordHeader {
    pub fn pair(&self) -> Pair {
        Pair {
            epoch: self.epoch,
            version: self.version,
        }
    }
}

/// What a record says, besides where it stands.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Opaque to the rules.
    pub body: Value,
    /// Secrets by name, sealed to the peer's X25519 key, base64.
    #[serde(default)]
    pub sealed: BTreeMap<String, String>,
}

impl std::fmt::Debug for Content {
    /// Names only: bodies stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sealed: Vec<&String> = self.sealed.keys().collect();
        f.debug_struct("Content")
            .field("sealed", &sealed)
            .finish_non_exhaustive()
    }
}

/// A group's metadata at one pair: header, opaque body, sealed secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub header: RecordHeader,
    /// Opaque to the rules, validated by `BodyCheck`. Of a tombstone: what `BodyCheck` leaves of it.
    pub body: Value,
    /// Secrets by name, sealed to the peer's X25519 key, base64.
    #[serde(default)]
    pub sealed: BTreeMap<String, String>,
}

impl std::fmt::Debug for Record {
    /// The header and the names of the secrets: bodies stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sealed: Vec<&String> = self.sealed.keys().collect();
        f.debug_struct("Record")
            .field("header", &self.header)
            .field("sealed", &sealed)
            .finish_non_exhaustive()
    }
}

impl Record {
    /// The digest that identifies it: over header, body and sealed blobs.
    ///
    /// Errors: [`SyncRefusal::Malformed`] if it has no canonical form.
    pub fn digest(&self) -> Result<Digest, SyncRefusal> {
        Digest::of_json(self)
    }

    /// What it says, without where it stands.
    pub fn content(&self) -> Content {
        Content {
            body: self.body.clone(),
            sealed: self.sealed.clone(),
        }
    }

    /// Whether the header agrees with itself: numbers in range, the author leads the epoch, the
    /// kind fits the lock and the deletion, parent and lineage lie below.
    ///
    /// Errors: [`SyncRefusal::WrongAuthor`], [`SyncRefusal::Malformed`].
    pub fn check_shape(&self) -> Result<(), SyncRefusal> {
        let header = &self.header;
        let numbers = 1..=MAX_NUMBER;
        if !numbers.contains(&header.epoch.0) || !numbers.contains(&header.version.0) {
            return Err(SyncRefusal::malformed("epoch or version out of range"));
        }
        if header.author != leader(header.epoch) {
            return Err(SyncRefusal::WrongAuthor {
                epoch: header.epoch,
                author: header.author,
            });
        }
        check_ancestors(header)?;
        check_kind(header)
    }
}

fn check_ancestors(header: &RecordHeader) -> Result<(), SyncRefusal> {
    let is_first = header.pair() == Pair::new(1, 1);
    match &header.parent {
        None if !is_first => return Err(SyncRefusal::malformed("only (1,1) has no parent")),
        Some(parent) if parent.pair() >= header.pair() => {
            return Err(SyncRefusal::malformed("the parent is not older"));
        }
        _ => {}
    }
    let entries = &header.lineage.entries;
    let falling = entries
        .windows(2)
        .all(|two| matches!(two, [new, old] if new.pair() > old.pair() && new.epoch > old.epoch));
    let below = entries
        .first()
        .is_none_or(|newest| newest.epoch < header.epoch);
    if entries.len() > MAX_LINEAGE || !falling || !below {
        return Err(SyncRefusal::malformed("the lineage does not lead here"));
    }
    Ok(())
}

fn check_kind(header: &RecordHeader) -> Result<(), SyncRefusal> {
    use RecordKind as K;
    let lock = header
        .lock
        .as_ref()
        .map(|lock| (lock.kind, lock.holder == header.author));
    let lock_fits = match header.kind {
        K::Lock => lock == Some((LockKind::Planned, false)),
        K::Mint => matches!(lock, None | Some((LockKind::Forced, true))),
        K::Base => matches!(
            lock,
            None | Some((LockKind::Forced, true) | (LockKind::Planned, false))
        ),
        K::Create | K::Edit | K::Unlock | K::Finish | K::Tombstone | K::Withdraw => lock.is_none(),
    };
    let deletion_fits = match header.kind {
        K::Base => !header.deleted || header.lock.is_none(),
        K::Tombstone => header.deleted,
        _ => !header.deleted,
    };
    let first_fits = (header.kind == K::Create) == header.parent.is_none();
    if lock_fits && deletion_fits && first_fits {
        return Ok(());
    }
    Err(SyncRefusal::malformed(
        "lock, deletion or parent do not fit the kind",
    ))
}
