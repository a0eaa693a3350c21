//! The replication policy of a group (POL-01..06).

use crate::fence::OnReturn;
use crate::ids::{ArrayGroupName, ArrayId, GroupId};
use crate::record::{GroupBody, Policy};
use crate::refusal::{Refusal, Refusals};
use serde::{Deserialize, Serialize};

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

/// POL-03. Arrays by id, or by registered name before they are looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyAsk {
    pub primary_array: ArrayId,
    pub secondary_array: ArrayId,
    pub pure_pg_name: Option<ArrayGroupName>,
    pub replication_interval_s: u64,
    pub rpo_minutes: u64,
    /// What happens to source servers that run when their lost site returns. `None`: as it is, at first stop.
    #[serde(default)]
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

/// Whether an array object of this name was made for this group (S4).
pub fn is_own_array_group(name: &ArrayGroupName, group: GroupId) -> bool {
    let suffix = array_group_name(None, group);
    name.as_str()
        .ends_with(suffix.as_str().trim_start_matches("protector"))
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
    let mut against = against(ask, facts);
    if body.policy.is_some() {
        against.push(bad("the group has a policy already (PG-07)"));
    }
    finish(body, ask, facts, against)
}

/// The body with these times in its policy (POL-07), or everything that speaks against them. Where the
/// data is never changes by this: other arrays are another group.
pub fn update_policy(
    body: &GroupBody,
    ask: &PolicyAsk,
    facts: &PolicyFacts,
) -> Result<GroupBody, Refusals> {
    let Some(policy) = &body.policy else {
        return Err(Refusal::NoPolicy.into());
    };
    let mut ask = ask.clone();
    // As it is shown, or as it was asked for, is as it is.
    let same = |name: &ArrayGroupName| {
        name == &policy.array_group
            || array_group_name(Some(name), facts.group) == policy.array_group
    };
    let renamed = ask.pure_pg_name.take().is_some_and(|name| !same(&name));
    let mut against = against(&ask, facts);
    let arrays = (&ask.primary_array, &ask.secondary_array);
    if arrays != (&policy.home_array, &policy.other_array) {
        against.push(bad("the arrays of a policy stay; make another group"));
    }
    if renamed {
        against.push(bad("pure_pg_name stays; make another group"));
    }
    let mut next = finish(body, &ask, facts, against)?;
    if let Some(next) = &mut next.policy {
        next.array_group = policy.array_group.clone();
    }
    if next == *body {
        return Err(Refusal::NothingToChange.into());
    }
    Ok(next)
}

fn bad(why: &str) -> Refusal {
    let why = why.to_owned();
    Refusal::BadPolicy { why }
}

/// What speaks against a policy in itself.
fn against(ask: &PolicyAsk, facts: &PolicyFacts) -> Vec<Refusal> {
    let mut against = Vec::new();
    for array in [&ask.primary_array, &ask.secondary_array] {
        if !facts.registered.contains(array) {
            against.push(Refusal::ArrayNotRegistered {
                array: array.to_string(),
            });
        }
    }
    if ask.primary_array == ask.secondary_array {
        against.push(bad("primary and secondary are the same array"));
    }
    let range = REPLICATION_INTERVAL_MIN_S..=REPLICATION_INTERVAL_MAX_S;
    if !range.contains(&ask.replication_interval_s) {
        against.push(bad(&format!(
            "replication_interval must be {REPLICATION_INTERVAL_MIN_S} to {REPLICATION_INTERVAL_MAX_S} s"
        )));
    }
    if rpo_max_s(ask) < ask.replication_interval_s {
        against.push(bad("rpo_minutes is shorter than replication_interval"));
    }
    let name = ask.pure_pg_name.as_ref();
    if let Some(name) = name.filter(|n| !is_array_name(n.as_str())) {
        against.push(bad(&format!(
            "{name} is no name for a protection group on an array"
        )));
    }
    against
}

fn rpo_max_s(ask: &PolicyAsk) -> u64 {
    ask.rpo_minutes.saturating_mul(60)
}

/// The body with the policy that was asked for, if nothing speaks against it.
fn finish(
    body: &GroupBody,
    ask: &PolicyAsk,
    facts: &PolicyFacts,
    against: Vec<Refusal>,
) -> Result<GroupBody, Refusals> {
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
        rpo_max_s: rpo_max_s(ask),
        target_retention_s: retention_s.max(TARGET_RETENTION_MIN_S),
    };
    Ok(GroupBody {
        policy: Some(policy),
        on_return: ask.on_return.unwrap_or(body.on_return),
        ..body.clone()
    })
}
