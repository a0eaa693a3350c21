//! The two questions about a group that the arrays are asked (MON-01): its recovery points and its health.
//!
//! Absent: judging (`domain::health`), and everything that the store knows by itself.

use crate::gather::{asked, group_spec, patiently};
use crate::protection_group::not_found;
use crate::site::Site;
use protector_domain::condition::Condition;
use protector_domain::health::{HealthFacts, judge_health};
use protector_domain::ports::engine::{EngineError, View};
use protector_domain::record::GroupBody;
use protector_domain::refusal::{Refusal, Refusals};
use protector_domain::sync::{Role, SyncRefusal, leader};
use protector_store::StoredGroup;

/// The living record and who leads.
fn record(stored: &StoredGroup) -> Result<(&GroupBody, Role), EngineError> {
    if stored.sync.is_deleted() {
        return Err(SyncRefusal::GroupDeleted.into());
    }
    let (body, at) = (stored.body.as_ref(), stored.sync.fence());
    let known = body.zip(at.map(|at| leader(at.epoch)));
    known.ok_or_else(|| not_found(stored.id))
}

/// Points at the array that the group replicates to.
pub(crate) async fn points(site: &Site, stored: &StoredGroup) -> Result<View, EngineError> {
    let (body, leading) = record(stored)?;
    let spec = group_spec(body, leading.peer()).ok_or_else(|| Refusals::from(Refusal::NoPolicy))?;
    let points = patiently(|| site.storage().recovery_points(&spec)).await;
    let points = points.map_err(|error| {
        Refusals::from(Refusal::CouldNotAsk {
            what: format!("array {}", spec.target),
            why: error.what,
        })
    })?;
    Ok(View::RecoveryPoints { points })
}

pub(crate) async fn health(
    site: &Site,
    stored: &StoredGroup,
    conditions: &[Condition],
) -> Result<View, EngineError> {
    let (body, leading) = record(stored)?;
    let replication = match group_spec(body, leading.peer()) {
        Some(spec) => Some(asked(patiently(|| site.storage().health(&spec)).await)),
        None => None,
    };
    let health = judge_health(&HealthFacts {
        body,
        leading,
        synced: stored.sync.is_synced(),
        conditions,
        replication,
    });
    Ok(View::Health {
        health: Box::new(health),
    })
}
