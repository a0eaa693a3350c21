//! What can go wrong with a call, sorted by what the caller may conclude.
//!
//! Deliberately absent: statuses. A response is a response, also with 500.

use super::BoxErr;
use crate::text::cut;

/// Marker of the seam: nothing left this process, or nobody was there to take it.
///
/// A service behind the seam returns it boxed. Repeating the call cannot make a second effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not sent: {0}")]
pub struct NotSent(pub String);

/// Marker of the seam: an answer came but is longer than we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer is longer than {limit_bytes} bytes")]
pub struct BodyTooBig {
    /// The limit that was passed.
    pub limit_bytes: usize,
}

/// Why a call gave no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Certain: no effect. Nothing left this process, or the connection was refused.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The effect may have happened, may happen yet, or not (faults `B1`, `B2`): look before repeating.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// The effect may have happened; the answer is longer than we read.
    #[error("the answer is too long")]
    BodyTooBig,
    /// Certain: no effect. The endpoint failed too often, or asked everybody to wait.
    #[error("the endpoint is resting; ask again in {retry_after_ms} ms")]
    CircuitOpen {
        /// When asking again can make sense, milliseconds from now.
        retry_after_ms: u64,
    },
}

impl CallError {
    /// True if the request certainly had no effect.
    pub fn is_certain_no_effect(&self) -> bool {
        matches!(self, Self::NotSent(_) | Self::CircuitOpen { .. })
    }
}

/// Why an endpoint could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The HTTP client refused its options.
    #[error("the HTTP client cannot be built: {0}")]
    Client(String),
    /// The given roots are not certificates.
    #[error("the root certificates cannot be read: {0}")]
    Roots(String),
}

/// Longest text of an error that is passed on, bytes.
const ERROR_BYTES_MAX: usize = 400;
/// Most links of a chain of causes that are read.
const CAUSES_MAX: usize = 8;

/// The error and its causes in one line: the cause says `Connection refused`, the top only `error`.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let links = std::iter::successors(Some(error), |e| e.source()).take(CAUSES_MAX);
    let text = links
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ");
    cut(&text, ERROR_BYTES_MAX).to_owned()
}

/// Sorts an error of the seam. Everything that is not a marker is an unknown outcome.
pub(super) fn classify(error: &BoxErr) -> CallError {
    match (error.downcast_ref::<NotSent>(), error.is::<BodyTooBig>()) {
        (Some(NotSent(why)), _) => CallError::NotSent(why.clone()),
        (None, true) => CallError::BodyTooBig,
        (None, false) => CallError::Unknown(chain(&**error)),
    }
}
