//! In whose name a group's servers are made at this site. A trust's id is no secret: only the service that
//! it was given to can use it.

use protector_domain::ids::{GroupId, ProjectId, TrustId, UserId};

/// One per group. Groups of one user and project share one trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    pub group: GroupId,
    /// The tenant's project at this site.
    pub project: ProjectId,
    pub user: UserId,
    /// `None`: the user could not give one.
    pub trust: Option<TrustId>,
    /// Why it does not serve; `None`: it did when it was last used or looked at.
    pub trouble: Option<String>,
    /// Unix microseconds.
    pub checked_us: i64,
}
