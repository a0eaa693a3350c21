//! How time moves the world: the next thing that happens by itself, one after the other.
//!
//! Every event happens at its own moment, so advancing in many small steps gives exactly the state
//! that one large step gives. Nothing happens on an array that is off; what was due then happens
//! once, when it is back.

use super::bin::Binned;
use super::group_snapshots::Planned;
use super::world::ArrayWorld;

/// Most events of one call; the rest follows with the next call.
const EVENTS_MAX: usize = 200_000;

/// Something that happens by itself. The order of the arms decides between equal moments.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Show {
        from: String,
        group: u64,
        to: String,
    },
    Complete {
        job: u64,
    },
    LocalTick {
        array: String,
        group: u64,
    },
    ReplicationTick {
        array: String,
        group: u64,
    },
    Start {
        job: u64,
    },
    Expire {
        array: String,
        snapshot: u64,
    },
    Empty {
        array: String,
        what: Binned,
    },
}

impl ArrayWorld {
    /// Lets everything happen that is due until `now_ms`. A clock that goes back changes nothing.
    pub fn advance(&mut self, now_ms: i64) {
        if self.quiet_until_ms.is_some_and(|quiet| now_ms < quiet) {
            return self.pass_time(now_ms);
        }
        for _ in 0..EVENTS_MAX {
            match self.event_next() {
                Some((at, event)) if at <= now_ms => {
                    self.pass_time(at);
                    self.perform(event);
                }
                next => {
                    self.quiet_until_ms = Some(next.map_or(i64::MAX, |(at, _)| at));
                    return self.pass_time(now_ms);
                }
            }
        }
    }

    fn pass_time(&mut self, until_ms: i64) {
        if until_ms > self.clock_ms {
            self.jobs_advance(until_ms - self.clock_ms);
            self.clock_ms = until_ms;
        }
    }

    fn event_next(&self) -> Option<(i64, Event)> {
        let mut found: Vec<(i64, Event)> = Vec::new();
        for (key, array) in self.arrays.iter().filter(|(_, array)| array.is_online()) {
            found.extend(array.retention_next().map(|(at, snapshot)| {
                (
                    at,
                    Event::Expire {
                        array: key.clone(),
                        snapshot,
                    },
                )
            }));
            found.extend(array.bin_next().map(|(at, what)| {
                (
                    at,
                    Event::Empty {
                        array: key.clone(),
                        what,
                    },
                )
            }));
            self.group_events(key, &mut found);
        }
        for job in self.jobs_running() {
            let started = self.jobs.get(&job).is_some_and(|job| job.replica.is_some());
            if started {
                found.extend(self.job_due_ms(job).map(|at| (at, Event::Complete { job })));
            } else {
                found.push((self.clock_ms, Event::Start { job }));
            }
        }
        let overdue = |(at, event): (i64, Event)| (at.max(self.clock_ms), event);
        found.into_iter().map(overdue).min()
    }

    fn group_events(&self, key: &str, found: &mut Vec<(i64, Event)>) {
        let Some(array) = self.arrays.get(key) else {
            return;
        };
        let own = array
            .groups
            .iter()
            .filter(|(_, g)| g.destroyed_ms.is_none() && g.remote.is_none());
        for (seq, group) in own {
            for (to, target) in &group.targets {
                if target.replica.is_none() && self.is_flowing(key, to) {
                    let show = Event::Show {
                        from: key.to_owned(),
                        group: seq,
                        to: to.clone(),
                    };
                    found.push((target.shown_from_ms, show));
                }
            }
            let array = || key.to_owned();
            let local = group.local_run.due_ms(group.local);
            found.extend(local.map(|at| {
                (
                    at,
                    Event::LocalTick {
                        array: array(),
                        group: seq,
                    },
                )
            }));
            let replicates = group.replication_run.due_ms(group.replication);
            found.extend(replicates.filter(|_| !group.targets.is_empty()).map(|at| {
                (
                    at,
                    Event::ReplicationTick {
                        array: array(),
                        group: seq,
                    },
                )
            }));
        }
    }

    fn perform(&mut self, event: Event) {
        let now_ms = self.clock_ms;
        match event {
            Event::Show { from, group, to } => self.replica_show(&from, group, &to),
            Event::Complete { job } => self.job_complete(job),
            Event::Start { job } => self.job_start(job),
            Event::LocalTick { array, group } => self.local_tick(&array, group),
            Event::ReplicationTick { array, group } => self.replication_tick(&array, group),
            Event::Expire { array, snapshot } => {
                if let Some(array) = self.arrays.get_mut(&array) {
                    array.retention_apply(snapshot, now_ms);
                }
            }
            Event::Empty { array, what } => {
                if let Some(array) = self.arrays.get_mut(&array) {
                    array.bin_empty(what);
                }
            }
        }
        self.jobs_prune();
    }

    fn local_tick(&mut self, key: &str, group_seq: u64) {
        let now_ms = self.clock_ms;
        if let Some(group) = self.group_mut(key, group_seq) {
            group.local_run.ran(now_ms);
        }
        self.tick_snapshot(key, group_seq);
    }

    /// A run is left out while an earlier transfer of the group is under way.
    fn replication_tick(&mut self, key: &str, group_seq: u64) {
        let now_ms = self.clock_ms;
        if let Some(group) = self.group_mut(key, group_seq) {
            group.replication_run.ran(now_ms);
        }
        let busy = self
            .jobs
            .values()
            .any(|job| job.from == key && job.group == group_seq);
        if !busy && let Some(snapshot) = self.tick_snapshot(key, group_seq) {
            self.jobs_add(key, group_seq, snapshot, false);
        }
    }

    /// `None` when the name is taken or the array is full: the run is left out.
    fn tick_snapshot(&mut self, key: &str, group_seq: u64) -> Option<u64> {
        let now_ms = self.clock_ms;
        let Self { arrays, mint, .. } = self;
        let array = arrays.get_mut(key)?;
        let group = array.groups.get_mut(group_seq)?;
        let suffix = group.next_number.to_string();
        let taken = array
            .group_snapshots
            .find(&format!("{}.{suffix}", group.name))
            .is_some();
        let full = array.group_snapshots.len() as u64 >= array.settings.group_snapshots_max;
        if taken || full {
            group.next_number += 1;
            return None;
        }
        let planned = Planned {
            group: group_seq,
            suffix,
        };
        array.group_snapshot_make(&planned, true, now_ms, mint)
    }
}
