//! The rule for a whole plan: stages in order, lanes side by side, and who goes back when.

use super::lane::{LaneEnd, Mark, Next, next};
use super::outline::{LaneOutline, Outline, StepOutline};
use crate::effect::{Effect, EffectState};
use crate::operation::Outcome;
use crate::plan::{OnMemberFailure, Plan, StepAt};
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

/// One lane as it stands.
struct Standing<'a> {
    outline: &'a LaneOutline,
    /// For each step whether nothing undoes it, and its mark.
    marks: Vec<(bool, Option<Mark>)>,
    /// Unless everything has to go back.
    next: Next,
}

impl Standing<'_> {
    fn ended(&self) -> Option<LaneEnd> {
        match self.next {
            Next::Settled(end) => Some(end),
            _ => None,
        }
    }

    /// It has turned back, whether or not it has arrived.
    fn is_failed(&self) -> bool {
        matches!(
            self.next,
            Next::Undo(_) | Next::Settled(LaneEnd::RolledBack | LaneEnd::NeedsOperator)
        )
    }
}

/// A whole plan as it stands: every lane read from the journal once.
pub(super) struct View<'a> {
    outline: &'a Outline,
    stages: Vec<Vec<Standing<'a>>>,
    /// The first stage in which a lane of this id turned back.
    failed_in: BTreeMap<&'a str, usize>,
}

impl<'a> View<'a> {
    fn of(outline: &'a Outline, journal: &Journal) -> Self {
        Self::reading(outline, |step| step.mark(journal))
    }

    /// As if the plan had no steps but those that make objects of its own: the others count as never begun.
    pub fn of_own_objects(outline: &'a Outline, journal: &Journal) -> Self {
        Self::reading(outline, |step| {
            let counts = step.makes_own_objects;
            counts.then(|| step.mark(journal)).flatten()
        })
    }

    fn reading(outline: &'a Outline, mark: impl Fn(&StepOutline) -> Option<Mark>) -> Self {
        let mut failed_in = BTreeMap::new();
        let mut stages = Vec::new();
        for (index, lanes) in outline.stages.iter().enumerate() {
            let mut standing = Vec::new();
            for outline in lanes {
                let marks: Vec<_> = outline.steps.iter().map(|s| (s.is_last, mark(s))).collect();
                let next = next(&marks, false);
                let lane = Standing {
                    outline,
                    marks,
                    next,
                };
                if lane.is_failed() {
                    failed_in.entry(outline.id.as_str()).or_insert(index);
                }
                standing.push(lane);
            }
            stages.push(standing);
        }
        Self {
            outline,
            stages,
            failed_in,
        }
    }

