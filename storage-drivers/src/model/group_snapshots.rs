//! Snapshots of whole groups: all members at one moment; destroyed, recovered and listed as one.
//! Absent: replicating them (`transfers`) and expiring them (`retention`).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::answer::{Answer, GroupSnapshotRow, Page, Reference, TransferRow};
use super::array::Array;
use super::command::GroupSnapshotBody;
use super::content::Content;
use super::error::{
    ArrayError, ErrorItem, Kind, all_or_nothing, destroyed, item, limit, missing, no_names, taken,
};
use super::mint::Mint;
use super::names;
use super::query::{Query, page};
use super::shelf::Named;
use super::transfers::Transfer;

/// One volume's share of a group snapshot.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) id: String,
    /// The volume on this array; `None` on a target or when it is gone.
    pub(super) volume: Option<u64>,
    /// Follows renames on the source array; a replica keeps the name of the moment it was taken.
    pub(super) volume_name: String,
    pub(super) taken_name: String,
    pub(super) volume_serial: String,
    pub(super) source: Reference,
    pub(super) provisioned: u64,
    pub(super) content: Content,
}

impl Part {
    pub(super) fn name_in(&self, whole: &GroupSnapshot) -> String {
        format!("{}.{}", whole.name, self.volume_name)
    }
}

/// A snapshot of a group. On a target it has no parts until its transfer is complete.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct GroupSnapshot {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) suffix: String,
    pub(super) group: u64,
    /// As shown: by the clock of the array that took it.
    pub(super) created_ms: i64,
    /// True time; retention counts from here, so a jumping clock expires nothing (fault `D3`).
    pub(super) taken_ms: i64,
    pub(super) destroyed_ms: Option<i64>,
    pub(super) apply_retention: bool,
    /// Past the time in which all are kept, this one stays as one of its day.
    pub(super) kept_daily: bool,
    pub(super) parts: Vec<Part>,
    /// On a target: how far it has come.
    pub(super) transfer: Option<Transfer>,
}

impl Named for GroupSnapshot {
    fn name(&self) -> &str {
        &self.name
    }
    fn name_set(&mut self, name: String) {
        self.name = name;
    }
}

impl GroupSnapshot {
    /// Everything is here: taken here, or completely replicated.
    pub(super) fn is_complete(&self) -> bool {
        self.transfer
            .as_ref()
            .is_none_or(|transfer| transfer.completed_ms.is_some())
    }
}

/// A judged wish for a snapshot of one group.
pub(super) struct Planned {
    pub(super) group: u64,
    pub(super) suffix: String,
}

impl Array {
    pub(super) fn group_snapshots_judge(
        &self,
        sources: &[String],
        body: &GroupSnapshotBody,
    ) -> Result<Vec<Planned>, ArrayError> {
        let groups = self.groups_own_live(sources)?;
        let mut errors: Vec<ErrorItem> = Vec::new();
        if body.replicate && body.replicate_now {
            errors.push(item(
                "Only one way to replicate can be asked.",
                "replicate_now",
            ));
        }
        errors.extend(body.suffix.as_deref().and_then(names::check_suffix));
        let mut planned = Vec::new();
        for seq in groups {
            let Some(group) = self.groups.get(seq) else {
                continue;
            };
            let suffix = body
                .suffix
                .clone()
                .unwrap_or_else(|| group.next_number.to_string());
            let name = format!("{}.{suffix}", group.name);
            errors.extend(names::check_whole(&name));
            errors.extend(self.group_snapshot_name_judge(&name));
            if (body.replicate || body.replicate_now) && group.targets.is_empty() {
                errors.push(item("Protection group has no targets.", &group.name));
            }
            planned.push(Planned { group: seq, suffix });
        }
        if (self.group_snapshots.len() + planned.len()) as u64 > self.settings.group_snapshots_max {
            errors.push(limit(Kind::ProtectionGroupSnapshot, &self.name));
        }
        all_or_nothing(errors)?;
        Ok(planned)
    }

