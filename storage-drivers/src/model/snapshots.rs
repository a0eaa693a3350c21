//! Volume snapshots: taken one by one, and the parts of group snapshots as they are listed.
//! Absent: taking and destroying group snapshots as a whole.

use serde::{Deserialize, Serialize};

use super::answer::{Answer, Page, Reference, VolumeSnapshotRow};
use super::array::Array;
use super::command::SnapshotPatch;
use super::content::Content;
use super::error::{
    ArrayError, ErrorItem, Kind, all_or_nothing, destroyed, item, limit, missing, no_names, taken,
};
use super::mint::Mint;
use super::names;
use super::query::{Query, RowKey, page};
use super::shelf::Named;

/// A snapshot of one volume.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct VolumeSnapshot {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) suffix: String,
    pub(super) volume: u64,
    pub(super) source: Reference,
    pub(super) created_ms: i64,
    pub(super) destroyed_ms: Option<i64>,
    pub(super) provisioned: u64,
    pub(super) content: Content,
}

impl Named for VolumeSnapshot {
    fn name(&self) -> &str {
        &self.name
    }
    fn name_set(&mut self, name: String) {
        self.name = name;
    }
}

/// What a copy takes from a snapshot.
pub(super) struct Frozen {
    pub(super) provisioned: u64,
    pub(super) content: Content,
    pub(super) reference: Reference,
    pub(super) destroyed: bool,
}

impl Array {
    /// The snapshot `name`: one of its own, or a part of a complete group snapshot.
    pub(super) fn snapshot_frozen(&self, name: &str) -> Option<Frozen> {
        if let Some((_, snapshot)) = self.snapshots.find(name) {
            return Some(Frozen {
                provisioned: snapshot.provisioned,
                content: snapshot.content.clone(),
                reference: Reference::new(&snapshot.name, &snapshot.id),
                destroyed: snapshot.destroyed_ms.is_some(),
            });
        }
        let (whole, volume) = name.rsplit_once('.')?;
        let (_, group_snapshot) = self.group_snapshots.find(whole)?;
        let part = group_snapshot
            .parts
            .iter()
            .find(|part| part.volume_name.eq_ignore_ascii_case(volume))?;
        Some(Frozen {
            provisioned: part.provisioned,
            content: part.content.clone(),
            reference: Reference::new(&part.name_in(group_snapshot), &part.id),
            destroyed: group_snapshot.destroyed_ms.is_some(),
        })
    }

    pub(super) fn volume_snapshots_post(
        &mut self,
        sources: &[String],
        suffix: Option<&str>,
        now_ms: i64,
        mint: &mut Mint,
    ) -> Result<Answer, ArrayError> {
        let seqs = self.volumes_live(sources)?;
        let planned = self.snapshots_judge(&seqs, suffix)?;
        let mut rows = Vec::new();
        for (volume, name, suffix) in planned {
            let seq = self.snapshot_make(volume, name, suffix, now_ms, mint);
            rows.extend(
                self.snapshots
                    .get(seq)
                    .map(|s| self.snapshot_row(s, now_ms)),
            );
        }
        Ok(Answer::VolumeSnapshots(Page::whole(rows)))
    }

    fn snapshots_judge(
        &self,
        seqs: &[u64],
        suffix: Option<&str>,
    ) -> Result<Vec<(u64, String, String)>, ArrayError> {
        let mut errors: Vec<ErrorItem> = suffix.and_then(names::check_suffix).into_iter().collect();
        let mut planned = Vec::new();
        for seq in seqs {
            let Some(volume) = self.volumes.get(*seq) else {
                continue;
            };
            let number = self.snapshot_numbers.get(seq).copied().unwrap_or(1);
            let suffix = suffix.map_or_else(|| number.to_string(), str::to_owned);
            let name = format!("{}.{suffix}", volume.name);
            errors.extend(names::check_whole(&name));
            if let Some((_, old)) = self.snapshots.find(&name) {
                errors.push(match old.destroyed_ms {
                    Some(_) => destroyed(Kind::VolumeSnapshot, &name),
                    None => taken(Kind::VolumeSnapshot, &name),
                });
            }
            planned.push((*seq, name, suffix));
        }
        let after = self.snapshots.len() + planned.len();
        if after as u64 > self.settings.volume_snapshots_max {
            errors.push(limit(Kind::VolumeSnapshot, &self.name));
        }
        all_or_nothing(errors)?;
        Ok(planned)
    }

