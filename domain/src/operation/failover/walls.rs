//! What of a cloud's network a tenant's project may use (S14). The service's token is shown everybody's, and a
//! mapping by name or by id must not reach over the wall.
//!
//! Absent: which of it is meant (`mapping`).

use crate::ids::ProjectId;
use crate::ports::network::{NetworkInfo, SecurityGroup};

/// The project's own networks, and those that are shared with it.
pub(super) fn may_use_network(network: &NetworkInfo, project: &ProjectId) -> bool {
    network.shared || network.project_id == project.0
}

/// The project's own security groups: every project has one called `default`.
pub(super) fn may_use_security_group(group: &SecurityGroup, project: &ProjectId) -> bool {
    group.project_id == project.0
}
