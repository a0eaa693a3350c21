//! One request, one answer, one error, without a network.
//!
//! Deliberately absent: `Debug` of requests and answers, since tokens and bodies are in them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

/// Which service a path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Keystone, `/identity`.
    Identity,
    /// Nova, `/compute`.
    Compute,
    /// Cinder, `/volume`.
    Volume,
    /// Neutron, `/network`.
    Network,
    /// Glance, `/image`.
    Image,
}

impl Service {
    /// The first path segment of the service.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Compute => "compute",
            Self::Volume => "volume",
            Self::Network => "network",
            Self::Image => "image",
        }
    }

    /// The service that owns a first path segment.
    pub fn of_prefix(prefix: &str) -> Option<Self> {
        [
            Self::Identity,
            Self::Compute,
            Self::Volume,
            Self::Network,
            Self::Image,
        ]
        .into_iter()
        .find(|service| service.prefix() == prefix)
    }
}

/// A request as it reached the cloud.
#[derive(Clone, Default)]
pub struct Req {
    /// `GET`, `POST`, ...
    pub method: String,
    /// Path without query, still percent-encoded.
    pub path: String,
    /// Decoded query pairs in order.
    pub query: Vec<(String, String)>,
    /// Header names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as sent.
    pub body: Bytes,
}

impl Req {
    /// A request for `path_and_query` without headers or body.
    pub fn new(method: &str, path_and_query: &str) -> Self {
        let (path, query) = path_and_query
            .split_once('?')
            .unwrap_or((path_and_query, ""));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: parse_query(query),
            ..Self::default()
        }
    }

    /// A `GET`.
    pub fn get(path_and_query: &str) -> Self {
        Self::new("GET", path_and_query)
    }

    /// A `DELETE`.
    pub fn delete(path_and_query: &str) -> Self {
        Self::new("DELETE", path_and_query)
    }

    /// A `POST` of JSON.
    pub fn post(path_and_query: &str, body: &Value) -> Self {
        Self::new("POST", path_and_query).json(body)
    }

    /// A `PUT` of JSON.
    pub fn put(path_and_query: &str, body: &Value) -> Self {
        Self::new("PUT", path_and_query).json(body)
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = Bytes::from(body.to_string());
        self
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .insert(name.to_ascii_lowercase(), value.to_owned());
        self
    }

    /// With a Keystone token.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        self.header("x-auth-token", token)
    }

    /// With a microversion, for example `compute 2.90`.
    #[must_use]
    pub fn version(self, service_and_version: &str) -> Self {
        self.header("openstack-api-version", service_and_version)
    }

    /// The value of a header named in lower case.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The first query value of that name.
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Path and query as one text, for the call log.
    pub fn path_and_query(&self) -> String {
        if self.query.is_empty() {
            return self.path.clone();
        }
        format!("{}?{}", self.path, encode_query(&self.query))
    }

    /// The body as JSON; `null` when it is empty, 400 when it is no JSON.
    pub fn body_json(&self) -> Result<Value, Fault> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body)
            .map_err(|_| Fault::bad_request("cannot understand JSON: Malformed request body"))
    }
}

/// The pairs of a query string, decoded.
pub fn parse_query(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name, true), decode(value, true))
        })
        .collect()
}

/// The pairs as a query string, encoded.
pub fn encode_query(pairs: &[(String, String)]) -> String {
    let encoded: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    encoded.join("&")
}

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Undoes percent-encoding; in a query a plus is a space. Broken escapes stay as they are.
pub fn decode(text: &str, plus_is_space: bool) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = tail
            .get(..2)
            .filter(|_| byte == b'%')
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        (rest, _) = match escaped {
            Some(real) => (tail.get(2..).unwrap_or_default(), out.push(real)),
            None if byte == b'+' && plus_is_space => (tail, out.push(b' ')),
            None => (tail, out.push(byte)),
        };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An answer.
#[derive(Clone, Default)]
pub struct Resp {
    /// HTTP status.
    pub status: u16,
    /// Extra headers; content type and length are the carrier's.
    pub headers: BTreeMap<String, String>,
    /// `null` means an empty body.
    pub body: Value,
}

impl Resp {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: BTreeMap::new(),
            body,
        }
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self::json(status, Value::Null)
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// A refusal before it is put into a service's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// HTTP status.
    pub status: u16,
    /// Neutron's exception class; other services do not show it.
    pub kind: &'static str,
    /// What the caller reads.
    pub message: String,
}

/// What a handler gives back.
pub(super) type Answer = Result<Resp, Fault>;

impl Fault {
    /// A refusal whose class Neutron names.
    pub fn typed(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
        }
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::typed(400, "BadRequest", message)
    }

    /// 403.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::typed(403, "Forbidden", message)
    }

    /// 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::typed(404, "HTTPNotFound", message)
    }

    /// 409.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::typed(409, "Conflict", message)
    }

    /// 413, Cinder's way to say that a quota is used up.
    pub fn over_limit(message: impl Into<String>) -> Self {
        Self::typed(413, "OverQuota", message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_survive_the_round_trip() {
        let pairs = vec![
            ("fixed_ips".to_owned(), "ip_address=10.0.0.5".to_owned()),
            ("name".to_owned(), "a b&c%é".to_owned()),
        ];
        assert_eq!(parse_query(&encode_query(&pairs)), pairs);
        assert_eq!(decode("a+b%2", true), "a b%2");
        assert_eq!(decode("a+b%20c", false), "a+b c");
    }
}
