//! What the rules are asked, what they answer, and what they are given besides: no clock, no
//! randomness and no I/O, so times, nonces and new ids are values in here.

use super::digest::Digest;
use super::frame::{Signed, SigningIdentity, Verified};
use super::message::{Intent, LockOffer, MessageContent, Nonce, SourceVms};
use super::order::Epoch;
use super::record::{Content, Record, RecordRef};
use super::state::{GroupSync, Kept};
use super::tickets::Tickets;
use crate::ids::OperationId;
use serde_json::{Value, json};

/// One thing that happens to a group at one site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// R1: open a ticket; its M1 goes to the peer. `draft` for `create` and `change` only.
    AskTicket {
        nonce: Nonce,
        intent: Intent,
        draft: Option<Content>,
        /// The local operation that makes the change, if one does.
        for_operation: Option<OperationId>,
    },
    /// R2 (and M7 for a `head` ticket): a ticket of the peer. `offer` for a `lock` ticket only:
    /// the new operation with its frozen plan.
    Ticket {
        ticket: Verified,
        offer: Option<LockOffer>,
    },
    /// R3: commit with the peer's reservation. None: the peer did not answer (X7).
    Commit { reservation: Option<Verified> },
    /// R4: move leadership here, asking nobody.
    ForcedMove {
        operation: OperationId,
        plan_digest: Digest,
        /// The body as it stands while the move runs (`failing_over`).
        content: Content,
        /// The operator said `--reclaim`: needed where this site leads already.
        reclaim: bool,
    },
    /// R4, section 10: delete although the peer is gone for good.
    AbandonPeer,
    /// R5: the operation is through.
    Finish {
        operation: OperationId,
        content: Content,
    },
    /// R6, R8: an envelope, of the peer or of this site.
    Envelope(Verified),
    /// R7.
    Receipt(Verified),
    /// R9.
    Rejection(Verified),
    /// R10: the operation is undone and over. Also the deadline of a requested one.
    Abort { operation: OperationId },
    /// R11 at the holder: sign that the operation is over without a mint.
    AskRelease {
        operation: OperationId,
        source_vms: SourceVms,
        /// The clouds were searched for the operation's keys and nothing runs: needed for an
        /// operation that a restore has forgotten.
        searched: bool,
    },
    /// R11 at the leader.
    Release(Verified),
    /// R12: the leader's own lock, whose operation a restore has lost and whose objects were
    /// adopted or undone.
    Settle { content: Content },
    /// R13: `db restored`, or the mark beside the identity key is ahead of the database.
    Restored,
    /// R13: the peer's answer to a `head` ticket, with the peer's envelope if that is newer.
    Head {
        head: Box<Verified>,
        envelope: Option<Box<Verified>>,
    },
    /// The engine starts: tickets are gone and a requested operation is over.
    EngineStarted,
    /// An operation that does not move leadership begins.
    TakeLocal { operation: OperationId },
    /// It ends, well or badly.
    EndLocal { operation: OperationId },
    /// An operator deletes an entry of the sync log (K4).
    PurgeKept { digest: Digest },
}

impl Input {
    /// What a courier's message asks of this site. A `lock` ticket needs an offer besides, and a
    /// newer head its envelope: those are not made here.
    pub fn from_courier(message: Verified) -> Self {
        match message.message().content {
            MessageContent::Ticket(_) => Self::Ticket {
                ticket: message,
                offer: None,
            },
            MessageContent::Reservation(_) => Self::Commit {
                reservation: Some(message),
            },
            MessageContent::Envelope(_) => Self::Envelope(message),
            MessageContent::Receipt(_) => Self::Receipt(message),
            MessageContent::Release(_) => Self::Release(message),
            MessageContent::Rejection(_) => Self::Rejection(message),
            MessageContent::Head(_) => Self::Head {
                head: Box::new(message),
                envelope: None,
            },
        }
    }
}

/// What the caller does once the new state is committed, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Hand this to the courier.
    Reply(Signed),
    /// K1 changed: write the projections anew. `is_own`: authored here, and pending.
    RecordChanged { at: RecordRef, is_own: bool },
    /// The change may be reported `synced`, and its destructive effects may begin.
    Synced { at: RecordRef },
    /// An entry for the sync log (K4), for ever.
    Kept(Box<Kept>),
    /// A planned operation was accepted and waits for its lock, [`super::REQUEST_LIFE_MS`] long.
    OperationRequested { operation: OperationId },
    /// The engine may run it, under this epoch.
    OperationStarts {
        operation: OperationId,
        epoch: Epoch,
    },
    /// It is over for ever. Undo own objects only, except what `adopted_by` takes over by key.
    OperationDied {
        operation: OperationId,
        adopted_by: Option<OperationId>,
    },
    /// It ended with its record.
    OperationDone { operation: OperationId },
    /// This site led and does not lead any more: stop starting, look for what still runs.
    LeadershipLost { epoch: Epoch },
    /// The lock is gone; with `Unknown` start what is missing.
    Unlocked {
        operation: OperationId,
        source_vms: SourceVms,
    },
    /// The memory of this site is in doubt: write the mark beside the identity key, too.
    Suspected { restore_mark: u64 },
    /// The doubt is over.
    Trusted,
}

/// A new state with what follows from it. Commit `state`, then keep `tickets`, then do `outputs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub state: GroupSync,
    pub tickets: Tickets,
    pub outputs: Vec<Output>,
}

/// Judges bodies, which the rules do not read (section 11).
pub trait BodyCheck {
    /// Lasting reasons against storing `next` here, where `current` is in force. Empty: none.
    fn lasting_reasons(&self, next: &Record, current: Option<&Record>) -> Vec<String>;

    /// What stays of a body when the group is deleted: its name.
    fn tombstone_body(&self, body: &Value) -> Value {
        json!({ "name": body.get("name").cloned().unwrap_or(Value::Null) })
    }
}

/// What the rules are given besides state and input.
#[derive(Clone, Copy)]
pub struct StepContext<'a> {
    /// Signs what this site says. Its site must be one of the group's two.
    pub identity: &'a SigningIdentity,
    pub body: &'a dyn BodyCheck,
    /// Milliseconds of a clock that never jumps; only for tickets.
    pub monotonic_ms: u64,
    /// The mark to raise if this step discovers a restore, from `raised_mark`: above every earlier
    /// one, in the database and beside the identity key.
    pub fresh_mark: u64,
}
