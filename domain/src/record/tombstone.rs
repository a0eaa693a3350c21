//! What is left of a group that is deleted: its name, and where its array objects are. Both sites hold
//! it for ever, so that either can take its own objects away whenever its array answers, after any crash.

use super::{GroupBody, Policy};
use serde::{Deserialize, Serialize};

/// The body of a record that says "deleted".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    pub name: String,
    /// `None`: it never had one, and so nothing on any array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

impl Tombstone {
    pub fn of(body: &GroupBody) -> Self {
        Self {
            name: body.name.clone(),
            policy: body.policy.clone(),
        }
    }
}
