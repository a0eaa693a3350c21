//! Replication of group snapshots: one at a time per direction of a link, by bytes and bandwidth.
//!
//! Within a group transfers run in the order the snapshots were taken (each carries what changed
//! since the one before); `replicate_now` moves its group ahead of other groups.
//! Work is counted in byte-milliseconds, so that many small steps of time give exactly what one
//! large step gives.

use serde::{Deserialize, Serialize};

use super::answer::Reference;
use super::group_snapshots::{GroupSnapshot, Part};
use super::world::ArrayWorld;

/// Byte-milliseconds per byte: bandwidth is per second, time is in milliseconds.
const UNITS_PER_BYTE: u64 = 1_000;

/// How far a snapshot has come, kept on the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Transfer {
    /// By the target's clock.
    pub(super) started_ms: i64,
    /// By the target's clock.
    pub(super) completed_ms: Option<i64>,
    total_units: u64,
    done_units: u64,
}

impl Transfer {
    /// 0 to 1; exactly 1 only when complete.
    pub(super) fn progress(&self) -> f64 {
        const ALMOST: f64 = 0.999_999;
        if self.completed_ms.is_some() {
            return 1.0;
        }
        (self.done_units as f64 / self.total_units.max(1) as f64).min(ALMOST)
    }

    pub(super) fn done_bytes(&self) -> u64 {
        self.done_units / UNITS_PER_BYTE
    }

    fn advance(&mut self, elapsed_ms: i64, bytes_per_s: u64) {
        let work = bytes_per_s.saturating_mul(u64::try_from(elapsed_ms).unwrap_or(0));
        self.done_units = self.done_units.saturating_add(work).min(self.total_units);
    }

    fn left_ms(&self, bytes_per_s: u64) -> Option<i64> {
        let left = self.total_units - self.done_units;
        (bytes_per_s > 0).then(|| i64::try_from(left.div_ceil(bytes_per_s)).unwrap_or(i64::MAX))
    }
}

/// A transfer that is not complete.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) group: u64,
    /// The snapshot on the source.
    pub(super) snapshot: u64,
    /// The snapshot on the target, once it has started.
    pub(super) replica: Option<u64>,
    pub(super) urgent: bool,
}

impl ArrayWorld {
    /// Queues the replication of a fresh snapshot to every target of its group.
    pub(super) fn jobs_add(&mut self, from: &str, group_seq: u64, snapshot: u64, urgent: bool) {
        let Some(group) = self.group(from, group_seq) else {
            return;
        };
        let targets: Vec<String> = group.targets.keys().cloned().collect();
        for to in targets {
            let seq = self.mint.seq();
            let job = Job {
                from: from.to_owned(),
                to,
                group: group_seq,
                snapshot,
                replica: None,
                urgent,
            };
            self.jobs.insert(seq, job);
        }
    }

    /// Drops jobs whose snapshot, group or target has gone: half a replica stays half.
    pub(super) fn jobs_prune(&mut self) {
        let mut jobs = std::mem::take(&mut self.jobs);
        jobs.retain(|_, job| self.is_wanted(job));
        self.jobs = jobs;
    }

    fn is_wanted(&self, job: &Job) -> bool {
        let lives = |key: &str, seq: u64| {
            let snapshot = self
                .arrays
                .get(key)
                .and_then(|array| array.group_snapshots.get(seq));
            snapshot.is_some_and(|snapshot| snapshot.destroyed_ms.is_none())
        };
        let targeted = self.group(&job.from, job.group).is_some_and(|group| {
            group.destroyed_ms.is_none() && group.targets.contains_key(&job.to)
        });
        targeted
            && lives(&job.from, job.snapshot)
            && job.replica.is_none_or(|replica| lives(&job.to, replica))
    }

    /// The job that each direction of each link works on just now.
    pub(super) fn jobs_running(&self) -> Vec<u64> {
        let mut running: Vec<u64> = Vec::new();
        for (from, to) in self.directions() {
            if !self.is_flowing(&from, &to) {
                continue;
            }
            let here = || {
                self.jobs
                    .iter()
                    .filter(|(_, job)| job.from == from && job.to == to)
            };
            let hurries = |group: u64| here().any(|(_, job)| job.group == group && job.urgent);
            let next = here()
                .filter(|(_, job)| self.is_allowed(job))
                .min_by_key(|(seq, job)| (!hurries(job.group), **seq));
            running.extend(next.map(|(seq, _)| *seq));
        }
        running
    }

    fn is_allowed(&self, job: &Job) -> bool {
        let target = self
            .group(&job.from, job.group)
            .and_then(|group| group.targets.get(&job.to));
        let replica = target.and_then(|target| self.group(&job.to, target.replica?));
        replica.is_some_and(|replica| {
            replica.destroyed_ms.is_none() && replica.remote.as_ref().is_some_and(|r| r.allowed)
        })
    }

    /// The snapshot shows up on the target with nothing in it.
    pub(super) fn job_start(&mut self, seq: u64) {
        let Some(job) = self.jobs.get(&seq).cloned() else {
            return;
        };
        let total_units = self.job_bytes(&job).saturating_mul(UNITS_PER_BYTE);
        let Some(replica) = self.replica_begun(&job, total_units) else {
            self.jobs.remove(&seq);
            return;
        };
        let replica_seq = self.mint.seq();
        let replica = GroupSnapshot {
            id: self.mint.id(replica_seq),
            ..replica
        };
        if let Some(array) = self.arrays.get_mut(&job.to) {
            array.group_snapshots.insert(replica_seq, replica);
        }
        if let Some(job) = self.jobs.get_mut(&seq) {
            job.replica = Some(replica_seq);
        }
    }

