//! Volumes: make empty ones, change, destroy, recover, eradicate, list.
//! Absent: copies and overwrites (`volume_copy`), tags, snapshots.

use serde::{Deserialize, Serialize};

use super::answer::{Answer, Page, Reference, VolumeRow};
use super::array::Array;
use super::command::VolumePatch;
use super::content::Content;
use super::error::{
    ArrayError, ErrorItem, Kind, all_or_nothing, destroyed, item, missing, no_names, taken,
};
use super::names;
use super::query::{Query, page};
use super::shelf::Named;
use super::tags::Tag;

const MIB: u64 = 1_024 * 1_024;
/// Largest volume: 4 PiB.
const SIZE_MAX: u64 = 4_503_599_627_370_496;
const SECTOR: u64 = 512;

/// A volume. Its serial never changes, its name may.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Volume {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) serial: String,
    pub(super) provisioned: u64,
    pub(super) created_ms: i64,
    pub(super) destroyed_ms: Option<i64>,
    pub(super) source: Option<Reference>,
    pub(super) content: Content,
    pub(super) tags: Vec<Tag>,
}

impl Named for Volume {
    fn name(&self) -> &str {
        &self.name
    }
    fn name_set(&mut self, name: String) {
        self.name = name;
    }
}

/// The size an array gives for a wish of `bytes`: small ones are raised to 1 MiB.
pub(super) fn size_check(bytes: u64, name: &str) -> Result<u64, ErrorItem> {
    if !bytes.is_multiple_of(SECTOR) || bytes > SIZE_MAX {
        return Err(item("Invalid size.", name));
    }
    Ok(bytes.max(MIB))
}

impl Array {
    /// Sequence numbers of live volumes called `names`; refuses missing and destroyed ones.
    pub(super) fn volumes_live(&self, names: &[String]) -> Result<Vec<u64>, ArrayError> {
        self.volumes_in(names, "names", |volume| {
            volume
                .destroyed_ms
                .map(|_| destroyed(Kind::Volume, &volume.name))
        })
    }

    fn volumes_in(
        &self,
        names: &[String],
        parameter: &str,
        objection: impl Fn(&Volume) -> Option<ErrorItem>,
    ) -> Result<Vec<u64>, ArrayError> {
        if names.is_empty() {
            return Err(no_names(parameter));
        }
        let mut seqs = Vec::new();
        let mut errors = Vec::new();
        for name in names {
            match self.volumes.find(name) {
                None => errors.push(missing(Kind::Volume, name)),
                Some((seq, volume)) => {
                    errors.extend(objection(volume));
                    seqs.push(seq);
                }
            }
        }
        all_or_nothing(errors)?;
        Ok(seqs)
    }

    pub(super) fn volumes_patch(
        &mut self,
        names: &[String],
        patch: &VolumePatch,
        now_ms: i64,
    ) -> Result<Answer, ArrayError> {
        let seqs = match patch.destroyed {
            None => self.volumes_live(names)?,
            Some(wish) => self.volumes_to_bin_or_back(names, wish)?,
        };
        let size = patch
            .provisioned
            .map(|bytes| self.resize_check(&seqs, bytes, patch.truncate));
        let size = size.transpose()?;
        if let Some(name) = &patch.name {
            self.rename_check(&seqs, name)?;
        }
        for seq in &seqs {
            self.volume_change(*seq, patch, size, now_ms);
        }
        Ok(Answer::Volumes(Page::whole(
            self.volume_rows(&seqs, now_ms),
        )))
    }

    fn volumes_to_bin_or_back(&self, names: &[String], wish: bool) -> Result<Vec<u64>, ArrayError> {
        self.volumes_in(names, "names", |volume| match (wish, volume.destroyed_ms) {
            (true, Some(_)) => Some(item("Volume has been deleted.", &volume.name)),
            (false, None) => Some(item("Volume is not destroyed.", &volume.name)),
            (true, None) if self.is_connected(&volume.name) => Some(item(
                "Volume cannot be deleted due to existing connections.",
                &volume.name,
            )),
            _ => None,
        })
    }

