//! The rules R1 to R13, a file per family. This file owns what they share: one turn over one group,
//! who may have sent a message, and how an operation dies.

mod author;
mod change;
mod forced;
mod local;
mod receipt;
mod release;
mod restore;
mod store;

use super::digest::Digest;
use super::frame::{Verified, sign};
use super::input::{Output, Step, StepContext};
use super::message::{Message, MessageContent, OperationMode};
use super::record::RecordRef;
use super::refusal::SyncRefusal;
use super::state::{GroupSync, Kept, KeptReason, MAX_DEAD, MAX_HISTORY, MAX_KEPT, Stored};
use super::tickets::Tickets;
use crate::ids::OperationId;

/// What a rule answers: done (in the turn), or why not.
type Ruled = Result<(), SyncRefusal>;

/// One input being applied: the next state while it is made. Dropped on a refusal.
pub(super) struct Turn<'a> {
    state: GroupSync,
    tickets: Tickets,
    outputs: Vec<Output>,
    ctx: &'a StepContext<'a>,
}

impl<'a> Turn<'a> {
    /// Errors: [`SyncRefusal::WrongPair`] if the signer is not this site of this group.
    pub(super) fn new(
        state: &GroupSync,
        tickets: &Tickets,
        ctx: &'a StepContext<'a>,
    ) -> Result<Self, SyncRefusal> {
        let me = state.site_of(state.role);
        if ctx.identity.site != me {
            return Err(SyncRefusal::WrongPair {
                from: ctx.identity.site,
                to: me,
            });
        }
        Ok(Self {
            state: state.clone(),
            tickets: tickets.clone(),
            outputs: Vec::new(),
            ctx,
        })
    }

    pub(super) fn into_step(self) -> Step {
        Step {
            state: self.state,
            tickets: self.tickets,
            outputs: self.outputs,
        }
    }

    /// The content of a message that the peer sent to this site about this group.
    fn said_by_peer<'m>(&self, message: &'m Verified) -> Result<&'m MessageContent, SyncRefusal> {
        let message = message.message();
        self.check_group(message)?;
        let (me, peer) = self.sites();
        if message.from != peer || message.to != me {
            return Err(SyncRefusal::WrongPair {
                from: message.from,
                to: message.to,
            });
        }
        Ok(&message.content)
    }

    fn check_group(&self, message: &Message) -> Ruled {
        if message.group == self.state.group {
            Ok(())
        } else {
            Err(SyncRefusal::WrongGroup)
        }
    }

    /// This site and its peer.
    fn sites(&self) -> (crate::ids::SiteId, crate::ids::SiteId) {
        let role = self.state.role;
        (self.state.site_of(role), self.state.site_of(role.peer()))
    }

    fn current(&self) -> Result<&Stored, SyncRefusal> {
        self.state.current.as_ref().ok_or(SyncRefusal::NoRecord)
    }

    fn reply(&mut self, content: MessageContent) -> Ruled {
        let signed = sign(self.ctx.identity, &self.state.message(content))?;
        self.outputs.push(Output::Reply(signed));
        Ok(())
    }

    /// The envelope of the current record again, as its author signed it.
    fn reply_envelope(&mut self) -> Ruled {
        let signed = self.current()?.signed().clone();
        self.outputs.push(Output::Reply(signed));
        Ok(())
    }

    /// X2 with this site's own envelope, or X4 if the named record is above it or beside it.
    fn not_current(&self, named: &RecordRef) -> SyncRefusal {
        let Some(current) = &self.state.current else {
            return SyncRefusal::NoRecord;
        };
        let (mine, theirs) = (current.at().pair(), named.pair());
        if theirs < mine {
            let envelope = Box::new(current.signed().clone());
            SyncRefusal::OlderVersion {
                mine,
                theirs,
                envelope,
            }
        } else {
            SyncRefusal::PeerAhead {
                mine: Some(mine),
                theirs: Some(theirs),
            }
        }
    }

    /// Ends this site's operation for ever, except what another one takes over by key (R10).
    fn kill_operation(&mut self, adopted_by: Option<OperationId>) {
        let Some(operation) = self.state.operation.take() else {
            return;
        };
        if matches!(
            operation.mode,
            OperationMode::Requested | OperationMode::Planned
        ) {
            self.state.dead.push(operation.id);
            trim_front(&mut self.state.dead, MAX_DEAD);
        }
        self.outputs.push(Output::OperationDied {
            operation: operation.id,
            adopted_by,
        });
    }

    /// Writes a content that is not in force into the sync log, once (K4).
    fn keep(&mut self, reason: KeptReason, stored: Stored) {
        if self
            .state
            .kept
            .iter()
            .any(|kept| kept.stored.digest() == stored.digest())
        {
            return;
        }
        let kept = Kept { reason, stored };
        self.outputs.push(Output::Kept(Box::new(kept.clone())));
        self.state.kept.push(kept);
        trim_front(&mut self.state.kept, MAX_KEPT);
    }

    /// An operator deletes an entry of the sync log; deleting it twice is the same.
    pub(super) fn purge_kept(&mut self, digest: &Digest) {
        self.state
            .kept
            .retain(|kept| kept.stored.digest() != digest);
    }

    fn remember(&mut self, at: RecordRef) {
        self.state.history.push(at);
        trim_front(&mut self.state.history, MAX_HISTORY);
    }

    /// A new epoch: nothing that died in an older one can be asked for any more.
    fn forget_dead_of(&mut self, old: Option<super::order::Epoch>) {
        if self.state.epoch() != old {
            self.state.dead.clear();
        }
    }
}

/// Drops the oldest entries of a list that is newest last.
fn trim_front<T>(list: &mut Vec<T>, max: usize) {
    let excess = list.len().saturating_sub(max);
    list.drain(..excess);
}
