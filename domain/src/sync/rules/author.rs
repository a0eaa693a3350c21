//! How this site writes a record of its own: on top of the current one, signed, pending. Absent:
//! whether it may, which each rule decides before.

use super::{Ruled, Turn};
use crate::ids::GroupId;
use crate::sync::frame::sign;
use crate::sync::input::Output;
use crate::sync::message::MessageContent;
use crate::sync::order::{Epoch, Role, Version, jump_over, next_own_epoch, own_epoch_from};
use crate::sync::record::{Content, Lineage, Lock, Record, RecordHeader, RecordKind};
use crate::sync::refusal::SyncRefusal;
use crate::sync::state::GroupSync;
use crate::sync::state::{KeptReason, MAX_TRAIL, Stored};

/// What is to be written.
pub(super) struct Next {
    pub epoch: Epoch,
    pub version: Version,
    pub kind: RecordKind,
    pub lock: Option<Lock>,
    pub deleted: bool,
    pub content: Content,
}

impl Next {
    /// The next record of the same epoch, without lock.
    pub(super) fn after(base: &Stored, kind: RecordKind, content: Content) -> Self {
        let header = &base.record().header;
        Self {
            epoch: header.epoch,
            version: header.version.next(),
            kind,
            lock: None,
            deleted: kind == RecordKind::Tombstone,
            content,
        }
    }

    /// The first record of a group.
    pub(super) fn first(content: Content) -> Self {
        let (epoch, version) = (Epoch(1), Version(1));
        Self {
            epoch,
            version,
            kind: RecordKind::Create,
            lock: None,
            deleted: false,
            content,
        }
    }
}

/// The record that `author` writes on `base`. Both sites build it from the same values, so the peer
/// can tell the digest of a draft.
///
/// Errors: [`SyncRefusal::Malformed`] if the lineage has no canonical form.
pub(super) fn record_on(
    base: Option<&Stored>,
    group: GroupId,
    author: Role,
    next: Next,
) -> Result<Record, SyncRefusal> {
    let lineage = match base {
        None => Lineage::default(),
        Some(base) if base.record().header.epoch == next.epoch => {
            base.record().header.lineage.clone()
        }
        Some(base) => base.record().header.lineage.after(&base.at())?,
    };
    let header = RecordHeader {
        group,
        epoch: next.epoch,
        version: next.version,
        parent: base.map(Stored::at),
        lineage,
        author,
        kind: next.kind,
        lock: next.lock,
        deleted: next.deleted,
    };
    Ok(Record {
        header,
        body: next.content.body,
        sealed: next.content.sealed,
    })
}

impl GroupSync {
    /// The epoch of this site's next mint over `current`: its next own one, and after a restore one
    /// that it cannot have used before (R13).
    pub(in crate::sync) fn mint_epoch_over(&self, current: Epoch) -> Epoch {
        let next = next_own_epoch(current, self.role);
        if self.epoch_jump {
            own_epoch_from(Epoch(jump_over(next.0, self.restore_mark)), self.role)
        } else {
            next
        }
    }
}

impl Turn<'_> {
    /// The epoch of this site's next mint.
    pub(super) fn mint_epoch(&self, current: Epoch) -> Epoch {
        self.state.mint_epoch_over(current)
    }

    /// Writes a record and hands out its envelope. It is pending until its receipt comes (R7).
    pub(super) fn write(&mut self, next: Next) -> Ruled {
        let base = self.state.current.as_ref();
        let record = record_on(base, self.state.group, self.state.role, next)?;
        self.write_record(record)
    }

    /// As [`Self::write`], for a record that was built before.
    pub(super) fn write_record(&mut self, record: Record) -> Ruled {
        record.check_shape()?;
        let content = MessageContent::Envelope(Box::new(record.clone()));
        let signed = sign(self.ctx.identity, &self.state.message(content))?;
        let stored = Stored::new(signed.clone(), record)?;
        let (at, old_epoch) = (stored.at(), self.state.epoch());
        if let Some(old) = self.state.current.replace(stored) {
            self.set_aside(old);
        }
        self.state.synced = false;
        self.remember(at.clone());
        self.forget_dead_of(old_epoch);
        self.outputs
            .push(Output::RecordChanged { at, is_own: true });
        self.outputs.push(Output::Reply(signed));
        Ok(())
    }

    /// Keeps the overtaken record as long as it may have to be returned to, or to be shown.
    fn set_aside(&mut self, old: Stored) {
        if self.state.synced {
            self.state.base = Some(old);
            self.state.trail.clear();
            return;
        }
        self.state.trail.push(old);
        if self.state.trail.len() > MAX_TRAIL {
            let oldest = self.state.trail.remove(0);
            self.keep(KeptReason::Orphan, oldest);
        }
    }
}
