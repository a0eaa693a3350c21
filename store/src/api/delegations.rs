//! In whose name a group's servers are made at this site.

use crate::error::StoreError;
use crate::model::Delegation;
use crate::store::{Store, read};
use crate::write::Write;
use protector_domain::ids::{GroupId, TrustId};

impl Store {
    /// Replaces what the group had.
    pub async fn delegation_put(&self, delegation: Delegation) -> Result<(), StoreError> {
        self.write_done(Write::DelegationPut(Box::new(delegation)))
            .await
    }

    pub async fn delegation_fetch(&self, group: GroupId) -> Result<Option<Delegation>, StoreError> {
        read!(self, delegations::delegation_fetch(group))
    }

    /// How many groups rest on this trust.
    pub async fn delegation_uses(&self, trust: &TrustId) -> Result<u64, StoreError> {
        read!(self, delegations::delegation_uses(trust))
    }

    /// Twice is once.
    pub async fn delegation_delete(&self, group: GroupId) -> Result<(), StoreError> {
        self.write_done(Write::DelegationDelete(group)).await
    }
}
