//! The API in process, over a scripted engine and a scripted Keystone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod access;
mod actions;
mod admin;
mod admin_later;
mod admin_world;
mod bodies;
mod changes;
mod discovery;
mod documented;
mod errors;
mod moves;
mod orders;
mod reads;
mod served;
mod streams;
mod world;