    fn snapshot_make(
        &mut self,
        volume_seq: u64,
        name: String,
        suffix: String,
        now_ms: i64,
        mint: &mut Mint,
    ) -> u64 {
        let seq = mint.seq();
        let created_ms = self.wall_ms(now_ms);
        if let Some(volume) = self.volumes.get(volume_seq) {
            *self.snapshot_numbers.entry(volume_seq).or_insert(1) += 1;
            let snapshot = VolumeSnapshot {
                id: mint.id(seq),
                name,
                suffix,
                volume: volume_seq,
                source: Reference::new(&volume.name, &volume.id),
                created_ms,
                destroyed_ms: None,
                provisioned: volume.provisioned,
                content: volume.content.clone(),
            };
            self.snapshots.insert(seq, snapshot);
        }
        seq
    }

    fn snapshots_named(
        &self,
        names: &[String],
        objection: impl Fn(&VolumeSnapshot) -> Option<ErrorItem>,
    ) -> Result<Vec<u64>, ArrayError> {
        if names.is_empty() {
            return Err(no_names("names"));
        }
        let mut errors = Vec::new();
        let mut seqs = Vec::new();
        for name in names {
            match self.snapshots.find(name) {
                Some((seq, snapshot)) => {
                    errors.extend(objection(snapshot));
                    seqs.push(seq);
                }
                // Parts of a group snapshot go only with the whole.
                None if self.snapshot_frozen(name).is_some() => errors.push(item(
                    "Snapshot belongs to a protection group snapshot.",
                    name,
                )),
                None => errors.push(missing(Kind::VolumeSnapshot, name)),
            }
        }
        all_or_nothing(errors)?;
        Ok(seqs)
    }

    pub(super) fn volume_snapshots_patch(
        &mut self,
        names: &[String],
        patch: &SnapshotPatch,
        now_ms: i64,
    ) -> Result<Answer, ArrayError> {
        let seqs = self.snapshots_named(names, |snapshot| {
            match (patch.destroyed, snapshot.destroyed_ms) {
                (Some(false), None) => Some(item("Snapshot is not destroyed.", &snapshot.name)),
                (Some(true) | None, Some(_)) => {
                    Some(destroyed(Kind::VolumeSnapshot, &snapshot.name))
                }
                _ => None,
            }
        })?;
        if let Some(name) = &patch.name {
            self.snapshot_rename(&seqs, name)?;
        }
        let mut rows = Vec::new();
        for seq in seqs {
            if let (Some(wish), Some(snapshot)) = (patch.destroyed, self.snapshots.get_mut(seq)) {
                snapshot.destroyed_ms = wish.then_some(now_ms);
            }
            rows.extend(
                self.snapshots
                    .get(seq)
                    .map(|s| self.snapshot_row(s, now_ms)),
            );
        }
        Ok(Answer::VolumeSnapshots(Page::whole(rows)))
    }

    fn snapshot_rename(&mut self, seqs: &[u64], name: &str) -> Result<(), ArrayError> {
        let mut errors: Vec<ErrorItem> = names::check_whole(name).into_iter().collect();
        let suffix = name.rsplit_once('.').map(|(_, suffix)| suffix);
        match suffix {
            Some(suffix) => errors.extend(names::check_suffix(suffix)),
            None => errors.push(item("Invalid name.", name)),
        }
        if seqs.len() != 1 || self.snapshots.find(name).is_some() {
            errors.push(taken(Kind::VolumeSnapshot, name));
        }
        all_or_nothing(errors)?;
        for seq in seqs {
            self.snapshots.rename(*seq, name);
            if let (Some(snapshot), Some(suffix)) = (self.snapshots.get_mut(*seq), suffix) {
                snapshot.suffix = suffix.to_owned();
            }
        }
        Ok(())
    }

    pub(super) fn volume_snapshots_delete(
        &mut self,
        names: &[String],
    ) -> Result<Answer, ArrayError> {
        let seqs = self.snapshots_named(names, |snapshot| match snapshot.destroyed_ms {
            None => Some(item("Snapshot is not destroyed.", &snapshot.name)),
            Some(_) => self.eradication_objection(&snapshot.name),
        })?;
        for seq in seqs {
            self.snapshots.remove(seq);
        }
        Ok(Answer::Done)
    }

