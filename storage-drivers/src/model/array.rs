//! One array: its settings, its state and the shelves of objects on it.
//! Absent: other arrays and links between them (`world`), and what any command does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answer::{ArrayRow, Reference};
use super::group_snapshots::GroupSnapshot;
use super::groups::Group;
use super::hosts::{Host, HostConnection};
use super::shelf::Shelf;
use super::snapshots::VolumeSnapshot;
use super::volumes::Volume;

const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// Whether the array answers at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArrayState {
    Online,
    /// Lost or without power: no answers, no schedules, no replication in or out.
    Offline,
}

/// Figures that differ by model and version and are not published: knobs of the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Destroyed objects count until they are eradicated.
    pub volumes_max: u64,
    pub volume_snapshots_max: u64,
    pub groups_max: u64,
    pub group_snapshots_max: u64,
    pub hosts_max: u64,
    /// System maximum and default of a page.
    pub page_max: u64,
    pub eradication_delay_ms: i64,
    /// False as under SafeMode: eradicating is refused, the bin empties only with time.
    pub eradication_enabled: bool,
    pub frequency_min_ms: i64,
    /// Whether a new target starts allowed; sources differ, drivers must cope with both.
    pub allowed_at_birth: bool,
    /// How long after adding a target the group shows up there.
    pub replica_delay_ms: i64,
    /// Bytes that every transfer costs, changed data or not.
    pub transfer_floor_bytes: u64,
    /// What this array's clock shows minus the true time (fault `D1`).
    pub clock_skew_ms: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            volumes_max: 20_000,
            volume_snapshots_max: 100_000,
            groups_max: 1_000,
            group_snapshots_max: 100_000,
            hosts_max: 1_000,
            page_max: 1_000,
            eradication_delay_ms: DAY_MS,
            eradication_enabled: true,
            frequency_min_ms: 300_000,
            allowed_at_birth: false,
            replica_delay_ms: 2_000,
            transfer_floor_bytes: 64 * 1_024,
            clock_skew_ms: 0,
        }
    }
}

/// An array and everything on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Array {
    pub(super) seq: u64,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) state: ArrayState,
    pub(super) settings: Settings,
    pub(super) volumes: Shelf<Volume>,
    /// Volume snapshots taken one by one; parts of group snapshots live in those.
    pub(super) snapshots: Shelf<VolumeSnapshot>,
    pub(super) groups: Shelf<Group>,
    pub(super) group_snapshots: Shelf<GroupSnapshot>,
    pub(super) hosts: Shelf<Host>,
    pub(super) connections: Vec<HostConnection>,
    /// Next number of a snapshot without suffix, per volume.
    pub(super) snapshot_numbers: BTreeMap<u64, u64>,
}

impl Array {
    pub(super) fn new(seq: u64, id: String, name: &str) -> Self {
        Self {
            seq,
            id,
            name: name.to_owned(),
            state: ArrayState::Online,
            settings: Settings::default(),
            volumes: Shelf::default(),
            snapshots: Shelf::default(),
            groups: Shelf::default(),
            group_snapshots: Shelf::default(),
            hosts: Shelf::default(),
            connections: Vec::new(),
            snapshot_numbers: BTreeMap::new(),
        }
    }

    pub(super) fn is_online(&self) -> bool {
        self.state == ArrayState::Online
    }

    /// What this array's own clock shows at the true time `now_ms`.
    pub(super) fn wall_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_add(self.settings.clock_skew_ms)
    }

    pub(super) fn reference(&self) -> Reference {
        Reference::new(&self.name, &self.id)
    }

    /// Ms until something destroyed at `destroyed_ms` is eradicated.
    pub(super) fn time_remaining(&self, destroyed_ms: Option<i64>, now_ms: i64) -> Option<i64> {
        destroyed_ms.map(|at| (at + self.settings.eradication_delay_ms - now_ms).max(0))
    }

    pub(super) fn row(&self, now_ms: i64) -> ArrayRow {
        ArrayRow {
            id: self.id.clone(),
            name: self.name.clone(),
            version: "6.6.10".to_owned(),
            os: "Purity//FA".to_owned(),
            now_ms: self.wall_ms(now_ms),
            now_step_ms: 0,
        }
    }
}
