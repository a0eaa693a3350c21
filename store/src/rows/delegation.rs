//! The row of a delegation.

use crate::codec::parse_id;
use crate::error::StoreError;
use crate::model::Delegation;
use crate::schema::delegations;
use diesel::prelude::*;
use protector_domain::ids::{ProjectId, TrustId, UserId};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = delegations)]
pub(crate) struct DelegationRow {
    pub protection_group_id: String,
    pub project: String,
    pub user_id: String,
    pub trust_id: Option<String>,
    pub trouble: Option<String>,
    pub checked_us: i64,
}

impl DelegationRow {
    pub fn new(delegation: &Delegation) -> Self {
        Self {
            protection_group_id: delegation.group.to_string(),
            project: delegation.project.to_string(),
            user_id: delegation.user.to_string(),
            trust_id: delegation.trust.as_ref().map(ToString::to_string),
            trouble: delegation.trouble.clone(),
            checked_us: delegation.checked_us,
        }
    }
}

impl TryFrom<DelegationRow> for Delegation {
    type Error = StoreError;
    fn try_from(row: DelegationRow) -> Result<Self, StoreError> {
        Ok(Self {
            group: parse_id("delegations.protection_group_id", &row.protection_group_id)?,
            project: ProjectId(row.project),
            user: UserId(row.user_id),
            trust: row.trust_id.map(TrustId),
            trouble: row.trouble,
            checked_us: row.checked_us,
        })
    }
}
