//! One running site, wired from a configuration and its ports.
//!
//! Absent: logic. Everything here only hands one crate's parts to another.

mod boot;
mod dial;
pub mod identity;

pub use boot::{BootError, BootParts, RunningSite, boot};
pub use dial::{Dialer, peer_config};
