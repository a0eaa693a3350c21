//! The group's own mappings; what they do not name maps by equal name at the time of a move.

use crate::ids::{NetworkId, SubnetId};
use crate::record::{GroupBody, Mappings};
use std::collections::BTreeMap;

/// The body with these network and subnet mappings in place of the old ones.
pub fn set_mappings(
    body: &GroupBody,
    networks: BTreeMap<NetworkId, NetworkId>,
    subnets: BTreeMap<SubnetId, SubnetId>,
) -> GroupBody {
    let mappings = Mappings {
        networks,
        subnets,
        ..body.mappings.clone()
    };
    GroupBody {
        mappings,
        ..body.clone()
    }
}
