//! What an answer without success means for the call. What the array's own texts mean is read in
//! `flasharray::errors` alone. Absent: second tries (`connection`).

use bytes::Bytes;
use http::Response;
use protector_runtime::remote::{CallError, retry_after_ms};
use serde::Deserialize;

use crate::flasharray::errors::is_busy;
use crate::link::LinkError;
use crate::model::{ArrayError, ErrorItem};

/// Longest text of an array that is passed on, in letters.
const TEXT_CHARS_MAX: usize = 200;
/// Most reasons of one refusal that are read.
const ITEMS_MAX: usize = 20;

/// `{"errors": [{"message", "context"}]}`; 403 and 429 carry a bare `message`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    errors: Vec<Item>,
    message: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Item {
    message: Option<String>,
    context: Option<String>,
}

/// One line, no control characters, short.
pub(super) fn clean(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .collect();
    let line = words
        .into_iter()
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>();
    line.join(" ").chars().take(TEXT_CHARS_MAX).collect()
}

fn items_of(body: &[u8]) -> Vec<ErrorItem> {
    let body: Body = serde_json::from_slice(body).unwrap_or_default();
    let bare = body.message.map(|message| Item {
        message: Some(message),
        context: None,
    });
    let all = body.errors.into_iter().chain(bare).take(ITEMS_MAX);
    all.map(|item| ErrorItem {
        message: clean(&item.message.unwrap_or_default()),
        context: clean(&item.context.unwrap_or_default()),
    })
    .collect()
}

/// A refusal in our own words.
pub(super) fn refused(message: impl Into<String>, context: &str) -> LinkError {
    LinkError::Refused(ArrayError::Refused(vec![ErrorItem {
        message: message.into(),
        context: context.to_owned(),
    }]))
}

/// What `response`, which is no success, means. 401 is one that stayed after a new login.
pub(super) fn answer_error(response: &Response<Bytes>, path: &str, now_ms: i64) -> LinkError {
    let status = response.status().as_u16();
    let items = items_of(response.body());
    let busy = LinkError::Busy {
        retry_after_ms: retry_after_ms(response.headers(), now_ms),
    };
    match status {
        400 if items.is_empty() => refused("400 without a reason", path),
        400 => LinkError::Refused(ArrayError::Refused(items)),
        401 | 403 => LinkError::Denied(denial(status, &items)),
        404 => refused("404: no such call on this array", path),
        429 | 503 => busy,
        500 if is_busy(&items) => busy,
        300..=399 => refused(
            format!("{status}: a redirect; the array's URL is another"),
            path,
        ),
        408 | 500..=599 => LinkError::Unknown(format!("{status} {}", first(&items))),
        _ => refused(format!("{status} {}", first(&items)), path),
    }
}

fn first(items: &[ErrorItem]) -> &str {
    items.first().map_or("", |item| item.message.as_str())
}

fn denial(status: u16, items: &[ErrorItem]) -> String {
    match first(items) {
        "" => status.to_string(),
        text => format!("{status} {text}"),
    }
}

/// What a call without an answer means. `resting`: the endpoint's circuit is not closed, i.e. the
/// array could not be reached again and again.
pub(super) fn call_error(error: CallError, resting: bool) -> LinkError {
    match error {
        CallError::NotSent(why) => LinkError::NotSent(why),
        CallError::CircuitOpen { .. } if resting => {
            LinkError::NotSent("failed too often; resting for a moment".to_owned())
        }
        // It asked for a pause.
        CallError::CircuitOpen { retry_after_ms } => LinkError::Busy {
            retry_after_ms: Some(retry_after_ms),
        },
        CallError::Unknown(why) => LinkError::Unknown(why),
        CallError::BodyTooBig => LinkError::Unknown("the answer is too long".to_owned()),
    }
}

/// A failed login as an error of the call that needed it: that call was not sent.
pub(super) fn login_error(error: LinkError) -> LinkError {
    match error {
        LinkError::Unknown(why) => LinkError::NotSent(format!("login: {why}")),
        LinkError::NotSent(why) => LinkError::NotSent(format!("login: {why}")),
        LinkError::Denied(why) => LinkError::Denied(format!("login: {why}")),
        kept @ (LinkError::Busy { .. } | LinkError::Refused(_)) => kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flasharray::errors::port_error;
    use protector_domain::ports::ErrorKind;

    const BUSY: ErrorKind = ErrorKind::Busy {
        retry_after_ms: None,
    };

    fn kind(status: u16, body: &str) -> ErrorKind {
        let mut response = Response::new(Bytes::from(body.to_owned()));
        *response.status_mut() = status.try_into().unwrap();
        port_error("x", &answer_error(&response, "/x", 0)).kind
    }

    fn said(text: &str) -> String {
        serde_json::json!({"errors": [{"message": text, "context": "x"}]}).to_string()
    }

    #[test]
    fn statuses_without_words() {
        use ErrorKind::{Denied, Refused, Unknown};
        for (status, expected) in [
            (302, Refused),
            (400, Refused),
            (401, Denied),
            (403, Denied),
            (404, Refused),
            (408, Unknown),
            (409, Refused),
            (429, BUSY),
            (500, Unknown),
            (502, Unknown),
            (503, BUSY),
            (504, Unknown),
        ] {
            for body in ["", "<html>", "[]", "{}", r#"{"errors":[]}"#] {
                assert_eq!(kind(status, body), expected, "{status} {body}");
            }
        }
    }

    #[test]
    fn the_arrays_words() {
        use ErrorKind::{AlreadyThere, Missing, Refused};
        for (text, expected) in [
            ("Volume does not exist.", Missing),
            ("No such volume or snapshot.", Missing),
            ("Volume has been destroyed. It can be recovered.", Missing),
            ("Volume has been deleted.", Missing),
            ("Member could not be found.", Missing),
            ("Protection group already exists.", AlreadyThere),
            ("Protection group already includes B.", AlreadyThere),
            ("Protection group is already allowed on B.", AlreadyThere),
            ("Volume limit reached.", Refused),
            ("Eradication is disabled.", Refused),
        ] {
            assert_eq!(kind(400, &said(text)), expected, "{text}");
        }
        assert_eq!(kind(500, &said("Server is busy")), BUSY);
        assert_eq!(kind(500, &said("Internal error")), ErrorKind::Unknown);
    }

    #[test]
    fn a_told_pause_is_passed_on() {
        let mut response = Response::new(Bytes::from(r#"{"message":"slow down"}"#));
        *response.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
        response
            .headers_mut()
            .insert("retry-after", "7".parse().unwrap());
        let busy = LinkError::Busy {
            retry_after_ms: Some(7_000),
        };
        assert_eq!(answer_error(&response, "/x", 0), busy);
    }

    #[test]
    fn wild_texts_are_tamed() {
        let body = said(&format!("a\r\n\u{7}b {}", "é".repeat(5_000)));
        let text = items_of(body.as_bytes()).remove(0).message;
        assert!(text.starts_with("a b é"), "{text}");
        assert_eq!(text.chars().count(), TEXT_CHARS_MAX);
    }
}
