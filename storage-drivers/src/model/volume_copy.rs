//! New volumes: empty ones, copies of volumes and snapshots, overwrites; one by one or in a batch.
//!
//! Every element is judged before any is made: a call is all or nothing. A part of a group
//! snapshot exists only when its transfer is complete, so that half a replica cannot be copied.

use std::collections::BTreeSet;

use super::answer::{Answer, Page, Reference};
use super::array::Array;
use super::command::{VolumeItem, VolumeSource};
use super::content::Content;
use super::error::{
    ArrayError, ErrorItem, Kind, all_or_nothing, destroyed, item, limit, missing, no_names, taken,
};
use super::mint::Mint;
use super::names;
use super::shelf::fold;
use super::tags::{self, Tag};
use super::volumes::{Volume, size_check};

/// Most volumes of one call.
const BATCH_MAX: usize = 1_000;

/// What a new or overwritten volume will hold.
struct Filling {
    provisioned: u64,
    content: Content,
    source: Option<Reference>,
    /// Copyable tags of a source volume.
    tags: Vec<Tag>,
}

/// One judged element of a call.
struct Judged {
    name: String,
    existing: Option<u64>,
    filling: Filling,
    tags: Vec<Tag>,
    groups: Vec<u64>,
}

impl Array {
    pub(super) fn volumes_post(
        &mut self,
        items: &[VolumeItem],
        overwrite: bool,
        now_ms: i64,
        mint: &mut Mint,
    ) -> Result<Answer, ArrayError> {
        let judged = self.items_judge(items, overwrite)?;
        let mut seqs = Vec::new();
        for one in judged {
            seqs.push(self.volume_put(one, now_ms, mint));
        }
        Ok(Answer::Volumes(Page::whole(
            self.volume_rows(&seqs, now_ms),
        )))
    }

    fn items_judge(
        &self,
        items: &[VolumeItem],
        overwrite: bool,
    ) -> Result<Vec<Judged>, ArrayError> {
        if items.is_empty() {
            return Err(no_names("names"));
        }
        let mut errors = Vec::new();
        let mut judged = Vec::new();
        let mut seen = BTreeSet::new();
        if items.len() > BATCH_MAX {
            errors.push(item("Too many volumes in one call.", "names"));
        }
        for one in items {
            if !seen.insert(fold(&one.name)) {
                errors.push(taken(Kind::Volume, &one.name));
            }
            match self.item_judge(one, overwrite) {
                Ok(ok) => judged.push(ok),
                Err(mut found) => errors.append(&mut found),
            }
        }
        let fresh = judged.iter().filter(|one| one.existing.is_none()).count() as u64;
        if self.volumes.len() as u64 + fresh > self.settings.volumes_max {
            errors.push(limit(Kind::Volume, &self.name));
        }
        all_or_nothing(errors)?;
        Ok(judged)
    }

    fn item_judge(&self, one: &VolumeItem, overwrite: bool) -> Result<Judged, Vec<ErrorItem>> {
        let mut errors: Vec<ErrorItem> =
            names::check(Kind::Volume, &one.name).into_iter().collect();
        errors.extend(tags::check(&one.tags));
        let existing = self.place_judge(&one.name, overwrite).unwrap_or_else(|e| {
            errors.push(e);
            None
        });
        let mut groups = Vec::new();
        for group in &one.add_to_groups {
            match self.group_own_live(group) {
                Ok(seq) => groups.push(seq),
                Err(e) => errors.push(e),
            }
        }
        match self.filling_of(one) {
            Ok(filling) if errors.is_empty() => Ok(Judged {
                name: one.name.clone(),
                existing,
                filling,
                tags: one.tags.clone(),
                groups,
            }),
            Ok(_) => Err(errors),
            Err(e) => {
                errors.push(e);
                Err(errors)
            }
        }
    }

    /// Where the volume goes: a free name, or an existing volume that may be overwritten.
    fn place_judge(&self, name: &str, overwrite: bool) -> Result<Option<u64>, ErrorItem> {
        match self.volumes.find(name) {
            None => Ok(None),
            Some((_, volume)) if volume.destroyed_ms.is_some() => {
                Err(destroyed(Kind::Volume, name))
            }
            Some((seq, _)) if overwrite => Ok(Some(seq)),
            Some(_) => Err(taken(Kind::Volume, name)),
        }
    }

    fn filling_of(&self, one: &VolumeItem) -> Result<Filling, ErrorItem> {
        match &one.source {
            VolumeSource::Provisioned(bytes) => Ok(Filling {
                provisioned: size_check(*bytes, &one.name)?,
                content: Content::empty(),
                source: None,
                tags: Vec::new(),
            }),
            VolumeSource::Name(source) => self.copy_of(source),
        }
    }

    fn copy_of(&self, source: &str) -> Result<Filling, ErrorItem> {
        if let Some((_, volume)) = self.volumes.find(source) {
            if volume.destroyed_ms.is_some() {
                return Err(destroyed(Kind::Volume, source));
            }
            return Ok(Filling {
                provisioned: volume.provisioned,
                content: volume.content.clone(),
                source: Some(Reference::new(&volume.name, &volume.id)),
                tags: volume
                    .tags
                    .iter()
                    .filter(|tag| tag.copyable)
                    .cloned()
                    .collect(),
            });
        }
        let frozen = self
            .snapshot_frozen(source)
            .ok_or_else(|| missing(Kind::VolumeSnapshot, source))?;
        if frozen.destroyed {
            return Err(destroyed(Kind::VolumeSnapshot, source));
        }
        Ok(Filling {
            provisioned: frozen.provisioned,
            content: frozen.content,
            source: Some(frozen.reference),
            tags: Vec::new(),
        })
    }

    fn volume_put(&mut self, one: Judged, now_ms: i64, mint: &mut Mint) -> u64 {
        let seq = match one.existing {
            Some(seq) => self.volume_overwrite(seq, &one),
            None => self.volume_make(&one, now_ms, mint),
        };
        for group in one.groups {
            if let Some(group) = self.groups.get_mut(group) {
                group.members.insert(seq);
            }
        }
        seq
    }

    /// Contents and size change; id, serial, connections and membership stay.
    fn volume_overwrite(&mut self, seq: u64, one: &Judged) -> u64 {
        if let Some(volume) = self.volumes.get_mut(seq) {
            volume.content.replace(&one.filling.content);
            volume.provisioned = one.filling.provisioned;
            volume.source = one.filling.source.clone();
            tags::upsert(&mut volume.tags, &one.tags);
        }
        seq
    }

    fn volume_make(&mut self, one: &Judged, now_ms: i64, mint: &mut Mint) -> u64 {
        let seq = mint.seq();
        let mut content = Content::empty();
        content.replace(&one.filling.content);
        content.used_bytes = one.filling.content.used_bytes;
        let mut held = one.filling.tags.clone();
        tags::upsert(&mut held, &one.tags);
        let volume = Volume {
            id: mint.id(seq),
            name: one.name.clone(),
            serial: mint.serial(self.seq, seq),
            provisioned: one.filling.provisioned,
            created_ms: self.wall_ms(now_ms),
            destroyed_ms: None,
            source: one.filling.source.clone(),
            content,
            tags: held,
        };
        self.volumes.insert(seq, volume);
        seq
    }
}