    fn lanes(&self) -> impl Iterator<Item = &Standing<'a>> {
        self.stages.iter().flatten()
    }

    fn past_no_return(&self) -> bool {
        let begun = |(is_last, mark): &(bool, Option<Mark>)| *is_last && mark.is_some();
        self.lanes().any(|lane| lane.marks.iter().any(begun))
    }

    /// Everything has to go back: a group step failed, or a member did and the plan says stop.
    fn must_unwind(&self) -> bool {
        let all_count = self.outline.on_member_failure == OnMemberFailure::Stop;
        let counts = |lane: &&Standing| all_count || lane.outline.is_group();
        let is_failed = self.lanes().filter(counts).any(Standing::is_failed);
        is_failed && !self.past_no_return()
    }

    fn work_in(&self, stage: usize, lanes: &[Standing], unwind: bool) -> Vec<(StepAt, Way)> {
        let mut work = Vec::new();
        for (index, lane) in lanes.iter().enumerate() {
            let at = |place| StepAt {
                stage,
                lane: index,
                place,
            };
            let tier = lane.outline.tier;
            let what = if unwind {
                next(&lane.marks, true)
            } else {
                lane.next
            };
            match what {
                Next::Run(place) => work.push((tier, at(place), Way::Do)),
                Next::Undo(place) => work.push((tier, at(place), Way::Undo)),
                Next::Settled(_) => {}
            }
        }
        work.sort();
        work.into_iter().map(|(_, at, way)| (at, way)).collect()
    }

    /// Last stage first; a stage is left only when nothing of it is left: while a target server cannot be
    /// removed its source is not started (S1), and the copy below a volume that stays in use stays too.
    pub fn unwind(&self) -> Advance {
        for (index, lanes) in self.stages.iter().enumerate().rev() {
            let work = self.work_in(index, lanes, true);
            if !work.is_empty() {
                return Advance::Work(work);
            }
            let needs = |lane: &Standing| lane.ended() == Some(LaneEnd::NeedsOperator);
            if lanes.iter().any(needs) {
                return Advance::Settled(Outcome::NeedsOperator);
            }
        }
        Advance::Settled(Outcome::RolledBack)
    }

    /// A member that fell out in an earlier stage takes no part in later ones.
    fn runs_in(&self, stage: usize, lane: &Standing) -> bool {
        let failed = self.failed_in.get(lane.outline.id.as_str());
        failed.is_none_or(|first| *first >= stage)
    }

    fn forward(&self) -> Advance {
        for (index, lanes) in self.stages.iter().enumerate() {
            let mut work = self.work_in(index, lanes, false);
            work.retain(|(at, way)| {
                let lane = lanes.get(at.lane);
                *way == Way::Undo || lane.is_some_and(|l| self.runs_in(index, l))
            });
            if !work.is_empty() {
                return Advance::Work(work);
            }
        }
        Advance::Settled(self.outcome())
    }

    fn outcome(&self) -> Outcome {
        let needs = |lane: &Standing| lane.ended() == Some(LaneEnd::NeedsOperator);
        if self.lanes().any(needs) {
            return Outcome::NeedsOperator;
        }
        let all_up = self
            .lane_outcomes()
            .values()
            .all(|end| *end == LaneEnd::Completed);
        if all_up && !self.outline.leaves_out {
            Outcome::Full
        } else {
            Outcome::Partial
        }
    }

    fn lane_outcomes(&self) -> BTreeMap<String, LaneEnd> {
        let mut ends = BTreeMap::new();
        for lane in self.lanes().filter(|l| !l.outline.is_group()) {
            if let Some(end) = lane.ended() {
                let worst = ends.entry(lane.outline.id.clone()).or_insert(end);
                *worst = end.max(*worst);
            }
        }
        ends
    }
}

impl Outline {
    /// What an operation does next, from its plan and its journal alone.
    pub fn advance(&self, journal: &Journal) -> Advance {
        let view = View::of(self, journal);
        if view.must_unwind() {
            view.unwind()
        } else {
            view.forward()
        }
    }

    /// What an operation does next that somebody has cancelled: back to where it began. Past the point of no
    /// return nobody can, and it goes on.
    pub fn turned_round(&self, journal: &Journal) -> Advance {
        let view = View::of(self, journal);
        if view.past_no_return() {
            return self.advance(journal);
        }
        match view.unwind() {
            Advance::Settled(Outcome::RolledBack) => Advance::Settled(Outcome::Cancelled),
            other => other,
        }
    }

    /// Share of the plan's weight that is settled, 0..=100 (L5). Steps of members that fell out count
    /// as settled, so that a partial run also ends at 100.
    pub fn progress_pct(&self, journal: &Journal) -> u8 {
        let view = View::of(self, journal);
        let (mut total, mut settled) = (0u64, 0u64);
        for lane in view.lanes() {
            for (step, (_, mark)) in lane.outline.steps.iter().zip(&lane.marks) {
                total += step.weight;
                if lane.is_failed() || *mark == Some(Mark::Done) {
                    settled += step.weight;
                }
            }
        }
        let pct = (settled * 100).checked_div(total).unwrap_or(100);
        u8::try_from(pct).unwrap_or(100)
    }
}

/// `Outline::advance`, for who asks once.
pub fn advance(plan: &Plan, journal: &Journal) -> Advance {
    Outline::of(plan).advance(journal)
}

/// `Outline::turned_round`, for who asks once.
pub fn turned_round(plan: &Plan, journal: &Journal) -> Advance {
    Outline::of(plan).turned_round(journal)
}

/// `Outline::progress_pct`, for who asks once.
pub fn progress_pct(plan: &Plan, journal: &Journal) -> u8 {
    Outline::of(plan).progress_pct(journal)
}

/// True once the step that nothing undoes has begun: then a cancel comes too late.
pub fn past_no_return(plan: &Plan, journal: &Journal) -> bool {
    View::of(&Outline::of(plan), journal).past_no_return()
}

/// How each member's lane ended so far; the worst of its stages counts. Lanes still under way are
/// absent.
pub fn lane_outcomes(plan: &Plan, journal: &Journal) -> BTreeMap<String, LaneEnd> {
    View::of(&Outline::of(plan), journal).lane_outcomes()
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
