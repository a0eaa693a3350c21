//! Sweepers compare the whole intended state with the whole observed one, woken by the clock or by a
//! hint; they take no orders. Here: operations that a crash interrupted (recovery), array groups that
//! do not match their record (protect), array objects of deleted groups (retire), source servers of a lost
//! site that returned (fence), objects with our key that the ledger does not name (strays), and servers
//! whose power a late request changed (power).
//!
//! Absent for now: replication health, readiness.

mod actor;
pub(crate) mod fence;
mod power;
mod protect;
mod recovery;
mod retire;
mod strays;

pub(crate) use actor::{SweeperMsg, child_spec};
