//! The ground truth: everything there is, for tests to judge by. Never shown to the product.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::array::{Array, ArrayState};
use super::tags::Tag;
use super::world::ArrayWorld;

/// All arrays at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroundTruth {
    pub now_ms: i64,
    /// By array name.
    pub arrays: BTreeMap<String, ArrayTruth>,
    /// Transfers queued or under way.
    pub transfers_open: u64,
}

/// Everything on one array, destroyed objects included, in creation order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArrayTruth {
    pub id: String,
    pub state: ArrayState,
    pub volumes: Vec<VolumeTruth>,
    pub groups: Vec<GroupTruth>,
    pub group_snapshots: Vec<SnapshotTruth>,
    pub volume_snapshots: Vec<SnapshotTruth>,
}

/// A volume with its contents and marks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VolumeTruth {
    pub name: String,
    pub serial: String,
    pub provisioned: u64,
    pub destroyed: bool,
    /// Last write counter in it.
    pub counter: u64,
    /// Equal hashes mean equal contents.
    pub hash: String,
    pub source: Option<String>,
    pub tags: Vec<Tag>,
    pub connection_count: u64,
}

/// A group and its members' serials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupTruth {
    pub name: String,
    pub is_local: bool,
    pub destroyed: bool,
    pub replicates: bool,
    /// Milliseconds between two points of its schedule, on or off.
    pub interval_ms: i64,
    pub member_serials: Vec<String>,
    pub targets: Vec<String>,
}

/// A snapshot of a group or of one volume.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SnapshotTruth {
    pub name: String,
    /// As the array shows it; a wrong clock makes it wrong.
    pub created_ms: i64,
    /// True time.
    pub taken_ms: i64,
    pub destroyed: bool,
    /// All parts are here.
    pub complete: bool,
    pub parts: Vec<PartTruth>,
}

/// One volume's share of a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartTruth {
    pub volume_name: String,
    pub volume_serial: String,
    pub counter: u64,
    pub hash: String,
}

impl ArrayWorld {
    /// Everything there is, as of the last call that moved time.
    #[must_use]
    pub fn ground_truth(&self) -> GroundTruth {
        let truth = |array: &Array| (array.name.clone(), array_truth(array));
        GroundTruth {
            now_ms: self.clock_ms,
            arrays: self.arrays.values().map(truth).collect(),
            transfers_open: self.jobs.len() as u64,
        }
    }
}

impl GroundTruth {
    /// The live volume called `name` on `array`.
    #[must_use]
    pub fn volume(&self, array: &str, name: &str) -> Option<&VolumeTruth> {
        let volumes = &self.arrays.get(array)?.volumes;
        volumes
            .iter()
            .find(|volume| volume.name == name && !volume.destroyed)
    }

    /// The group snapshot called `name` on `array`, destroyed or not.
    #[must_use]
    pub fn group_snapshot(&self, array: &str, name: &str) -> Option<&SnapshotTruth> {
        let snapshots = &self.arrays.get(array)?.group_snapshots;
        snapshots.iter().find(|snapshot| snapshot.name == name)
    }
}

fn array_truth(array: &Array) -> ArrayTruth {
    ArrayTruth {
        id: array.id.clone(),
        state: array.state,
        volumes: volumes(array),
        groups: groups(array),
        group_snapshots: group_snapshots(array),
        volume_snapshots: volume_snapshots(array),
    }
}

fn volumes(array: &Array) -> Vec<VolumeTruth> {
    let volume = |(seq, volume): (u64, &super::volumes::Volume)| VolumeTruth {
        name: volume.name.clone(),
        serial: volume.serial.clone(),
        provisioned: volume.provisioned,
        destroyed: volume.destroyed_ms.is_some(),
        counter: volume.content.counter,
        hash: volume.content.hash_text(),
        source: volume.source.as_ref().map(|source| source.name.clone()),
        tags: volume.tags.clone(),
        connection_count: array.connections_of_volume(seq),
    };
    array.volumes.iter().map(volume).collect()
}

fn groups(array: &Array) -> Vec<GroupTruth> {
    let serial = |seq: &u64| array.volumes.get(*seq).map(|volume| volume.serial.clone());
    let group = |(_, group): (u64, &super::groups::Group)| GroupTruth {
        name: group.name.clone(),
        is_local: group.remote.is_none(),
        destroyed: group.destroyed_ms.is_some(),
        replicates: group.replication.enabled,
        interval_ms: group.replication.frequency_ms,
        member_serials: group.members.iter().filter_map(serial).collect(),
        targets: group
            .targets
            .values()
            .map(|target| target.array.name.clone())
            .collect(),
    };
    array.groups.iter().map(group).collect()
}

fn group_snapshots(array: &Array) -> Vec<SnapshotTruth> {
    let snapshot = |(_, snapshot): (u64, &super::group_snapshots::GroupSnapshot)| SnapshotTruth {
        name: snapshot.name.clone(),
        created_ms: snapshot.created_ms,
        taken_ms: snapshot.taken_ms,
        destroyed: snapshot.destroyed_ms.is_some(),
        complete: snapshot.is_complete(),
        parts: snapshot
            .parts
            .iter()
            .map(|part| PartTruth {
                volume_name: part.volume_name.clone(),
                volume_serial: part.volume_serial.clone(),
                counter: part.content.counter,
                hash: part.content.hash_text(),
            })
            .collect(),
    };
    array.group_snapshots.iter().map(snapshot).collect()
}

fn volume_snapshots(array: &Array) -> Vec<SnapshotTruth> {
    let snapshot = |(_, snapshot): (u64, &super::snapshots::VolumeSnapshot)| SnapshotTruth {
        name: snapshot.name.clone(),
        created_ms: snapshot.created_ms,
        taken_ms: snapshot.created_ms,
        destroyed: snapshot.destroyed_ms.is_some(),
        complete: true,
        parts: vec![PartTruth {
            volume_name: snapshot.source.name.clone(),
            volume_serial: array
                .volumes
                .get(snapshot.volume)
                .map(|volume| volume.serial.clone())
                .unwrap_or_default(),
            counter: snapshot.content.counter,
            hash: snapshot.content.hash_text(),
        }],
    };
    array.snapshots.iter().map(snapshot).collect()
}
