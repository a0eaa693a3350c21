//! The rules R1 to R13, a file per family. This file owns what they share: one turn over one group.

use super::digest::Digest;
use super::frame::Verified;
use super::input::{Output, Step, StepContext};
use super::message::{Intent, LockOffer, Nonce, SourceVms};
use super::record::Content;
use super::refusal::SyncRefusal;
use super::state::GroupSync;
use super::tickets::Tickets;
use crate::ids::OperationId;

type Ruled = Result<(), SyncRefusal>;

/// One input being applied: the next state while it is made.
pub(super) struct Turn<'a> {
    pub(super) state: GroupSync,
    pub(super) tickets: Tickets,
    pub(super) outputs: Vec<Output>,
    pub(super) ctx: &'a StepContext<'a>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        state: &GroupSync,
        tickets: &Tickets,
        ctx: &'a StepContext<'a>,
    ) -> Result<Self, SyncRefusal> {
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
    pub(super) fn ask_ticket(
        &mut self,
        _: Nonce,
        _: Intent,
        _: Option<Content>,
        _: Option<OperationId>,
    ) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn answer_ticket(&mut self, _: &Verified, _: Option<LockOffer>) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn commit(&mut self, _: Option<&Verified>) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn forced_move(&mut self, _: OperationId, _: Digest, _: Content, _: bool) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn abandon_peer(&mut self) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn finish(&mut self, _: OperationId, _: Content) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn store(&mut self, _: Verified) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn receipt(&mut self, _: &Verified) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn rejection(&mut self, _: &Verified) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn abort(&mut self, _: OperationId) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn ask_release(&mut self, _: OperationId, _: SourceVms, _: bool) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn release(&mut self, _: &Verified) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn settle(&mut self, _: Content) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn restored(&mut self) {}
    pub(super) fn compare_head(&mut self, _: &Verified, _: Option<Verified>) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn engine_started(&mut self) {}
    pub(super) fn take_local(&mut self, _: OperationId) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn end_local(&mut self, _: OperationId) -> Ruled {
        Err(SyncRefusal::NoRecord)
    }
    pub(super) fn purge_kept(&mut self, _: &Digest) {}
}
