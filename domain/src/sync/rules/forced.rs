//! R4 and R5: moves of leadership. A forced move mints its epoch before the first effect and needs
//! nobody; a planned one mints at its end, which is its point of no return.

use super::author::Next;
use super::{Ruled, Turn};
use crate::ids::OperationId;
use crate::sync::digest::Digest;
use crate::sync::input::Output;
use crate::sync::message::OperationMode;
use crate::sync::order::Epoch;
use crate::sync::record::{Content, Lock, LockKind, RecordKind};
use crate::sync::refusal::SyncRefusal;
use crate::sync::state::Operation;

impl Turn<'_> {
    /// R4: this site takes the group, asking nobody.
    pub(in crate::sync) fn forced_move(
        &mut self,
        operation: OperationId,
        plan_digest: Digest,
        content: Content,
        reclaim: bool,
    ) -> Ruled {
        self.check_may_force(reclaim)?;
        self.check_fresh(operation)?;
        self.kill_operation(Some(operation));
        let lock = Lock {
            operation,
            holder: self.state.role,
            kind: LockKind::Forced,
            plan_digest: plan_digest.clone(),
        };
        let epoch = self.mint(RecordKind::Mint, Some(lock), content)?;
        self.trust();
        let (id, mode) = (operation, OperationMode::Forced);
        self.state.operation = Some(Operation {
            id,
            mode,
            plan_digest: Some(plan_digest),
        });
        self.outputs
            .push(Output::OperationStarts { operation, epoch });
        Ok(())
    }

    /// R4 with a tombstone: the peer is gone for good, and the group goes, too (section 10). Unlike
    /// a failover it is open to an unlocked leader.
    pub(in crate::sync) fn abandon_peer(&mut self) -> Ruled {
        self.check_none_forced()?;
        let content = self.tombstone_of(self.current()?);
        self.kill_operation(None);
        self.mint(RecordKind::Tombstone, None, content)?;
        self.trust();
        Ok(())
    }

    fn check_none_forced(&self) -> Ruled {
        self.current()?;
        if self.state.is_deleted() {
            return Err(SyncRefusal::GroupDeleted);
        }
        match &self.state.operation {
            Some(own) if own.mode == OperationMode::Forced && !self.state.suspect => {
                Err(self.in_progress_here(own.id))
            }
            _ => Ok(()),
        }
    }

    /// A follower always may. A leader only to reclaim what its lock, or its lost memory, keeps
    /// from it; without a lock it has nothing to take.
    fn check_may_force(&self, reclaim: bool) -> Ruled {
        self.check_none_forced()?;
        if !self.state.leads() || (reclaim && self.state.suspect) {
            return Ok(());
        }
        match (self.state.lock(), self.state.epoch()) {
            (Some(_), _) if reclaim => Ok(()),
            (Some(lock), _) => Err(SyncRefusal::OperationInProgress {
                operation: lock.operation,
                site: lock.holder,
            }),
            (None, _) if self.state.suspect => Err(SyncRefusal::SiteSuspect),
            (None, Some(epoch)) => Err(SyncRefusal::AlreadyPrimary { epoch }),
            (None, None) => Err(SyncRefusal::NoRecord),
        }
    }

    /// Writes the first record of this site's next own epoch.
    fn mint(
        &mut self,
        kind: RecordKind,
        lock: Option<Lock>,
        content: Content,
    ) -> Result<Epoch, SyncRefusal> {
        let mut next = Next::after(self.current()?, kind, content);
        next.epoch = self.mint_epoch(next.epoch);
        next.lock = lock;
        let epoch = next.epoch;
        self.write(next)?;
        self.state.epoch_jump = false;
        Ok(epoch)
    }

    /// R5: the operation is through. Planned: leadership moves now. Forced: it has moved before,
    /// and the lock goes.
    pub(in crate::sync) fn finish(&mut self, operation: OperationId, content: Content) -> Ruled {
        self.current()?;
        self.state.check_alive()?;
        let over = SyncRefusal::OperationOver { operation };
        let own = self
            .state
            .operation
            .as_ref()
            .filter(|own| own.id == operation);
        let mode = own.map(|own| own.mode).ok_or_else(|| over.clone())?;
        let holds = self
            .state
            .lock()
            .is_some_and(|lock| lock.operation == operation && lock.holder == self.state.role);
        match mode {
            OperationMode::Planned if holds => {
                self.mint(RecordKind::Mint, None, content)?;
            }
            OperationMode::Forced if holds => {
                let next = Next::after(self.current()?, RecordKind::Finish, content);
                self.write(next)?;
            }
            _ => return Err(over),
        }
        self.state.operation = None;
        self.outputs.push(Output::OperationDone { operation });
        Ok(())
    }
}
