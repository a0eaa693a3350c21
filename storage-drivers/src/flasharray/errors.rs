//! What an array's refusal means for a caller. The only file that reads message texts.

use protector_domain::ports::{ErrorKind, PortError};

use crate::link::LinkError;
use crate::model::{ArrayError, ErrorItem};

/// Meanings by fragment, first match counts. Destroyed things keep their names: for one who looks
/// for them they are gone, for one who wants the name it is taken (`recover` tells these apart).
const MEANINGS: [(&str, ErrorKind); 9] = [
    ("does not exist", ErrorKind::Missing),
    ("No such volume or snapshot", ErrorKind::Missing),
    ("could not be found", ErrorKind::Missing),
    ("has been destroyed", ErrorKind::Missing),
    ("has been deleted", ErrorKind::Missing),
    ("already exists", ErrorKind::AlreadyThere),
    ("already includes", ErrorKind::AlreadyThere),
    ("already belongs", ErrorKind::AlreadyThere),
    ("already allowed on", ErrorKind::AlreadyThere),
];
/// A 500 that says this had no effect; any other 500 leaves that open.
const BUSY: &str = "Server is busy";

fn meaning(item: &ErrorItem) -> ErrorKind {
    let found = MEANINGS
        .iter()
        .find(|(fragment, _)| item.message.contains(fragment));
    found.map_or(ErrorKind::Refused, |(_, kind)| *kind)
}

/// The error of a port for a call `what` that failed with `error`.
///
/// Several reasons at once: something missing outweighs a taken name, since then another choice
/// has to be made first.
pub(crate) fn port_error(what: &str, error: &LinkError) -> PortError {
    let kind = match error {
        LinkError::NotSent(_) | LinkError::Refused(ArrayError::Unreachable) => {
            ErrorKind::Unreachable
        }
        LinkError::Busy { retry_after_ms } => ErrorKind::Busy {
            retry_after_ms: *retry_after_ms,
        },
        LinkError::Denied(_) => ErrorKind::Denied,
        LinkError::Unknown(_) => ErrorKind::Unknown,
        LinkError::Refused(ArrayError::Refused(items)) => {
            let kinds: Vec<ErrorKind> = items.iter().map(meaning).collect();
            let has = |kind: ErrorKind| kinds.contains(&kind).then_some(kind);
            has(ErrorKind::Missing)
                .or(has(ErrorKind::AlreadyThere))
                .unwrap_or(ErrorKind::Refused)
        }
    };
    PortError::new(kind, format!("{what}: {error}"))
}

/// True when an array's failure (HTTP 500) only means that it has too much to do.
pub(crate) fn is_busy(items: &[ErrorItem]) -> bool {
    items.iter().any(|item| item.message.contains(BUSY))
}

/// True when the array said that `name` lies in its bin.
pub(super) fn is_binned(error: &LinkError, name: &str) -> bool {
    match error {
        LinkError::Refused(ArrayError::Refused(items)) => items.iter().any(|item| {
            item.message.contains("has been destroyed") && item.context.eq_ignore_ascii_case(name)
        }),
        _ => false,
    }
}
