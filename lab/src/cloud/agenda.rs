//! What the cloud still has to do, and when. Deliberately absent: timers; the next call pulls it.

use std::collections::BTreeMap;

use super::Cloud;
use super::knobs::Span;

/// Events done in one catching-up; more than a whole simulated day can hold means a loop in the model.
const CATCH_UP_MAX: usize = 1_000_000;

/// Something that finishes later than it was accepted. Every id is looked up again when it is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    ServerBoot {
        server: String,
    },
    ServerStop {
        server: String,
    },
    ServerStart {
        server: String,
    },
    ServerDelete {
        server: String,
    },
    DiskAttach {
        server: String,
        volume: String,
    },
    DiskDetach {
        server: String,
        volume: String,
    },
    VolumeCreate {
        volume: String,
    },
    VolumeManage {
        volume: String,
        source: String,
    },
    VolumeUnmanage {
        volume: String,
    },
    VolumeDelete {
        volume: String,
    },
    VolumeExtend {
        volume: String,
        size_gb: i64,
    },
    SnapshotCreate {
        snapshot: String,
    },
    SnapshotDelete {
        snapshot: String,
    },
    GroupCreate {
        group: String,
    },
    GroupDelete {
        group: String,
    },
    GroupUpdate {
        group: String,
        add: Vec<String>,
        remove: Vec<String>,
    },
}

/// Events by due time, then by the order in which they were accepted.
#[derive(Default)]
pub(super) struct Agenda {
    due: BTreeMap<(i64, u64), Event>,
    next: u64,
}

impl Cloud {
    /// Puts `event` on the agenda, `span` after `now_ms`.
    pub(super) fn plan(&mut self, now_ms: i64, span: Span, event: Event) {
        let wait_ms = self.dice.between(span.min_ms, span.max_ms).max(0);
        let key = (now_ms.saturating_add(wait_ms), self.agenda.next);
        self.agenda.next += 1;
        self.agenda.due.insert(key, event);
    }

    /// Does everything that is due at `now_ms`, each at its own time and in order.
    ///
    /// `handle` calls it first. A clock that went back does nothing here.
    pub fn advance(&mut self, now_ms: i64) {
        for _ in 0..CATCH_UP_MAX {
            let Some(entry) = self.agenda.due.first_entry() else {
                return;
            };
            let (at_ms, _) = *entry.key();
            if at_ms > now_ms {
                return;
            }
            let event = entry.remove();
            self.perform(event, at_ms);
        }
    }

    /// When the next piece of work is due, for tests that step from event to event.
    pub fn next_due_ms(&self) -> Option<i64> {
        self.agenda
            .due
            .first_key_value()
            .map(|((at_ms, _), _)| *at_ms)
    }

    fn perform(&mut self, event: Event, at_ms: i64) {
        match event {
            Event::ServerBoot { server } => self.server_boot_finish(&server, at_ms),
            Event::ServerStop { server } => self.server_stop_finish(&server, at_ms),
            Event::ServerStart { server } => self.server_start_finish(&server, at_ms),
            Event::ServerDelete { server } => self.server_delete_finish(&server, at_ms),
            Event::DiskAttach { server, volume } => {
                self.disk_attach_finish(&server, &volume, at_ms)
            }
            Event::DiskDetach { server, volume } => {
                self.disk_detach_finish(&server, &volume, at_ms)
            }
            Event::VolumeCreate { volume } => self.volume_create_finish(&volume, at_ms),
            Event::VolumeManage { volume, source } => {
                self.volume_manage_finish(&volume, &source, at_ms)
            }
            Event::VolumeUnmanage { volume } => self.volume_unmanage_finish(&volume, at_ms),
            Event::VolumeDelete { volume } => self.volume_delete_finish(&volume, at_ms),
            Event::VolumeExtend { volume, size_gb } => {
                self.volume_extend_finish(&volume, size_gb, at_ms)
            }
            Event::SnapshotCreate { snapshot } => self.snapshot_create_finish(&snapshot, at_ms),
            Event::SnapshotDelete { snapshot } => self.snapshot_delete_finish(&snapshot),
            Event::GroupCreate { group } => self.group_create_finish(&group, at_ms),
            Event::GroupDelete { group } => self.group_delete_finish(&group, at_ms),
            Event::GroupUpdate { group, add, remove } => {
                self.group_update_finish(&group, &add, &remove, at_ms)
            }
        }
    }
}
