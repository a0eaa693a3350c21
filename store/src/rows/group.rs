//! The row of a group: columns to compare and to search by, beside the state that they come from.

use crate::codec::{count, json, parse_id, parse_json, word};
use crate::error::StoreError;
use crate::model::{GroupPut, StoredGroup};
use crate::schema::{group_secrets, protection_groups};
use diesel::prelude::*;
use protector_domain::ids::ProjectId;
use protector_domain::record::{GroupBody, Policy, SCHEMA, Tombstone};
use protector_domain::sync::{GroupSync, Pair, leader};
use serde_json::Value;

/// Everything that a new state changes in the row.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone)]
#[diesel(table_name = protection_groups)]
#[diesel(treat_none_as_null = true)]
pub(crate) struct GroupColumns {
    pub project: String,
    pub epoch: i64,
    pub version: i64,
    pub digest: String,
    pub deleted: bool,
    pub name: Option<String>,
    /// The name while the group lives: names are free again after a tombstone.
    pub live_name: Option<String>,
    pub status: Option<String>,
    pub replication_type: Option<String>,
    pub primary_site_id: Option<String>,
    pub secondary_site_id: Option<String>,
    pub current_primary_site_id: Option<String>,
    pub failover_count: i64,
    pub last_failover_at_us: Option<i64>,
    pub state: String,
    pub signed: Option<String>,
    pub updated_us: i64,
    pub suspect: bool,
}

#[derive(Insertable)]
#[diesel(table_name = protection_groups)]
pub(crate) struct NewGroupRow {
    pub id: String,
    pub revision: i64,
    pub created_us: i64,
    #[diesel(embed)]
    pub columns: GroupColumns,
}

/// What a put compares with before it writes.
#[derive(Queryable, Selectable)]
#[diesel(table_name = protection_groups)]
pub(crate) struct GroupHeadRow {
    pub revision: i64,
    pub epoch: i64,
    pub version: i64,
    pub digest: String,
    pub suspect: bool,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = protection_groups)]
pub(crate) struct GroupRow {
    pub id: String,
    pub project: String,
    pub revision: i64,
    pub state: String,
    pub created_us: i64,
    pub updated_us: i64,
}

#[derive(Insertable)]
#[diesel(table_name = group_secrets)]
pub(crate) struct GroupSecretRow {
    pub protection_group_id: String,
    pub name: String,
    pub value: Vec<u8>,
    pub updated_us: i64,
}

/// The body of the current record, if there is one that this program can read (A14). A record is
/// stored all the same: the rules, not the store, say which records a site holds.
pub(crate) fn body_of(sync: &GroupSync) -> Option<GroupBody> {
    let record = sync.current()?.record();
    if record.header.deleted {
        return None;
    }
    let body: GroupBody = serde_json::from_value(record.body.clone()).ok()?;
    (body.schema == SCHEMA).then_some(body)
}

/// Where the array objects of a deleted group are, as its tombstone says.
pub(crate) fn policy_left(sync: &GroupSync) -> Option<Policy> {
    let record = sync.current()?.record();
    let tombstone = record.header.deleted.then(|| record.body.clone())?;
    let tombstone: Tombstone = serde_json::from_value(tombstone).ok()?;
    tombstone.policy
}

/// Also a tombstone has a name, and a body that we cannot read otherwise.
fn name_of(sync: &GroupSync) -> Option<String> {
    let name = sync
        .current()?
        .record()
        .body
        .get("name")
        .and_then(Value::as_str)?;
    Some(name.to_owned())
}

/// Epoch, version and digest; zeros for a group that has no record here.
pub(crate) fn cas_of(sync: &GroupSync) -> Result<(i64, i64, String), StoreError> {
    match sync.fence() {
        None => Ok((0, 0, String::new())),
        Some(at) => Ok((
            count("epoch", at.epoch.0)?,
            count("version", at.version.0)?,
            at.digest.to_string(),
        )),
    }
}

impl GroupColumns {
    pub fn new(put: &GroupPut, body: Option<&GroupBody>, now_us: i64) -> Result<Self, StoreError> {
        let sync = &put.sync;
        let (epoch, version, digest) = cas_of(sync)?;
        let deleted = sync.is_deleted();
        let name = name_of(sync);
        let primary = sync
            .epoch()
            .map(|epoch| sync.site_of(leader(epoch)).to_string());
        let signed = sync
            .current()
            .map(|current| json(current.signed()))
            .transpose()?;
        Ok(Self {
            project: put.project.to_string(),
            epoch,
            version,
            digest,
            deleted,
            live_name: name.clone().filter(|_| !deleted),
            name,
            status: body.map(|b| word(&b.status)).transpose()?,
            replication_type: body.map(|b| word(&b.replication_type)).transpose()?,
            primary_site_id: body.map(|b| b.sides.home.site.to_string()),
            secondary_site_id: body.map(|b| b.sides.other.site.to_string()),
            current_primary_site_id: primary,
            failover_count: body.map_or(0, |b| i64::from(b.failover_count)),
            last_failover_at_us: body.and_then(|b| b.last_failover_at_us),
            state: json(sync)?,
            signed,
            updated_us: now_us,
            suspect: sync.is_suspect(),
        })
    }
}

impl GroupHeadRow {
    /// S8: the pair of a group never falls, and one pair never has two contents.
    pub fn check_order(&self, next: &GroupColumns) -> Result<(), StoreError> {
        let (have, want) = ((self.epoch, self.version), (next.epoch, next.version));
        if want < have {
            return Err(StoreError::Illegal(format!(
                "the record of a group falls from {} to {}",
                pair(have),
                pair(want)
            )));
        }
        if want == have && self.digest != next.digest {
            return Err(StoreError::Illegal(format!(
                "{} would have two contents",
                pair(have)
            )));
        }
        Ok(())
    }
}

fn pair((epoch, version): (i64, i64)) -> Pair {
    Pair::new(epoch.unsigned_abs(), version.unsigned_abs())
}

impl TryFrom<GroupRow> for StoredGroup {
    type Error = StoreError;
    fn try_from(row: GroupRow) -> Result<Self, StoreError> {
        let sync: GroupSync = parse_json("protection_groups.state", &row.state)?;
        Ok(Self {
            id: parse_id("protection_groups.id", &row.id)?,
            project: ProjectId(row.project),
            revision: row.revision,
            body: body_of(&sync),
            sync,
            created_us: row.created_us,
            updated_us: row.updated_us,
        })
    }
}
