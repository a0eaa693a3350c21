//! One running site, wired from a configuration and its ports.
//!
//! Absent: logic. Everything here only hands one crate's parts to another.

mod arrays;
mod boot;
pub mod config;
pub mod daemon;
mod dial;
pub mod driver;
pub mod identity;
pub mod key_file;
pub mod logging;
mod mark_file;
pub mod restored;

pub use arrays::StoreArrays;
pub use boot::{BootError, BootParts, RunningSite, boot};
pub use dial::{Dialer, peer_config};
pub use mark_file::MarkFile;
