//! Protection groups: make, change (nested bodies merge), destroy, eradicate, list.
//! Absent: members, targets, snapshots of groups (files of their own), running the schedules.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::answer::{Answer, GroupRow, Page, Reference};
use super::array::Array;
use super::command::{GroupPatch, RetentionPatch, SchedulePatch};
use super::error::{
    ArrayError, ErrorItem, Kind, all_or_nothing, destroyed, item, limit, missing, no_names, taken,
};
use super::mint::Mint;
use super::names;
use super::query::{Query, page};
use super::schedule::Run;
use super::shelf::Named;
use super::targets::{Remote, Target};

const FREQUENCY_MAX_MS: i64 = 34_560_000_000;
const DAY_MS: i64 = 86_400_000;
const DAY_S: i64 = 86_400;
const ALL_FOR_S: std::ops::RangeInclusive<i64> = 60..=34_560_000;
const DAYS: std::ops::RangeInclusive<i64> = 0..=4_000;
const PER_DAY: std::ops::RangeInclusive<i64> = 0..=1_440;

/// When a group takes snapshots by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    pub enabled: bool,
    #[serde(rename = "frequency")]
    pub frequency_ms: i64,
    /// Seconds after midnight UTC.
    #[serde(rename = "at")]
    pub at_s: Option<i64>,
}

/// How long snapshots stay: all of them for a while, then a few of each day for some days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    #[serde(rename = "all_for_sec")]
    pub all_for_s: i64,
    pub days: i64,
    pub per_day: i64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            all_for_s: DAY_S,
            days: 7,
            per_day: 4,
        }
    }
}

/// A group, or the view of another array's group (`remote`).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created_ms: i64,
    pub(super) destroyed_ms: Option<i64>,
    pub(super) remote: Option<Remote>,
    pub(super) members: BTreeSet<u64>,
    /// By array key.
    pub(super) targets: BTreeMap<String, Target>,
    pub(super) replication: Schedule,
    pub(super) replication_run: Run,
    pub(super) local: Schedule,
    pub(super) local_run: Run,
    pub(super) source_retention: Retention,
    pub(super) target_retention: Retention,
    /// Suffix of the next snapshot that is given none.
    pub(super) next_number: u64,
}

impl Named for Group {
    fn name(&self) -> &str {
        &self.name
    }
    fn name_set(&mut self, name: String) {
        self.name = name;
    }
}

impl Group {
    pub(super) fn new(id: String, name: &str, created_ms: i64) -> Self {
        let every = |frequency_ms| Schedule {
            enabled: false,
            frequency_ms,
            at_s: None,
        };
        Self {
            id,
            name: name.to_owned(),
            created_ms,
            destroyed_ms: None,
            remote: None,
            members: BTreeSet::new(),
            targets: BTreeMap::new(),
            replication: every(14_400_000),
            replication_run: Run::default(),
            local: every(3_600_000),
            local_run: Run::default(),
            source_retention: Retention::default(),
            target_retention: Retention::default(),
            next_number: 1,
        }
    }

    /// The retention that counts on the array this group stands on.
    pub(super) fn retention(&self) -> Retention {
        if self.remote.is_some() {
            self.target_retention
        } else {
            self.source_retention
        }
    }

    pub(super) fn reference(&self) -> Reference {
        Reference::new(&self.name, &self.id)
    }
}

fn schedule_merged(
    old: Schedule,
    patch: SchedulePatch,
    min_ms: i64,
) -> Result<Schedule, ErrorItem> {
    let new = Schedule {
        enabled: patch.enabled.unwrap_or(old.enabled),
        frequency_ms: patch.frequency_ms.unwrap_or(old.frequency_ms),
        at_s: patch.at_s.or(old.at_s).filter(|at| *at != -1),
    };
    if !(min_ms..=FREQUENCY_MAX_MS).contains(&new.frequency_ms) {
        return Err(item("Invalid frequency.", "frequency"));
    }
    let at_fits = new
        .at_s
        .is_none_or(|at| (0..DAY_S).contains(&at) && new.frequency_ms % DAY_MS == 0);
    if at_fits {
        Ok(new)
    } else {
        Err(item("Invalid at.", "at"))
    }
}