    fn group_snapshot_name_judge(&self, name: &str) -> Option<ErrorItem> {
        let (_, old) = self.group_snapshots.find(name)?;
        Some(match old.destroyed_ms {
            Some(_) => destroyed(Kind::ProtectionGroupSnapshot, name),
            None => taken(Kind::ProtectionGroupSnapshot, name),
        })
    }

    /// Freezes all live members of `planned.group` at this moment.
    pub(super) fn group_snapshot_make(
        &mut self,
        planned: &Planned,
        apply_retention: bool,
        now_ms: i64,
        mint: &mut Mint,
    ) -> Option<u64> {
        let created_ms = self.wall_ms(now_ms);
        let group = self.groups.get_mut(planned.group)?;
        group.next_number += 1;
        let (name, members) = (
            format!("{}.{}", group.name, planned.suffix),
            group.members.clone(),
        );
        let seq = mint.seq();
        let live = members
            .iter()
            .filter_map(|seq| self.volumes.get(*seq).map(|v| (*seq, v)));
        let parts = live
            .filter(|(_, volume)| volume.destroyed_ms.is_none())
            .map(|(volume_seq, volume)| Part {
                id: mint.id(seq ^ (volume_seq << 32)),
                volume: Some(volume_seq),
                volume_name: volume.name.clone(),
                taken_name: volume.name.clone(),
                volume_serial: volume.serial.clone(),
                source: Reference::new(&volume.name, &volume.id),
                provisioned: volume.provisioned,
                content: volume.content.clone(),
            })
            .collect();
        let snapshot = GroupSnapshot {
            id: mint.id(seq),
            name,
            suffix: planned.suffix.clone(),
            group: planned.group,
            created_ms,
            taken_ms: now_ms,
            destroyed_ms: None,
            apply_retention,
            kept_daily: false,
            parts,
            transfer: None,
        };
        self.group_snapshots.insert(seq, snapshot);
        Some(seq)
    }

    pub(super) fn group_snapshots_patch(
        &mut self,
        names: &[String],
        destroy: bool,
        now_ms: i64,
    ) -> Result<Answer, ArrayError> {
        let seqs =
            self.group_snapshots_exact(names, |snapshot| match (destroy, snapshot.destroyed_ms) {
                (true, Some(_)) => Some(destroyed(Kind::ProtectionGroupSnapshot, &snapshot.name)),
                (false, None) => Some(item("Snapshot is not destroyed.", &snapshot.name)),
                _ => None,
            })?;
        for seq in &seqs {
            if let Some(snapshot) = self.group_snapshots.get_mut(*seq) {
                snapshot.destroyed_ms = destroy.then_some(now_ms);
            }
        }
        let rows = seqs
            .iter()
            .filter_map(|seq| self.group_snapshot_row(*seq, now_ms));
        Ok(Answer::GroupSnapshots(Page::whole(rows.collect())))
    }

    pub(super) fn group_snapshots_delete(
        &mut self,
        names: &[String],
    ) -> Result<Answer, ArrayError> {
        let seqs = self.group_snapshots_exact(names, |snapshot| match snapshot.destroyed_ms {
            None => Some(item("Snapshot is not destroyed.", &snapshot.name)),
            Some(_) => self.eradication_objection(&snapshot.name),
        })?;
        for seq in seqs {
            self.group_snapshots.remove(seq);
        }
        Ok(Answer::Done)
    }

    fn group_snapshots_exact(
        &self,
        names: &[String],
        objection: impl Fn(&GroupSnapshot) -> Option<ErrorItem>,
    ) -> Result<Vec<u64>, ArrayError> {
        if names.is_empty() {
            return Err(no_names("names"));
        }
        let mut errors = Vec::new();
        let mut seqs = Vec::new();
        for name in names {
            match self.group_snapshots.find(name) {
                None => errors.push(missing(Kind::ProtectionGroupSnapshot, name)),
                Some((seq, snapshot)) => {
                    errors.extend(objection(snapshot));
                    seqs.push(seq);
                }
            }
        }
        all_or_nothing(errors)?;
        Ok(seqs)
    }

