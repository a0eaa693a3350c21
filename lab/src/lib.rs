//! The lab: pretend clouds, arrays and networks, whole worlds of two sites, and the stories told in
//! them. Wires real sites through `protectord`'s library; only what surrounds them is pretended.
//!
//! Absent: anything that the daemons ship.

pub mod cloud;
pub mod courier;
pub mod demo;
pub mod e2e;
pub mod net;
pub mod purity;
pub mod story;
pub mod up;
pub mod verdict;
pub mod world;
