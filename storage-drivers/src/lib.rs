//! Storage drivers: adapters of the `StorageDriver` port to arrays.
//!
//! Owns: the behaviour model of arrays (`model`), the ways to reach arrays (`link`), what a driver
//! does with an array (`flasharray`), the two drivers made of it (`mock`, `pure`) and the suite that
//! every driver must pass (`conformance`).
//! Absent: decisions about what to recover, and everything OpenStack.

pub mod conformance;
pub mod flasharray;
pub mod link;
pub mod mock;
pub mod model;
pub mod pure;
