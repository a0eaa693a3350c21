//! The Pure driver over scripted arrays: what the wire does to it. That it keeps the port's promises
//! is shown by the conformance suite over a whole array (`lab/tests`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod calls;
mod copies;
mod registration;
mod sessions;
mod world;