    /// A group goes to the bin with its snapshots, and comes back with them.
    pub(super) fn group_snapshots_follow(&mut self, group: u64, destroy: bool, now_ms: i64) {
        for (_, snapshot) in self
            .group_snapshots
            .iter_mut()
            .filter(|(_, s)| s.group == group)
        {
            snapshot.destroyed_ms = destroy.then_some(now_ms);
        }
    }

    pub(super) fn group_snapshots_get(
        &self,
        query: &Query,
        now_ms: i64,
    ) -> Result<Answer, ArrayError> {
        let rows = self
            .group_snapshots_meant(query)?
            .into_iter()
            .filter_map(|seq| Some(((seq, 0), self.group_snapshot_row(seq, now_ms)?)))
            .collect();
        Ok(Answer::GroupSnapshots(page(
            rows,
            query,
            self.settings.page_max,
        )?))
    }

    /// Transfers are known on the target only.
    pub(super) fn transfers_get(&self, query: &Query) -> Result<Answer, ArrayError> {
        let rows = self
            .group_snapshots_meant(query)?
            .into_iter()
            .filter_map(|seq| Some(((seq, 0), self.transfer_row(seq)?)))
            .collect();
        Ok(Answer::Transfers(page(
            rows,
            query,
            self.settings.page_max,
        )?))
    }

    /// Names may be those of snapshots or of groups; a group's stands for all its snapshots.
    fn group_snapshots_meant(&self, query: &Query) -> Result<BTreeSet<u64>, ArrayError> {
        let state = |s: &GroupSnapshot| {
            query
                .destroyed
                .is_none_or(|flag| flag == s.destroyed_ms.is_some())
        };
        let mut errors = Vec::new();
        let mut seqs = BTreeSet::new();
        for name in query.names.iter().chain(&query.source_names) {
            if let Some(group) = self.groups.seq_of(name) {
                let of_group = self
                    .group_snapshots
                    .iter()
                    .filter(|(_, s)| s.group == group && state(s));
                seqs.extend(of_group.map(|(seq, _)| seq));
                continue;
            }
            match self.group_snapshots.find(name) {
                Some((seq, snapshot)) if state(snapshot) => {
                    seqs.insert(seq);
                }
                Some((_, snapshot)) if snapshot.destroyed_ms.is_some() => {
                    errors.push(destroyed(Kind::ProtectionGroupSnapshot, name));
                }
                _ => errors.push(missing(Kind::ProtectionGroupSnapshot, name)),
            }
        }
        all_or_nothing(errors)?;
        if query.names.is_empty() && query.source_names.is_empty() {
            seqs = self
                .group_snapshots
                .iter()
                .filter(|(_, s)| state(s))
                .map(|(seq, _)| seq)
                .collect();
        }
        Ok(seqs)
    }

    pub(super) fn group_snapshot_row(&self, seq: u64, now_ms: i64) -> Option<GroupSnapshotRow> {
        let snapshot = self.group_snapshots.get(seq)?;
        Some(GroupSnapshotRow {
            id: snapshot.id.clone(),
            name: snapshot.name.clone(),
            suffix: snapshot.suffix.clone(),
            created: snapshot.created_ms,
            destroyed: snapshot.destroyed_ms.is_some(),
            time_remaining: self.time_remaining(snapshot.destroyed_ms, now_ms),
            source: self
                .groups
                .get(snapshot.group)
                .map(|g| g.reference())
                .unwrap_or_default(),
        })
    }

    fn transfer_row(&self, seq: u64) -> Option<TransferRow> {
        let snapshot = self.group_snapshots.get(seq)?;
        let transfer = snapshot.transfer.as_ref()?;
        Some(TransferRow {
            name: snapshot.name.clone(),
            started: transfer.started_ms,
            completed: transfer.completed_ms,
            progress: transfer.progress(),
            data_transferred: transfer.done_bytes(),
            physical_bytes_written: transfer.done_bytes(),
            destroyed: snapshot.destroyed_ms.is_some(),
        })
    }
}
