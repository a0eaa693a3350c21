//! Reading the ledger. Absent: writing it (`q::ledger`).

use super::Conn;
use crate::codec::word;
use crate::error::StoreError;
use crate::rows::effect::EffectRow;
use crate::schema::effects;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use protector_domain::effect::{Effect, EffectKey, EffectState};
use protector_domain::ids::{GroupId, OperationId};

/// Most effects of one operation or group that a list returns.
const LIST_MAX: i64 = 100_000;

fn read(rows: Vec<EffectRow>) -> Result<Vec<Effect>, StoreError> {
    rows.into_iter().map(Effect::try_from).collect()
}

pub(crate) async fn effect_fetch(
    c: &mut Conn,
    key: &EffectKey,
) -> Result<Option<Effect>, StoreError> {
    let query = effects::table
        .find(key.as_str())
        .select(EffectRow::as_select());
    query
        .first(c)
        .await
        .optional()?
        .map(Effect::try_from)
        .transpose()
}

/// In plan order.
pub(crate) async fn effects_by_operation(
    c: &mut Conn,
    operation: OperationId,
) -> Result<Vec<Effect>, StoreError> {
    let query = effects::table
        .filter(effects::operation_id.eq(operation.to_string()))
        .order((
            effects::stage,
            effects::lane,
            effects::place,
            effects::effect_key,
        ))
        .limit(LIST_MAX);
    read(query.select(EffectRow::as_select()).load(c).await?)
}

/// By key, so oldest operation first.
pub(crate) async fn effects_of_group(
    c: &mut Conn,
    group: GroupId,
) -> Result<Vec<Effect>, StoreError> {
    let query = effects::table
        .filter(effects::protection_group_id.eq(group.to_string()))
        .order(effects::effect_key)
        .limit(LIST_MAX);
    read(query.select(EffectRow::as_select()).load(c).await?)
}

pub(crate) async fn effects_by_state(
    c: &mut Conn,
    states: &[EffectState],
    after: Option<&EffectKey>,
    limit: i64,
) -> Result<Vec<Effect>, StoreError> {
    let words: Vec<String> = states.iter().map(word).collect::<Result<_, _>>()?;
    let mut query = effects::table
        .filter(effects::state.eq_any(words))
        .order(effects::effect_key)
        .limit(limit)
        .select(EffectRow::as_select())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(effects::effect_key.gt(after.as_str()));
    }
    read(query.load(c).await?)
}
