//! The states of an operation and its published record.

use crate::ids::{GroupId, OperationId, ProjectId, SiteId, UserId};
use crate::plan::Plan;
use crate::sync::Epoch;
use serde::{Deserialize, Serialize};
use std::fmt;

/// OP-04.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    Failover,
    Failback,
    TestFailover,
    TestCleanup,
    Reprotect,
    SyncVolumes,
    /// Another try for members that a forced move left down (I14).
    RetryMembers,
}

/// C14: the type of a move is explicit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationMode {
    Planned,
    Unplanned,
}

/// OP-03.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    Pending,
    Running,
    RollingBack,
    Completed,
    Failed,
}

impl OperationStatus {
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }

    /// S10: may an operation go from `self` to `next`? Staying is allowed until the end.
    pub fn may_become(self, next: Self) -> bool {
        use OperationStatus::{Completed, Failed, Pending, RollingBack, Running};
        let forbidden = matches!(
            (self, next),
            (Completed | Failed, _)
                | (_, Pending)
                | (RollingBack, Running | Completed)
                | (Pending, RollingBack | Completed)
        );
        !forbidden
    }
}

/// How a terminal operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Full,
    Partial,
    RolledBack,
    Cancelled,
    NeedsOperator,
}

macro_rules! show_as_serde {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.serialize(f)
            }
        }
    )+};
}
show_as_serde!(
    OperationKind,
    OperationMode,
    OperationStatus,
    Outcome,
    EventKind
);

/// One DR operation as stored and shown (OP-02). `plan` is frozen at acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    pub id: OperationId,
    pub group: GroupId,
    pub project: ProjectId,
    pub kind: OperationKind,
    pub mode: OperationMode,
    pub status: OperationStatus,
    pub outcome: Option<Outcome>,
    /// The epoch it acts under.
    pub epoch: Epoch,
    pub source_site: SiteId,
    pub target_site: SiteId,
    pub plan: Plan,
    /// 0..=100, never goes back (L5).
    pub progress_pct: u8,
    pub steps_completed: u32,
    pub steps_failed: u32,
    pub instances_failed: u32,
    pub error_message: Option<String>,
    pub started_at_us: i64,
    pub completed_at_us: Option<i64>,
    pub requested_by: UserId,
    pub request_id: String,
    /// Same key, same caller, same answer (I3).
    pub idempotency_key: Option<String>,
}

/// What an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    Accepted,
    Resumed,
    StepStarted,
    StepDone,
    StepRetried,
    StepFailed,
    StepUndone,
    UndoFailed,
    /// An effect was found after an unknown outcome and taken over.
    Adopted,
    /// A younger twin of a key was removed or listed.
    StrayRemoved,
    Warning,
    Ended,
}

/// One line of an operation's story; appended, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationEvent {
    pub operation: OperationId,
    /// Counts from 1 within the operation; given by the store.
    pub seq: u64,
    pub at_us: i64,
    pub kind: EventKind,
    pub lane: Option<String>,
    pub step: Option<String>,
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_final_and_nothing_returns_to_pending() {
        use OperationStatus::*;
        for end in [Completed, Failed] {
            for next in [Pending, Running, RollingBack, Completed, Failed] {
                assert!(!end.may_become(next), "{end} must be final, went to {next}");
            }
        }
        assert!(Pending.may_become(Running) && Running.may_become(RollingBack));
        assert!(
            !RollingBack.may_become(Completed),
            "what was undone is not completed"
        );
    }

    #[test]
    fn words_are_those_of_the_api() {
        assert_eq!(OperationStatus::RollingBack.to_string(), "rolling_back");
        assert_eq!(Outcome::NeedsOperator.to_string(), "needs_operator");
    }
}
