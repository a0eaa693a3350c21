//! A request as it arrived, and its parts taken apart: path, query, single headers.
//!
//! Absent: what any of it means. Nothing here is trusted, and headers that claim an identity
//! (`X-Project-Id`, `X-Roles`, ...) are never read by anybody (K8).

use crate::error::ApiError;
use crate::limits::{NAME_CHARS_MAX, PATH_BYTES_MAX, QUERY_BYTES_MAX};
use bytes::Bytes;
use futures::stream::BoxStream;
use http::{HeaderMap, Method};
use std::collections::BTreeMap;

/// The body in pieces; `Err` when the connection broke.
pub(crate) type BodyStream = BoxStream<'static, Result<Bytes, ()>>;

/// What came in, without the body, which only one may read.
pub(crate) struct Inbound {
    pub method: Method,
    /// Still percent-encoded.
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
}

impl Inbound {
    /// The only value of a header.
    ///
    /// Errors: `Err(())` if it comes more than once or is not plain text.
    pub fn header(&self, name: &str) -> Result<Option<&str>, ()> {
        single_header(&self.headers, name)
    }
}

/// The only value of a header; see [`Inbound::header`].
pub(crate) fn single_header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => one.to_str().map(|text| Some(text.trim())).map_err(drop),
        (Some(_), Some(_)) => Err(()),
    }
}

/// The parts of a path, each decoded after the split: an encoded slash is data, never a separator
/// (K18). One slash at the end makes no difference. `None`: no path we could have made.
pub(crate) fn path_segments(path: &str) -> Option<Vec<String>> {
    let rest = path.strip_prefix('/')?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.is_empty() {
        return (path == "/").then(Vec::new);
    }
    rest.split('/')
        .map(|part| percent_decode(part, false))
        .collect()
}

/// True when a path or query is longer than anything we read.
pub(crate) fn is_too_long(inbound: &Inbound) -> bool {
    inbound.path.len() > PATH_BYTES_MAX || inbound.query.len() > QUERY_BYTES_MAX
}

/// True for what can be a name or an id: 1 to [`NAME_CHARS_MAX`] characters, none of them control.
pub(crate) fn is_name(text: &str) -> bool {
    let length = text.chars().count();
    (1..=NAME_CHARS_MAX).contains(&length) && !text.chars().any(char::is_control)
}

/// The parameters of a query, of which only `allowed` ones are known, each at most once (K14).
pub(crate) fn query_params(
    query: &str,
    allowed: &[&str],
) -> Result<BTreeMap<String, String>, ApiError> {
    let mut params = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = percent_decode(name, true).zip(percent_decode(value, true));
        let Some((name, value)) = decoded else {
            return Err(ApiError::bad("the query is not percent-encoded UTF-8"));
        };
        if !allowed.contains(&name.as_str()) {
            let known = allowed.join(", ");
            return Err(ApiError::bad(format!(
                "unknown query parameter {name:?}; known: [{known}]"
            )));
        }
        if params.insert(name.clone(), value).is_some() {
            return Err(ApiError::bad(format!(
                "query parameter {name} is given twice"
            )));
        }
    }
    Ok(params)
}

/// Undoes percent-encoding. `None`: a broken escape, or not UTF-8.
fn percent_decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex_digit(bytes.next()?)? * 16 + hex_digit(bytes.next()?)?,
            b'+' if plus_is_space => b' ',
            plain => plain,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Encodes what may not stand in a path or query as it is.
pub(crate) fn percent_encode(text: &str) -> String {
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut out, byte| {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    out.push(byte.into())
                }
                other => out.push_str(&format!("%{other:02X}")),
            }
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(path: &str) -> String {
        path_segments(path).map_or("none".into(), |parts| format!("{parts:?}"))
    }

    #[test]
    fn paths_split_before_they_are_decoded() {
        assert_eq!(segments("/"), "[]");
        assert_eq!(segments("/v1/a"), r#"["v1", "a"]"#);
        assert_eq!(segments("/v1/a/"), r#"["v1", "a"]"#);
        assert_eq!(segments("//"), "none");
        assert_eq!(segments("/v1//a"), r#"["v1", "", "a"]"#);
        assert_eq!(segments("/v1%2Fa/%68"), r#"["v1/a", "h"]"#);
        assert_eq!(segments("/%ff"), "none");
        assert_eq!(segments("/%4"), "none");
        assert_eq!(segments("*"), "none");
        assert_eq!(segments(""), "none");
    }

    #[test]
    fn queries_know_their_parameters() {
        let read = |query: &str| query_params(query, &["a", "b"]).map_err(|e| format!("{e:?}"));
        let params = read("a=1%202+3&b=").unwrap();
        assert_eq!(params.get("a").map(String::as_str), Some("1 2 3"));
        assert_eq!(params.get("b").map(String::as_str), Some(""));
        assert!(read("").unwrap().is_empty());
        for broken in ["c=1", "a=1&a=2", "a=%zz", "a=%ff", "%61=1&a=2"] {
            assert!(read(broken).is_err(), "{broken} must be refused");
        }
    }

    #[test]
    fn encoding_comes_back_as_it_was() {
        for text in ["plain", "a/b c+d", "ä\u{202e}\0", "%", ""] {
            let encoded = percent_encode(text);
            assert!(encoded.is_ascii() && !encoded.contains('/'));
            assert_eq!(percent_decode(&encoded, true).as_deref(), Some(text));
        }
    }

    #[test]
    fn names_are_short_and_printable() {
        assert!(is_name("web 1/ä%"));
        assert!(is_name(&"x".repeat(NAME_CHARS_MAX)));
        for bad in ["", "a\0", "a\nb", &"x".repeat(NAME_CHARS_MAX + 1)] {
            assert!(!is_name(bad));
        }
    }
}
