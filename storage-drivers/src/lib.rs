//! Storage drivers: adapters of the `StorageDriver` port to arrays.
//!
//! Owns: the behaviour model of arrays (`model`).
//! Absent: decisions about what to recover, and everything OpenStack.

pub mod model;
