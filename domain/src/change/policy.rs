//! The replication policy of a group (POL-01..06).

use crate::fence::OnReturn;
use crate::ids::{ArrayGroupName, ArrayId, GroupId};
use crate::record::{GroupBody, Policy};
use crate::refusal::{Refusal, Refusals};

/// Shortest interval an array takes (seconds); smallest models want more and say so themselves.
pub const REPLICATION_INTERVAL_MIN_S: u64 = 300;
/// Longest interval an array takes (seconds).
pub const REPLICATION_INTERVAL_MAX_S: u64 = 34_560_000;
/// Letters of a protection group's name on the array.
const ARRAY_NAME_LETTERS_MAX: usize = 63;
/// Letters of the part that says the group is ours: a dash and the last of the group's id.
const OWNER_SUFFIX_HEX: usize = 12;
/// How many intervals' worth of snapshots the target keeps, and at least this long (seconds).
const TARGET_RETENTION_INTERVALS: u64 = 4;
const TARGET_RETENTION_MIN_S: u64 = 86_400;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyAsk {
    pub primary_array: ArrayId,
    pub secondary_array: ArrayId,
    pub pure_pg_name: Option<ArrayGroupName>,
    pub replication_interval_s: u64,
    pub rpo_minutes: u64,
    /// `None`: as it is.
    pub on_return: Option<OnReturn>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFacts {
    pub group: GroupId,
    /// Array ids that an admin has registered here for this project.
    pub registered: Vec<ArrayId>,
}

/// Our name for the group on its array: what was asked, or `protector`, and a suffix that follows
/// from the group's id. Below REST 2.39 groups carry no tags, so the name says whose it is (C6).
pub fn array_group_name(wanted: Option<&ArrayGroupName>, group: GroupId) -> ArrayGroupName {
    let hex = group.0.simple().to_string();
    let suffix: String = hex
        .chars()
        .skip(hex.len().saturating_sub(OWNER_SUFFIX_HEX))
        .collect();
    let base = wanted.map_or("protector", |name| name.as_str());
    ArrayGroupName(format!("{base}-{suffix}"))
}

fn is_array_name(name: &str) -> bool {
    let room = ARRAY_NAME_LETTERS_MAX - OWNER_SUFFIX_HEX - 1;
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    name.len() <= room
        && edge(name.chars().next())
        && edge(name.chars().last())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && name.chars().any(|c| c.is_ascii_alphabetic())
}

/// The body with this policy, or everything that speaks against it.
pub fn set_policy(
    body: &GroupBody,
    ask: &PolicyAsk,
    facts: &PolicyFacts,
) -> Result<GroupBody, Refusals> {
    let mut against = Vec::new();
    let bad = |why: String| Refusal::BadPolicy { why };
    for array in [&ask.primary_array, &ask.secondary_array] {
        if !facts.registered.contains(array) {
            against.push(Refusal::ArrayNotRegistered {
                array: array.to_string(),
            });
        }
    }
    if ask.primary_array == ask.secondary_array {
        against.push(bad("primary and secondary are the same array".to_owned()));
    }
    let range = REPLICATION_INTERVAL_MIN_S..=REPLICATION_INTERVAL_MAX_S;
    if !range.contains(&ask.replication_interval_s) {
        against.push(bad(format!(
            "replication_interval must be {REPLICATION_INTERVAL_MIN_S} to {REPLICATION_INTERVAL_MAX_S} s"
        )));
    }
    let rpo_max_s = ask.rpo_minutes.saturating_mul(60);
    if rpo_max_s < ask.replication_interval_s {
        against.push(bad(
            "rpo_minutes is shorter than replication_interval".to_owned()
        ));
    }
    if let Some(name) = ask
        .pure_pg_name
        .as_ref()
        .filter(|n| !is_array_name(n.as_str()))
    {
        against.push(bad(format!(
            "{name} is no name for a protection group on an array"
        )));
    }
    if body.policy.is_some() {
        against.push(bad("the group has a policy already (PG-07)".to_owned()));
    }
    if !against.is_empty() {
        return Err(Refusals(against));
    }
    let retention_s = ask
        .replication_interval_s
        .saturating_mul(TARGET_RETENTION_INTERVALS);
    let policy = Policy {
        home_array: ask.primary_array.clone(),
        other_array: ask.secondary_array.clone(),
        array_group: array_group_name(ask.pure_pg_name.as_ref(), facts.group),
        replication_interval_s: ask.replication_interval_s,
        rpo_max_s,
        target_retention_s: retention_s.max(TARGET_RETENTION_MIN_S),
    };
    Ok(GroupBody {
        policy: Some(policy),
        on_return: ask.on_return.unwrap_or(body.on_return),
        ..body.clone()
    })
}
