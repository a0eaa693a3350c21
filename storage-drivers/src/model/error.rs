//! What an array says when it refuses. The fragments that clients look for stand here once.
//! Absent: HTTP status codes (every refusal is 400) and what a refusal means to a product.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of object a refusal speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Array,
    Volume,
    VolumeSnapshot,
    ProtectionGroup,
    ProtectionGroupSnapshot,
    Host,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Array => "Array",
            Self::Volume => "Volume",
            Self::VolumeSnapshot => "Volume snapshot",
            Self::ProtectionGroup => "Protection group",
            Self::ProtectionGroupSnapshot => "Protection group snapshot",
            Self::Host => "Host",
        })
    }
}

/// One line of a refusal: the text and the name or parameter it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorItem {
    pub message: String,
    pub context: String,
}

/// Why a command had no effect. Nothing was changed, whatever the arm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ArrayError {
    /// The object layer refused (HTTP 400 over REST).
    #[error("refused: {}", .0.iter().map(|e| format!("{} ({})", e.message, e.context)).collect::<Vec<_>>().join("; "))]
    Refused(Vec<ErrorItem>),
    /// The array is switched off or not there: nothing was learned.
    #[error("the array does not answer")]
    Unreachable,
}

impl ArrayError {
    /// True when any line of the refusal contains `fragment`.
    #[must_use]
    pub fn says(&self, fragment: &str) -> bool {
        match self {
            Self::Refused(items) => items.iter().any(|item| item.message.contains(fragment)),
            Self::Unreachable => false,
        }
    }
}

pub(super) fn item(message: impl Into<String>, context: &str) -> ErrorItem {
    ErrorItem {
        message: message.into(),
        context: context.to_owned(),
    }
}

pub(super) fn refuse(message: impl Into<String>, context: &str) -> ArrayError {
    ArrayError::Refused(vec![item(message, context)])
}

/// `Ok` when nothing was collected: a call is refused with all its reasons, not the first.
pub(super) fn all_or_nothing(errors: Vec<ErrorItem>) -> Result<(), ArrayError> {
    if errors.is_empty() {
        Ok(())
    } else {
        Err(ArrayError::Refused(errors))
    }
}

pub(super) fn missing(kind: Kind, name: &str) -> ErrorItem {
    match kind {
        Kind::VolumeSnapshot => item("No such volume or snapshot.", name),
        other => item(format!("{other} does not exist."), name),
    }
}

pub(super) fn taken(kind: Kind, name: &str) -> ErrorItem {
    item(format!("{kind} already exists."), name)
}

/// The object is in the bin. Must not contain "already exists": clients take that as "live".
pub(super) fn destroyed(kind: Kind, name: &str) -> ErrorItem {
    item(
        format!("{kind} has been destroyed. It can be recovered or eradicated."),
        name,
    )
}

pub(super) fn limit(kind: Kind, name: &str) -> ErrorItem {
    item(format!("{kind} limit reached."), name)
}

pub(super) fn no_names(parameter: &str) -> ArrayError {
    refuse("At least one name is required.", parameter)
}