    pub(super) fn volume_snapshots_get(
        &self,
        query: &Query,
        now_ms: i64,
    ) -> Result<Answer, ArrayError> {
        let rows = self.snapshot_rows(now_ms);
        let named =
            |names: &[String], row: &VolumeSnapshotRow, of: fn(&VolumeSnapshotRow) -> &str| {
                names.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(of(row)))
            };
        let mut errors = Vec::new();
        for name in &query.names {
            match rows
                .iter()
                .find(|(_, row)| row.name.eq_ignore_ascii_case(name))
            {
                Some((_, row)) if query.destroyed.is_none_or(|flag| flag == row.destroyed) => {}
                Some((_, row)) if row.destroyed => {
                    errors.push(destroyed(Kind::VolumeSnapshot, name))
                }
                _ => errors.push(missing(Kind::VolumeSnapshot, name)),
            }
        }
        all_or_nothing(errors)?;
        let kept = rows
            .into_iter()
            .filter(|(_, row)| query.destroyed.is_none_or(|flag| flag == row.destroyed))
            .filter(|(_, row)| named(&query.names, row, |row| &row.name))
            .filter(|(_, row)| named(&query.source_names, row, |row| &row.source.name))
            .collect();
        Ok(Answer::VolumeSnapshots(page(
            kept,
            query,
            self.settings.page_max,
        )?))
    }

    fn snapshot_rows(&self, now_ms: i64) -> Vec<(RowKey, VolumeSnapshotRow)> {
        let own = self
            .snapshots
            .iter()
            .map(|(seq, snapshot)| ((seq, 0), self.snapshot_row(snapshot, now_ms)));
        let mut rows: Vec<(RowKey, VolumeSnapshotRow)> = own.collect();
        for (seq, group_snapshot) in self.group_snapshots.iter() {
            for (index, part) in (1..).zip(&group_snapshot.parts) {
                let row = VolumeSnapshotRow {
                    id: part.id.clone(),
                    name: part.name_in(group_snapshot),
                    suffix: group_snapshot.suffix.clone(),
                    created: group_snapshot.created_ms,
                    destroyed: group_snapshot.destroyed_ms.is_some(),
                    time_remaining: self.time_remaining(group_snapshot.destroyed_ms, now_ms),
                    provisioned: part.provisioned,
                    source: part.source.clone(),
                };
                rows.push(((seq, index), row));
            }
        }
        rows.sort_by_key(|(key, _)| *key);
        rows
    }

    fn snapshot_row(&self, snapshot: &VolumeSnapshot, now_ms: i64) -> VolumeSnapshotRow {
        VolumeSnapshotRow {
            id: snapshot.id.clone(),
            name: snapshot.name.clone(),
            suffix: snapshot.suffix.clone(),
            created: snapshot.created_ms,
            destroyed: snapshot.destroyed_ms.is_some(),
            time_remaining: self.time_remaining(snapshot.destroyed_ms, now_ms),
            provisioned: snapshot.provisioned,
            source: snapshot.source.clone(),
        }
    }

    /// A volume that goes to the bin takes its own snapshots along, and brings them back.
    pub(super) fn snapshots_follow(&mut self, volume: u64, destroy: bool, now_ms: i64) {
        for (_, snapshot) in self
            .snapshots
            .iter_mut()
            .filter(|(_, s)| s.volume == volume)
        {
            snapshot.destroyed_ms = destroy.then_some(now_ms);
        }
    }

    /// Renaming a volume renames its snapshots and its parts in group snapshots of this array.
    pub(super) fn snapshots_renamed(&mut self, volume: u64, name: &str) {
        let own: Vec<(u64, String)> = self
            .snapshots
            .iter()
            .filter(|(_, snapshot)| snapshot.volume == volume)
            .map(|(seq, snapshot)| (seq, format!("{name}.{}", snapshot.suffix)))
            .collect();
        for (seq, whole) in own {
            self.snapshots.rename(seq, &whole);
            if let Some(snapshot) = self.snapshots.get_mut(seq) {
                snapshot.source.name = name.to_owned();
            }
        }
        for (_, group_snapshot) in self.group_snapshots.iter_mut() {
            for part in group_snapshot
                .parts
                .iter_mut()
                .filter(|part| part.volume == Some(volume))
            {
                part.volume_name = name.to_owned();
                part.source.name = name.to_owned();
            }
        }
    }
}
