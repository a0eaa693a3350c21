//! R1 to R3: ticket, reservation, commit. How the leader changes a group with its peer's
//! attestation, and hands the right to start VMs to a planned operation of the peer.

use super::author::{Next, record_on};
use super::{Ruled, Turn};
use crate::ids::OperationId;
use crate::sync::frame::Verified;
use crate::sync::input::Output;
use crate::sync::message::{
    HeadReport, Intent, LockOffer, MessageContent, Nonce, OperationMode, Reservation, Ticket,
};
use crate::sync::order::{Epoch, Role, leader};
use crate::sync::record::{Content, Lock, LockKind, Record, RecordKind, RecordRef};
use crate::sync::refusal::SyncRefusal;
use crate::sync::state::{Operation, Stored};
use crate::sync::tickets::{OpenTicket, TICKET_LIFE_MS};

impl Turn<'_> {
    /// R1: this site wants to author something, and asks its peer once.
    pub(in crate::sync) fn ask_ticket(
        &mut self,
        nonce: Nonce,
        intent: Intent,
        draft: Option<Content>,
        for_operation: Option<OperationId>,
    ) -> Ruled {
        self.check_may_ask(intent, for_operation)?;
        let next = self.drafted(intent, draft)?;
        let ticket = Ticket {
            nonce: nonce.clone(),
            intent,
            base: self.state.fence(),
            next_digest: next.as_ref().map(Record::digest).transpose()?,
            draft: next.as_ref().map(Record::content),
        };
        let now_ms = self.ctx.monotonic_ms;
        let deadline_ms = now_ms.saturating_add(TICKET_LIFE_MS);
        let base = ticket.base.clone();
        let open = OpenTicket {
            nonce,
            intent,
            base,
            next,
            for_operation,
            deadline_ms,
        };
        self.tickets.open(open, now_ms);
        self.reply(MessageContent::Ticket(ticket))
    }

    fn check_may_ask(&self, intent: Intent, for_operation: Option<OperationId>) -> Ruled {
        match intent {
            Intent::Head if self.state.suspect => Ok(()),
            Intent::Head => Err(SyncRefusal::malformed("this site is not in doubt")),
            Intent::Create => self.check_may_create(),
            Intent::Change | Intent::Delete | Intent::Lock => {
                self.state.free_for(intent, for_operation)
            }
        }
    }

    fn check_may_create(&self) -> Ruled {
        self.state.check_alive()?;
        if let Some(current) = &self.state.current {
            let mine = Some(current.at().pair());
            return Err(SyncRefusal::PeerAhead { mine, theirs: None });
        }
        if self.state.role != Role::Home {
            return Err(SyncRefusal::NotLeader {
                leader: Role::Home,
                epoch: Epoch(1),
            });
        }
        Ok(())
    }

    /// The record that a commit of this intent would write; none for `lock` and `head`.
    fn drafted(
        &self,
        intent: Intent,
        draft: Option<Content>,
    ) -> Result<Option<Record>, SyncRefusal> {
        let content = match (intent, draft) {
            (Intent::Create | Intent::Change, Some(content)) => content,
            (Intent::Delete, None) => self.tombstone_of(self.current()?),
            (Intent::Lock | Intent::Head, None) => return Ok(None),
            _ => {
                return Err(SyncRefusal::malformed(
                    "the intent and the draft do not fit",
                ));
            }
        };
        let author = self.state.role;
        planned_record(
            self.state.current.as_ref(),
            self.state.group,
            author,
            intent,
            content,
        )
        .map(Some)
    }

    /// What is left of a group that is deleted: its name.
    pub(super) fn tombstone_of(&self, stored: &Stored) -> Content {
        let body = self.ctx.body.tombstone_body(&stored.record().body);
        Content {
            body,
            sealed: std::collections::BTreeMap::new(),
        }
    }

    /// R2: a ticket of the peer. Attests that this site stands exactly at its base and would store
    /// the draft, which changes nothing here; of a `lock` it also accepts the operation.
    pub(in crate::sync) fn answer_ticket(
        &mut self,
        ticket: &Verified,
        offer: Option<LockOffer>,
    ) -> Ruled {
        let MessageContent::Ticket(ticket) = self.said_by_peer(ticket)? else {
            return Err(SyncRefusal::malformed("not a ticket"));
        };
        if ticket.intent == Intent::Head {
            let (nonce, head) = (Some(ticket.nonce.clone()), self.state.head());
            return self.reply(MessageContent::Head(HeadReport { nonce, head }));
        }
        self.check_may_reserve(ticket)?;
        let lock = match ticket.intent {
            Intent::Lock => Some(self.accept_lock(offer)?),
            _ => self.check_draft(ticket).map(|()| None)?,
        };
        self.reply(MessageContent::Reservation(Reservation {
            nonce: ticket.nonce.clone(),
            base: ticket.base.clone(),
            next_digest: ticket.next_digest.clone(),
            lock,
        }))
    }

    fn check_may_reserve(&self, ticket: &Ticket) -> Ruled {
        self.state.check_alive()?;
        let own = self.state.operation.as_ref();
        let busy =
            own.filter(|own| matches!(own.mode, OperationMode::Planned | OperationMode::Forced));
        if let Some(own) = busy {
            return Err(self.in_progress_here(own.id));
        }
        self.check_same_base(ticket.base.as_ref())?;
        let asker = self.state.role.peer();
        let epoch = self.state.epoch().unwrap_or(Epoch(1));
        if leader(epoch) != asker {
            return Err(SyncRefusal::NotLeader {
                leader: leader(epoch),
                epoch,
            });
        }
        if (ticket.intent == Intent::Create) != ticket.base.is_none() {
            return Err(SyncRefusal::malformed("only a create has no base"));
        }
        match self.state.lock() {
            Some(lock) => Err(SyncRefusal::OperationInProgress {
                operation: lock.operation,
                site: lock.holder,
            }),
            None => Ok(()),
        }
    }

    fn check_same_base(&self, base: Option<&RecordRef>) -> Ruled {
        let mine = self.state.fence();
        if mine.as_ref() == base {
            return Ok(());
        }
        let (mine, theirs) = (mine.map(|at| at.pair()), base.map(RecordRef::pair));
        if mine < theirs {
            Err(SyncRefusal::PeerBehind { mine, theirs })
        } else {
            Err(SyncRefusal::PeerAhead { mine, theirs })
        }
    }

    fn check_draft(&self, ticket: &Ticket) -> Ruled {
        let (Some(draft), Some(digest)) = (&ticket.draft, &ticket.next_digest) else {
            return Err(SyncRefusal::malformed("a ticket without its draft"));
        };
        let (base, author) = (self.state.current.as_ref(), self.state.role.peer());
        let next = planned_record(base, self.state.group, author, ticket.intent, draft.clone())?;
        if next.digest()? != *digest {
            return Err(SyncRefusal::malformed(
                "the digest is not that of the draft",
            ));
        }
        let reasons = self.lasting_reasons(&next);
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(SyncRefusal::RejectedByPeer { reasons })
        }
    }

    /// What speaks for good against storing `next` here; of a record that may be refused.
    pub(super) fn lasting_reasons(&self, next: &Record) -> Vec<String> {
        if !next.header.kind.is_rejectable() {
            return Vec::new();
        }
        let current = self.state.current.as_ref().map(Stored::record);
        self.ctx.body.lasting_reasons(next, current)
    }

    /// Accepts one planned operation, or repeats what was accepted before.
    fn accept_lock(&mut self, offer: Option<LockOffer>) -> Result<LockOffer, SyncRefusal> {
        if let Some(own) = &self.state.operation {
            return match (own.mode, &own.plan_digest) {
                (OperationMode::Requested, Some(plan_digest)) => Ok(LockOffer {
                    operation: own.id,
                    plan_digest: plan_digest.clone(),
                }),
                _ => Err(self.in_progress_here(own.id)),
            };
        }
        let offer = offer.ok_or_else(|| SyncRefusal::malformed("a lock without an operation"))?;
        self.check_fresh(offer.operation)?;
        self.state.operation = Some(Operation {
            id: offer.operation,
            mode: OperationMode::Requested,
            plan_digest: Some(offer.plan_digest.clone()),
        });
        self.outputs.push(Output::OperationRequested {
            operation: offer.operation,
        });
        Ok(offer)
    }

    /// Dead is for ever: an operation's id is used once (R10).
    pub(super) fn check_fresh(&self, operation: OperationId) -> Ruled {
        let is_current = self
            .state
            .operation
            .as_ref()
            .is_some_and(|own| own.id == operation);
        let is_locked = self
            .state
            .lock()
            .is_some_and(|lock| lock.operation == operation);
        if is_current || is_locked || self.state.is_dead(operation) {
            return Err(SyncRefusal::OperationOver { operation });
        }
        Ok(())
    }

    pub(super) fn in_progress_here(&self, operation: OperationId) -> SyncRefusal {
        SyncRefusal::OperationInProgress {
            operation,
            site: self.state.role,
        }
    }

    /// R3: commit what the ticket said, now that the peer has attested. The ticket is used up.
    pub(in crate::sync) fn commit(&mut self, reservation: Option<&Verified>) -> Ruled {
        let reservation = reservation.ok_or(SyncRefusal::PeerRequired)?;
        let MessageContent::Reservation(reservation) = self.said_by_peer(reservation)? else {
            return Err(SyncRefusal::malformed("not a reservation"));
        };
        let ticket = self
            .tickets
            .take(&reservation.nonce, self.ctx.monotonic_ms)
            .filter(|ticket| ticket.intent != Intent::Head)
            .ok_or(SyncRefusal::ReservationStale)?;
        let next_digest = ticket.next.as_ref().map(Record::digest).transpose()?;
        let same = ticket.base == self.state.fence() && ticket.base == reservation.base;
        if !same || next_digest != reservation.next_digest {
            return Err(SyncRefusal::ReservationStale);
        }
        match ticket.intent {
            Intent::Create => self.check_may_create()?,
            intent => self.state.free_for(intent, ticket.for_operation)?,
        }
        match (ticket.next, &reservation.lock) {
            (Some(record), None) => self.write_record(record),
            (None, Some(offer)) => self.write_lock(offer),
            _ => Err(SyncRefusal::malformed(
                "the reservation does not fit its ticket",
            )),
        }
    }

    /// The right to start VMs goes to the peer's operation. The content stays as it is, so that a
    /// release leaves no trace of the attempt.
    fn write_lock(&mut self, offer: &LockOffer) -> Ruled {
        let current = self.current()?;
        let content = current.record().content();
        let mut next = Next::after(current, RecordKind::Lock, content);
        next.lock = Some(Lock {
            operation: offer.operation,
            holder: self.state.role.peer(),
            kind: LockKind::Planned,
            plan_digest: offer.plan_digest.clone(),
        });
        self.write(next)
    }
}

/// The record of an ordinary change, as either site builds it.
fn planned_record(
    base: Option<&Stored>,
    group: crate::ids::GroupId,
    author: Role,
    intent: Intent,
    content: Content,
) -> Result<Record, SyncRefusal> {
    let next = match (base, intent) {
        (None, Intent::Create) => Next::first(content),
        (Some(base), Intent::Change) => Next::after(base, RecordKind::Edit, content),
        (Some(base), Intent::Delete) => Next::after(base, RecordKind::Tombstone, content),
        _ => return Err(SyncRefusal::malformed("the intent and the base do not fit")),
    };
    record_on(base, group, author, next)
}
