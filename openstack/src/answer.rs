//! A service's answer, and reading it without trusting it (B11, B19). Absent: refusals (`classify`).

use crate::ask::Ask;
use bytes::Bytes;
use http::HeaderMap;
use protector_domain::ports::{ErrorKind, PortError, PortResult};
use serde::de::DeserializeOwned;

/// A successful answer.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as `T`. What is not understood leaves the outcome open, for a read too: nobody knows
    /// what was said.
    pub(crate) fn json<T: DeserializeOwned>(&self, ask: &Ask) -> PortResult<T> {
        serde_json::from_slice(&self.body).map_err(|error| not_understood(ask, &error))
    }

    /// A header as text; empty when absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|v| v.to_str().ok()).unwrap_or("")
    }
}

/// Where it went wrong, not what stood there: serde's own text repeats values.
pub(crate) fn not_understood(ask: &Ask, error: &serde_json::Error) -> PortError {
    let (what, line, column) = (error.classify(), error.line(), error.column());
    let reason = format!("the answer is not understood ({what:?} at {line}:{column})");
    ask.error(ErrorKind::Unknown, &reason)
}

/// Refuses an answer about something else than was asked about (B19).
pub(crate) fn same(ask: &Ask, what: &str, asked: &str, answered: &str) -> PortResult<()> {
    if asked == answered {
        return Ok(());
    }
    let reason = format!("the answer is about another {what}");
    Err(ask.error(ErrorKind::Unknown, &reason))
}

/// An id that the service gave to something new; an empty one is none.
pub(crate) fn new_id(ask: &Ask, id: String) -> PortResult<String> {
    if id.is_empty() {
        return Err(ask.error(ErrorKind::Unknown, "the answer carries no id"));
    }
    Ok(id)
}

/// `Missing` as `None`.
pub(crate) fn optional<T>(outcome: PortResult<T>) -> PortResult<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == ErrorKind::Missing => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Service;

    #[derive(serde::Deserialize, Debug)]
    struct Body {
        #[expect(dead_code)]
        count: u64,
    }

    #[test]
    fn broken_bodies_leave_the_outcome_open_and_leak_nothing() {
        let ask = Ask::post(Service::Compute, "server_create", "/servers").on("web-1");
        for body in [
            "",
            r#"{"coun"#,
            "null",
            r#"{"count":"canary"}"#,
            r#"{"count":null}"#,
        ] {
            let answer = Answer {
                headers: HeaderMap::new(),
                body: Bytes::from(body),
            };
            let error = answer.json::<Body>(&ask).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unknown);
            assert!(!error.what.contains("canary"), "{}", error.what);
            assert!(
                error.what.starts_with("nova: server_create web-1: "),
                "{}",
                error.what
            );
        }
    }

    #[test]
    fn only_missing_is_none() {
        let missing = PortError::new(ErrorKind::Missing, "x");
        let unknown = PortError::new(ErrorKind::Unknown, "x");
        assert_eq!(optional::<()>(Err(missing)), Ok(None));
        assert_eq!(optional::<()>(Err(unknown.clone())), Err(unknown));
        assert_eq!(optional(Ok(1)), Ok(Some(1)));
    }
}
