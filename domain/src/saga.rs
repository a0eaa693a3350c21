//! What runs next, from the journal alone: per lane first, then over the whole plan.
//!
//! Pure and small enough to be enumerated by its tests. Absent: doing it, and deciding whether a
//! failure was definite (only that makes a `Failed` mark).

mod advance;
mod lane;

pub use advance::{Advance, Journal, Way, advance, lane_outcomes, progress_pct};
pub use lane::{LaneEnd, Mark, Next, mark_of, next};
