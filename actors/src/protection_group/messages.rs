//! What a group is sent. The API sends the first block, bounded by its own connections; the group's
//! tasks send the second, one message each.

use crate::gather::change::Drafted;
use protector_domain::operation::failover::{FailoverAsk, FailoverFacts};
use protector_domain::ports::engine::{Caller, Change, EngineError, Reply};
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

/// A move as it was asked.
#[derive(Debug, Clone)]
pub(crate) struct MoveAsk {
    pub caller: Caller,
    pub ask: FailoverAsk,
    pub dry_run: bool,
    pub idempotency_key: Option<String>,
}

pub(crate) enum GroupMsg {
    /// R1: check the change, open a ticket.
    Ticket {
        ask: Box<ChangeAsk>,
        answer: Answer,
    },
    /// A message that a courier brought: R2, R3, R6, R7.
    Courier {
        caller: Caller,
        message: Box<Verified>,
        answer: Answer,
    },
    Failover {
        ask: Box<MoveAsk>,
        answer: Answer,
    },
    /// CG-06.
    SyncVolumes {
        caller: Caller,
        answer: Answer,
    },

    /// The facts of a change are there, and what `domain` made of them.
    Drafted {
        drafted: Box<Result<Drafted, Refusals>>,
        answer: Answer,
    },
    /// The facts of a move are there.
    Gathered {
        ask: Box<MoveAsk>,
        facts: Box<FailoverFacts>,
        answer: Answer,
    },
    /// They could not be gathered.
    GatherFailed {
        why: EngineError,
        answer: Answer,
    },
}
