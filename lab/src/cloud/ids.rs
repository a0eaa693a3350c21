//! Ids and dice from a seed. Deliberately absent: any entropy of the process.

use uuid::Builder;

/// A repeatable sequence (SplitMix64). Not for keys: whoever knows the seed knows them all.
#[derive(Debug, Clone)]
pub struct IdSource {
    state: u64,
}

impl IdSource {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn next_u128(&mut self) -> u128 {
        (u128::from(self.next_u64()) << 64) | u128::from(self.next_u64())
    }

    /// A version 4 UUID with dashes: Nova, Cinder, Neutron, Glance.
    pub fn uuid(&mut self) -> String {
        let bytes = self.next_u128().to_be_bytes();
        Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// 32 hex digits without dashes: Keystone.
    pub fn hex32(&mut self) -> String {
        format!("{:032x}", self.next_u128())
    }

    /// A whole number from `min` to `max`, both possible. `min` when they are the wrong way round.
    pub fn between(&mut self, min: i64, max: i64) -> i64 {
        let width = max.saturating_sub(min).saturating_add(1).max(1);
        let drawn = self.next_u64() % u64::try_from(width).unwrap_or(1);
        min.saturating_add(i64::try_from(drawn).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_ids_and_other_seed_other_ids() {
        let make = |seed| {
            let mut ids = IdSource::new(seed);
            (ids.uuid(), ids.hex32(), ids.between(3, 9))
        };
        assert_eq!(make(7), make(7));
        assert_ne!(make(7).0, make(8).0);
    }

    #[test]
    fn dice_stay_inside_and_reach_both_ends() {
        let mut ids = IdSource::new(1);
        let seen: std::collections::BTreeSet<i64> = (0..200).map(|_| ids.between(-1, 2)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), vec![-1, 0, 1, 2]);
        assert_eq!(ids.between(5, 1), 5);
    }
}
