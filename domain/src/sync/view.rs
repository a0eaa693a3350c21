//! Questions that a state answers: where it stands, whether a change may begin, and who may start
//! protected VMs. Nothing here changes anything.

use super::frame::{Signed, SigningIdentity, sign};
use super::message::{
    Head, HeadReport, Intent, Message, MessageContent, Nonce, OperationMode, OperationView,
};
use super::order::{Epoch, Role, leader};
use super::record::Lock;
use super::refusal::SyncRefusal;
use super::state::GroupSync;
use crate::ids::OperationId;
use serde::{Deserialize, Serialize};

/// Whether `operation` (or, with `None`, the site itself) may start protected VMs of the group at
/// site `me` under `epoch` (section 3, S1). Ask again before every start, with the state as the
/// store has it.
pub fn may_start(
    state: &GroupSync,
    me: Role,
    operation: Option<OperationId>,
    epoch: Epoch,
) -> bool {
    let Some(current) = state.current.as_ref() else {
        return false;
    };
    let header = &current.record().header;
    if header.deleted || state.suspect || me != state.role || epoch != header.epoch {
        return false;
    }
    let own = state.operation.as_ref();
    if operation.is_some() && operation != own.map(|own| own.id) {
        return false; // a straggler of an operation that is over
    }
    match (own.map(|own| own.mode), &header.lock) {
        (Some(OperationMode::Forced), _) => operation.is_some(),
        (mode, Some(lock)) => {
            lock.holder == me
                && operation == Some(lock.operation)
                && mode == Some(OperationMode::Planned)
        }
        (_, None) => leader(epoch) == me,
    }
}

impl GroupSync {
    /// The epoch that this site's next mint has (R4, R5, R13); `None` without a record.
    pub fn next_mint_epoch(&self) -> Option<Epoch> {
        Some(self.mint_epoch_over(self.epoch()?))
    }

    /// Where this site stands.
    pub fn head(&self) -> Head {
        let header = self
            .current
            .as_ref()
            .map(|current| &current.record().header);
        let operation = self.operation.as_ref();
        Head {
            at: self.fence(),
            synced: self.synced,
            deleted: self.is_deleted(),
            suspect: self.suspect,
            leads: self.leads(),
            lock: header.and_then(|header| header.lock.clone()),
            operation: operation.map(|own| OperationView {
                id: own.id,
                mode: own.mode,
            }),
            rejected: self
                .rejected
                .values()
                .map(|rejected| rejected.at.clone())
                .collect(),
        }
    }

    /// The signed head (M7); with a nonce it answers the peer's `head` ticket.
    ///
    /// Errors: as [`sign`].
    pub fn sign_head(
        &self,
        identity: &SigningIdentity,
        nonce: Option<Nonce>,
    ) -> Result<Signed, SyncRefusal> {
        let report = HeadReport {
            nonce,
            head: self.head(),
        };
        sign(identity, &self.message(MessageContent::Head(report)))
    }

    /// A message of this site to its peer.
    pub(super) fn message(&self, content: MessageContent) -> Message {
        let (from, to) = (self.site_of(self.role), self.site_of(self.role.peer()));
        Message {
            group: self.group,
            from,
            to,
            content,
        }
    }

    /// The lock of the current record.
    pub(super) fn lock(&self) -> Option<&Lock> {
        self.current
            .as_ref()
            .and_then(|current| current.record().header.lock.as_ref())
    }

    /// Whether an ordinary change may begin here: this site leads, is in step, and nothing runs.
    ///
    /// Errors: `GroupDeleted`, `SiteSuspect`, `NotLeader`, `OperationInProgress`, `SyncPending`,
    /// `NoRecord`.
    pub fn free(&self) -> Result<(), SyncRefusal> {
        self.free_for(Intent::Change, None)
    }

    /// As [`Self::free`], for a change that a local operation of this site makes itself.
    pub(super) fn free_for(
        &self,
        intent: Intent,
        on_behalf: Option<OperationId>,
    ) -> Result<(), SyncRefusal> {
        let current = self.current.as_ref().ok_or(SyncRefusal::NoRecord)?;
        self.check_alive()?;
        let epoch = current.record().header.epoch;
        if leader(epoch) != self.role {
            return Err(SyncRefusal::NotLeader {
                leader: leader(epoch),
                epoch,
            });
        }
        if let Some(lock) = self.lock() {
            return Err(SyncRefusal::OperationInProgress {
                operation: lock.operation,
                site: lock.holder,
            });
        }
        let own = self.operation.as_ref().filter(|own| {
            let is_asker = own.mode == OperationMode::Local && on_behalf == Some(own.id);
            !(is_asker && intent == Intent::Change)
        });
        if let Some(own) = own {
            return Err(SyncRefusal::OperationInProgress {
                operation: own.id,
                site: self.role,
            });
        }
        if !self.synced {
            return Err(SyncRefusal::SyncPending {
                pair: current.at().pair(),
            });
        }
        Ok(())
    }

    /// Whether this site may act on what it remembers (I12).
    ///
    /// Errors: `SiteSuspect`.
    pub fn trusted(&self) -> Result<(), SyncRefusal> {
        if self.suspect {
            return Err(SyncRefusal::SiteSuspect);
        }
        Ok(())
    }

    /// Errors: `GroupDeleted`, then `SiteSuspect`.
    pub(super) fn check_alive(&self) -> Result<(), SyncRefusal> {
        if self.is_deleted() {
            return Err(SyncRefusal::GroupDeleted);
        }
        self.trusted()
    }
}

/// The peer's state in one word (SYNC-07).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PeerWord {
    /// Both sites hold the same record and know it.
    Synced,
    /// A record of this site has no receipt, or the heads differ.
    Pending,
    /// One of the sites refused a record of the other for good.
    Failed,
    /// Whoever asks could not reach it.
    Unreachable,
}

/// The two lines of `sync-status` (SYNC-06).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overall {
    /// Same record, known to the leader, and nobody suspect. A lock is an operation, not a fault.
    pub in_sync: bool,
    pub peer: PeerWord,
}

/// Compares two heads. `peer`: none if whoever asks could not reach the other site.
pub fn overall(local: &Head, peer: Option<&Head>) -> Overall {
    let Some(peer) = peer else {
        return Overall {
            in_sync: false,
            peer: PeerWord::Unreachable,
        };
    };
    let same = local.at.is_some() && local.at == peer.at;
    let leader_synced = (local.leads && local.synced) || (peer.leads && peer.synced);
    let in_sync = same && leader_synced && !local.suspect && !peer.suspect;
    let refused = |by: &Head, of: &Head| of.at.as_ref().is_some_and(|at| by.rejected.contains(at));
    let word = match in_sync {
        true => PeerWord::Synced,
        false if refused(local, peer) || refused(peer, local) => PeerWord::Failed,
        false => PeerWord::Pending,
    };
    Overall {
        in_sync,
        peer: word,
    }
}
