//! A plan is data: stages in order, lanes that run side by side, steps one after the other.
//! Nothing that a plan could have fixed is looked up again at run time.
//!
//! Absent: running it (`actors`), and what runs next (`saga`).

mod contract;
mod left_out;
mod step;

pub use contract::{Contract, Target, Undo};
pub use left_out::LeftOut;
pub use step::{BootFrom, CopyPlan, ImportPlan, OverwritePlan, Part, PortPlan, Step};

use crate::ids::{GroupId, OperationId, PointSuffix, ProjectId, SiteId};
use crate::operation::OperationKind;
use crate::refusal::Finding;
use crate::sync::Epoch;
use serde::{Deserialize, Serialize};

/// Layout of a stored plan (A14).
pub const PLAN_SCHEMA: u32 = 1;

/// Lane of the steps that concern the group as a whole.
pub const GROUP_LANE: &str = "group";

/// What happens to the rest when a member lane fails (design: plans).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMemberFailure {
    /// The member undoes itself, the others go on (unplanned, drill).
    Continue,
    /// Everything goes back (planned, failback).
    Stop,
}

/// The point in time that all volumes come from (S6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenPoint {
    pub suffix: PointSuffix,
    pub created_ms: i64,
    /// What is lost at most, in seconds, when the plan was made (S7).
    pub age_s: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub schema: u32,
    pub operation: OperationId,
    pub group: GroupId,
    pub kind: OperationKind,
    /// The site whose engine runs it, and that leads afterwards.
    pub site: SiteId,
    /// The other one.
    pub peer: SiteId,
    pub project: ProjectId,
    /// The epoch that this plan acts under; a newer one ends its runner.
    pub fence: Epoch,
    /// The epoch that its commit leaves behind: a planned move mints at its end, so what follows the
    /// commit acts under the new one. Otherwise the same as `fence`.
    pub fence_after: Epoch,
    pub point: Option<ChosenPoint>,
    pub on_member_failure: OnMemberFailure,
    pub stages: Vec<Stage>,
    /// What was found and did not stop us.
    pub warnings: Vec<Finding>,
    /// Members that cannot be rebuilt, listed with their reasons (I14).
    pub left_out: Vec<LeftOut>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Stable API (OP-05): `validate_target`, `storage_promo`, `instances`, `finalize`.
    pub name: String,
    pub lanes: Vec<Lane>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// `group`, or a member id.
    pub id: String,
    /// For people: the member's name.
    pub title: String,
    /// Lower tiers begin first where not all can at once; none waits for another.
    pub tier: u8,
    pub steps: Vec<Step>,
}

/// Where a step stands in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepAt {
    pub stage: usize,
    pub lane: usize,
    pub place: usize,
}

impl Plan {
    pub fn lane(&self, at: StepAt) -> Option<&Lane> {
        self.stages.get(at.stage)?.lanes.get(at.lane)
    }

    pub fn step(&self, at: StepAt) -> Option<&Step> {
        self.lane(at)?.steps.get(at.place)
    }

    /// The epoch that the step at `at` acts under.
    pub fn fence_at(&self, at: StepAt) -> Epoch {
        let commits = |step: &Step| matches!(step, Step::CommitNewPrimary);
        let commit = self.steps().find(|(_, _, step)| commits(step));
        match commit {
            Some((commit, _, _)) if at.stage > commit.stage => self.fence_after,
            _ => self.fence,
        }
    }

    /// True if the plan ends by moving leadership.
    pub fn moves(&self) -> bool {
        matches!(self.kind, OperationKind::Failover | OperationKind::Failback)
    }

    /// Every step with its place, in plan order.
    pub fn steps(&self) -> impl Iterator<Item = (StepAt, &Lane, &Step)> {
        self.stages.iter().enumerate().flat_map(|(stage, s)| {
            s.lanes.iter().enumerate().flat_map(move |(lane, l)| {
                l.steps
                    .iter()
                    .enumerate()
                    .map(move |(place, step)| (StepAt { stage, lane, place }, l, step))
            })
        })
    }

    /// Member lanes only, by id, each once.
    pub fn member_lane_ids(&self) -> std::collections::BTreeSet<&str> {
        self.stages
            .iter()
            .flat_map(|s| &s.lanes)
            .map(|l| l.id.as_str())
            .filter(|id| *id != GROUP_LANE)
            .collect()
    }
}
