//! The ledger at its edge: reads what writes of steps need, lets `ledger` decide, writes what comes out;
//! each in a few statements, however many steps share them.

use super::operations::number_taken;
use super::{Conn, dialect};
use crate::error::StoreError;
use crate::ledger::{Ledger, Needs, Outcome, Standing};
use crate::rows::effect::EffectRow;
use crate::schema::{dr_operation_events as lines, effects};
use crate::write::{Write, Written};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use protector_domain::ids::{GroupId, OperationId};
use std::collections::{BTreeMap, BTreeSet};

/// Keys in one look, rows in one insert. Both databases take some ten thousands of values in a statement; a
/// row has seventeen.
const ROWS_MAX: usize = 256;

/// Answers in order: a write that is at fault has its error, and nothing of it is written.
///
/// Errors: what ends the transaction, and faults that only the database sees in what is written; then nobody
/// knows whose they are.
pub(crate) async fn apply_together(
    c: &mut Conn,
    writes: &[&Write],
    now_us: i64,
) -> Result<Vec<Result<Written, StoreError>>, StoreError> {
    let mut ledger = read(c, Needs::of(writes), now_us).await?;
    let answers = writes.iter().map(|write| ledger.apply(write)).collect();
    write(c, ledger.outcome()).await?;
    Ok(answers)
}

pub(crate) async fn apply_alone(
    c: &mut Conn,
    write: &Write,
    now_us: i64,
) -> Result<Written, StoreError> {
    let answers = apply_together(c, &[write], now_us).await?;
    answers.into_iter().next().unwrap_or(Err(StoreError::Busy))
}

async fn read(c: &mut Conn, needs: Needs, now_us: i64) -> Result<Ledger, StoreError> {
    let groups = standings(c, needs.groups).await?;
    let rows = rows(c, needs.keys).await?;
    let operations: Vec<OperationId> = needs.operations.into_iter().collect();
    let last = dialect::last_events(c, &operations).await?;
    Ok(Ledger::new(groups, rows, last, now_us))
}

/// Locked, so that no epoch moves between the fence and the commit; in one order, so that two controllers
/// do not wait for each other.
async fn standings(
    c: &mut Conn,
    groups: BTreeSet<GroupId>,
) -> Result<BTreeMap<GroupId, Standing>, StoreError> {
    let mut standings = BTreeMap::new();
    for group in groups {
        if let Some(head) = dialect::group_head_locked(c, &group.to_string()).await? {
            let (epoch, suspect) = (head.epoch, head.suspect);
            standings.insert(group, Standing { epoch, suspect });
        }
    }
    Ok(standings)
}

async fn rows(c: &mut Conn, keys: BTreeSet<String>) -> Result<Vec<EffectRow>, StoreError> {
    let keys: Vec<String> = keys.into_iter().collect();
    let mut rows = Vec::with_capacity(keys.len());
    for some in keys.chunks(ROWS_MAX) {
        let query = effects::table.filter(effects::effect_key.eq_any(some));
        rows.extend(query.select(EffectRow::as_select()).load(c).await?);
    }
    Ok(rows)
}

/// Errors: `Busy` if another process has just written a row of the same key or number: the transaction is
/// done again and sees it.
async fn write(c: &mut Conn, outcome: Outcome) -> Result<(), StoreError> {
    for some in outcome.new.chunks(ROWS_MAX) {
        let added = dialect::write_rows!(c, diesel::insert_into(effects::table), some);
        added.map_err(|error| number_taken(error.into()))?;
    }
    for some in outcome.changed.chunks(ROWS_MAX) {
        dialect::write_rows!(c, diesel::replace_into(effects::table), some)?;
    }
    for some in outcome.events.chunks(ROWS_MAX) {
        let added = dialect::write_rows!(c, diesel::insert_into(lines::table), some);
        added.map_err(|error| number_taken(error.into()))?;
    }
    Ok(())
}
