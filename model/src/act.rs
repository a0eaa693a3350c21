//! What can happen to one site, as a small value that can be looked up and shown.
//!
//! Absent: whether it may happen, which the rules say, and how often, which a run's bounds say.

use protector_domain::sync::Intent;
use std::fmt;

/// One thing that happens at one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// R1, with the ticket of this number.
    Ask {
        intent: Intent,
        ticket: u32,
    },
    /// A message arrives. `Late`: the clock has passed the life of every ticket. `Refused`: this
    /// site finds lasting reasons against the body. `offer`: the operation for a lock ticket.
    Deliver {
        letter: u32,
        how: How,
        offer: Option<u32>,
    },
    /// R4.
    Force {
        operation: u32,
        reclaim: bool,
    },
    /// R4, section 10: delete without the peer.
    Abandon,
    /// R5: the running operation is through.
    Finish,
    /// R10: the running operation is undone and over.
    Abort,
    /// R11 at the holder, for the operation of this number.
    AskRelease {
        operation: u32,
        searched: bool,
    },
    /// R12.
    Settle,
    /// The engine starts anew.
    Restart,
    /// A drill or other local work takes the place.
    TakeLocal {
        operation: u32,
    },
    EndLocal,
    /// R13: the restore of the database was noticed.
    Restored,
}

/// How a message arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    Plain,
    Late,
    Refused,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask { intent, ticket } => write!(f, "asks ticket {ticket} for {intent:?}"),
            Self::Deliver { letter, how, .. } => write!(f, "hears message {letter} ({how:?})"),
            Self::Force { operation, reclaim } => {
                write!(f, "forces a move, operation {operation}, reclaim {reclaim}")
            }
            Self::Abandon => f.write_str("deletes without its peer"),
            Self::Finish => f.write_str("finishes its operation"),
            Self::Abort => f.write_str("aborts its operation"),
            Self::AskRelease {
                operation,
                searched,
            } => write!(f, "signs the release of {operation}, searched {searched}"),
            Self::Settle => f.write_str("settles its lock"),
            Self::Restart => f.write_str("starts anew"),
            Self::TakeLocal { operation } => write!(f, "starts local operation {operation}"),
            Self::EndLocal => f.write_str("ends its local operation"),
            Self::Restored => f.write_str("notices that it was restored"),
        }
    }
}
