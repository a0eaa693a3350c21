//! What stands in bodies: requests refuse unknown fields, answers carry the documented names.
//!
//! Absent: the engine's own types in answers. They may change; these are the published API.

pub mod actions;
pub mod admin;
pub mod admin_changes;
pub mod changes;
pub mod consistency;
pub mod group;
pub mod looks;
pub(crate) mod object;
pub mod operation;
pub mod orders;
pub mod sync;
pub mod system;
