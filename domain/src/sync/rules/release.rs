//! R10 to R12: a lock ends without a mint. The holder's operation dies and is released, or the
//! leader settles a lock of its own whose operation a restore has lost.

use super::author::Next;
use super::{Ruled, Turn};
use crate::ids::OperationId;
use crate::sync::frame::Verified;
use crate::sync::input::Output;
use crate::sync::message::{MessageContent, OperationMode, Release, SourceVms};
use crate::sync::order::leader;
use crate::sync::record::{Content, LockKind, RecordKind};
use crate::sync::refusal::SyncRefusal;

impl Turn<'_> {
    /// R10: the operation is undone, the source VMs are back: dead, for ever. Repeating it is the
    /// same. A forced one has no way back and ends by R5.
    pub(in crate::sync) fn abort(&mut self, operation: OperationId) -> Ruled {
        if self.state.is_dead(operation) {
            return Ok(());
        }
        match self
            .state
            .operation
            .as_ref()
            .filter(|own| own.id == operation)
        {
            None => Err(SyncRefusal::OperationOver { operation }),
            Some(own) if own.mode == OperationMode::Forced => Err(self.in_progress_here(own.id)),
            Some(_) => {
                self.kill_operation(None);
                Ok(())
            }
        }
    }

    /// R11 at the holder: sign that the operation is over. Good in this epoch only, so a release
    /// that is signed after a mint frees nobody.
    pub(in crate::sync) fn ask_release(
        &mut self,
        operation: OperationId,
        source_vms: SourceVms,
        searched: bool,
    ) -> Ruled {
        let epoch = self.current()?.record().header.epoch;
        self.state.check_alive()?;
        if self
            .state
            .operation
            .as_ref()
            .is_some_and(|own| own.id == operation)
        {
            return Err(self.in_progress_here(operation));
        }
        let is_lost = searched && self.lost_planned_lock() == Some(operation);
        if !self.state.is_dead(operation) && !is_lost {
            return Err(SyncRefusal::ReleaseMismatch { operation });
        }
        self.reply(MessageContent::Release(Release {
            operation,
            epoch,
            source_vms,
        }))
    }

    /// The operation of a planned lock held by this site that it knows nothing of (a restore).
    fn lost_planned_lock(&self) -> Option<OperationId> {
        let lock = self.state.lock()?;
        let is_mine = lock.holder == self.state.role && lock.kind == LockKind::Planned;
        (is_mine && self.state.operation.is_none()).then_some(lock.operation)
    }

    /// R11 at the leader: the lock it had handed out comes back.
    pub(in crate::sync) fn release(&mut self, release: &Verified) -> Ruled {
        let MessageContent::Release(release) = self.said_by_peer(release)? else {
            return Err(SyncRefusal::malformed("not a release"));
        };
        let current = self.current()?.clone();
        self.state.check_alive()?;
        let operation = release.operation;
        let fits = self.state.lock().is_some_and(|lock| {
            lock.operation == operation
                && lock.kind == LockKind::Planned
                && lock.holder != self.state.role
        });
        if !self.state.leads() || !fits || self.state.epoch() != Some(release.epoch) {
            return Err(SyncRefusal::ReleaseMismatch { operation });
        }
        if let Some(own) = &self.state.operation {
            return Err(self.in_progress_here(own.id));
        }
        self.write(Next::after(
            &current,
            RecordKind::Unlock,
            current.record().content(),
        ))?;
        let source_vms = release.source_vms;
        self.outputs.push(Output::Unlocked {
            operation,
            source_vms,
        });
        Ok(())
    }

    /// R12: this site leads under a lock of its own, whose operation is not here any more.
    pub(in crate::sync) fn settle(&mut self, content: Content) -> Ruled {
        let current = self.current()?.clone();
        self.state.check_alive()?;
        let epoch = current.record().header.epoch;
        if !self.state.leads() {
            return Err(SyncRefusal::NotLeader {
                leader: leader(epoch),
                epoch,
            });
        }
        if let Some(own) = &self.state.operation {
            return Err(self.in_progress_here(own.id));
        }
        let Some(lock) = self.state.lock().cloned() else {
            return Err(SyncRefusal::AlreadyPrimary { epoch });
        };
        let (operation, site) = (lock.operation, lock.holder);
        if site != self.state.role {
            return Err(SyncRefusal::OperationInProgress { operation, site });
        }
        self.write(Next::after(&current, RecordKind::Unlock, content))?;
        self.outputs.push(Output::Unlocked {
            operation,
            source_vms: SourceVms::Unknown,
        });
        Ok(())
    }
}
