//! What the rule needs of a plan, read out of it once: an operation asks what is next after every step, and
//! making the keys of all steps anew each time would cost more than everything else it does.
//!
//! Absent: what has happened (the journal), and the rule itself (`advance`).

use super::lane::{Mark, mark_of};
use crate::plan::{GROUP_LANE, Lane, OnMemberFailure, Plan, Step};
use crate::saga::Journal;

/// A plan as the saga rule sees it. Good as long as the plan is, which is frozen.
#[derive(Debug, Clone)]
pub struct Outline {
    pub(super) stages: Vec<Vec<LaneOutline>>,
    pub(super) on_member_failure: OnMemberFailure,
    /// Some members are not in it at all.
    pub(super) leaves_out: bool,
}

#[derive(Debug, Clone)]
pub(super) struct LaneOutline {
    pub id: String,
    pub tier: u8,
    pub steps: Vec<StepOutline>,
}

#[derive(Debug, Clone)]
pub(super) struct StepOutline {
    /// In the journal.
    keys: Vec<String>,
    /// Nothing undoes it.
    pub is_last: bool,
    pub makes_own_objects: bool,
    pub weight: u64,
}

impl Outline {
    pub fn of(plan: &Plan) -> Self {
        let lanes = |lanes: &[Lane]| lanes.iter().map(|l| LaneOutline::of(plan, l)).collect();
        Self {
            stages: plan.stages.iter().map(|s| lanes(&s.lanes)).collect(),
            on_member_failure: plan.on_member_failure,
            leaves_out: !plan.left_out.is_empty(),
        }
    }
}

impl LaneOutline {
    fn of(plan: &Plan, lane: &Lane) -> Self {
        Self {
            id: lane.id.clone(),
            tier: lane.tier,
            steps: lane
                .steps
                .iter()
                .map(|step| StepOutline::of(plan, step))
                .collect(),
        }
    }

    pub fn is_group(&self) -> bool {
        self.id == GROUP_LANE
    }
}

impl StepOutline {
    fn of(plan: &Plan, step: &Step) -> Self {
        let contract = step.contract(plan.operation);
        Self {
            is_last: contract.is_point_of_no_return(),
            keys: contract.targets.into_iter().map(|t| t.key.0).collect(),
            makes_own_objects: step.makes_own_objects(),
            weight: u64::from(step.weight()),
        }
    }

    pub fn mark(&self, journal: &Journal) -> Option<Mark> {
        mark_of(self.keys.iter().filter_map(|key| journal.get(key)))
    }
}
