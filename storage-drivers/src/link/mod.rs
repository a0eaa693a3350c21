//! The way to arrays: one call, one answer, and what is known when there is none.
//! Absent: which calls to make (`flasharray`), and how arrays behave (`model`).

mod faulty;
mod file;
mod shared;

pub use faulty::{Fault, FaultyLink};
pub use file::FileWorld;
pub use shared::{CallEntry, SharedWorld};

use async_trait::async_trait;

use crate::model::{Answer, ArrayError, Command};

/// A call brought no answer of success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The array answered no; nothing changed there.
    #[error(transparent)]
    Refused(ArrayError),
    /// Nothing reached the array (fault `B1`).
    #[error("the call was not sent: {0}")]
    NotSent(String),
    /// The array asks to come back later; nothing happened (`B5`, `B6`).
    #[error("the array is busy")]
    Busy { retry_after_ms: Option<u64> },
    /// Not with these rights; nothing happened.
    #[error("denied: {0}")]
    Denied(String),
    /// It may or may not have happened (faults `B2`, `B3`).
    #[error("the outcome of the call is unknown: {0}")]
    Unknown(String),
}

impl From<ArrayError> for LinkError {
    fn from(error: ArrayError) -> Self {
        match error {
            ArrayError::Unreachable => Self::NotSent("the array does not answer".to_owned()),
            refused => Self::Refused(refused),
        }
    }
}

/// Something that carries commands to arrays by their address.
#[async_trait]
pub trait ArrayLink: Send + Sync {
    /// Sends `command` to the array at `array`.
    ///
    /// Errors: `Refused` (an answer), `NotSent` (nothing happened), `Unknown` (look before
    /// repeating).
    async fn call(&self, array: &str, command: Command) -> Result<Answer, LinkError>;
}
