//! Where new identities come from: one seeded counter, so that equal runs make equal ids.
//! Absent: the process's entropy.

use serde::{Deserialize, Serialize};

/// Seed and position of the counter that gives sequence numbers, ids and serials.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Mint {
    seed: u64,
    next: u64,
}

impl Mint {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, next: 1 }
    }

    /// Next sequence number. Creation order is the stable order of every list.
    pub(super) fn seq(&mut self) -> u64 {
        let seq = self.next;
        self.next += 1;
        seq
    }

    /// The id of object `seq`: shaped like a uuid, the same for the same seed.
    pub(super) fn id(&self, seq: u64) -> String {
        let high = mix(self.seed ^ mix(seq));
        let low = mix(high ^ seq);
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    }

    /// The serial of volume `seq` on the array `array_seq`: 24 upper-case hex digits, of which the
    /// first 16 are common to the array.
    pub(super) fn serial(&self, array_seq: u64, seq: u64) -> String {
        format!("{:016X}{:08X}", mix(self.seed ^ mix(array_seq)), seq)
    }
}

/// splitmix64: spreads neighbouring numbers; no security wanted.
pub(super) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
