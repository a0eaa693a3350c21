//! Members that a plan cannot carry, with the reasons, so that nobody is skipped in silence (L6).

use crate::ids::MemberId;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    pub member: MemberId,
    pub name: String,
    pub reasons: Vec<Refusal>,
}
