//! The live tree: what runs, what it does and since when, how often it fell.
//!
//! Read from shared statistics and never by asking an actor, so it answers while actors are stuck.
//! Deliberately absent: history beyond a few reasons, and any influence on what it shows.

mod render;
mod stats;
mod tree;

pub use render::render_tree;
pub use stats::{Busy, Ended, Phase, REASONS_MAX, Stats, TEXT_BYTES_MAX};
pub use tree::{ActorView, Entry, Tree, TreeFilter};
