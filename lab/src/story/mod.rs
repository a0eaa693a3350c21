//! What people do with the world: protect some VMs, lose a site, fail over. Through the API only,
//! with the tenant's own tokens; the demo tells it, the chaos tests disturb it.
//!
//! Absent: judging the outcome, and printing.

mod failover;
mod protect;

pub use failover::{FailoverRun, fail_over, operation, poll_until_over};
pub use protect::{Protected, protect, take_point, write_everywhere};
