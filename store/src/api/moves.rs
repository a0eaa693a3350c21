//! Beginning and ending an operation: what must be one transaction with the group's record (R4, R5).

use super::odd;
use crate::error::StoreError;
use crate::model::{EffectSettle, GroupPut, NewEvent, OperationUpdate};
use crate::store::Store;
use crate::write::{Write, Written};
use protector_domain::operation::Operation;
use protector_domain::sync::Epoch;

/// What became of an operation that was to be inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    New,
    /// The same idempotency key started this one; nothing was written.
    Existing(Box<Operation>),
}

/// What became of a move that was to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Operation and group are stored; this is the group's new revision.
    Started { revision: i64 },
    /// The same idempotency key started this one; nothing was written.
    Existing(Box<Operation>),
}

impl Store {
    /// Stores an operation with its frozen plan. The same idempotency key of the same project gives
    /// the operation that it started first (I3).
    ///
    /// Errors: `AlreadyThere` for the operation's id.
    pub async fn operation_insert(&self, operation: Operation) -> Result<Inserted, StoreError> {
        let (project, key) = (operation.project.clone(), operation.idempotency_key.clone());
        match self
            .write_done(Write::OperationInsert(Box::new(operation)))
            .await
        {
            Ok(()) => Ok(Inserted::New),
            Err(error) => self
                .existing(error, &project, key)
                .await
                .map(Inserted::Existing),
        }
    }

    async fn existing(
        &self,
        error: StoreError,
        project: &protector_domain::ids::ProjectId,
        key: Option<String>,
    ) -> Result<Box<Operation>, StoreError> {
        let taken = matches!(
            &error,
            StoreError::AlreadyThere {
                what: "idempotency_key",
                ..
            }
        );
        match key.filter(|_| taken) {
            Some(key) => {
                let there = self.operation_by_idempotency_key(project, &key).await?;
                there.map(Box::new).ok_or(StoreError::Busy)
            }
            None => Err(error),
        }
    }

    /// R4: the group's new record and the operation with its frozen plan, before the first effect.
    /// One transaction.
    ///
    /// Errors: as [`Store::group_put`] and [`Store::operation_insert`]; nothing is written then.
    pub async fn begin_move(
        &self,
        put: GroupPut,
        operation: Operation,
        events: Vec<NewEvent>,
    ) -> Result<Begun, StoreError> {
        let (project, key) = (operation.project.clone(), operation.idempotency_key.clone());
        let id = operation.id;
        let batch = Write::Batch(vec![
            Write::OperationInsert(Box::new(operation)),
            Write::GroupPut(Box::new(put)),
            Write::EventsAppend {
                operation: id,
                events,
            },
        ]);
        match self.write(batch).await {
            Ok(written) => Ok(Begun::Started {
                revision: revision_in(&written)?,
            }),
            Err(error) => self
                .existing(error, &project, key)
                .await
                .map(Begun::Existing),
        }
    }

    /// R5: the group's record that ends the move, the operation's end, and the last effects. One
    /// transaction; `fence` is the group's epoch before it.
    ///
    /// Errors: `Fenced`, `Missing`, `Illegal`, and as [`Store::group_put`]; nothing is written then.
    pub async fn finish_move(
        &self,
        put: GroupPut,
        update: OperationUpdate,
        fence: Epoch,
        settles: Vec<EffectSettle>,
        events: Vec<NewEvent>,
    ) -> Result<i64, StoreError> {
        let (group, operation) = (put.sync.group(), update.id);
        let batch = Write::Batch(vec![
            Write::EffectsSettle {
                group,
                fence,
                settles,
            },
            Write::GroupPut(Box::new(put)),
            Write::OperationUpdate(update),
            Write::EventsAppend { operation, events },
        ]);
        revision_in(&self.write(batch).await?)
    }
}

fn revision_in(written: &Written) -> Result<i64, StoreError> {
    let Written::Batch(answers) = written else {
        return Err(odd(written));
    };
    let revision = answers.iter().find_map(|answer| match answer {
        Written::Revision(revision) => Some(*revision),
        _ => None,
    });
    revision.ok_or_else(|| odd(written))
}
