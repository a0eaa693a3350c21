//! Which REST version is spoken. Absent: what depends on it (`request`, `link`).

use std::fmt;

/// A version of REST 2, by the number behind the dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RestVersion(u16);

/// `replicate_now`: without it there is no point on demand.
const OLDEST: RestVersion = RestVersion(4);
/// The newest that this driver was written against.
const NEWEST: RestVersion = RestVersion(56);
const DEFAULT_PROTECTION: RestVersion = RestVersion(16);
const VOLUMES_BATCH: RestVersion = RestVersion(32);

impl RestVersion {
    fn parse(text: &str) -> Option<Self> {
        let minor = text.trim().strip_prefix("2.")?;
        Some(Self(minor.parse().ok()?))
    }

    /// The newest of those offered that we know, in whatever order they come.
    pub(super) fn choose<S: AsRef<str>>(offered: &[S]) -> Option<Self> {
        let known = offered.iter().filter_map(|text| Self::parse(text.as_ref()));
        known.filter(|v| (OLDEST..=NEWEST).contains(v)).max()
    }

    /// Several volumes with different sources in one call.
    pub(super) fn has_volumes_batch(self) -> bool {
        self >= VOLUMES_BATCH
    }

    /// New volumes may join default SafeMode groups unless told not to.
    pub(super) fn has_default_protection(self) -> bool {
        self >= DEFAULT_PROTECTION
    }

    /// What an array must speak, for people.
    pub(super) fn wanted() -> String {
        format!("{OLDEST} to {NEWEST}")
    }
}

impl fmt::Display for RestVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "2.{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_known_is_chosen_by_number_and_not_by_place() {
        let choose = |offered: &[&str]| RestVersion::choose(offered).map(|v| v.to_string());
        assert_eq!(
            choose(&["1.19", "2.2", "2.9", "2.26", "2.30"]),
            Some("2.30".to_owned())
        );
        assert_eq!(choose(&["2.26", "2.4"]), Some("2.26".to_owned()));
        assert_eq!(
            choose(&["2.32", "2.56", "2.99", "3.0"]),
            Some("2.56".to_owned())
        );
        for none in [&["1.19", "2.3"][..], &[], &["2", "2.x", "20.4"]] {
            assert_eq!(choose(none), None);
        }
    }

    #[test]
    fn what_came_when() {
        assert!(!RestVersion(31).has_volumes_batch() && RestVersion(32).has_volumes_batch());
        assert!(!RestVersion(15).has_default_protection());
        assert!(RestVersion(16).has_default_protection());
    }
}
