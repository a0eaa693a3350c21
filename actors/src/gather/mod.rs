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
    let policy = body.policy.as_ref();
    policy.map(|policy| policy.spec_towards(target))
}

/// How often a read is asked before it counts as unanswered.
const ATTEMPTS: u32 = 3;
/// Pause between two attempts, milliseconds; the second one is twice as long.
const PAUSE_MS: u64 = 500;

/// Asks again when an answer was lost or the service was busy: one dropped packet must not refuse a
/// failover, nor look like an empty cloud. Only for reads.
pub(crate) async fn patiently<T, F>(call: impl Fn() -> F) -> PortResult<T>
where
    F: Future<Output = PortResult<T>>,
{
    let mut attempt = 1;
    loop {
        match call().await {
            Err(error) if !error.is_definite_no() && attempt < ATTEMPTS => {
                let pause_ms = PAUSE_MS * u64::from(attempt);
                tokio::time::sleep(std::time::Duration::from_millis(pause_ms)).await;
                attempt += 1;
            }
            other => return other,
        }
    }
}

/// An answer as a fact: an error is "could not ask", with its reason.
pub(crate) fn asked<T>(answer: PortResult<T>) -> Asked<T> {
    match answer {
        Ok(value) => Asked::Known(value),
        Err(error) => Asked::CouldNotAsk(error.what),
    }
}
