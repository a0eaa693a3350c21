//! Which names an array accepts. Absent: composed names of pods and volume groups.

use super::error::{ErrorItem, Kind, item};

/// Longest name of a volume, host, group or suffix, in letters.
pub const NAME_MAX: usize = 63;
/// Longest array name, in letters.
pub(super) const ARRAY_NAME_MAX: usize = 56;
/// Longest whole name of a snapshot, in letters.
pub const SNAPSHOT_NAME_MAX: usize = 96;

/// `None` when `name` may be given to a new object of `kind`, else the refusal.
pub(super) fn check(kind: Kind, name: &str) -> Option<ErrorItem> {
    let underscore = kind == Kind::Volume;
    let max = if kind == Kind::Array {
        ARRAY_NAME_MAX
    } else {
        NAME_MAX
    };
    if well_formed(name, max, underscore, true) {
        None
    } else {
        Some(item("Invalid name.", name))
    }
}

/// As `check`, for what stands behind the dot of a snapshot; a plain number is fine there.
pub(super) fn check_suffix(suffix: &str) -> Option<ErrorItem> {
    if well_formed(suffix, NAME_MAX, false, false) {
        None
    } else {
        Some(item("Invalid snapshot suffix.", suffix))
    }
}

/// Refuses a whole snapshot name that is too long.
pub(super) fn check_whole(name: &str) -> Option<ErrorItem> {
    if name.len() <= SNAPSHOT_NAME_MAX {
        None
    } else {
        Some(item("Snapshot name is too long.", name))
    }
}

fn well_formed(name: &str, max: usize, underscore: bool, letter_needed: bool) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || (underscore && c == '_');
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    (1..=max).contains(&name.len())
        && name.chars().all(inner)
        && edge(name.chars().next())
        && edge(name.chars().last())
        && (!letter_needed || name.chars().any(|c| c.is_ascii_alphabetic()))
}
