//! The group's own mappings; what they do not name maps by equal name at the time of a move.

use crate::record::{GroupBody, Mappings};

/// The body with these mappings in place of the old ones.
pub fn set_mappings(body: &GroupBody, mappings: &Mappings) -> GroupBody {
    GroupBody {
        mappings: mappings.clone(),
        ..body.clone()
    }
}
