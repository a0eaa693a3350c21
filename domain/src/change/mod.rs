//! Changes of a group's record: from what was asked and what is there to the next body.
//!
//! Pure. Absent: gathering the facts (`actors::gather`), and whether a change may be written at all
//! (`sync`, R1 to R3).

mod create;
mod difference;
mod leave;
mod mappings;
mod member;
mod policy;
mod rebuild;
mod reprotect;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_life;
mod update;

pub use create::{CreateAsk, CreateFacts, PeerFacts, create};
pub use difference::difference;
pub use leave::{DrillUp, LeaveFacts, delete, gone, may_leave, remove_member};
pub use mappings::set_mappings;
pub use member::{MemberFacts, add_member};
pub use policy::{
    PolicyAsk, PolicyFacts, array_group_name, is_own_array_group, set_policy, update_policy,
};
pub use rebuild::{Addressing, RebuildAsk, set_member};
pub use reprotect::reprotect;
pub use update::{UpdateAsk, update};
