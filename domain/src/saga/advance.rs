//! The rule for a whole plan: stages in order, lanes side by side, and who goes back when.

use super::lane::{LaneEnd, Mark, Next, mark_of, next};
use crate::effect::{Effect, EffectState};
use crate::operation::Outcome;
use crate::plan::{GROUP_LANE, Lane, OnMemberFailure, Plan, Stage, StepAt};
use std::collections::BTreeMap;

/// What is known of an operation's effects, by key.
pub type Journal = BTreeMap<String, Effect>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    Do,
    Undo,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advance {
    /// These may go on now, in order of tier, then of the plan.
    Work(Vec<(StepAt, Way)>),
    Settled(Outcome),
}

pub(super) struct View<'a> {
    plan: &'a Plan,
    journal: &'a Journal,
    /// The other steps count as never begun.
    own_objects_only: bool,
}

impl<'a> View<'a> {
    fn of(plan: &'a Plan, journal: &'a Journal) -> Self {
        Self {
            plan,
            journal,
            own_objects_only: false,
        }
    }

    /// As if the plan had no steps but those that make objects of its own.
    pub fn of_own_objects(plan: &'a Plan, journal: &'a Journal) -> Self {
        Self {
            own_objects_only: true,
            ..Self::of(plan, journal)
        }
    }

    fn marks(&self, lane: &Lane) -> Vec<(bool, Option<Mark>)> {
        lane.steps
            .iter()
            .map(|step| {
                if self.own_objects_only && !step.makes_own_objects() {
                    return (false, None);
                }
                let contract = step.contract(self.plan.operation);
                let effects = contract.targets.iter();
                let mark = mark_of(effects.filter_map(|t| self.journal.get(t.key.as_str())));
                (contract.is_point_of_no_return(), mark)
            })
            .collect()
    }

    fn lane_next(&self, lane: &Lane, unwind: bool) -> Next {
        next(&self.marks(lane), unwind)
    }

    fn lane_ended(&self, lane: &Lane) -> Option<LaneEnd> {
        match self.lane_next(lane, false) {
            Next::Settled(end) => Some(end),
            _ => None,
        }
    }

    /// A lane that has turned back, whether or not it has arrived.
    fn is_failed(&self, lane: &Lane) -> bool {
        matches!(
            self.lane_next(lane, false),
            Next::Undo(_) | Next::Settled(LaneEnd::RolledBack | LaneEnd::NeedsOperator)
        )
    }

    fn past_no_return(&self) -> bool {
        self.plan.stages.iter().flat_map(|s| &s.lanes).any(|lane| {
            self.marks(lane)
                .iter()
                .any(|(last, mark)| *last && mark.is_some())
        })
    }

    /// Everything has to go back: a group step failed, or a member did and the plan says stop.
    fn must_unwind(&self) -> bool {
        let counts = |lane: &&Lane| {
            lane.id == GROUP_LANE || self.plan.on_member_failure == OnMemberFailure::Stop
        };
        let lanes = self.plan.stages.iter().flat_map(|s| &s.lanes);
        !self.past_no_return() && lanes.filter(counts).any(|lane| self.is_failed(lane))
    }

    fn work_in(&self, index: usize, stage: &Stage, unwind: bool) -> Vec<(StepAt, Way)> {
        let mut work = Vec::new();
        for (lane_index, lane) in stage.lanes.iter().enumerate() {
            let at = |place| StepAt {
                stage: index,
                lane: lane_index,
                place,
            };
            match self.lane_next(lane, unwind) {
                Next::Run(place) => work.push((lane.tier, at(place), Way::Do)),
                Next::Undo(place) => work.push((lane.tier, at(place), Way::Undo)),
                Next::Settled(_) => {}
            }
        }
        work.sort();
        work.into_iter().map(|(_, at, way)| (at, way)).collect()
    }

    /// Last stage first; a stage is left only when nothing of it is left: while a target server cannot be
    /// removed its source is not started (S1), and the copy below a volume that stays in use stays too.
    pub fn unwind(&self) -> Advance {
        for (index, stage) in self.plan.stages.iter().enumerate().rev() {
            let work = self.work_in(index, stage, true);
            if !work.is_empty() {
                return Advance::Work(work);
            }
            let mut lanes = stage.lanes.iter();
            if lanes.any(|l| self.lane_ended(l) == Some(LaneEnd::NeedsOperator)) {
                return Advance::Settled(Outcome::NeedsOperator);
            }
        }
        Advance::Settled(Outcome::RolledBack)
    }

