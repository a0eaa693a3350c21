//! R13 for a whole site: its database was restored, so no group here is trusted until it has been compared
//! with its peer. Every group goes through the rules like anything else that happens to it; the mark beside
//! the identity key goes first, so that a kill at any place means that the next start does it all again.
//!
//! Absent: when a group is trusted again (the rules), and who carries what that takes (couriers).

use crate::protection_group::kept_in;
use protector_domain::ids::{GroupId, OperationId};
use protector_domain::operation::{Operation, OperationStatus, Outcome};
use protector_domain::ports::{MarkError, MarkKeeper};
use protector_domain::sync::{
    BodyCheck, GroupSync, Input, Record, SigningIdentity, Step, StepContext, SyncRefusal, Tickets,
    raised_mark, step,
};
use protector_runtime::ctx::Ctx;
use protector_store::{GroupPut, OperationUpdate, Store, StoreError, StoredGroup, Write};

/// Rereads after somebody else was quicker.
const CONFLICTS_MAX: u32 = 8;

/// What an operation says that a restore has ended.
const ENDED: &str = "the database of this site was restored while it ran: what it did after the backup is not \
    known here, and nothing of it was taken back; its objects carry its id";

/// Why the groups of a site are not known to be in doubt.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Mark(#[from] MarkError),
    #[error("group {group}: {refusal}")]
    Rules {
        group: GroupId,
        refusal: SyncRefusal,
    },
    #[error("group {0} changes all the time: stop protectord, then repeat")]
    Restless(GroupId),
}

/// What is in doubt now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubted {
    /// The raised mark: no record that this site writes from now on can be one that it has forgotten.
    pub mark: u64,
    pub groups: Vec<GroupId>,
    /// Operations that were under way in the backup and are over.
    pub ended: Vec<OperationId>,
}

/// One site's memory, and the mark that is not part of it.
#[derive(Clone, Copy)]
pub struct Memory<'a> {
    pub store: &'a Store,
    pub identity: &'a SigningIdentity,
    pub marks: &'a dyn MarkKeeper,
    pub ctx: &'a Ctx,
}

/// Bodies have no say in this.
struct Unread;

impl BodyCheck for Unread {
    fn lasting_reasons(&self, _next: &Record, _current: Option<&Record>) -> Vec<String> {
        Vec::new()
    }
}

impl Memory<'_> {
    /// `db restored`: raises the mark above everything that this site can have written, and puts all of its
    /// groups in doubt. Twice is harmless.
    ///
    /// # Errors
    /// The store; a mark that cannot be read or written. What was done by then stays done.
    pub async fn restored(&self) -> Result<Doubted, RestoreError> {
        let beside = match self.marks.fetch() {
            // It is written anew, above all marks in the database and the clock.
            Err(MarkError::Damaged { .. }) => 0,
            other => other?,
        };
        let groups = self.store.group_list_active().await?;
        let inside = self.store.restore_mark_fetch().await?;
        let marks = groups.iter().map(|group| group.sync.restore_mark());
        let known = marks.fold(beside.max(inside), u64::max);
        let now_ms = u64::try_from(self.ctx.now_ms()).unwrap_or_default();
        let mark = raised_mark(known, now_ms);
        self.marks.raise(mark)?;
        self.doubt_below(mark, groups).await
    }

    /// At start, before anything runs: a mark beside the key that is ahead of the database says that the
    /// database is an older one.
    ///
    /// # Errors
    /// As `restored`; a damaged mark, too.
    pub async fn heed(&self) -> Result<Option<Doubted>, RestoreError> {
        let (beside, inside) = (self.marks.fetch()?, self.store.restore_mark_fetch().await?);
        if beside > inside {
            return self.restored().await.map(Some);
        }
        if beside < inside {
            self.marks.raise(inside)?;
        }
        Ok(None)
    }

    /// Every group whose own mark is lower than `mark`, which stands beside the key already. The database's
    /// mark goes last: it says that none is left.
    pub(crate) async fn doubt_below(
        &self,
        mark: u64,
        groups: Vec<StoredGroup>,
    ) -> Result<Doubted, RestoreError> {
        let unfinished = self.store.operation_list_unfinished().await?;
        let (mut doubted, mut ended) = (Vec::new(), Vec::new());
        for group in groups {
            let running = unfinished.iter().filter(|o| o.group == group.id);
            let running: Vec<&Operation> = running.collect();
            if self.doubt(&group, mark, &running, &mut ended).await? {
                doubted.push(group.id);
            }
        }
        self.store.restore_mark_put(mark).await?;
        Ok(Doubted {
            mark,
            groups: doubted,
            ended,
        })
    }

    /// False: it is under this mark, or a higher one, already.
    async fn doubt(
        &self,
        group: &StoredGroup,
        mark: u64,
        running: &[&Operation],
        ended: &mut Vec<OperationId>,
    ) -> Result<bool, RestoreError> {
        for _ in 0..CONFLICTS_MAX {
            let Some(now) = self.store.group_fetch(group.id).await? else {
                return Ok(false);
            };
            if now.sync.restore_mark() >= mark {
                return Ok(false);
            }
            let next = self.in_doubt(&now, mark)?;
            let over = running.iter().filter(|o| !is_parked(&next.state, o.id));
            let over: Vec<OperationId> = over.map(|o| o.id).collect();
            let mut writes = vec![Write::GroupPut(Box::new(GroupPut {
                project: now.project.clone(),
                expect_revision: Some(now.revision),
                kept: kept_in(&next.outputs),
                sync: next.state,
            }))];
            writes.extend(over.iter().map(|id| ending(self.ctx, *id)));
            match self.store.write(Write::Batch(writes)).await {
                Err(StoreError::Conflict) => continue,
                other => other?,
            };
            ended.extend(over);
            return Ok(true);
        }
        Err(RestoreError::Restless(group.id))
    }

    fn in_doubt(&self, now: &StoredGroup, mark: u64) -> Result<Step, RestoreError> {
        let ctx = StepContext {
            identity: self.identity,
            body: &Unread,
            monotonic_ms: 0,
            fresh_mark: mark,
        };
        let stepped = step(&now.sync, &Tickets::new(), Input::Restored, &ctx);
        stepped.map_err(|refusal| RestoreError::Rules {
            group: now.id,
            refusal,
        })
    }
}

/// A forced move waits until the group is trusted again; whatever else ran is over.
fn is_parked(sync: &GroupSync, operation: OperationId) -> bool {
    sync.operation().is_some_and(|own| own.id == operation)
}

/// The last word on an operation whose end this site cannot know. Its steps are not taken back: they may be
/// what runs the group today.
pub(crate) fn ending(ctx: &Ctx, operation: OperationId) -> Write {
    Write::OperationUpdate(OperationUpdate {
        status: Some(OperationStatus::Failed),
        outcome: Some(Outcome::NeedsOperator),
        error_message: Some(ENDED.to_owned()),
        completed_at_us: Some(ctx.now_us()),
        ..OperationUpdate::new(operation)
    })
}

/// True for one that a restore has ended: what the ledger says of its objects may be old. Any other one that needs
/// its operator waits for them, and is not over.
pub(crate) fn was_ended(operation: &Operation) -> bool {
    operation.status.is_terminal() && operation.outcome == Some(Outcome::NeedsOperator)
}
