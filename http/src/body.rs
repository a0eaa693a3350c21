//! Reading a request body: bounded in bytes, time and depth, each key once, no field unknown.
//!
//! Absent: what the fields mean (`wire`).

use crate::error::ApiError;
use crate::limits::{BODY_TIMEOUT_MS, JSON_DEPTH_MAX};
use crate::request::{BodyStream, single_header};
use crate::wire::object::Whole;
use futures::StreamExt;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use serde::de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

/// Reads all of a body of at most `bytes_max` bytes and parses it.
///
/// Errors: `BodyTooLarge` before anything was parsed, `BodyTimeout`, `UnsupportedMediaType`,
/// `BadRequest` with the parser's words and the place.
pub(crate) async fn read_json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: BodyStream,
    bytes_max: usize,
) -> Result<T, ApiError> {
    check_headers(headers, bytes_max)?;
    let wait = Duration::from_millis(BODY_TIMEOUT_MS);
    let read = tokio::time::timeout(wait, read_bytes(body, bytes_max));
    let bytes = read.await.map_err(|_| ApiError::BodyTimeout)??;
    parse_json(&bytes).map(|Whole(body)| body)
}

/// A request that has nothing to say.
///
/// Errors: `BadRequest` for a body, `BodyTimeout`.
pub(crate) async fn read_nothing(body: BodyStream) -> Result<(), ApiError> {
    let wait = Duration::from_millis(BODY_TIMEOUT_MS);
    let read = tokio::time::timeout(wait, read_bytes(body, 0));
    match read.await.map_err(|_| ApiError::BodyTimeout)? {
        Err(ApiError::BodyTooLarge { .. }) => Err(ApiError::bad("this request takes no body")),
        other => other.map(drop),
    }
}

fn check_headers(headers: &HeaderMap, bytes_max: usize) -> Result<(), ApiError> {
    let encoding = single_header(headers, CONTENT_ENCODING.as_str());
    if !matches!(encoding, Ok(None | Some("identity"))) {
        return Err(ApiError::UnsupportedMediaType {
            why: "Compressed bodies are not read.",
        });
    }
    let Ok(media) = single_header(headers, CONTENT_TYPE.as_str()) else {
        return Err(ApiError::UnsupportedMediaType {
            why: "One Content-Type is wanted.",
        });
    };
    let is_json = |media: &str| {
        let essence = media.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
    };
    if !media.is_none_or(is_json) {
        return Err(ApiError::UnsupportedMediaType {
            why: "Bodies are application/json.",
        });
    }
    let length = single_header(headers, CONTENT_LENGTH.as_str())
        .ok()
        .flatten();
    match length.and_then(|text| text.parse::<usize>().ok()) {
        Some(length) if length > bytes_max => Err(ApiError::BodyTooLarge { bytes_max }),
        _ => Ok(()),
    }
}

async fn read_bytes(mut body: BodyStream, bytes_max: usize) -> Result<Vec<u8>, ApiError> {
    let mut all = Vec::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|()| ApiError::bad("the body broke off"))?;
        if all.len().saturating_add(piece.len()) > bytes_max {
            return Err(ApiError::BodyTooLarge { bytes_max });
        }
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

/// Parses a body twice: once for its shape alone, since maps would let a second key overrule the
/// first in silence, and once into `T`.
fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let shape = Shape { depth: 0 }
        .deserialize(&mut reader)
        .and_then(|()| reader.end());
    shape.map_err(|error| ApiError::bad(format!("the body is no JSON we read: {error}")))?;
    serde_json::from_slice(bytes)
        .map_err(|error| ApiError::bad(format!("the body does not fit: {error}")))
}

/// Walks over any JSON and keeps nothing. Refuses repeated keys and deep nesting.
#[derive(Clone, Copy)]
struct Shape {
    depth: usize,
}

impl Shape {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= JSON_DEPTH_MAX {
            return Err(E::custom(format!("nested more than {JSON_DEPTH_MAX} deep")));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Shape {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shape {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        let mut keys = BTreeSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            entries.next_value_seed(inner)?;
            if keys.contains(&key) {
                return Err(A::Error::custom(format!("key {key:?} is given twice")));
            }
            keys.insert(key);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn check(body: &str, expected: &str) {
        let shown = match parse_json::<Value>(body.as_bytes()) {
            Ok(_) => "fine".to_owned(),
            Err(ApiError::BadRequest { why }) => why,
            Err(other) => format!("{other:?}"),
        };
        assert!(shown.contains(expected), "{body:.60} gave {shown}");
    }

    #[test]
    fn shapes() {
        check(
            r#"{"a": [1, 2.5, -1, null, true, "x", {}], "b": {"a": 1}}"#,
            "fine",
        );
        check(r#"{"a": 1, "b": 2, "a": 1}"#, r#"key "a" is given twice"#);
        check(
            r#"[{"x": {"k": 1, "\u006b": 2}}]"#,
            r#"key "k" is given twice"#,
        );
        check("{} {}", "trailing characters");
        check("1e999", "out of range");
        check("", "EOF");
        check("\u{feff}{}", "expected value");
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        check(&nested(JSON_DEPTH_MAX), "fine");
        check(&nested(JSON_DEPTH_MAX + 1), "deep");
        check(&"[".repeat(100_000), "deep");
    }
}
