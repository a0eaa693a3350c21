//! Canonical JSON and the digests over it. One spelling per value, so that equal content has equal
//! digests at both sites. Absent: keyed or salted hashing; a digest identifies, it does not hide.

use super::refusal::SyncRefusal;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// SHA-256 in lower-case hex. Of a record it covers header, body and sealed blobs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }

    /// The digest of a value's canonical JSON (RFC 8785).
    ///
    /// Errors: [`SyncRefusal::Malformed`] if the value has no canonical form.
    pub fn of_json<T: Serialize>(value: &T) -> Result<Self, SyncRefusal> {
        canonical_json(value).map(|text| Self::of_bytes(text.as_bytes()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The canonical JSON text of a value (RFC 8785).
///
/// Errors: [`SyncRefusal::Malformed`], for example for a number that JSON cannot hold.
pub fn canonical_json<T: Serialize>(value: &T) -> Result<String, SyncRefusal> {
    serde_json_canonicalizer::to_string(value).map_err(|error| SyncRefusal::Malformed {
        why: format!("no canonical JSON: {error}"),
    })
}
