//! R7 and R9: the peer answers an envelope. A receipt ends the waiting; a rejection takes the
//! change back by one more record, or has it said once more in a form that cannot be refused.

use super::author::Next;
use super::{Ruled, Turn};
use crate::sync::frame::Verified;
use crate::sync::input::Output;
use crate::sync::message::MessageContent;
use crate::sync::record::{Content, RecordKind};
use crate::sync::refusal::SyncRefusal;
use crate::sync::state::{KeptReason, Stored};

impl Turn<'_> {
    /// R7: the peer has stored exactly what is in force here.
    pub(in crate::sync) fn receipt(&mut self, receipt: &Verified) -> Ruled {
        let MessageContent::Receipt(receipt) = self.said_by_peer(receipt)? else {
            return Err(SyncRefusal::malformed("not a receipt"));
        };
        let at = self.current()?.at();
        if receipt.at != at {
            return Err(self.not_current(&receipt.at));
        }
        if !self.state.synced {
            self.state.synced = true;
            self.state.base = None;
            self.state.trail.clear();
            self.outputs.push(Output::Synced { at: at.clone() });
        }
        if self.state.rebase.as_ref() == Some(&at) {
            self.trust();
        }
        Ok(())
    }

    /// R9: the peer will never store the pending change; it is taken back and shown in the log.
    ///
    /// A change that the peer has acknowledged before it refused it is in force, whatever the peer
    /// has forgotten in between (a restore): it stays, as a base record, which nobody refuses.
    pub(in crate::sync) fn rejection(&mut self, rejection: &Verified) -> Ruled {
        let MessageContent::Rejection(rejection) = self.said_by_peer(rejection)? else {
            return Err(SyncRefusal::malformed("not a rejection"));
        };
        let current = self.current()?.clone();
        if rejection.at != current.at() {
            return Err(self.not_current(&rejection.at));
        }
        self.state.check_alive()?;
        let header = &current.record().header;
        if header.author != self.state.role || !header.kind.is_rejectable() {
            return Err(SyncRefusal::RejectedByPeer {
                reasons: rejection.reasons.clone(),
            });
        }
        if self.state.synced {
            let content = current.record().content();
            return self.write(Next::after(&current, RecordKind::Base, content));
        }
        let (kind, content) = self.without(&current);
        self.keep(KeptReason::Withdrawn, current.clone());
        self.write(Next::after(&current, kind, content))
    }

    /// What is in force without `change`: its parent's content, or nothing of a create.
    pub(super) fn without(&self, change: &Stored) -> (RecordKind, Content) {
        match &self.state.base {
            Some(base) => (RecordKind::Withdraw, base.record().content()),
            None => (RecordKind::Tombstone, self.tombstone_of(change)),
        }
    }
}
