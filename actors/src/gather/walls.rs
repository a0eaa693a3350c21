//! What of a cloud's network a tenant's project may use. An administrator's token is shown everybody's, and a
//! mapping by name or by id must not reach over the wall (S14).
//!
//! Absent: asking for it (`failover`).

use protector_domain::ids::ProjectId;
use protector_domain::ports::network::{NetworkInfo, SecurityGroup};

/// The project's own networks, and those that are shared with it.
pub(super) fn networks(all: Vec<NetworkInfo>, project: &ProjectId) -> Vec<NetworkInfo> {
    let usable = |n: &NetworkInfo| n.shared || n.project_id == project.0;
    all.into_iter().filter(usable).collect()
}

/// The project's own security groups: every project has one called `default`.
pub(super) fn security_groups(all: Vec<SecurityGroup>, project: &ProjectId) -> Vec<SecurityGroup> {
    all.into_iter()
        .filter(|g| g.project_id == project.0)
        .collect()
}
