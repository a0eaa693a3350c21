//! The tables that are read out of a group's body: replaced whole, in the transaction that stores
//! the body, and readable for show and inspect.

use super::Conn;
use crate::error::StoreError;
use crate::model::{
    CgVolume, ConsistencyFacts, ConsistencyGroup, MappingRow, MemberRow, PolicyRow, Projections,
};
use crate::rows::projection::{
    CgVolumeRow, ConsistencyGroupRow, MappingTableRow, MemberTableRow, PolicyTableRow,
    ProjectionRows, policy_row, rows_of,
};
use crate::schema::{
    cg_volumes, consistency_groups, group_mappings, protection_group_members, replication_policies,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use protector_domain::ids::GroupId;
use protector_domain::record::{GroupBody, Policy};

/// Makes the projections say what `body` says. Without a body there are none but the policy that a
/// tombstone has left: its row says that array objects are still to be taken away.
pub(crate) async fn replace(
    c: &mut Conn,
    group: GroupId,
    body: Option<&GroupBody>,
    left: Option<&Policy>,
) -> Result<(), StoreError> {
    let id = group.to_string();
    remove(c, &id).await?;
    let Some(body) = body else {
        if let Some(policy) = left {
            let row = policy_row(&id, policy)?;
            let table = replication_policies::table;
            diesel::insert_into(table).values(row).execute(c).await?;
        }
        return consistency_group_empty(c, &id).await;
    };
    insert(c, rows_of(group, body)?).await
}

/// The array objects of a deleted group are gone from here.
pub(crate) async fn policy_forget(c: &mut Conn, group: GroupId) -> Result<(), StoreError> {
    use replication_policies as p;
    let row = p::table.filter(p::protection_group_id.eq(group.to_string()));
    diesel::delete(row).execute(c).await?;
    Ok(())
}

async fn remove(c: &mut Conn, id: &str) -> Result<(), StoreError> {
    use {
        cg_volumes as v, group_mappings as g, protection_group_members as m,
        replication_policies as p,
    };
    diesel::delete(v::table.filter(v::protection_group_id.eq(id)))
        .execute(c)
        .await?;
    diesel::delete(m::table.filter(m::protection_group_id.eq(id)))
        .execute(c)
        .await?;
    diesel::delete(p::table.filter(p::protection_group_id.eq(id)))
        .execute(c)
        .await?;
    diesel::delete(g::table.filter(g::protection_group_id.eq(id)))
        .execute(c)
        .await?;
    Ok(())
}

async fn insert(c: &mut Conn, rows: ProjectionRows) -> Result<(), StoreError> {
    consistency_group_put(c, rows.consistency_group).await?;
    for row in rows.volumes {
        diesel::insert_into(cg_volumes::table)
            .values(row)
            .execute(c)
            .await?;
    }
    for row in rows.members {
        diesel::insert_into(protection_group_members::table)
            .values(row)
            .execute(c)
            .await?;
    }
    if let Some(row) = rows.policy {
        diesel::insert_into(replication_policies::table)
            .values(row)
            .execute(c)
            .await?;
    }
    for row in rows.mappings {
        diesel::insert_into(group_mappings::table)
            .values(row)
            .execute(c)
            .await?;
    }
    Ok(())
}

/// Keeps the local facts of the row.
async fn consistency_group_put(c: &mut Conn, row: ConsistencyGroupRow) -> Result<(), StoreError> {
    use consistency_groups as g;
    let changed = diesel::update(g::table.find(&row.protection_group_id))
        .set((
            g::volume_type_name.eq(&row.volume_type_name),
            g::secondary_volume_type_name.eq(&row.secondary_volume_type_name),
            g::volume_count.eq(row.volume_count),
        ))
        .execute(c)
        .await?;
    if changed == 0 {
        diesel::insert_into(g::table).values(row).execute(c).await?;
    }
    Ok(())
}

/// Cinder groups outlive the record until they are torn down, so their ids stay; without any the
/// row goes.
async fn consistency_group_empty(c: &mut Conn, id: &str) -> Result<(), StoreError> {
    use consistency_groups as g;
    let unknown = g::table
        .find(id)
        .filter(g::primary_cg_id.is_null())
        .filter(g::secondary_cg_id.is_null());
    diesel::delete(unknown).execute(c).await?;
    diesel::update(g::table.find(id))
        .set(g::volume_count.eq(0))
        .execute(c)
        .await?;
    Ok(())
}

/// Errors: `Missing` for a group without a record. The row of a deleted group goes with its facts.
pub(crate) async fn consistency_group_set(
    c: &mut Conn,
    group: GroupId,
    facts: &ConsistencyFacts,
) -> Result<(), StoreError> {
    use consistency_groups as g;
    let id = group.to_string();
    let changed = diesel::update(g::table.find(&id))
        .set((
            g::primary_cg_id.eq(facts.primary_cg_id.as_ref().map(|id| id.as_str())),
            g::secondary_cg_id.eq(facts.secondary_cg_id.as_ref().map(|id| id.as_str())),
            g::backend_name.eq(facts.backend_name.as_deref()),
            g::status.eq(facts.status.as_deref()),
        ))
        .execute(c)
        .await?;
    if changed == 0 {
        return Err(StoreError::Missing);
    }
    let stored = super::groups::group_fetch(c, group).await?;
    if stored.is_none_or(|stored| stored.sync.is_deleted()) {
        consistency_group_empty(c, &id).await?;
    }
    Ok(())
}

pub(crate) async fn consistency_group_fetch(
    c: &mut Conn,
    group: GroupId,
) -> Result<Option<ConsistencyGroup>, StoreError> {
    let query = consistency_groups::table.find(group.to_string());
    let row = query
        .select(ConsistencyGroupRow::as_select())
        .first(c)
        .await
        .optional()?;
    row.map(ConsistencyGroup::try_from).transpose()
}

pub(crate) async fn cg_volume_list(
    c: &mut Conn,
    group: GroupId,
) -> Result<Vec<CgVolume>, StoreError> {
    let query = cg_volumes::table
        .filter(cg_volumes::protection_group_id.eq(group.to_string()))
        .order(cg_volumes::place);
    let rows: Vec<CgVolumeRow> = query.select(CgVolumeRow::as_select()).load(c).await?;
    rows.into_iter().map(CgVolume::try_from).collect()
}

async fn member_list(c: &mut Conn, id: &str) -> Result<Vec<MemberRow>, StoreError> {
    let query = protection_group_members::table
        .filter(protection_group_members::protection_group_id.eq(id))
        .order(protection_group_members::place);
    let rows: Vec<MemberTableRow> = query.select(MemberTableRow::as_select()).load(c).await?;
    rows.into_iter().map(MemberRow::try_from).collect()
}

async fn mapping_list(c: &mut Conn, id: &str) -> Result<Vec<MappingRow>, StoreError> {
    let query = group_mappings::table
        .filter(group_mappings::protection_group_id.eq(id))
        .order((group_mappings::kind, group_mappings::source));
    let rows: Vec<MappingTableRow> = query.select(MappingTableRow::as_select()).load(c).await?;
    Ok(rows.into_iter().map(MappingRow::from).collect())
}

pub(crate) async fn projections(c: &mut Conn, group: GroupId) -> Result<Projections, StoreError> {
    let id = group.to_string();
    let policy = replication_policies::table
        .find(&id)
        .select(PolicyTableRow::as_select());
    let policy = policy.first(c).await.optional()?;
    Ok(Projections {
        consistency_group: consistency_group_fetch(c, group).await?,
        cg_volumes: cg_volume_list(c, group).await?,
        members: member_list(c, &id).await?,
        policy: policy.map(PolicyRow::try_from).transpose()?,
        mappings: mapping_list(c, &id).await?,
    })
}