fn retention_merged(old: Retention, patch: RetentionPatch) -> Result<Retention, ErrorItem> {
    let new = Retention {
        all_for_s: patch.all_for_s.unwrap_or(old.all_for_s),
        days: patch.days.unwrap_or(old.days),
        per_day: patch.per_day.unwrap_or(old.per_day),
    };
    let fits = ALL_FOR_S.contains(&new.all_for_s)
        && DAYS.contains(&new.days)
        && PER_DAY.contains(&new.per_day);
    if fits {
        Ok(new)
    } else {
        Err(item("Invalid retention.", "retention"))
    }
}

/// A group's schedules and retentions after a patch.
struct Merged {
    replication: Schedule,
    local: Schedule,
    source_retention: Retention,
    target_retention: Retention,
}

fn merged(group: &Group, patch: &GroupPatch, min_ms: i64) -> Result<Merged, ErrorItem> {
    Ok(Merged {
        replication: schedule_merged(group.replication, patch.replication_schedule, min_ms)?,
        local: schedule_merged(group.local, patch.snapshot_schedule, min_ms)?,
        source_retention: retention_merged(group.source_retention, patch.source_retention)?,
        target_retention: retention_merged(group.target_retention, patch.target_retention)?,
    })
}

impl Array {
    /// The live group `name` of this array itself, or why there is none.
    pub(super) fn group_own_live(&self, name: &str) -> Result<u64, ErrorItem> {
        match self.groups.find(name) {
            None => Err(missing(Kind::ProtectionGroup, name)),
            Some((_, group)) if group.destroyed_ms.is_some() => {
                Err(destroyed(Kind::ProtectionGroup, name))
            }
            Some((_, group)) if group.remote.is_some() => {
                Err(item("Protection group is not local.", name))
            }
            Some((seq, _)) => Ok(seq),
        }
    }

    pub(super) fn groups_own_live(&self, names: &[String]) -> Result<Vec<u64>, ArrayError> {
        if names.is_empty() {
            return Err(no_names("group_names"));
        }
        let mut errors = Vec::new();
        let mut seqs = Vec::new();
        for name in names {
            match self.group_own_live(name) {
                Ok(seq) => seqs.push(seq),
                Err(e) => errors.push(e),
            }
        }
        all_or_nothing(errors)?;
        Ok(seqs)
    }

    pub(super) fn groups_post(
        &mut self,
        wanted: &[String],
        now_ms: i64,
        mint: &mut Mint,
    ) -> Result<Answer, ArrayError> {
        if wanted.is_empty() {
            return Err(no_names("names"));
        }
        self.groups_judge(wanted)?;
        let mut rows = Vec::new();
        for name in wanted {
            let seq = mint.seq();
            let group = Group::new(mint.id(seq), name, self.wall_ms(now_ms));
            self.groups.insert(seq, group);
            rows.extend(self.group_row(seq, now_ms));
        }
        Ok(Answer::Groups(Page::whole(rows)))
    }

    fn groups_judge(&self, wanted: &[String]) -> Result<(), ArrayError> {
        let mut errors = Vec::new();
        let mut seen = BTreeSet::new();
        for name in wanted {
            errors.extend(names::check(Kind::ProtectionGroup, name));
            match self.groups.find(name) {
                Some((_, old)) if old.destroyed_ms.is_some() => {
                    errors.push(destroyed(Kind::ProtectionGroup, name));
                }
                Some(_) => errors.push(taken(Kind::ProtectionGroup, name)),
                None if !seen.insert(super::shelf::fold(name)) => {
                    errors.push(taken(Kind::ProtectionGroup, name));
                }
                None => {}
            }
        }
        if (self.groups.len() + wanted.len()) as u64 > self.settings.groups_max {
            errors.push(limit(Kind::ProtectionGroup, &self.name));
        }
        all_or_nothing(errors)
    }

    pub(super) fn groups_patch(
        &mut self,
        wanted: &[String],
        patch: &GroupPatch,
        now_ms: i64,
    ) -> Result<Answer, ArrayError> {
        if wanted.is_empty() {
            return Err(no_names("names"));
        }
        let mut errors = Vec::new();
        let mut planned = Vec::new();
        for name in wanted {
            match self.group_patch_judge(name, patch) {
                Ok(one) => planned.push(one),
                Err(e) => errors.push(e),
            }
        }
        all_or_nothing(errors)?;
        let mut rows = Vec::new();
        for (seq, merged) in planned {
            self.group_change(seq, merged, patch.destroyed, now_ms);
            rows.extend(self.group_row(seq, now_ms));
        }
        Ok(Answer::Groups(Page::whole(rows)))
    }

