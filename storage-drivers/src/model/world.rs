//! The world of arrays: several arrays, the links between them, and one door for commands.
//! Absent: what each command does (a file per object) and who may ask.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answer::{Answer, ArrayConnectionRow, Page, Reference};
use super::array::Array;
use super::command::{Command, GroupSnapshotBody, VolumeItem, VolumeSource};
use super::error::ArrayError;
use super::groups::Group;
use super::mint::Mint;
use super::query::{Query, RowKey, page};
use super::shelf::fold;
use super::transfers::Job;

/// Whether replication between two arrays can move data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkState {
    Connected,
    Cut,
}

/// A connection between two arrays; each direction has the full bandwidth.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Link {
    pub(super) a: String,
    pub(super) b: String,
    pub(super) state: LinkState,
    pub(super) bandwidth_bytes_per_s: u64,
}

/// Several arrays and their links. Equal seeds and equal calls make equal worlds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ArrayWorld {
    pub(super) mint: Mint,
    /// True time, ms since the epoch: the latest `now_ms` seen.
    pub(super) clock_ms: i64,
    /// By lower-case name.
    pub(super) arrays: BTreeMap<String, Array>,
    pub(super) links: Vec<Link>,
    pub(super) jobs: BTreeMap<u64, Job>,
    /// Nothing happens by itself before this; `None` after every change.
    #[serde(skip)]
    pub(super) quiet_until_ms: Option<i64>,
}

impl ArrayWorld {
    /// A world without arrays. `control` adds them.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            mint: Mint::new(seed),
            clock_ms: 0,
            arrays: BTreeMap::new(),
            links: Vec::new(),
            jobs: BTreeMap::new(),
            quiet_until_ms: None,
        }
    }

    /// Performs `command` on the array called `array` at `now_ms`.
    ///
    /// Errors: `Unreachable` when the array is off or unknown; `Refused` as a real one would.
    /// Either way nothing has changed.
    pub fn apply(
        &mut self,
        array: &str,
        command: Command,
        now_ms: i64,
    ) -> Result<Answer, ArrayError> {
        self.advance(now_ms);
        let key = fold(array);
        let online = self.arrays.get(&key).is_some_and(Array::is_online);
        if !online {
            return Err(ArrayError::Unreachable);
        }
        if command.is_read() {
            return self.read(&key, command);
        }
        let answer = self.change(&key, command);
        self.changed();
        answer
    }

    /// After a change: what it set off at this very moment happens now.
    pub(super) fn changed(&mut self) {
        self.jobs_prune();
        self.quiet_until_ms = None;
        self.advance(self.clock_ms);
    }

    fn read(&self, key: &str, command: Command) -> Result<Answer, ArrayError> {
        let now_ms = self.clock_ms;
        let array = self.array(key)?;
        match command {
            Command::ArraysGet => Ok(Answer::Arrays(Page::whole(vec![array.row(now_ms)]))),
            Command::ArrayConnectionsGet(query) => self.array_connections(key, &query),
            Command::VolumesGet(query) => array.volumes_get(&query, now_ms),
            Command::VolumeSnapshotsGet(query) => array.volume_snapshots_get(&query, now_ms),
            Command::TagsGet {
                resource_names,
                namespaces,
            } => array.tags_get(&resource_names, &namespaces),
            Command::GroupsGet(query) => array.groups_get(&query, now_ms),
            Command::GroupMembersGet {
                group_names,
                member_names,
                query,
            } => array.members_get(&group_names, &member_names, &query),
            Command::GroupTargetsGet { group_names, query } => {
                self.targets_get(key, &group_names, &query)
            }
            Command::GroupSnapshotsGet(query) => array.group_snapshots_get(&query, now_ms),
            Command::TransfersGet(query) => array.transfers_get(&query),
            Command::HostsGet(query) => array.hosts_get(&query),
            Command::HostConnectionsGet {
                host_names,
                volume_names,
                query,
            } => array.host_connections_get(&host_names, &volume_names, &query),
            // `is_read` and this list are held together by a test.
            _ => Err(ArrayError::Refused(Vec::new())),
        }
    }

    fn change(&mut self, key: &str, command: Command) -> Result<Answer, ArrayError> {
        let now_ms = self.clock_ms;
        match command {
            Command::GroupsPatch { names, patch } => {
                let answer = self.array_mut(key)?.groups_patch(&names, &patch, now_ms);
                self.mirror();
                answer
            }
            Command::GroupTargetsPost {
                group_names,
                member_names,
            } => self.targets_post(key, &group_names, &member_names),
            Command::GroupTargetsPatch {
                group_names,
                allowed,
            } => self.targets_patch(key, &group_names, allowed),
            Command::GroupTargetsDelete {
                group_names,
                member_names,
            } => self.targets_delete(key, &group_names, &member_names),
            Command::GroupSnapshotsPost { source_names, body } => {
                self.group_snapshots_post(key, &source_names, &body)
            }
            other => {
                let Self { arrays, mint, .. } = self;
                let array = arrays.get_mut(key).ok_or(ArrayError::Unreachable)?;
                change_on(array, other, now_ms, mint)
            }
        }
    }

    fn group_snapshots_post(
        &mut self,
        key: &str,
        sources: &[String],
        body: &GroupSnapshotBody,
    ) -> Result<Answer, ArrayError> {
        let planned = self.array(key)?.group_snapshots_judge(sources, body)?;
        let now_ms = self.clock_ms;
        let mut made = Vec::new();
        for one in &planned {
            let Self { arrays, mint, .. } = self;
            let array = arrays.get_mut(key).ok_or(ArrayError::Unreachable)?;
            let seq = array.group_snapshot_make(one, body.apply_retention, now_ms, mint);
            made.extend(seq);
            if let Some(seq) = seq.filter(|_| body.replicate || body.replicate_now) {
                self.jobs_add(key, one.group, seq, body.replicate_now);
            }
        }
        let array = self.array(key)?;
        let rows = made
            .iter()
            .filter_map(|seq| array.group_snapshot_row(*seq, now_ms));
        Ok(Answer::GroupSnapshots(Page::whole(rows.collect())))
    }

    fn array_connections(&self, key: &str, query: &Query) -> Result<Answer, ArrayError> {
        let rows: Vec<(RowKey, ArrayConnectionRow)> = (1..)
            .zip(&self.links)
            .filter(|(_, link)| link.a == key || link.b == key)
            .filter_map(|(index, link)| {
                let other = if link.a == key { &link.b } else { &link.a };
                let remote: Reference = self.arrays.get(other)?.reference();
                let up = self.is_flowing(key, other);
                let row = ArrayConnectionRow {
                    name: remote.name.clone(),
                    remote,
                    status: if up { "connected" } else { "connecting" }.to_owned(),
                    kind: "async-replication".to_owned(),
                };
                Some(((index, 0), row))
            })
            .collect();
        Ok(Answer::ArrayConnections(page(
            rows,
            query,
            self.array(key)?.settings.page_max,
        )?))
    }

    pub(super) fn array(&self, key: &str) -> Result<&Array, ArrayError> {
        self.arrays.get(key).ok_or(ArrayError::Unreachable)
    }

    fn array_mut(&mut self, key: &str) -> Result<&mut Array, ArrayError> {
        self.arrays.get_mut(key).ok_or(ArrayError::Unreachable)
    }

    pub(super) fn group(&self, key: &str, seq: u64) -> Option<&Group> {
        self.arrays.get(key)?.groups.get(seq)
    }

    pub(super) fn group_mut(&mut self, key: &str, seq: u64) -> Option<&mut Group> {
        self.arrays.get_mut(key)?.groups.get_mut(seq)
    }

    pub(super) fn link(&self, from: &str, to: &str) -> Option<&Link> {
        self.links
            .iter()
            .find(|link| (link.a == from && link.b == to) || (link.a == to && link.b == from))
    }

    pub(super) fn directions(&self) -> Vec<(String, String)> {
        let both = |link: &Link| {
            [
                (link.a.clone(), link.b.clone()),
                (link.b.clone(), link.a.clone()),
            ]
        };
        self.links.iter().flat_map(both).collect()
    }
}

