//! Gatherers: read the world, in tasks of their own, into facts for `domain`. They decide nothing
//! and change nothing.

pub(crate) mod change;
pub(crate) mod failover;
mod member;

use protector_domain::operation::failover::Asked;
use protector_domain::ports::PortResult;
use protector_domain::ports::storage::GroupSpec;
use protector_domain::record::GroupBody;
use protector_domain::sync::Role;

/// The group on its arrays, replicating towards `target`. `None`: it has no policy.
pub(crate) fn group_spec(body: &GroupBody, target: Role) -> Option<GroupSpec> {
    let policy = body.policy.as_ref()?;
    Some(GroupSpec {
        name: policy.array_group.clone(),
        source: policy.array_of(target.peer()).clone(),
        target: policy.array_of(target).clone(),
        replication_interval_s: policy.replication_interval_s,
        target_retention_s: policy.target_retention_s,
    })
}

/// An answer as a fact: an error is "could not ask", with its reason.
fn asked<T>(answer: PortResult<T>) -> Asked<T> {
    match answer {
        Ok(value) => Asked::Known(value),
        Err(error) => Asked::CouldNotAsk(error.what),
    }
}
