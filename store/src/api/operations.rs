//! Operations and their stories.

use super::{odd, page};
use crate::error::StoreError;
use crate::model::{NewEvent, OperationUpdate};
use crate::store::{Store, read};
use crate::write::{Write, Written};
use protector_domain::ids::{GroupId, OperationId, ProjectId};
use protector_domain::operation::{Operation, OperationEvent, OperationKind};
use protector_domain::sync::Epoch;

impl Store {
    pub async fn operation_fetch(&self, id: OperationId) -> Result<Option<Operation>, StoreError> {
        read!(self, operations::operation_fetch(id))
    }

    /// The operation that a request of this key started (I3).
    pub async fn operation_by_idempotency_key(
        &self,
        project: &ProjectId,
        key: &str,
    ) -> Result<Option<Operation>, StoreError> {
        read!(self, operations::operation_by_key(project, key))
    }

    /// Newest first, older than `marker`; at most 1,000 at once.
    pub async fn operation_list(
        &self,
        project: &ProjectId,
        group: Option<GroupId>,
        marker: Option<OperationId>,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        read!(
            self,
            operations::operation_list(project, group, marker, page(limit))
        )
    }

    /// The newest move by force of the group under `epoch`, however long ago: `None` if it was not moved
    /// by force.
    pub async fn operation_forced(
        &self,
        group: GroupId,
        epoch: Epoch,
    ) -> Result<Option<Operation>, StoreError> {
        read!(self, operations::operation_forced(group, epoch))
    }

    /// All operations of a kind of the group under `epoch` for which the ledger knows one of `steps` as
    /// done; oldest first, however long ago.
    ///
    /// Errors: `Illegal` rather than an incomplete list, above 1,000.
    pub async fn operations_that_did(
        &self,
        group: GroupId,
        epoch: Epoch,
        kind: OperationKind,
        steps: &[&str],
    ) -> Result<Vec<Operation>, StoreError> {
        read!(
            self,
            operations::operations_that_did(group, epoch, kind, steps)
        )
    }

    /// All projects, oldest first: what a starting engine resumes (L2).
    pub async fn operation_list_unfinished(&self) -> Result<Vec<Operation>, StoreError> {
        read!(self, operations::operation_list_unfinished())
    }

    /// Changes what moves; returns the operation as it is then. Repeating an update is allowed.
    ///
    /// Errors: `Missing`, `Illegal` for a status that may not follow (S10) or any change after the
    /// end. A smaller progress than stored is ignored (L5).
    pub async fn operation_update(&self, update: OperationUpdate) -> Result<Operation, StoreError> {
        match self.write(Write::OperationUpdate(update)).await? {
            Written::Operation(operation) => Ok(*operation),
            other => Err(odd(&other)),
        }
    }

    /// Appends to the story of an operation; returns the number of the last line.
    pub async fn events_append(
        &self,
        operation: OperationId,
        events: Vec<NewEvent>,
    ) -> Result<u64, StoreError> {
        match self
            .write(Write::EventsAppend { operation, events })
            .await?
        {
            Written::Seq(seq) => Ok(seq),
            other => Err(odd(&other)),
        }
    }

    /// In order, after `after_seq` (0: from the first); at most 1,000 at once.
    pub async fn event_list(
        &self,
        operation: OperationId,
        after_seq: u64,
        limit: u32,
    ) -> Result<Vec<OperationEvent>, StoreError> {
        let after = i64::try_from(after_seq).unwrap_or(i64::MAX);
        read!(self, operations::event_list(operation, after, page(limit)))
    }
}
