//! Tags on volumes: upsert, list, remove. Ownership marks of the product live here.
//! Absent: tags on groups and snapshots (they exist only in newer REST versions).

use serde::{Deserialize, Serialize};

use super::answer::{Answer, Page, TagRow};
use super::array::Array;
use super::error::{ArrayError, ErrorItem, Kind, all_or_nothing, item, no_names};

/// Namespace of a tag that names none.
pub const DEFAULT_NAMESPACE: &str = "default";
/// Longest key, in letters.
const KEY_MAX: usize = 64;
/// Longest value, in letters.
const VALUE_MAX: usize = 256;
/// Most tags in one call.
const PER_CALL_MAX: usize = 30;

/// A key with a value in a namespace. `copyable`: a copy of the volume gets it too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    pub key: String,
    pub value: String,
    pub namespace: String,
    pub copyable: bool,
}

pub(super) fn check(tags: &[Tag]) -> Vec<ErrorItem> {
    let mut errors = Vec::new();
    if tags.len() > PER_CALL_MAX {
        errors.push(item("Too many tags.", "tags"));
    }
    for tag in tags {
        let key_fits = (1..=KEY_MAX).contains(&tag.key.chars().count());
        if !key_fits || tag.value.chars().count() > VALUE_MAX || tag.namespace.is_empty() {
            errors.push(item("Invalid tag.", &tag.key));
        }
    }
    errors
}

/// Adds `tags` to `held`, replacing those of the same namespace and key.
pub(super) fn upsert(held: &mut Vec<Tag>, tags: &[Tag]) {
    for tag in tags {
        held.retain(|old| (&old.namespace, &old.key) != (&tag.namespace, &tag.key));
        held.push(tag.clone());
    }
}

impl Array {
    pub(super) fn tags_put(
        &mut self,
        names: &[String],
        tags: &[Tag],
    ) -> Result<Answer, ArrayError> {
        let seqs = self.volumes_live(names)?;
        all_or_nothing(check(tags))?;
        for seq in &seqs {
            if let Some(volume) = self.volumes.get_mut(*seq) {
                upsert(&mut volume.tags, tags);
            }
        }
        self.tags_get(names, &[])
    }

    pub(super) fn tags_get(
        &self,
        names: &[String],
        namespaces: &[String],
    ) -> Result<Answer, ArrayError> {
        if names.is_empty() {
            return Err(no_names("resource_names"));
        }
        let mut rows = Vec::new();
        for seq in self.volumes_any(names)? {
            let Some(volume) = self.volumes.get(seq) else {
                continue;
            };
            let wanted = |tag: &&Tag| namespaces.is_empty() || namespaces.contains(&tag.namespace);
            rows.extend(volume.tags.iter().filter(wanted).map(|tag| TagRow {
                resource: super::answer::Reference::new(&volume.name, &volume.id),
                tag: tag.clone(),
            }));
        }
        Ok(Answer::Tags(Page::whole(rows)))
    }

    pub(super) fn tags_delete(
        &mut self,
        names: &[String],
        namespaces: &[String],
        keys: &[String],
    ) -> Result<Answer, ArrayError> {
        let seqs = self.volumes_live(names)?;
        let meant = |tag: &Tag| {
            (namespaces.is_empty() || namespaces.contains(&tag.namespace))
                && (keys.is_empty() || keys.contains(&tag.key))
        };
        for seq in seqs {
            if let Some(volume) = self.volumes.get_mut(seq) {
                volume.tags.retain(|tag| !meant(tag));
            }
        }
        Ok(Answer::Done)
    }

    fn volumes_any(&self, names: &[String]) -> Result<Vec<u64>, ArrayError> {
        let mut errors = Vec::new();
        let mut seqs = Vec::new();
        for name in names {
            match self.volumes.seq_of(name) {
                Some(seq) => seqs.push(seq),
                None => errors.push(super::error::missing(Kind::Volume, name)),
            }
        }
        all_or_nothing(errors)?;
        Ok(seqs)
    }
}
