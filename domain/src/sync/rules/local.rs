//! Operations that do not move leadership (drill, reprotect, member work): they take this site's
//! one place for an operation and need no lock (section 8). And what a restart of the engine ends.

use super::{Ruled, Turn};
use crate::ids::OperationId;
use crate::sync::message::OperationMode;
use crate::sync::refusal::SyncRefusal;
use crate::sync::state::Operation;

impl Turn<'_> {
    /// Takes the place (K3). While it is taken, no lock is asked for or attested.
    pub(in crate::sync) fn take_local(&mut self, operation: OperationId) -> Ruled {
        self.current()?;
        self.state.check_alive()?;
        if let Some(own) = &self.state.operation {
            return Err(self.in_progress_here(own.id));
        }
        if let Some(lock) = self.state.lock() {
            let (operation, site) = (lock.operation, lock.holder);
            return Err(SyncRefusal::OperationInProgress { operation, site });
        }
        self.check_fresh(operation)?;
        let mode = OperationMode::Local;
        self.state.operation = Some(Operation {
            id: operation,
            mode,
            plan_digest: None,
        });
        Ok(())
    }

    /// Gives it back.
    pub(in crate::sync) fn end_local(&mut self, operation: OperationId) -> Ruled {
        let own = self.state.operation.as_ref();
        if !own.is_some_and(|own| own.id == operation && own.mode == OperationMode::Local) {
            return Err(SyncRefusal::OperationOver { operation });
        }
        self.state.operation = None;
        Ok(())
    }

    /// Tickets lived in memory, and the deadline of a requested operation was a monotonic one: both
    /// end with the process. Rights do not (section 3).
    pub(in crate::sync) fn engine_started(&mut self) {
        self.tickets.clear();
        let mode = self.state.operation.as_ref().map(|own| own.mode);
        if mode == Some(OperationMode::Requested) {
            self.kill_operation(None);
        }
    }
}
