//! What a group is sent. The API sends the first block, bounded by its own connections; the group's
//! tasks send the second, one message each.

use crate::gather::change::Drafted;
use crate::gather::failover::Prepared;
use protector_domain::ids::OperationId;
use protector_domain::operation::OperationMode;
use protector_domain::operation::failover::{FailoverAsk, TestAsk};
use protector_domain::ports::engine::{Caller, Change, EngineError, MoveKind, Reply};
use protector_domain::refusal::Refusals;
use protector_domain::sync::Verified;
use protector_runtime::mailbox::Reply as ReplyTo;

/// What goes back to the API.
pub(crate) type Answer = ReplyTo<Result<Reply, EngineError>>;

/// A change as it was asked.
#[derive(Debug, Clone)]
pub(crate) struct ChangeAsk {
    pub caller: Caller,
    pub change: Change,
}

/// What an operation is asked to be.
#[derive(Debug, Clone)]
pub(crate) enum Goal {
    /// A planned one comes with the leader's lock ticket.
    Move {
        kind: MoveKind,
        ask: FailoverAsk,
        ticket: Option<Box<Verified>>,
    },
    Test(TestAsk),
    Cleanup,
    /// Another try for the members that this move left down.
    Retry(OperationId),
}

impl Goal {
    /// A move that asks nobody.
    pub fn is_forced(&self) -> bool {
        matches!(self, Self::Move { ask, .. } if ask.mode == OperationMode::Unplanned)
    }
}

/// An operation as it was asked.
#[derive(Debug, Clone)]
pub(crate) struct OperationAsk {
    pub caller: Caller,
    pub goal: Goal,
    pub dry_run: bool,
    pub idempotency_key: Option<String>,
}

pub(crate) enum GroupMsg {
    /// R1: check the change, open a ticket.
    Ticket { ask: Box<ChangeAsk>, answer: Answer },
    /// A message that a courier brought: R2, R3, R6, R7.
    Courier {
        caller: Caller,
        message: Box<Verified>,
        /// With a head: the peer's record, if that is newer.
        envelope: Option<Box<Verified>>,
        answer: Answer,
    },
    Operate {
        ask: Box<OperationAsk>,
        answer: Answer,
    },
    /// R11: is this operation over without a move?
    AskRelease {
        caller: Caller,
        operation: OperationId,
        answer: Answer,
    },
    /// R1 for a lock: the right to start VMs is to go to the peer's operation.
    LockTicket { caller: Caller, answer: Answer },
    /// R1 for a head: this site is in doubt and asks where its peer stands.
    HeadTicket { caller: Caller, answer: Answer },
    /// R4 with a tombstone.
    AbandonPeer { caller: Caller, answer: Answer },
    /// CG-06.
    SyncVolumes { caller: Caller, answer: Answer },

    /// The facts of a change are there, and what `domain` made of them.
    Drafted {
        drafted: Box<Result<Drafted, Refusals>>,
        answer: Answer,
    },
    /// The facts of a move are there.
    Gathered {
        ask: Box<OperationAsk>,
        prepared: Box<Prepared>,
        answer: Answer,
    },
    /// Our cloud was searched for what runs of an operation that a restore has ended.
    Searched {
        caller: Caller,
        operation: OperationId,
        found: Result<usize, EngineError>,
        answer: Answer,
    },
    /// Nobody wants the request any more that waits for its lock (R10).
    WithdrawRequest {
        operation: OperationId,
        answer: Answer,
    },
    /// A planned move's lock has not come in time (R10).
    RequestDeadline(OperationId),
    /// They could not be gathered, or were not needed; the asker knows.
    Idle,
    /// The facts of a change could not be gathered.
    DraftFailed { why: EngineError, answer: Answer },
}
