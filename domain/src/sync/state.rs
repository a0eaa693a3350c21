//! What one site remembers of one group: K1 to K5, K7 and K8. All of it is durable and changes in
//! one transaction per rule; only [`super::step`] changes it.
//!
//! Absent: tickets (K6, `tickets`), which live in memory and die with the process.

use super::digest::Digest;
use super::frame::{Signed, Verified, envelope_of};
use super::message::{MessageContent, OperationMode};
use super::order::{Epoch, Role, leader};
use super::record::{Record, RecordRef};
use super::refusal::SyncRefusal;
use crate::ids::{GroupId, OperationId, SiteId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Digests that are remembered (K8). Only those at or above the current pair ever matter.
pub const MAX_HISTORY: usize = 64;
/// Own records without receipt, below the current one, whose bodies are kept.
pub const MAX_TRAIL: usize = 32;
/// Entries of the sync log that stay in the state; each was handed out as an output, too (K4).
pub const MAX_KEPT: usize = 64;
/// Refused digests above the current pair (K5).
pub const MAX_REJECTED: usize = 64;
/// Operations of the current epoch that died (R10).
pub const MAX_DEAD: usize = 64;

/// A record together with the signed bytes it came in: the bytes are the truth and all that is
/// stored; record and digest are read from them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Signed", into = "Signed")]
pub struct Stored {
    signed: Signed,
    record: Record,
    digest: Digest,
}

impl Stored {
    /// Errors: [`SyncRefusal::Malformed`] if it is no envelope, or has no canonical form.
    pub(super) fn new(signed: Signed, record: Record) -> Result<Self, SyncRefusal> {
        let digest = record.digest()?;
        Ok(Self {
            signed,
            record,
            digest,
        })
    }

    /// Errors: [`SyncRefusal::Malformed`] if the message is no envelope.
    pub(super) fn from_verified(envelope: Verified) -> Result<Self, SyncRefusal> {
        let (message, signed) = envelope.into_parts();
        match message.content {
            MessageContent::Envelope(record) => Self::new(signed, *record),
            _ => Err(SyncRefusal::malformed("not an envelope")),
        }
    }

    /// The envelope, byte for byte as its author signed it (M3).
    pub fn signed(&self) -> &Signed {
        &self.signed
    }

    pub fn record(&self) -> &Record {
        &self.record
    }

    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Where it stands and what it says, as one name.
    pub fn at(&self) -> RecordRef {
        let header = &self.record.header;
        RecordRef {
            epoch: header.epoch,
            version: header.version,
            digest: self.digest.clone(),
        }
    }
}

impl TryFrom<Signed> for Stored {
    type Error = SyncRefusal;
    /// Bytes of our own store: parsed, not verified again.
    fn try_from(signed: Signed) -> Result<Self, SyncRefusal> {
        let record = envelope_of(&signed)?;
        Self::new(signed, record)
    }
}

impl From<Stored> for Signed {
    fn from(stored: Stored) -> Self {
        stored.signed
    }
}

/// K3: this site's one mutating operation on the group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    pub id: OperationId,
    pub mode: OperationMode,
    /// Digest of the frozen plan; none for a local operation.
    pub plan_digest: Option<Digest>,
}

/// Why the content of a record is in the sync log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeptReason {
    /// A higher epoch was not built on it.
    Orphan,
    /// The peer refused it, or it was unacknowledged when this site was restored.
    Withdrawn,
}

/// K4: a record that is not in force, kept until an operator deletes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub reason: KeptReason,
    pub stored: Stored,
}

/// K5: a record of the peer that this site will never store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    pub at: RecordRef,
    pub reasons: Vec<String>,
}

/// The durable state of one group at one site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSync {
    pub(super) group: GroupId,
    pub(super) home: SiteId,
    pub(super) other: SiteId,
    /// Which of the two this site is.
    pub(super) role: Role,
    /// K1.
    pub(super) current: Option<Stored>,
    /// K2.
    pub(super) synced: bool,
    /// The last record in force before the pending ones: what a withdrawal returns to (R9).
    pub(super) base: Option<Stored>,
    /// Own pending records between `base` and `current`, oldest first: what may be orphaned (R6).
    pub(super) trail: Vec<Stored>,
    /// K3.
    pub(super) operation: Option<Operation>,
    /// Operations that died in this epoch: they never live again, and may be released (R11).
    pub(super) dead: Vec<OperationId>,
    /// K4, newest last.
    pub(super) kept: Vec<Kept>,
    /// K5.
    pub(super) rejected: BTreeMap<Digest, Rejected>,
    /// K7.
    pub(super) suspect: bool,
    pub(super) restore_mark: u64,
    pub(super) epoch_jump: bool,
    pub(super) rebase: Option<RecordRef>,
    /// K8, newest last.
    pub(super) history: Vec<RecordRef>,
}

