//! The ledger.

use super::page;
use crate::error::StoreError;
use crate::model::EffectSettle;
use crate::store::{Store, read};
use crate::write::Write;
use protector_domain::effect::{Effect, EffectKey, EffectState};
use protector_domain::ids::{GroupId, OperationId};
use protector_domain::sync::Epoch;

impl Store {
    /// Before the call (S12): new rows, or known ones set back to intended with one more attempt;
    /// object id and detail stay. All or nothing.
    ///
    /// Errors: `Fenced` unless the group is at `fence`; `Missing` without the group.
    pub async fn effects_intend(
        &self,
        group: GroupId,
        fence: Epoch,
        effects: Vec<Effect>,
    ) -> Result<(), StoreError> {
        self.write_done(Write::EffectsIntend {
            group,
            fence,
            effects,
        })
        .await
    }

    /// After the call. All or nothing.
    ///
    /// Errors: `Fenced` unless the group is at `fence`; `Missing` for what was never intended.
    pub async fn effects_settle(
        &self,
        group: GroupId,
        fence: Epoch,
        settles: Vec<EffectSettle>,
    ) -> Result<(), StoreError> {
        self.write_done(Write::EffectsSettle {
            group,
            fence,
            settles,
        })
        .await
    }

    pub async fn effect_fetch(&self, key: &EffectKey) -> Result<Option<Effect>, StoreError> {
        read!(self, effects::effect_fetch(key))
    }

    /// In plan order: stage, lane, place.
    pub async fn effects_by_operation(
        &self,
        operation: OperationId,
    ) -> Result<Vec<Effect>, StoreError> {
        read!(self, effects::effects_by_operation(operation))
    }

    /// All that was ever made for the group, by key.
    pub async fn effects_of_group(&self, group: GroupId) -> Result<Vec<Effect>, StoreError> {
        read!(self, effects::effects_of_group(group))
    }

    /// By key, after `after`; at most 1,000 at once.
    pub async fn effects_by_state(
        &self,
        states: &[EffectState],
        after: Option<&EffectKey>,
        limit: u32,
    ) -> Result<Vec<Effect>, StoreError> {
        read!(self, effects::effects_by_state(states, after, page(limit)))
    }
}