    /// `None` when the target already holds something of that name.
    fn replica_begun(&self, job: &Job, total_units: u64) -> Option<GroupSnapshot> {
        let source = self.arrays.get(&job.from)?;
        let target = self.arrays.get(&job.to)?;
        let snapshot = source.group_snapshots.get(job.snapshot)?;
        let group = self
            .group(&job.from, job.group)?
            .targets
            .get(&job.to)?
            .replica?;
        let name = format!("{}:{}", source.name, snapshot.name);
        target
            .group_snapshots
            .find(&name)
            .is_none()
            .then(|| GroupSnapshot {
                id: String::new(),
                name,
                suffix: snapshot.suffix.clone(),
                group,
                created_ms: snapshot.created_ms,
                taken_ms: snapshot.taken_ms,
                destroyed_ms: None,
                apply_retention: snapshot.apply_retention,
                kept_daily: false,
                parts: Vec::new(),
                transfer: Some(Transfer {
                    started_ms: target.wall_ms(self.clock_ms),
                    completed_ms: None,
                    total_units,
                    done_units: 0,
                }),
            })
    }

    /// What changed since the newest complete replica, all of it for volumes new there.
    fn job_bytes(&self, job: &Job) -> u64 {
        let source = self.arrays.get(&job.from);
        let Some(snapshot) = source.and_then(|array| array.group_snapshots.get(job.snapshot))
        else {
            return 0;
        };
        let floor = source.map_or(0, |array| array.settings.transfer_floor_bytes);
        let before = self.replica_newest(job);
        let changed = |part: &Part| {
            let old =
                before.and_then(|old| old.parts.iter().find(|p| p.source.id == part.source.id));
            let since = old.map_or(0, |old| old.content.written_bytes);
            part.content
                .written_bytes
                .saturating_sub(since)
                .min(part.content.used_bytes)
        };
        snapshot
            .parts
            .iter()
            .map(changed)
            .fold(floor, u64::saturating_add)
    }

    fn replica_newest(&self, job: &Job) -> Option<&GroupSnapshot> {
        let group = self
            .group(&job.from, job.group)?
            .targets
            .get(&job.to)?
            .replica?;
        let snapshots = self.arrays.get(&job.to)?.group_snapshots.iter();
        snapshots
            .map(|(_, snapshot)| snapshot)
            .filter(|snapshot| snapshot.group == group && snapshot.is_complete())
            .max_by_key(|snapshot| snapshot.taken_ms)
    }

    /// When the running job `seq` will be through, ms.
    pub(super) fn job_due_ms(&self, seq: u64) -> Option<i64> {
        let job = self.jobs.get(&seq)?;
        let snapshot = self
            .arrays
            .get(&job.to)?
            .group_snapshots
            .get(job.replica?)?;
        let link = self.link(&job.from, &job.to)?;
        let left_ms = snapshot
            .transfer
            .as_ref()?
            .left_ms(link.bandwidth_bytes_per_s)?;
        Some(self.clock_ms.saturating_add(left_ms))
    }

    /// Running transfers move on by `elapsed_ms`.
    pub(super) fn jobs_advance(&mut self, elapsed_ms: i64) {
        for seq in self.jobs_running() {
            let Some(job) = self.jobs.get(&seq) else {
                continue;
            };
            let Some(replica) = job.replica else { continue };
            let bandwidth = self
                .link(&job.from, &job.to)
                .map_or(0, |link| link.bandwidth_bytes_per_s);
            let array = self.arrays.get_mut(&job.to);
            let snapshot = array.and_then(|array| array.group_snapshots.get_mut(replica));
            if let Some(transfer) = snapshot.and_then(|snapshot| snapshot.transfer.as_mut()) {
                transfer.advance(elapsed_ms, bandwidth);
            }
        }
    }

    /// The last byte is there: the parts appear, all at once.
    pub(super) fn job_complete(&mut self, seq: u64) {
        let Some(job) = self.jobs.remove(&seq) else {
            return;
        };
        let Some(source) = self.arrays.get(&job.from) else {
            return;
        };
        let Some(snapshot) = source.group_snapshots.get(job.snapshot) else {
            return;
        };
        let Some(replica_seq) = job.replica else {
            return;
        };
        let parts = snapshot
            .parts
            .iter()
            .map(|part| Part {
                id: self.mint.id(replica_seq ^ (part.volume.unwrap_or(0) << 32)),
                volume: None,
                volume_name: part.taken_name.clone(),
                source: Reference::new(
                    &format!("{}:{}", source.name, part.taken_name),
                    &part.source.id,
                ),
                ..part.clone()
            })
            .collect();
        let now_ms = self.clock_ms;
        let Some(target) = self.arrays.get_mut(&job.to) else {
            return;
        };
        let wall_ms = target.wall_ms(now_ms);
        if let Some(replica) = target.group_snapshots.get_mut(replica_seq) {
            replica.parts = parts;
            if let Some(transfer) = replica.transfer.as_mut() {
                transfer.completed_ms = Some(wall_ms);
                transfer.done_units = transfer.total_units;
            }
        }
    }
}
