//! R13: this site's memory may be incomplete, because its database was restored. It doubts itself
//! until it has compared heads with its peer, and never again writes a pair it may have written.

use super::author::Next;
use super::{Ruled, Turn};
use crate::sync::frame::Verified;
use crate::sync::input::Output;
use crate::sync::message::{Intent, MessageContent, OperationMode};
use crate::sync::order::{Version, jump_over, leader};
use crate::sync::record::{RecordKind, RecordRef};
use crate::sync::refusal::SyncRefusal;
use crate::sync::state::{KeptReason, Stored};

impl Turn<'_> {
    /// The memory is in doubt: nothing starts, nothing is attested, and every number that this
    /// site will write lies above the raised mark.
    pub(in crate::sync) fn restored(&mut self) {
        self.state.suspect = true;
        self.state.epoch_jump = true;
        self.state.rebase = None;
        self.state.restore_mark = self.state.restore_mark.max(self.ctx.fresh_mark);
        self.tickets.clear();
        let mode = self.state.operation.as_ref().map(|own| own.mode);
        if mode != Some(OperationMode::Forced) {
            self.kill_operation(None); // a forced one is parked: a suspect site starts nothing
        }
        let restore_mark = self.state.restore_mark;
        self.outputs.push(Output::Suspected { restore_mark });
    }

    /// The doubt is over.
    pub(super) fn trust(&mut self) {
        self.state.rebase = None;
        if std::mem::take(&mut self.state.suspect) {
            self.outputs.push(Output::Trusted);
        }
    }

    /// The peer's signed head answers this site's `head` ticket. The follower is done with it; the
    /// leader writes a base record above everything it may have forgotten, and trusts itself when
    /// *that* is acknowledged.
    pub(in crate::sync) fn compare_head(
        &mut self,
        head: &Verified,
        envelope: Option<Verified>,
    ) -> Ruled {
        let MessageContent::Head(report) = self.said_by_peer(head)? else {
            return Err(SyncRefusal::malformed("not a head"));
        };
        let nonce = report.nonce.as_ref().ok_or(SyncRefusal::ReservationStale)?;
        self.tickets
            .take(nonce, self.ctx.monotonic_ms)
            .filter(|ticket| ticket.intent == Intent::Head && self.state.suspect)
            .ok_or(SyncRefusal::ReservationStale)?;
        let peer_at = report.head.at.as_ref();
        if self.is_below(peer_at) && !self.catch_up(peer_at, envelope)? {
            return Ok(()); // refused for good: the author withdraws it, then the heads meet
        }
        match &self.state.current {
            Some(current) if leader(current.record().header.epoch) == self.state.role => {
                self.write_base(peer_at)
            }
            _ => {
                self.trust();
                Ok(())
            }
        }
    }

    fn is_below(&self, peer_at: Option<&RecordRef>) -> bool {
        peer_at.map(RecordRef::pair) > self.state.fence().map(|at| at.pair())
    }

    /// Adopts the peer's greater record, whoever wrote it; the head itself is its receipt. False:
    /// it was refused for good.
    fn catch_up(
        &mut self,
        peer_at: Option<&RecordRef>,
        envelope: Option<Verified>,
    ) -> Result<bool, SyncRefusal> {
        let behind = || SyncRefusal::PeerAhead {
            mine: self.state.fence().map(|at| at.pair()),
            theirs: peer_at.map(RecordRef::pair),
        };
        let stored = self.checked(envelope.ok_or_else(behind)?)?;
        if Some(&stored.at()) != peer_at {
            return Err(behind());
        }
        let is_peers = stored.record().header.author != self.state.role;
        if is_peers && self.refuse_for_good(&stored)? {
            return Ok(false);
        }
        self.adopt(stored, true);
        Ok(true)
    }

    /// The leader's base record: same content and lock, above the mark. A change that the peer
    /// never acknowledged is taken back: it may be one that was refused.
    fn write_base(&mut self, peer_at: Option<&RecordRef>) -> Ruled {
        let current = self.current()?.clone();
        let at = current.at();
        if self.state.rebase.as_ref() == Some(&at) {
            return self.reply_envelope(); // its receipt is what is missing
        }
        let unacknowledged = self.is_pending_change(&current) && peer_at != Some(&at);
        let header = &current.record().header;
        let mut next = Next::after(&current, RecordKind::Base, current.record().content());
        next.version = Version(jump_over(next.version.0, self.state.restore_mark));
        next.lock.clone_from(&header.lock);
        next.deleted = header.deleted;
        if unacknowledged {
            let (kind, content) = self.without(&current);
            next.deleted = kind == RecordKind::Tombstone;
            next.content = content;
            self.keep(KeptReason::Withdrawn, current.clone());
        }
        self.write(next)?;
        self.state.rebase = self.state.fence();
        Ok(())
    }

    fn is_pending_change(&self, current: &Stored) -> bool {
        let header = &current.record().header;
        !self.state.synced && header.author == self.state.role && header.kind.is_rejectable()
    }
}