    fn resize_check(&self, seqs: &[u64], bytes: u64, truncate: bool) -> Result<u64, ArrayError> {
        let mut errors = Vec::new();
        let size = size_check(bytes, "provisioned");
        errors.extend(size.as_ref().err().cloned());
        for volume in seqs.iter().filter_map(|seq| self.volumes.get(*seq)) {
            if volume.provisioned > bytes && !truncate {
                errors.push(item("Shrinking needs truncate.", &volume.name));
            }
        }
        all_or_nothing(errors)?;
        Ok(size.unwrap_or(bytes))
    }

    fn rename_check(&self, seqs: &[u64], name: &str) -> Result<(), ArrayError> {
        let mut errors: Vec<ErrorItem> = names::check(Kind::Volume, name).into_iter().collect();
        if seqs.len() != 1 {
            errors.push(item("Only one volume can be renamed at a time.", name));
        }
        if let Some((holder, volume)) = self.volumes.find(name)
            && !seqs.contains(&holder)
        {
            errors.push(match volume.destroyed_ms {
                Some(_) => destroyed(Kind::Volume, name),
                None => taken(Kind::Volume, name),
            });
        }
        all_or_nothing(errors)
    }

    fn volume_change(&mut self, seq: u64, patch: &VolumePatch, size: Option<u64>, now_ms: i64) {
        if let Some(volume) = self.volumes.get_mut(seq) {
            if let Some(size) = size {
                volume.provisioned = size;
                volume.content.used_bytes = volume.content.used_bytes.min(size);
            }
            match patch.destroyed {
                Some(true) => volume.destroyed_ms = Some(now_ms),
                Some(false) => volume.destroyed_ms = None,
                None => {}
            }
        }
        if let Some(wish) = patch.destroyed {
            self.snapshots_follow(seq, wish, now_ms);
        }
        if let Some(name) = &patch.name {
            self.volumes.rename(seq, name);
            self.snapshots_renamed(seq, name);
        }
    }

    pub(super) fn volumes_delete(&mut self, names: &[String]) -> Result<Answer, ArrayError> {
        let seqs = self.volumes_in(names, "names", |volume| match volume.destroyed_ms {
            None => Some(item("Volume is not destroyed.", &volume.name)),
            Some(_) => self.eradication_objection(&volume.name),
        })?;
        for seq in seqs {
            self.volume_eradicate(seq);
        }
        Ok(Answer::Done)
    }

    pub(super) fn volumes_get(&self, query: &Query, now_ms: i64) -> Result<Answer, ArrayError> {
        let wanted = |volume: &Volume| {
            query
                .destroyed
                .is_none_or(|flag| flag == volume.destroyed_ms.is_some())
        };
        let seqs: Vec<u64> = if query.names.is_empty() {
            self.volumes
                .iter()
                .filter(|(_, v)| wanted(v))
                .map(|(seq, _)| seq)
                .collect()
        } else {
            self.volumes_in(&query.names, "names", |volume| {
                (!wanted(volume)).then(|| match volume.destroyed_ms {
                    Some(_) => destroyed(Kind::Volume, &volume.name),
                    None => missing(Kind::Volume, &volume.name),
                })
            })?
        };
        let rows = seqs
            .iter()
            .filter_map(|seq| Some(((*seq, 0), self.volume_row(*seq, now_ms)?)))
            .collect();
        Ok(Answer::Volumes(page(rows, query, self.settings.page_max)?))
    }

    pub(super) fn volume_rows(&self, seqs: &[u64], now_ms: i64) -> Vec<VolumeRow> {
        seqs.iter()
            .filter_map(|seq| self.volume_row(*seq, now_ms))
            .collect()
    }

    fn volume_row(&self, seq: u64, now_ms: i64) -> Option<VolumeRow> {
        let volume = self.volumes.get(seq)?;
        Some(VolumeRow {
            id: volume.id.clone(),
            name: volume.name.clone(),
            serial: volume.serial.clone(),
            provisioned: volume.provisioned,
            created: volume.created_ms,
            destroyed: volume.destroyed_ms.is_some(),
            time_remaining: self.time_remaining(volume.destroyed_ms, now_ms),
            connection_count: self.connections_of_volume(seq),
            source: volume.source.clone(),
            subtype: "regular".to_owned(),
            tags: volume.tags.clone(),
        })
    }
}
