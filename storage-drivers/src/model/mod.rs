//! One behaviour model of FlashArrays: a deterministic state machine.
//!
//! Owns: what arrays answer to Purity-shaped commands, how replication, schedules, retention and
//! the pending-eradication bin move with time, and the ground truth that tests ask for.
//! Absent on purpose: I/O, clocks, randomness, HTTP, sessions, the text of the filter language,
//! pods (synchronous replication), volume groups and QoS. Time enters as `now_ms` with each call.

mod answer;
mod array;
mod bin;
mod command;
mod content;
mod control;
mod error;
mod events;
mod filter;
mod group_snapshots;
mod groups;
mod hosts;
mod members;
mod mint;
mod names;
mod query;
mod retention;
mod schedule;
mod shelf;
mod snapshots;
mod tags;
mod targets;
mod transfers;
mod truth;
mod volume_copy;
mod volumes;
mod world;

#[cfg(test)]
mod tests;

pub use answer::{
    Answer, ArrayConnectionRow, ArrayRow, GroupMemberRow, GroupRow, GroupSnapshotRow,
    GroupTargetRow, HostConnectionRow, HostRow, Page, Reference, TagRow, TransferRow, VolumeRow,
    VolumeSnapshotRow,
};
pub use array::{ArrayState, Settings};
pub use command::{
    Command, GroupPatch, GroupSnapshotBody, RetentionPatch, SchedulePatch, SnapshotPatch,
    VolumeItem, VolumePatch, VolumeSource,
};
pub use control::{Control, ControlError};
pub use error::{ArrayError, ErrorItem, Kind};
pub use filter::{Filter, Op};
pub use groups::{Retention, Schedule};
pub use names::{NAME_MAX, SNAPSHOT_NAME_MAX};
pub use query::{Query, SortKey};
pub use tags::{DEFAULT_NAMESPACE, Tag};
pub use truth::{ArrayTruth, GroundTruth, GroupTruth, PartTruth, SnapshotTruth, VolumeTruth};
pub use world::{ArrayWorld, LinkState};
