//! The pending-eradication bin: what is destroyed keeps its name until its time has run out.
//! Absent: destroying (each object's own file).

use super::array::Array;
use super::error::{ErrorItem, item};

/// Something in the bin of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binned {
    Volume(u64),
    Snapshot(u64),
    Group(u64),
    GroupSnapshot(u64),
}

impl Array {
    /// Why nothing may be eradicated by hand just now.
    pub(super) fn eradication_objection(&self, name: &str) -> Option<ErrorItem> {
        (!self.settings.eradication_enabled).then(|| item("Eradication is disabled.", name))
    }

    /// The object whose time runs out first, and when.
    pub(super) fn bin_next(&self) -> Option<(i64, Binned)> {
        let delay = self.settings.eradication_delay_ms;
        let due = |destroyed: Option<i64>, what: Binned| destroyed.map(|at| (at + delay, what));
        let volumes = self
            .volumes
            .iter()
            .filter_map(|(s, v)| due(v.destroyed_ms, Binned::Volume(s)));
        let snapshots = self
            .snapshots
            .iter()
            .filter_map(|(s, v)| due(v.destroyed_ms, Binned::Snapshot(s)));
        let groups = self
            .groups
            .iter()
            .filter_map(|(s, g)| due(g.destroyed_ms, Binned::Group(s)));
        let group_snapshots = self
            .group_snapshots
            .iter()
            .filter_map(|(s, g)| due(g.destroyed_ms, Binned::GroupSnapshot(s)));
        volumes
            .chain(snapshots)
            .chain(groups)
            .chain(group_snapshots)
            .min_by_key(|(at, _)| *at)
    }

    pub(super) fn bin_empty(&mut self, what: Binned) {
        match what {
            Binned::Volume(seq) => self.volume_eradicate(seq),
            Binned::Snapshot(seq) => {
                self.snapshots.remove(seq);
            }
            Binned::Group(seq) => self.group_eradicate(seq),
            Binned::GroupSnapshot(seq) => {
                self.group_snapshots.remove(seq);
            }
        }
    }

    /// The volume, its own snapshots and its memberships go; parts of group snapshots stay.
    pub(super) fn volume_eradicate(&mut self, seq: u64) {
        self.volumes.remove(seq);
        self.snapshot_numbers.remove(&seq);
        let own: Vec<u64> = self
            .snapshots
            .iter()
            .filter(|(_, snapshot)| snapshot.volume == seq)
            .map(|(seq, _)| seq)
            .collect();
        for snapshot in own {
            self.snapshots.remove(snapshot);
        }
        for (_, group) in self.groups.iter_mut() {
            group.members.remove(&seq);
        }
        for (_, group_snapshot) in self.group_snapshots.iter_mut() {
            for part in group_snapshot
                .parts
                .iter_mut()
                .filter(|part| part.volume == Some(seq))
            {
                part.volume = None;
            }
        }
    }

    /// The group goes with all its snapshots.
    pub(super) fn group_eradicate(&mut self, seq: u64) {
        self.groups.remove(seq);
        let own: Vec<u64> = self
            .group_snapshots
            .iter()
            .filter(|(_, snapshot)| snapshot.group == seq)
            .map(|(seq, _)| seq)
            .collect();
        for snapshot in own {
            self.group_snapshots.remove(snapshot);
        }
    }
}
