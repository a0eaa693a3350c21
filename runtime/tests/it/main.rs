//! Servers and sockets of the runtime, on real loopback ports.
//!
//! One program for all of them: a program of its own for each would link everything once more.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod serving;
mod sockets;
