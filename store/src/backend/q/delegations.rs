//! In whose name servers are made, by group.

use super::Conn;
use crate::error::StoreError;
use crate::model::Delegation;
use crate::rows::delegation::DelegationRow;
use crate::schema::delegations;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use protector_domain::ids::{GroupId, TrustId};

pub(crate) async fn delegation_put(
    c: &mut Conn,
    delegation: &Delegation,
) -> Result<(), StoreError> {
    diesel::replace_into(delegations::table)
        .values(DelegationRow::new(delegation))
        .execute(c)
        .await?;
    Ok(())
}

pub(crate) async fn delegation_fetch(
    c: &mut Conn,
    group: GroupId,
) -> Result<Option<Delegation>, StoreError> {
    let query = delegations::table.find(group.to_string());
    let row = query
        .select(DelegationRow::as_select())
        .first(c)
        .await
        .optional()?;
    row.map(Delegation::try_from).transpose()
}

/// Groups whose servers are made by this trust.
pub(crate) async fn delegation_uses(c: &mut Conn, trust: &TrustId) -> Result<u64, StoreError> {
    let query = delegations::table.filter(delegations::trust_id.eq(trust.as_str()));
    let count: i64 = query.count().get_result(c).await?;
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}

/// One that is not there is no error.
pub(crate) async fn delegation_delete(c: &mut Conn, group: GroupId) -> Result<(), StoreError> {
    diesel::delete(delegations::table.find(group.to_string()))
        .execute(c)
        .await?;
    Ok(())
}
