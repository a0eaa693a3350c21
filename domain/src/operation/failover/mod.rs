//! Failover: what it needs to know, whether it may start, and the plan it freezes (FO-01..09).
//!
//! Absent: gathering the facts and running the plan (`actors`); who may lead (`sync`, R4 and R5).

mod build;
mod decide;
mod facts;
mod mapping;
mod outcome;
#[cfg(test)]
mod tests;

pub use build::copy_name_prefix;
pub use decide::decide;
pub use facts::{Asked, FailoverAsk, FailoverFacts, TargetFacts};
pub use outcome::{body_at_end, body_at_start};
