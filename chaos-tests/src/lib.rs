//! Worlds with faults: the crash and error matrix. What must hold is `protector_lab::verdict`.
//!
//! Absent: the product's opinion of itself, where the truth can be asked; and wall time: a world
//! lives in simulated time, so a case is replayed byte for byte from its seed.

pub mod bench;
pub mod cancel;
pub mod case;
pub mod change;
pub mod journey;
pub mod judge;
mod namesakes;
pub mod race;
pub mod run;
pub mod sweep;
pub mod traces;