    fn group_patch_judge(
        &self,
        name: &str,
        patch: &GroupPatch,
    ) -> Result<(u64, Merged), ErrorItem> {
        let (seq, group) = self
            .groups
            .find(name)
            .ok_or_else(|| missing(Kind::ProtectionGroup, name))?;
        match (patch.destroyed, group.destroyed_ms) {
            (Some(true) | None, Some(_)) => return Err(destroyed(Kind::ProtectionGroup, name)),
            (Some(false), None) => return Err(item("Protection group is not destroyed.", name)),
            _ => {}
        }
        let only_bin = GroupPatch {
            destroyed: patch.destroyed,
            ..GroupPatch::default()
        };
        if group.remote.is_some() && *patch != only_bin {
            return Err(item("Protection group is not local.", name));
        }
        Ok((seq, merged(group, patch, self.settings.frequency_min_ms)?))
    }

    fn group_change(&mut self, seq: u64, new: Merged, destroyed: Option<bool>, now_ms: i64) {
        let Some(group) = self.groups.get_mut(seq) else {
            return;
        };
        let retention_before = group.retention();
        group
            .replication_run
            .switched(group.replication, new.replication, now_ms);
        group.local_run.switched(group.local, new.local, now_ms);
        group.replication = new.replication;
        group.local = new.local;
        group.source_retention = new.source_retention;
        group.target_retention = new.target_retention;
        let retention_changed = retention_before != group.retention();
        match destroyed {
            Some(true) => group.destroyed_ms = Some(now_ms),
            Some(false) => group.destroyed_ms = None,
            None => {}
        }
        if retention_changed {
            self.retention_afresh(seq);
        }
        if let Some(wish) = destroyed {
            self.group_snapshots_follow(seq, wish, now_ms);
        }
    }

    pub(super) fn groups_delete(&mut self, wanted: &[String]) -> Result<Answer, ArrayError> {
        if wanted.is_empty() {
            return Err(no_names("names"));
        }
        let mut errors = Vec::new();
        let mut seqs = Vec::new();
        for name in wanted {
            match self.groups.find(name) {
                None => errors.push(missing(Kind::ProtectionGroup, name)),
                Some((_, group)) if group.destroyed_ms.is_none() => {
                    errors.push(item("Protection group is not destroyed.", name));
                }
                Some((seq, _)) => {
                    errors.extend(self.eradication_objection(name));
                    seqs.push(seq);
                }
            }
        }
        all_or_nothing(errors)?;
        for seq in seqs {
            self.group_eradicate(seq);
        }
        Ok(Answer::Done)
    }

    pub(super) fn groups_get(&self, query: &Query, now_ms: i64) -> Result<Answer, ArrayError> {
        let wanted = |group: &Group| {
            query
                .destroyed
                .is_none_or(|flag| flag == group.destroyed_ms.is_some())
        };
        let mut errors = Vec::new();
        let mut seqs = Vec::new();
        for name in &query.names {
            match self.groups.find(name) {
                Some((seq, group)) if wanted(group) => seqs.push(seq),
                Some((_, group)) if group.destroyed_ms.is_some() => {
                    errors.push(destroyed(Kind::ProtectionGroup, name));
                }
                _ => errors.push(missing(Kind::ProtectionGroup, name)),
            }
        }
        all_or_nothing(errors)?;
        if query.names.is_empty() {
            seqs = self
                .groups
                .iter()
                .filter(|(_, g)| wanted(g))
                .map(|(seq, _)| seq)
                .collect();
        }
        let rows = seqs
            .iter()
            .filter_map(|seq| Some(((*seq, 0), self.group_row(*seq, now_ms)?)))
            .collect();
        Ok(Answer::Groups(page(rows, query, self.settings.page_max)?))
    }

    fn group_row(&self, seq: u64, now_ms: i64) -> Option<GroupRow> {
        let group = self.groups.get(seq)?;
        let source = match &group.remote {
            Some(remote) => Reference::new(&remote.array_name, &remote.array_id),
            None => self.reference(),
        };
        Some(GroupRow {
            id: group.id.clone(),
            name: group.name.clone(),
            is_local: group.remote.is_none(),
            source,
            destroyed: group.destroyed_ms.is_some(),
            time_remaining: self.time_remaining(group.destroyed_ms, now_ms),
            replication_schedule: group.replication,
            snapshot_schedule: group.local,
            source_retention: group.source_retention,
            target_retention: group.target_retention,
            volume_count: group.members.len() as u64,
            target_count: group.targets.len() as u64,
        })
    }
}
