//! A pretend network: hosts by name, seeded latency, cuts, crashes, and one fault at a chosen call.
//!
//! Every flight runs in a task of its own, so that a caller who gives up does not call back what is
//! under way (that is how twins are made in the real world). Absent: sockets and real time; what the
//! hosts answer.

mod array_link;
mod fabric;
mod faults;
mod meter;
mod witness;

pub use array_link::FabricArrayLink;
pub use fabric::{Fabric, FabricOptions, HopError, Origin};
pub use faults::{CallNote, Fault};
pub use meter::ThreadCpu;
pub use witness::{Witness, records_in};
