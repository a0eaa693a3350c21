//! Storage drivers: adapters of the `StorageDriver` port to arrays.
//!
//! Owns: the behaviour model of arrays (`model`), the ways to reach arrays (`link`), the mock
//! driver (`mock`) and the suite that every driver must pass (`conformance`).
//! Absent: decisions about what to recover, and everything OpenStack.

pub mod conformance;
pub mod link;
pub mod mock;
pub mod model;
