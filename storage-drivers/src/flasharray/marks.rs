//! The marks on copies we make: tags set in the same call that makes the copy, so that a copy
//! without its mark cannot exist. They outlive renames by Cinder and the loss of our database.

use protector_domain::ports::storage::CopyAsk;

use crate::model::{Reference, Tag, VolumeRow};

pub(crate) const NAMESPACE: &str = "protector";
/// The name we asked for.
pub(super) const COPY_KEY: &str = "protector-copy";
/// The part of the group snapshot that it was copied from.
pub(super) const SOURCE_KEY: &str = "protector-source";

/// Not copyable: a clone that somebody makes of our copy is not ours.
pub(super) fn marks(copy_name: &str, source: &str) -> Vec<Tag> {
    let tag = |key: &str, value: &str| Tag {
        key: key.to_owned(),
        value: value.to_owned(),
        namespace: NAMESPACE.to_owned(),
        copyable: false,
    };
    vec![tag(COPY_KEY, copy_name), tag(SOURCE_KEY, source)]
}

fn held<'a>(row: &'a VolumeRow, key: &str) -> Option<&'a str> {
    let ours = |tag: &&Tag| tag.namespace == NAMESPACE && tag.key == key;
    row.tags.iter().find(ours).map(|tag| tag.value.as_str())
}

/// True when `row` is the copy `ask` wishes for, made from the part `source`.
pub(super) fn is_copy(row: &VolumeRow, ask: &CopyAsk, source: &str) -> bool {
    held(row, COPY_KEY) == Some(&ask.copy_name) && held(row, SOURCE_KEY) == Some(source)
}

/// True when `row` was copied from the part `source` and carries no mark at all: perhaps one of ours
/// on an array that copies and marks in two calls, of which the second was lost.
pub(crate) fn is_unmarked(row: &VolumeRow, source: &str) -> bool {
    let copied_from = |origin: &Reference| origin.name.eq_ignore_ascii_case(source);
    row.source.as_ref().is_some_and(copied_from)
        && !row.tags.iter().any(|t| t.namespace == NAMESPACE)
}
