//! One running site, wired from a configuration and its ports.
//!
//! Absent: logic. Everything here only hands one crate's parts to another.

mod arrays;
mod boot;
pub mod identity;

pub use arrays::StoreArrays;
pub use boot::{BootError, BootParts, RunningSite, boot};
