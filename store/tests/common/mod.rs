//! What the tests of the store share: databases that come and go, and groups made by the real rules.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

pub mod facts;
pub mod maria;
pub mod pair;
pub mod world;
