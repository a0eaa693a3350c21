//! How anything here lives and how it calls anybody: clock, randomness, mailboxes, supervision,
//! introspection, the HTTP seam in both directions.
//!
//! Deliberately absent: every word of the product (no groups, no arrays, no clouds), every vendor,
//! every record and every database. Code belongs here if it would make sense in a bakery.

pub mod clock;
pub mod crash;
pub mod ctx;
pub mod entropy;
pub mod introspect;
pub mod mailbox;
pub mod panic_hook;
pub mod remote;
pub mod serve;
pub mod supervisor;
mod sync;
mod text;

pub use ctx::Ctx;
