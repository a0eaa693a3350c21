//! The rules between two sites, explored to the end: every order in which anything signed may
//! arrive, again or never, restarts, refusals, forced moves and restored databases, within bounds.
//! It drives `protector_domain::sync::step`, the very function that a site runs.
//!
//! Absent on purpose: rules of its own. Only the properties are written down a second time, from
//! what was signed and stored, never from what the rules believe.

pub mod act;
pub mod cast;
pub mod explore;
pub mod heal;
pub mod intern;
pub mod letter;
pub mod pool;
pub mod properties;
pub mod replay;
pub mod runs;
pub mod stage;
pub mod world;
