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

/// The drivers of this build: the name in configuration and logs, the driver, and one line about it
/// (INS-10).
pub const DRIVERS: [(&str, &str, &str); 2] = [
    (
        "pure",
        "PureStorageDriver",
        "Pure Storage FlashArray over REST 2.x, asynchronous replication",
    ),
    (
        "mock",
        "MockStorageDriver",
        "simulated arrays for development, labs and training; no data is replicated",
    ),
];
