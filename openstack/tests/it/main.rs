//! The clients of the OpenStack services against a world that answers as told.
//!
//! One program for all of them: a program of its own for each would link everything once more.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod calls;
mod session;
mod world;
