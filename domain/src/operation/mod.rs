//! Operations: what was asked, how far it is, how it ended (OP-01..08). Closed lists.
//!
//! Absent: running them (`actors`) and storing them (`store`).

pub mod failover;
pub mod order;
pub mod status;

pub use status::{
    EventKind, Operation, OperationEvent, OperationKind, OperationMode, OperationStatus, Outcome,
};