    /// A member that fell out in an earlier stage takes no part in later ones.
    fn runs_in(&self, index: usize, lane: &Lane) -> bool {
        let earlier = self.plan.stages.iter().take(index).flat_map(|s| &s.lanes);
        !earlier
            .filter(|e| e.id == lane.id)
            .any(|e| self.is_failed(e))
    }

    fn forward(&self) -> Advance {
        for (index, stage) in self.plan.stages.iter().enumerate() {
            let mut work = self.work_in(index, stage, false);
            work.retain(|(at, way)| {
                let lane = stage.lanes.get(at.lane);
                *way == Way::Undo || lane.is_some_and(|l| self.runs_in(index, l))
            });
            if !work.is_empty() {
                return Advance::Work(work);
            }
        }
        Advance::Settled(self.outcome())
    }

    fn outcome(&self) -> Outcome {
        let mut lanes = self.plan.stages.iter().flat_map(|s| &s.lanes);
        if lanes.any(|lane| self.lane_ended(lane) == Some(LaneEnd::NeedsOperator)) {
            return Outcome::NeedsOperator;
        }
        let ends = lane_outcomes(self.plan, self.journal);
        let all_up = ends.values().all(|end| *end == LaneEnd::Completed);
        if all_up && self.plan.left_out.is_empty() {
            Outcome::Full
        } else {
            Outcome::Partial
        }
    }
}

/// What an operation does next, from its plan and its journal alone.
pub fn advance(plan: &Plan, journal: &Journal) -> Advance {
    let view = View::of(plan, journal);
    if view.must_unwind() {
        view.unwind()
    } else {
        view.forward()
    }
}

/// What an operation does next that somebody has cancelled: back to where it began. Past the point of no
/// return nobody can, and it goes on.
pub fn turned_round(plan: &Plan, journal: &Journal) -> Advance {
    let view = View::of(plan, journal);
    if view.past_no_return() {
        return advance(plan, journal);
    }
    match view.unwind() {
        Advance::Settled(Outcome::RolledBack) => Advance::Settled(Outcome::Cancelled),
        other => other,
    }
}

/// True once the step that nothing undoes has begun: then a cancel comes too late.
pub fn past_no_return(plan: &Plan, journal: &Journal) -> bool {
    View::of(plan, journal).past_no_return()
}

/// Steps that wait for people: an undo that failed, or a step at the point of no return that did. Their
/// effects, in the order of the ledger.
pub fn stuck(plan: &Plan, journal: &Journal) -> Vec<Effect> {
    let last = |e: &Effect| {
        let own = plan.steps().filter(|(_, _, step)| step.name() == e.step);
        let mut contracts = own.map(|(_, _, step)| step.contract(plan.operation));
        contracts.any(|contract| contract.is_point_of_no_return())
    };
    let is_stuck = |e: &&Effect| match e.state {
        EffectState::UndoFailed => true,
        EffectState::Failed => last(e),
        _ => false,
    };
    journal.values().filter(is_stuck).cloned().collect()
}

/// How each member's lane ended so far; the worst of its stages counts. Lanes still under way are
/// absent.
pub fn lane_outcomes(plan: &Plan, journal: &Journal) -> BTreeMap<String, LaneEnd> {
    let view = View::of(plan, journal);
    let mut ends = BTreeMap::new();
    for lane in plan
        .stages
        .iter()
        .flat_map(|s| &s.lanes)
        .filter(|l| l.id != GROUP_LANE)
    {
        if let Some(end) = view.lane_ended(lane) {
            let worst = ends.entry(lane.id.clone()).or_insert(end);
            *worst = end.max(*worst);
        }
    }
    ends
}

/// Share of the plan's weight that is settled, 0..=100 (L5). Steps of members that fell out count
/// as settled, so that a partial run also ends at 100.
pub fn progress_pct(plan: &Plan, journal: &Journal) -> u8 {
    let view = View::of(plan, journal);
    let (mut total, mut settled) = (0u64, 0u64);
    for lane in plan.stages.iter().flat_map(|s| &s.lanes) {
        let failed = view.is_failed(lane);
        for (step, (_, mark)) in lane.steps.iter().zip(view.marks(lane)) {
            let weight = u64::from(step.weight());
            total += weight;
            if failed || mark == Some(Mark::Done) {
                settled += weight;
            }
        }
    }
    let pct = (settled * 100).checked_div(total).unwrap_or(100);
    u8::try_from(pct).unwrap_or(100)
}
