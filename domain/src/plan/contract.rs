//! What a step promises: its keys, its undo, whether there is a way back from it.

use crate::effect::{EffectKey, EffectKind};
use crate::ids::OperationId;

/// One object a step makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub key: EffectKey,
    pub kind: EffectKind,
}

impl Target {
    pub fn new(operation: OperationId, step: &str, target: &str, kind: EffectKind) -> Self {
        Self {
            key: EffectKey::new(operation, step, target),
            kind,
        }
    }
}

/// How a step is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// Copes with the deed never done, half done, done twice.
    Compensate(&'static str),
    Nothing(&'static str),
    PointOfNoReturn,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    pub name: &'static str,
    pub targets: Vec<Target>,
    pub undo: Undo,
}

impl Contract {
    pub fn is_point_of_no_return(&self) -> bool {
        self.undo == Undo::PointOfNoReturn
    }
}