impl GroupSync {
    /// A group that this site has no record of: before a create, or before the first envelope.
    pub fn vacant(group: GroupId, home: SiteId, other: SiteId, role: Role) -> Self {
        Self {
            group,
            home,
            other,
            role,
            current: None,
            synced: false,
            base: None,
            trail: Vec::new(),
            operation: None,
            dead: Vec::new(),
            kept: Vec::new(),
            rejected: BTreeMap::new(),
            suspect: false,
            restore_mark: 0,
            epoch_jump: false,
            rebase: None,
            history: Vec::new(),
        }
    }

    /// The vacant state in which site `me` meets a message about a group it does not know. Which
    /// side is home follows from an envelope's author; of anything else the sender is home.
    pub fn vacant_for(message: &Verified, me: SiteId) -> Self {
        let message = message.message();
        let (from, to) = (message.from, message.to);
        let sender = match &message.content {
            MessageContent::Envelope(record) => record.header.author,
            _ => Role::Home,
        };
        let (home, other) = if sender == Role::Home {
            (from, to)
        } else {
            (to, from)
        };
        let role = if me == home { Role::Home } else { Role::Other };
        Self::vacant(message.group, home, other, role)
    }

    /// What it mints next lies above `mark`, if it has not been under one as high: of a group that
    /// this site may have had before its database was restored, and has forgotten.
    #[must_use]
    pub fn under_mark(mut self, mark: u64) -> Self {
        if mark > self.restore_mark {
            self.restore_mark = mark;
            self.epoch_jump = true;
        }
        self
    }

    pub fn group(&self) -> GroupId {
        self.group
    }

    /// Which of the two sites this one is.
    pub fn role(&self) -> Role {
        self.role
    }

    pub fn site_of(&self, role: Role) -> SiteId {
        match role {
            Role::Home => self.home,
            Role::Other => self.other,
        }
    }

    /// K1: the newest record, signed bytes included.
    pub fn current(&self) -> Option<&Stored> {
        self.current.as_ref()
    }

    /// K2: the current record is known to be at the peer.
    pub fn is_synced(&self) -> bool {
        self.synced
    }

    /// While the current record is pending: what was in force before it, and may be again (R9).
    pub fn before_pending(&self) -> Option<&Stored> {
        self.base.as_ref().filter(|_| !self.synced)
    }

    /// K3.
    pub fn operation(&self) -> Option<&Operation> {
        self.operation.as_ref()
    }

    /// K4: contents that are not in force; newest last, at most [`MAX_KEPT`].
    pub fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// K7: this site's memory may be incomplete.
    pub fn is_suspect(&self) -> bool {
        self.suspect
    }

    /// K7: no version or epoch below it is written after a restore. Also kept outside the database.
    pub fn restore_mark(&self) -> u64 {
        self.restore_mark
    }

    /// Whether the group is deleted; `false` also for a group without a record.
    pub fn is_deleted(&self) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.record.header.deleted)
    }

    /// Whether this site leads the epoch of its current record.
    pub fn leads(&self) -> bool {
        self.epoch().is_some_and(|epoch| leader(epoch) == self.role)
    }

    pub fn epoch(&self) -> Option<Epoch> {
        self.current
            .as_ref()
            .map(|current| current.record.header.epoch)
    }

    /// What a write must find in the store to be allowed: the current record, exactly (section 9).
    pub fn fence(&self) -> Option<RecordRef> {
        self.current.as_ref().map(Stored::at)
    }

    /// Whether this site knows the record, in force or in the log (K8).
    pub(super) fn knows(&self, digest: &Digest) -> bool {
        self.history.iter().any(|known| known.digest == *digest)
            || self.kept.iter().any(|kept| kept.stored.digest == *digest)
    }

    pub(super) fn is_dead(&self, operation: OperationId) -> bool {
        self.dead.contains(&operation)
    }
}
