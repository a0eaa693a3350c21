//! Failover: what it needs to know, whether it may start, and the plan it freezes (FO-01..09).
//!
//! Absent: gathering the facts and running the plan (`actors`); who may lead (`sync`, R4 and R5).

mod build;
mod cleanup;
mod decide;
mod disks;
mod facts;
#[cfg(test)]
mod fixture;
mod home;
mod mapping;
mod outcome;
mod retry;
mod source;
mod termination;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_adopt;
#[cfg(test)]
mod tests_of_fidelity;
#[cfg(test)]
mod tests_of_mapping;
#[cfg(test)]
mod tests_of_moves;
#[cfg(test)]
mod tests_of_orders;
#[cfg(test)]
mod tests_of_overtaken;
#[cfg(test)]
mod tests_of_power;
#[cfg(test)]
mod tests_of_retry;
#[cfg(test)]
mod tests_of_walls;
#[cfg(test)]
mod tests_of_ways_out;
mod walls;

pub use build::copy_name_prefix;
pub use cleanup::{cleanup_plan, leaves_something};
pub use decide::{decide, decide_test, pick_point};
pub use facts::{Asked, FailoverAsk, FailoverFacts, LeftHere, SourceFacts, TargetFacts, TestAsk};
pub use outcome::{body_at_end, body_at_start};
pub use retry::{BRINGS_UP, ForcedMove, Ran, decide_retry, settle, settle_members};