/// One body for many names: equal volumes.
fn equal_items(names: Vec<String>, source: &VolumeSource, groups: &[String]) -> Vec<VolumeItem> {
    let item = |name| VolumeItem {
        name,
        source: source.clone(),
        tags: Vec::new(),
        add_to_groups: groups.to_vec(),
    };
    names.into_iter().map(item).collect()
}

/// Changes that concern one array alone.
fn change_on(
    array: &mut Array,
    command: Command,
    now_ms: i64,
    mint: &mut Mint,
) -> Result<Answer, ArrayError> {
    match command {
        Command::VolumesPost {
            names,
            source,
            overwrite,
            add_to_groups,
        } => {
            let items = equal_items(names, &source, &add_to_groups);
            array.volumes_post(&items, overwrite, now_ms, mint)
        }
        Command::VolumesBatchPost { items, overwrite } => {
            array.volumes_post(&items, overwrite, now_ms, mint)
        }
        Command::VolumesPatch { names, patch } => array.volumes_patch(&names, &patch, now_ms),
        Command::VolumesDelete { names } => array.volumes_delete(&names),
        Command::VolumeSnapshotsPost {
            source_names,
            suffix,
        } => array.volume_snapshots_post(&source_names, suffix.as_deref(), now_ms, mint),
        Command::VolumeSnapshotsPatch { names, patch } => {
            array.volume_snapshots_patch(&names, &patch, now_ms)
        }
        Command::VolumeSnapshotsDelete { names } => array.volume_snapshots_delete(&names),
        Command::TagsPut {
            resource_names,
            tags,
        } => array.tags_put(&resource_names, &tags),
        Command::TagsDelete {
            resource_names,
            namespaces,
            keys,
        } => array.tags_delete(&resource_names, &namespaces, &keys),
        Command::GroupsPost { names } => array.groups_post(&names, now_ms, mint),
        Command::GroupsDelete { names } => array.groups_delete(&names),
        Command::GroupMembersPost {
            group_names,
            member_names,
        } => array.members_post(&group_names, &member_names),
        Command::GroupMembersDelete {
            group_names,
            member_names,
        } => array.members_delete(&group_names, &member_names),
        Command::GroupSnapshotsPatch { names, destroyed } => {
            array.group_snapshots_patch(&names, destroyed, now_ms)
        }
        Command::GroupSnapshotsDelete { names } => array.group_snapshots_delete(&names),
        Command::HostsPost { names, iqns } => array.hosts_post(&names, &iqns, mint),
        Command::HostsDelete { names } => array.hosts_delete(&names),
        Command::HostConnectionsPost {
            host_names,
            volume_names,
        } => array.host_connections_post(&host_names, &volume_names),
        Command::HostConnectionsDelete {
            host_names,
            volume_names,
        } => array.host_connections_delete(&host_names, &volume_names),
        _ => Err(ArrayError::Refused(Vec::new())),
    }
}
