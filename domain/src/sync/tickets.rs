//! Tickets (K6): questions to the peer that this process has not finished. In memory only; a
//! restart drops them, and nothing that safety rests on is lost with them.

use super::message::{Intent, Nonce};
use super::record::{Record, RecordRef};
use crate::ids::OperationId;

/// Open tickets per group; the oldest gives way.
pub const MAX_TICKETS: usize = 4;
/// Life of a ticket, milliseconds of the monotonic clock.
pub const TICKET_LIFE_MS: u64 = 120_000;
/// Life of an operation that waits for its lock, milliseconds of the monotonic clock. The engine
/// ends it with `Input::Abort`.
pub const REQUEST_LIFE_MS: u64 = 600_000;

/// One open question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenTicket {
    pub nonce: Nonce,
    pub intent: Intent,
    pub base: Option<RecordRef>,
    /// What would be committed; none for `lock` and `head`.
    pub next: Option<Record>,
    /// The local operation on whose behalf the change is made.
    pub for_operation: Option<OperationId>,
    pub deadline_ms: u64,
}

/// The open tickets of one group, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tickets(Vec<OpenTicket>);

impl Tickets {
    pub fn new() -> Self {
        Self::default()
    }

    /// How many are remembered; dead ones count until the next one is opened.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn open(&mut self, ticket: OpenTicket, now_ms: u64) {
        self.0.retain(|open| open.deadline_ms > now_ms);
        if self.0.len() >= MAX_TICKETS {
            self.0.remove(0);
        }
        self.0.push(ticket);
    }

    /// Takes a live ticket out: it can be used once.
    pub(super) fn take(&mut self, nonce: &Nonce, now_ms: u64) -> Option<OpenTicket> {
        let place = self.0.iter().position(|open| open.nonce == *nonce)?;
        let ticket = self.0.remove(place);
        (ticket.deadline_ms > now_ms).then_some(ticket)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
