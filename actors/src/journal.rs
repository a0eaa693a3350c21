//! What operations write and read of the ledger: intents before, outcomes after, one line of story
//! beside each. The only file that turns steps into rows.

use crate::site::Site;
use protector_domain::effect::{Effect, EffectState};
use protector_domain::operation::EventKind;
use protector_domain::plan::{GROUP_LANE, Lane, Plan, Step, StepAt};
use protector_domain::saga::Journal;
use protector_domain::sync::Epoch;
use protector_store::{EffectSettle, NewEvent, StoreError, Write};
use serde_json::Value;

/// What a step of this lane may have to know: what its own lane has made; of the group's steps, everything.
/// Each step takes its copy along, so a copy of all for every member would cost the square of a group.
pub(crate) fn of_lane(journal: &Journal, lane: &Lane) -> Journal {
    let known = |effect: &Effect| lane.id == GROUP_LANE || effect.lane == lane.id;
    let rows = journal.iter().filter(|(_, effect)| known(effect));
    rows.map(|(key, effect)| (key.clone(), effect.clone()))
        .collect()
}

/// An object that a step made, or found by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub key: protector_domain::effect::EffectKey,
    pub id: String,
    pub detail: Value,
}

/// Where a detail says what came out otherwise than planned.
const DEVIATION: &str = "deviation";

impl Made {
    /// With a deviation, for people.
    pub fn deviating(mut self, why: &str) -> Self {
        self.detail = serde_json::json!({ DEVIATION: why });
        self
    }

    pub fn deviation(&self) -> Option<&str> {
        self.detail.get(DEVIATION)?.as_str()
    }
}

/// One step's rows, kept in step with the store.
pub(crate) struct StepRows {
    pub effects: Vec<Effect>,
    /// The epoch that the step acts under.
    fence: Epoch,
}

impl StepRows {
    /// The rows as the journal has them, or fresh ones.
    pub fn of(
        site: &Site,
        plan: &Plan,
        at: StepAt,
        lane: &Lane,
        step: &Step,
        journal: &Journal,
    ) -> Self {
        let row = |target: protector_domain::plan::Target| {
            let known = journal.get(target.key.as_str()).cloned();
            known.unwrap_or_else(|| Effect {
                key: target.key,
                operation: plan.operation,
                group: plan.group,
                project: plan.project.clone(),
                site: site.id(),
                lane: lane.id.clone(),
                stage: u32::try_from(at.stage).unwrap_or(u32::MAX),
                place: u32::try_from(at.place).unwrap_or(u32::MAX),
                step: step.name().to_owned(),
                kind: target.kind,
                state: EffectState::Intended,
                object_id: None,
                detail: Value::Null,
                attempts: 0,
                error: None,
                intended_us: site.ctx().now_us(),
                settled_us: None,
            })
        };
        Self {
            effects: step.targets(plan.operation).into_iter().map(row).collect(),
            fence: plan.fence_at(at),
        }
    }

    /// The rows of an operation that a higher epoch has overtaken are written under that one.
    pub fn under(self, fence: Option<Epoch>) -> Self {
        Self {
            fence: fence.unwrap_or(self.fence),
            ..self
        }
    }

    /// True when an earlier run of this step may have had an effect.
    pub fn begun_before(&self) -> bool {
        self.effects
            .iter()
            .any(|e| e.attempts > 0 && e.state == EffectState::Intended)
    }

    /// Rows that have no object yet.
    pub fn missing(&self, found: &[Made]) -> Vec<protector_domain::effect::EffectKey> {
        let has = |e: &&Effect| !found.iter().any(|made| made.key == e.key);
        self.effects
            .iter()
            .filter(has)
            .map(|e| e.key.clone())
            .collect()
    }

    /// The epoch of the step; whichever leads, for an engine that does not heed epochs.
    async fn fence(&self, site: &Site, plan: &Plan) -> Result<Epoch, StoreError> {
        if site.care().heed_epochs {
            return Ok(self.fence);
        }
        let stored = site.store().group_fetch(plan.group).await?;
        Ok(stored.and_then(|s| s.sync.epoch()).unwrap_or(self.fence))
    }

    /// Writes the intents: before the call, guarded by the fence (S12, S11).
    pub async fn intend(&mut self, site: &Site, plan: &Plan) -> Result<(), StoreError> {
        let first = self.effects.iter().all(|e| e.attempts == 0);
        let fence = self.fence(site, plan).await?;
        for effect in &mut self.effects {
            effect.attempts = effect.attempts.saturating_add(1);
            effect.state = EffectState::Intended;
        }
        let mut writes = vec![Write::EffectsIntend {
            group: plan.group,
            fence,
            effects: self.effects.clone(),
        }];
        if first {
            writes.push(self.event(site, plan, EventKind::StepStarted, String::new()));
        }
        site.store().write(Write::Batch(writes)).await.map(|_| ())
    }

    /// As after `settle`, when somebody else has written it.
    pub fn mark(&mut self, state: EffectState, made: &[Made], now_us: i64) {
        for effect in &mut self.effects {
            effect.state = state;
            effect.settled_us = Some(now_us);
            if let Some(made) = made.iter().find(|m| m.key == effect.key) {
                effect.object_id = Some(made.id.clone());
                effect.detail = made.detail.clone();
            }
        }
    }

    /// Writes one state for every row, with what is known of each object.
    pub async fn settle(
        &mut self,
        site: &Site,
        plan: &Plan,
        state: EffectState,
        made: &[Made],
        event: EventKind,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        for effect in &mut self.effects {
            // Why it failed stays when it is taken back.
            if error.is_some() || state == EffectState::Done {
                effect.error = error.map(str::to_owned);
            }
        }
        self.mark(state, made, site.ctx().now_us());
        let fence = self.fence(site, plan).await?;
        let settles = self.effects.iter().map(|e| EffectSettle {
            key: e.key.clone(),
            state,
            object_id: e.object_id.clone(),
            detail: Some(e.detail.clone()),
            error: e.error.clone(),
        });
        let settle = Write::EffectsSettle {
            group: plan.group,
            fence,
            settles: settles.collect(),
        };
        let text = error.unwrap_or_default().to_owned();
        let writes = vec![settle, self.event(site, plan, event, text)];
        site.store().write(Write::Batch(writes)).await.map(|_| ())
    }

    /// One line of the operation's story about this step.
    pub fn event(&self, site: &Site, plan: &Plan, kind: EventKind, text: String) -> Write {
        let first = self.effects.first();
        Write::EventsAppend {
            operation: plan.operation,
            events: vec![NewEvent {
                at_us: site.ctx().now_us(),
                kind,
                lane: first.map(|e| e.lane.clone()),
                step: first.map(|e| e.step.clone()),
                text,
            }],
        }
    }
}
