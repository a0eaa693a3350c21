//! The few kinds of error a port may answer with. Made in one file per client, branched on
//! everywhere else. Absent: vendor texts beyond one short sentence for people.

use serde::{Deserialize, Serialize};

pub type PortResult<T> = Result<T, PortError>;

/// What a failed call means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The service answered: there is no such thing.
    Missing,
    /// The service answered: the name or address is taken. Ours or not is a question (B2).
    AlreadyThere,
    /// The service answered: not with these rights (401 after a new login, 403).
    Denied,
    /// The service answered: no, and asking again will not help (400, 409 by state, quota).
    Refused,
    /// The service asks us to come back (429, 503, "Server is busy"); B5, B6.
    Busy { retry_after_ms: Option<u64> },
    /// Nothing left this process, or the connection was refused: nothing happened there (B1).
    Unreachable,
    /// Sent, and no answer understood: it may or may not have happened (B2, B3, 500s of creates).
    Unknown,
}

/// A port's refusal or failure: the kind decides, the text informs people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{what}")]
pub struct PortError {
    pub kind: ErrorKind,
    /// One sentence: which call, on what, and the service's reason. Never a secret or a body.
    pub what: String,
}

impl PortError {
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
        }
    }

    /// True when the service said no for good: repeating the same call is pointless.
    pub fn is_definite_no(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Missing | ErrorKind::AlreadyThere | ErrorKind::Denied | ErrorKind::Refused
        )
    }

    /// True when the effect may have happened although we were not told.
    pub fn is_unknown(&self) -> bool {
        self.kind == ErrorKind::Unknown
    }
}
