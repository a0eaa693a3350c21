//! What a volume holds, as far as tests need it: a write counter, a hash of the history of writes,
//! and how many bytes a replication has to carry. Absent: real data.

use serde::{Deserialize, Serialize};

/// Contents of a volume or of a snapshot of it. Copies carry it unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    /// Last counter a test wrote; a group's writes share one counter, so order can be judged.
    pub(super) counter: u64,
    /// Hash over all writes so far; equal hashes mean equal contents.
    pub(super) hash: u64,
    /// Bytes in use: what a first replication carries.
    pub(super) used_bytes: u64,
    /// Bytes ever written: the difference is what a later replication carries.
    pub(super) written_bytes: u64,
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

impl Content {
    pub(super) fn empty() -> Self {
        Self {
            counter: 0,
            hash: FNV_OFFSET,
            used_bytes: 0,
            written_bytes: 0,
        }
    }

    pub(super) fn write(&mut self, counter: u64, bytes: u64, provisioned: u64) {
        self.counter = counter;
        self.hash = counter.to_le_bytes().iter().fold(self.hash, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME)
        });
        self.used_bytes = self.used_bytes.saturating_add(bytes).min(provisioned);
        self.written_bytes = self.written_bytes.saturating_add(bytes);
    }

    /// The contents become those of `source`; the change itself counts as written.
    pub(super) fn replace(&mut self, source: &Content) {
        self.counter = source.counter;
        self.hash = source.hash;
        self.used_bytes = source.used_bytes;
        self.written_bytes = self.written_bytes.saturating_add(source.used_bytes);
    }

    pub(super) fn hash_text(&self) -> String {
        format!("{:016x}", self.hash)
    }
}
