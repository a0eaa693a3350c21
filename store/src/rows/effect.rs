//! Rows of the ledger.

use crate::codec::{json, parse_count, parse_id, parse_json, parse_word, word};
use crate::error::StoreError;
use crate::model::EffectSettle;
use crate::schema::effects;
use diesel::prelude::*;
use protector_domain::effect::{Effect, EffectKey, EffectState};
use protector_domain::ids::ProjectId;

#[derive(Queryable, Selectable, Insertable, Debug, Clone, PartialEq, Eq)]
#[diesel(table_name = effects)]
// Many rows go into one statement only if each names all its columns.
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct EffectRow {
    pub effect_key: String,
    pub operation_id: String,
    pub protection_group_id: String,
    pub project: String,
    pub site_id: String,
    pub lane: String,
    pub stage: i64,
    pub place: i64,
    pub step: String,
    pub kind: String,
    pub state: String,
    pub object_id: Option<String>,
    pub detail: String,
    pub attempts: i64,
    pub error: Option<String>,
    pub intended_us: i64,
    pub settled_us: Option<i64>,
}

/// What settling writes.
pub(crate) struct SettleColumns {
    state: String,
    /// `None` keeps what is known.
    object_id: Option<String>,
    /// `None` keeps what is known.
    detail: Option<String>,
    error: Option<String>,
    settled_us: Option<i64>,
}

impl SettleColumns {
    pub fn new(settle: &EffectSettle, now_us: i64) -> Result<Self, StoreError> {
        let open = matches!(
            settle.state,
            EffectState::Intended | EffectState::UndoIntended
        );
        Ok(Self {
            state: word(&settle.state)?,
            object_id: settle.object_id.clone(),
            detail: settle.detail.as_ref().map(json).transpose()?,
            error: settle.error.clone(),
            settled_us: (!open).then_some(now_us),
        })
    }
}

impl EffectRow {
    /// As it stands when nothing has been tried yet.
    pub fn first_intent(self) -> Self {
        Self {
            attempts: 1,
            settled_us: None,
            ..self
        }
    }

    /// Tried once more, at the time of `fresh`.
    pub fn intended_again(self, fresh: &Self) -> Self {
        Self {
            state: fresh.state.clone(),
            attempts: self.attempts.saturating_add(1),
            error: None,
            intended_us: fresh.intended_us,
            settled_us: None,
            ..self
        }
    }

    pub fn settled(self, columns: SettleColumns) -> Self {
        Self {
            state: columns.state,
            object_id: columns.object_id.or(self.object_id),
            detail: columns.detail.unwrap_or(self.detail),
            error: columns.error,
            settled_us: columns.settled_us,
            ..self
        }
    }

    pub fn new(effect: &Effect) -> Result<Self, StoreError> {
        Ok(Self {
            effect_key: effect.key.to_string(),
            operation_id: effect.operation.to_string(),
            protection_group_id: effect.group.to_string(),
            project: effect.project.to_string(),
            site_id: effect.site.to_string(),
            lane: effect.lane.clone(),
            stage: i64::from(effect.stage),
            place: i64::from(effect.place),
            step: effect.step.clone(),
            kind: word(&effect.kind)?,
            state: word(&effect.state)?,
            object_id: effect.object_id.clone(),
            detail: json(&effect.detail)?,
            attempts: i64::from(effect.attempts),
            error: effect.error.clone(),
            intended_us: effect.intended_us,
            settled_us: effect.settled_us,
        })
    }
}

impl TryFrom<EffectRow> for Effect {
    type Error = StoreError;
    fn try_from(row: EffectRow) -> Result<Self, StoreError> {
        Ok(Self {
            key: EffectKey(row.effect_key),
            operation: parse_id("effects.operation_id", &row.operation_id)?,
            group: parse_id("effects.protection_group_id", &row.protection_group_id)?,
            project: ProjectId(row.project),
            site: parse_id("effects.site_id", &row.site_id)?,
            lane: row.lane,
            stage: parse_count("effects.stage", row.stage)?,
            place: parse_count("effects.place", row.place)?,
            step: row.step,
            kind: parse_word("effects.kind", row.kind)?,
            state: parse_word("effects.state", row.state)?,
            object_id: row.object_id,
            detail: parse_json("effects.detail", &row.detail)?,
            attempts: parse_count("effects.attempts", row.attempts)?,
            error: row.error,
            intended_us: row.intended_us,
            settled_us: row.settled_us,
        })
    }
}
