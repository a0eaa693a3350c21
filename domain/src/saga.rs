//! What runs next, from the journal alone: per lane first, then over the whole plan.
//!
//! Pure and small enough to be enumerated by its tests. Absent: doing it, and deciding whether a
//! failure was definite (only that makes a `Failed` mark).

mod advance;
mod lane;
mod outline;
mod overtaken;

pub use advance::{
    Advance, Journal, Way, advance, lane_outcomes, past_no_return, progress_pct, stuck,
    turned_round,
};
pub use lane::{LaneEnd, Mark, Next, mark_of, next};
pub use outline::Outline;
pub use overtaken::{acts_under, left_by_overtaken, may_take_back, overtaken};
