//! Changes of operations and effects. The things themselves are the domain's.

use protector_domain::effect::{EffectKey, EffectState};
use protector_domain::ids::OperationId;
use protector_domain::operation::{EventKind, OperationStatus, Outcome};

/// What changed about an operation; `None` keeps what is there. Set what you know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationUpdate {
    pub id: OperationId,
    /// Must be a legal move (S10).
    pub status: Option<OperationStatus>,
    pub outcome: Option<Outcome>,
    /// 0..=100; a smaller one than stored is ignored (L5).
    pub progress_pct: Option<u8>,
    pub steps_completed: Option<u32>,
    pub steps_failed: Option<u32>,
    pub instances_failed: Option<u32>,
    pub error_message: Option<String>,
    pub completed_at_us: Option<i64>,
}

impl OperationUpdate {
    /// Changes nothing yet.
    pub fn new(id: OperationId) -> Self {
        Self {
            id,
            status: None,
            outcome: None,
            progress_pct: None,
            steps_completed: None,
            steps_failed: None,
            instances_failed: None,
            error_message: None,
            completed_at_us: None,
        }
    }
}

/// A line to append to an operation's story; the store numbers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub at_us: i64,
    pub kind: EventKind,
    pub lane: Option<String>,
    pub step: Option<String>,
    pub text: String,
}

/// How an effect came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectSettle {
    pub key: EffectKey,
    pub state: EffectState,
    /// `None` keeps what is known.
    pub object_id: Option<String>,
    /// `None` keeps what is known.
    pub detail: Option<serde_json::Value>,
    /// Why it failed; `None` clears.
    pub error: Option<String>,
}
