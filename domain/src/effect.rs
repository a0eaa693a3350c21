//! The ledger's words: one effect per intent (S2), written before the call and completed after it
//! (S12). Absent: how rows are stored (`store`) and how effects are made (`actors`).

use crate::ids::{GroupId, OperationId, ProjectId, SiteId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The key that ends up on the real object, so that it can be found without our database (J4, J5).
///
/// `<operation>/<step>/<target>`; the longest fits the 255 letters of a metadata value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EffectKey(pub String);

impl EffectKey {
    pub fn new(operation: OperationId, step: &str, target: &str) -> Self {
        Self(format!("{operation}/{step}/{target}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for text that has the form of a key of ours: what does not is never touched (S4).
    pub fn is_key(text: &str) -> bool {
        let mut parts = text.splitn(3, '/');
        let operation = parts.next().and_then(|id| id.parse::<OperationId>().ok());
        operation.is_some() && parts.next().is_some() && parts.next().is_some()
    }

    /// What every key of one operation starts with.
    pub fn operation_prefix(operation: OperationId) -> String {
        format!("{operation}/")
    }
}

impl fmt::Display for EffectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The metadata key under which servers and volumes carry their effect key.
pub const METADATA_KEY: &str = "protector:key";

/// Where an effect stands. `Intended` and `UndoIntended` mean "unknown" after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectState {
    Intended,
    Done,
    /// A definite no; nothing of it exists.
    Failed,
    UndoIntended,
    Undone,
    UndoFailed,
    /// Exists, is ours, and stays until somebody lets go of it; listed by id (S3).
    LeftBehind,
}

/// What an effect is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectKind {
    /// Changes nothing outside (a check, a wait, a commit in our own store).
    None,
    ArrayVolume,
    ArrayGroup,
    ArraySnapshot,
    Volume,
    VolumeGroup,
    Port,
    Server,
}

/// One row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    pub key: EffectKey,
    pub operation: OperationId,
    pub group: GroupId,
    /// The tenant's project at the site where the object lives.
    pub project: ProjectId,
    pub site: SiteId,
    /// Lane of the plan, `group` or a member id.
    pub lane: String,
    /// Position of the step in the plan: stage, then place in its lane.
    pub stage: u32,
    pub place: u32,
    pub step: String,
    pub kind: EffectKind,
    pub state: EffectState,
    /// The object's id at its owner, when known.
    pub object_id: Option<String>,
    /// What later steps need to know of it (serials, addresses), as JSON.
    pub detail: serde_json::Value,
    /// How often the do was begun; more than 1 after a crash or an unknown outcome.
    pub attempts: u32,
    /// Why it failed, one sentence.
    pub error: Option<String>,
    pub intended_us: i64,
    pub settled_us: Option<i64>,
}
