//! How well a group is protected now (MON-01, T:replication-health): what the arrays say beside the
//! record, and whether a failover could begin.
//!
//! Absent: asking, and the target's cloud; a dry run of the failover looks at that.

use crate::condition::{Condition, ConditionKind};
use crate::operation::failover::Asked;
use crate::ports::storage::{GroupHealth, RecoveryPoint};
use crate::record::GroupBody;
use crate::refusal::{Finding, Refusal, Severity};
use crate::sync::Role;
use serde::{Deserialize, Serialize};

const S_PER_MIN: u64 = 60;

/// What a group's health is judged from.
#[derive(Debug, Clone)]
pub struct HealthFacts<'a> {
    pub body: &'a GroupBody,
    /// The side that leads now.
    pub leading: Role,
    pub synced: bool,
    pub conditions: &'a [Condition],
    /// The arrays' word; `None`: the group has no policy.
    pub replication: Option<Asked<GroupHealth>>,
}

/// A group's health as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthView {
    /// `None`: the target array could not be asked.
    pub replicating: Option<bool>,
    pub newest_point: Option<RecoveryPoint>,
    /// Seconds; `None`: the group has no policy.
    pub rpo_max_s: Option<u64>,
    /// `None`: nobody knows how old the newest point is.
    pub rpo_met: Option<bool>,
    pub synced: bool,
    /// Nothing of what was found is `Blocking`.
    pub failover_ready: bool,
    pub findings: Vec<Finding>,
}

/// Everything that speaks against a failover now.
pub fn judge_health(facts: &HealthFacts<'_>) -> HealthView {
    let known = facts.replication.as_ref().and_then(Asked::known);
    let newest_point = known.and_then(|health| health.newest_complete.clone());
    let rpo_max_s = facts.body.policy.as_ref().map(|p| p.rpo_max_s);
    let age_s = newest_point.as_ref().and_then(|point| point.age_s);
    let rpo_met = age_s.zip(rpo_max_s).map(|(age, max)| age <= max);
    let mut findings = of_record(facts);
    match &facts.replication {
        None => {}
        Some(Asked::CouldNotAsk(why)) => findings.push(blocking(Refusal::CouldNotAsk {
            what: "the target array".to_owned(),
            why: why.clone(),
        })),
        Some(Asked::Known(health)) => findings.extend(of_arrays(facts, health)),
    }
    if let (Some(age), Some(max), Some(false)) = (age_s, rpo_max_s, rpo_met) {
        findings.push(blocking(Refusal::RpoViolation {
            age_min: age.div_ceil(S_PER_MIN),
            max_min: max / S_PER_MIN,
        }));
    }
    HealthView {
        replicating: known.map(|health| health.replicating),
        newest_point,
        rpo_max_s,
        rpo_met,
        synced: facts.synced,
        failover_ready: findings.iter().all(|f| f.severity != Severity::Blocking),
        findings,
    }
}

fn blocking(refusal: Refusal) -> Finding {
    let severity = Severity::Blocking;
    Finding { severity, refusal }
}

fn of_record(facts: &HealthFacts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    if facts.body.members.is_empty() {
        found.push(blocking(Refusal::NoMembers));
    }
    if facts.body.policy.is_none() {
        found.push(blocking(Refusal::NoPolicy));
    }
    if !facts.body.protected {
        found.push(blocking(Refusal::NotProtected));
    }
    for condition in facts.conditions {
        if condition.kind == ConditionKind::SplitBrain {
            let servers = condition.reason.clone();
            found.push(blocking(Refusal::SplitBrain { servers }));
        }
    }
    found
}

fn of_arrays(facts: &HealthFacts<'_>, health: &GroupHealth) -> Vec<Finding> {
    let mut found = Vec::new();
    let policy = facts.body.policy.as_ref();
    let array = |role| {
        policy
            .map(|p| p.array_of(role).to_string())
            .unwrap_or_default()
    };
    if facts.body.protected && !facts.body.members.is_empty() && !health.replicating {
        let array = array(facts.leading.peer());
        found.push(blocking(Refusal::NotReplicating { array }));
    }
    if health.newest_complete.is_none() {
        found.push(blocking(Refusal::NothingToRecover));
    }
    // F8: fewer disks on the array than in the record are never passed over in silence.
    if let (Some(serials), true) = (&health.member_serials, facts.body.protected) {
        let disks = facts.body.members.iter().flat_map(|m| &m.disks);
        let missing = disks.filter(|disk| {
            let place = disk.places.at(facts.leading);
            place.is_some_and(|place| !serials.contains(&place.serial))
        });
        found.extend(missing.map(|disk| {
            blocking(Refusal::VolumeNotOnArray {
                volume: disk.name.clone(),
                array: format!("{}, in the group that replicates", array(facts.leading)),
            })
        }));
    }
    found
}
