//! One request as data, before there is a token or an address. Absent: sending it (`client`).

use crate::service::Service;
use bytes::Bytes;
use http::Method;
use protector_domain::ports::{ErrorKind, PortError, PortResult};
use secrecy::SecretString;
use serde_json::Value;
use std::fmt;

/// A version of Nova's or Cinder's API, pinned per call: the lowest that has what the call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Microversion(pub(crate) u16, pub(crate) u16);

impl fmt::Display for Microversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl Microversion {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.trim().split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

/// One request. `call` and `object` are for the sentence in errors.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) service: Service,
    /// The port's method.
    pub(crate) call: &'static str,
    /// What it is about: an id or a name of ours. Never a secret.
    pub(crate) object: String,
    pub(crate) method: Method,
    /// Below the service's address; starts with `/`, already encoded.
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Bytes>,
    pub(crate) version: Option<Microversion>,
    /// The version document instead of a path below the address.
    pub(crate) at_version_root: bool,
    /// A token to ask Keystone about.
    pub(crate) subject: Option<SecretString>,
}

impl Ask {
    pub(crate) fn new(
        service: Service,
        call: &'static str,
        method: Method,
        path: impl Into<String>,
    ) -> Self {
        Self {
            service,
            call,
            object: String::new(),
            method,
            path: path.into(),
            query: Vec::new(),
            body: None,
            version: None,
            at_version_root: false,
            subject: None,
        }
    }

    pub(crate) fn get(service: Service, call: &'static str, path: impl Into<String>) -> Self {
        Self::new(service, call, Method::GET, path)
    }

    pub(crate) fn post(service: Service, call: &'static str, path: impl Into<String>) -> Self {
        Self::new(service, call, Method::POST, path)
    }

    pub(crate) fn put(service: Service, call: &'static str, path: impl Into<String>) -> Self {
        Self::new(service, call, Method::PUT, path)
    }

    pub(crate) fn delete(service: Service, call: &'static str, path: impl Into<String>) -> Self {
        Self::new(service, call, Method::DELETE, path)
    }

    pub(crate) fn on(mut self, object: impl Into<String>) -> Self {
        self.object = object.into();
        self
    }

    pub(crate) fn query(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = Some(Bytes::from(body.to_string()));
        self
    }

    pub(crate) fn version(mut self, version: Microversion) -> Self {
        self.version = Some(version);
        self
    }

    /// True when the call may change something: its failure may then leave the outcome open.
    pub(crate) fn writes(&self) -> bool {
        self.method != Method::GET && self.method != Method::HEAD
    }

    /// An error of this call, in one sentence.
    pub(crate) fn error(&self, kind: ErrorKind, reason: &str) -> PortError {
        let (service, call, object) = (self.service.name(), self.call, self.object.as_str());
        let gap = if object.is_empty() { "" } else { " " };
        PortError::new(kind, format!("{service}: {call}{gap}{object}: {reason}"))
    }

    /// Path and query below the service's address.
    pub(crate) fn path_and_query(&self) -> String {
        let mut text = self.path.clone();
        for (nth, (key, value)) in self.query.iter().enumerate() {
            text.push(if nth == 0 { '?' } else { '&' });
            text.push_str(key);
            text.push('=');
            text.push_str(&encode(value));
        }
        text
    }
}

/// An id or name as one path segment. Refused: what would name another resource than a single one
/// (an empty id turns "this server" into "all servers").
pub(crate) fn segment(call: &'static str, id: &str) -> PortResult<String> {
    if id.is_empty() || id == "." || id == ".." {
        let reason = format!("{call}: `{id}` is not an id");
        return Err(PortError::new(ErrorKind::Refused, reason));
    }
    Ok(encode(id))
}

/// Percent-encodes all but unreserved characters (RFC 3986, section 2.3).
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_leave_their_place() {
        let ask = Ask::get(Service::Network, "port_list", "/ports")
            .query("name", "a&b=c d/é")
            .query("limit", "5");
        assert_eq!(
            ask.path_and_query(),
            "/ports?name=a%26b%3Dc%20d%2F%C3%A9&limit=5"
        );
        assert_eq!(segment("x", "../v3?a#b").unwrap(), "..%2Fv3%3Fa%23b");
    }

    #[test]
    fn an_empty_id_never_becomes_a_collection() {
        for id in ["", ".", ".."] {
            let error = segment("server_delete", id).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Refused);
        }
    }

    #[test]
    fn versions_order_by_number_not_by_text() {
        let parsed = Microversion::parse("2.100").unwrap();
        assert!(parsed > Microversion(2, 90));
        assert_eq!(parsed.to_string(), "2.100");
        assert_eq!(Microversion::parse("latest"), None);
    }
}
