//! Faults as values, and the notes that the network takes of every call.

use serde::Serialize;

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Done there, and nobody tells us (B2).
    LoseAnswer,
    /// Arrives this much later than it was sent, milliseconds; by then nobody waits (B3).
    Late(u64),
    /// Delivered twice by something in between (B4).
    Twice,
    /// Refused before it leaves (B1).
    Refuse,
}

/// A fault that waits for its call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Armed {
    pub from: String,
    /// How many more calls of `from` pass unharmed.
    pub skip: u64,
    pub fault: Fault,
}

/// One call as the network saw it. No body, no header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallNote {
    pub at_ms: i64,
    pub from: String,
    pub to: String,
    /// Method and path, or the array command.
    pub what: String,
}
