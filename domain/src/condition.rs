//! A group's health beside its status: a closed list, each with its reason. Absent: how it is found out.

use serde::{Deserialize, Serialize};

/// What is wrong, or only to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionKind {
    /// Nothing replicates from where the group is now (C39).
    Unprotected,
    /// Servers of the former primary run, or nobody could look yet (I4).
    SplitBrain,
    /// The peer has not acknowledged the newest record, or has a newer one (I12).
    OutOfSync,
    /// Servers would be booted here without the tenant's leave: by the service, without keypairs (E3, E10).
    Delegation,
}

/// One condition that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    pub kind: ConditionKind,
    /// One sentence for people.
    pub reason: String,
}
