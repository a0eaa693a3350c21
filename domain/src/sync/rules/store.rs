//! R6 and R8: an envelope arrives. The greater pair wins, always; what it was not built on is kept
//! in the log; a body that can never be stored here is refused by a signed rejection.

use super::{Ruled, Turn};
use crate::sync::frame::Verified;
use crate::sync::input::Output;
use crate::sync::message::{MessageContent, OperationMode, Receipt, Rejection};
use crate::sync::order::leader;
use crate::sync::record::{LockKind, Record};
use crate::sync::refusal::SyncRefusal;
use crate::sync::state::{KeptReason, MAX_REJECTED, Rejected, Stored};
use std::cmp::Ordering;

impl Turn<'_> {
    /// R6: an envelope, of the peer or one of ours that comes back.
    pub(in crate::sync) fn store(&mut self, envelope: Verified) -> Ruled {
        let stored = self.checked(envelope)?;
        if stored.record().header.author == self.state.role {
            return self.own_returns(stored);
        }
        match self.compare(&stored) {
            Ordering::Greater => {
                if self.refuse_for_good(&stored)? {
                    return Ok(());
                }
                let at = stored.at();
                self.adopt(stored, true);
                self.reply(MessageContent::Receipt(Receipt { at }))
            }
            Ordering::Equal if self.holds(&stored) => {
                self.reply(MessageContent::Receipt(Receipt { at: stored.at() }))
            }
            Ordering::Equal | Ordering::Less => Err(self.older(&stored)),
        }
    }

    /// The record of an envelope, if its author is the site that signed it and leads its epoch.
    pub(super) fn checked(&self, envelope: Verified) -> Result<Stored, SyncRefusal> {
        self.check_group(envelope.message())?;
        let (from, to) = (envelope.message().from, envelope.message().to);
        let (me, peer) = self.sites();
        if (from, to) != (peer, me) && (from, to) != (me, peer) {
            return Err(SyncRefusal::WrongPair { from, to });
        }
        let stored = Stored::from_verified(envelope)?;
        let header = &stored.record().header;
        stored.record().check_shape()?;
        if header.group != self.state.group {
            return Err(SyncRefusal::WrongGroup);
        }
        if self.state.site_of(header.author) != from {
            return Err(SyncRefusal::WrongAuthor {
                epoch: header.epoch,
                author: header.author,
            });
        }
        Ok(stored)
    }

    /// Where `stored` stands, seen from the current record.
    pub(super) fn compare(&self, stored: &Stored) -> Ordering {
        let current = self
            .state
            .current
            .as_ref()
            .map(|current| current.at().pair());
        Some(stored.at().pair()).cmp(&current)
    }

    fn holds(&self, stored: &Stored) -> bool {
        self.state.fence().is_some_and(|mine| mine == stored.at())
    }

    /// X2 with this site's own envelope: also for equal pairs with different contents, which the
    /// courier takes to the author.
    fn older(&self, stored: &Stored) -> SyncRefusal {
        let Some(current) = &self.state.current else {
            return SyncRefusal::NoRecord;
        };
        SyncRefusal::OlderVersion {
            mine: current.at().pair(),
            theirs: stored.at().pair(),
            envelope: Box::new(current.signed().clone()),
        }
    }

    /// R8: whether this site refuses a greater record of the peer for good, and says so.
    pub(super) fn refuse_for_good(&mut self, stored: &Stored) -> Result<bool, SyncRefusal> {
        let known = self.state.rejected.get(stored.digest());
        let reasons = match known {
            Some(rejected) => rejected.reasons.clone(),
            None => self.lasting_reasons(stored.record()),
        };
        if reasons.is_empty() && known.is_none() {
            return Ok(false);
        }
        let at = stored.at();
        let rejected = Rejected {
            at: at.clone(),
            reasons: reasons.clone(),
        };
        self.state
            .rejected
            .insert(stored.digest().clone(), rejected);
        while self.state.rejected.len() > MAX_REJECTED {
            let oldest = self
                .state
                .rejected
                .values()
                .min_by_key(|rejected| rejected.at.pair());
            let Some(digest) = oldest.map(|rejected| rejected.at.digest.clone()) else {
                break;
            };
            self.state.rejected.remove(&digest);
        }
        self.reply(MessageContent::Rejection(Rejection { at, reasons }))?;
        Ok(true)
    }

    /// R6, last line: a record of this site. One that it does not know is proof that its memory
    /// was rolled back.
    fn own_returns(&mut self, stored: Stored) -> Ruled {
        if self.holds(&stored) {
            return Ok(());
        }
        match self.compare(&stored) {
            Ordering::Greater if !self.state.knows(stored.digest()) => {
                self.restored();
                self.adopt(stored, false);
                Ok(())
            }
            Ordering::Equal if !self.state.knows(stored.digest()) => {
                self.restored();
                self.keep(KeptReason::Orphan, stored);
                Ok(())
            }
            _ => Err(self.older(&stored)),
        }
    }

    /// Puts a greater record into force, whoever wrote it.
    pub(super) fn adopt(&mut self, stored: Stored, synced: bool) {
        let led = self.state.leads();
        let old_epoch = self.state.epoch();
        self.keep_orphans(stored.record());
        self.decide_operation(stored.record());
        let at = stored.at();
        self.state.current = Some(stored);
        self.state.base = None;
        self.state.trail.clear();
        self.state.synced = synced;
        self.state
            .rejected
            .retain(|_, rejected| rejected.at.pair() > at.pair());
        self.remember(at.clone());
        self.forget_dead_of(old_epoch);
        let epoch = at.epoch;
        self.outputs
            .push(Output::RecordChanged { at, is_own: false });
        if led && leader(epoch) != self.state.role {
            self.outputs.push(Output::LeadershipLost { epoch });
        }
    }

    /// Records of this site that `next` was not built on go to the log.
    fn keep_orphans(&mut self, next: &Record) {
        let state = &self.state;
        let pending = state.trail.iter().map(|stored| (stored, false));
        let current = state.current.iter().map(|stored| (stored, state.synced));
        let orphans: Vec<Stored> = (state.base.iter().map(|stored| (stored, true)))
            .chain(pending)
            .chain(current)
            .filter(|(stored, _)| stored.record().header.author == state.role)
            .filter(|(stored, acknowledged)| !is_ancestor(stored, *acknowledged, next))
            .map(|(stored, _)| stored.clone())
            .collect();
        for orphan in orphans {
            self.keep(KeptReason::Orphan, orphan);
        }
    }

    /// What the new record means for this site's operation: its lock arrived, it goes on, or it
    /// dies.
    fn decide_operation(&mut self, next: &Record) {
        let Some(own) = &self.state.operation else {
            return;
        };
        let header = &next.header;
        let named = header.lock.as_ref().filter(|lock| {
            lock.operation == own.id
                && lock.holder == self.state.role
                && Some(&lock.plan_digest) == own.plan_digest.as_ref()
        });
        let kind = named.map(|lock| lock.kind);
        let same_epoch = self.state.epoch() == Some(header.epoch);
        let undisturbed = same_epoch && header.lock.is_none() && !header.deleted;
        let (operation, epoch) = (own.id, header.epoch);
        match (own.mode, kind) {
            (OperationMode::Requested, Some(LockKind::Planned)) => {
                if let Some(own) = &mut self.state.operation {
                    own.mode = OperationMode::Planned;
                }
                self.outputs
                    .push(Output::OperationStarts { operation, epoch });
            }
            (OperationMode::Planned, Some(LockKind::Planned))
            | (OperationMode::Forced, Some(LockKind::Forced)) => {}
            (OperationMode::Local, _) if undisturbed => {}
            _ => self.kill_operation(None),
        }
    }
}

/// Whether `next` was built on `own`, a record of this site: in the same epoch by its parent, else
/// by the lineage. Where neither can tell, what the peer has acknowledged counts as built on.
fn is_ancestor(own: &Stored, acknowledged: bool, next: &Record) -> bool {
    let at = own.at();
    let header = &next.header;
    let built_on = if at.epoch == header.epoch {
        header.parent.as_ref()
    } else {
        header.lineage.entry(at.epoch)
    };
    match built_on {
        Some(last) if at.epoch == header.epoch && last.pair() > at.pair() => acknowledged,
        Some(last) if last.version == at.version => last.digest == at.digest,
        Some(last) => last.version > at.version,
        None => acknowledged && header.lineage.older.is_some() && oldest_is_above(header, &at),
    }
}

fn oldest_is_above(
    header: &crate::sync::record::RecordHeader,
    at: &crate::sync::record::RecordRef,
) -> bool {
    header
        .lineage
        .entries
        .last()
        .is_some_and(|oldest| oldest.epoch > at.epoch)
}
