//! The ledger: intended before the call, settled after it, both only under the group's epoch.

use super::Conn;
use super::groups::check_fence;
use crate::codec::word;
use crate::error::StoreError;
use crate::model::EffectSettle;
use crate::rows::effect::{EffectRow, SettleColumns};
use crate::schema::effects;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use protector_domain::effect::{Effect, EffectKey, EffectState};
use protector_domain::ids::{GroupId, OperationId};
use protector_domain::sync::Epoch;

/// Most effects of one operation or group that a list returns.
const LIST_MAX: i64 = 100_000;

/// New rows, or old ones set back to intended with one more attempt. What is known of the object
/// stays: it is where the next look begins.
pub(crate) async fn effects_intend(
    c: &mut Conn,
    group: GroupId,
    fence: Epoch,
    wanted: &[Effect],
) -> Result<(), StoreError> {
    check_fence(c, group, fence).await?;
    for effect in wanted {
        if effect.group != group {
            return Err(StoreError::Illegal(format!(
                "{} is not of this group",
                effect.key
            )));
        }
        if effect.state != EffectState::Intended {
            return Err(StoreError::Illegal(format!(
                "{} is not intended",
                effect.key
            )));
        }
        if intend_again(c, effect).await? == 0 {
            intend_first(c, effect).await?;
        }
    }
    Ok(())
}

async fn intend_again(c: &mut Conn, effect: &Effect) -> Result<usize, StoreError> {
    let row = effects::table
        .find(effect.key.as_str())
        .filter(effects::protection_group_id.eq(effect.group.to_string()));
    let changed = diesel::update(row)
        .set((
            effects::state.eq(word(&EffectState::Intended)?),
            effects::attempts.eq(effects::attempts + 1),
            effects::error.eq(None::<String>),
            effects::intended_us.eq(effect.intended_us),
            effects::settled_us.eq(None::<i64>),
        ))
        .execute(c)
        .await?;
    Ok(changed)
}

async fn intend_first(c: &mut Conn, effect: &Effect) -> Result<(), StoreError> {
    let row = EffectRow {
        attempts: 1,
        settled_us: None,
        ..EffectRow::new(effect)?
    };
    let added = diesel::insert_into(effects::table)
        .values(row)
        .execute(c)
        .await;
    match added.map_err(StoreError::from) {
        Ok(_) => Ok(()),
        Err(StoreError::AlreadyThere { .. }) => Err(StoreError::AlreadyThere {
            what: "effect of another group",
            id: Some(effect.key.to_string()),
        }),
        Err(error) => Err(error),
    }
}

/// Errors: `Missing` for an effect that was never intended (S12), `Fenced`.
pub(crate) async fn effects_settle(
    c: &mut Conn,
    group: GroupId,
    fence: Epoch,
    settles: &[EffectSettle],
    now_us: i64,
) -> Result<(), StoreError> {
    check_fence(c, group, fence).await?;
    for settle in settles {
        let row = effects::table
            .find(settle.key.as_str())
            .filter(effects::protection_group_id.eq(group.to_string()));
        let columns = SettleColumns::new(settle, now_us)?;
        if diesel::update(row).set(columns).execute(c).await? == 0 {
            return Err(StoreError::Missing);
        }
    }
    Ok(())
}

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
