//! What the store promises, whatever database it is on, and whatever happens to it.
//!
//! One program for all of them: a program of its own for each would link everything once more.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;
mod conformance;
mod crash_points;
mod files;
mod killed;
mod mariadb_faults;
mod suite;
