//! What people do with the world: protect some VMs, lose a site, fail over, move on purpose, try it
//! out, come home. Through the API only, with the tenant's own tokens; the demo tells it, the chaos
//! tests disturb it.
//!
//! Absent: judging the outcome, and printing.

mod drill;
mod failover;
mod life;
mod meanwhile;
mod planned;
mod protect;
#[cfg(test)]
mod tests;
mod watch;

pub use drill::{drill, test_cleanup};
pub use failover::{fail_over, fail_over_to, retry_members, settle_members};
pub use life::{delete, policy_update, remove_member, update};
pub use meanwhile::{delete_server, extend_volume};
pub use planned::{failback, leading, planned_failover, reprotect, sync_force};
pub use protect::{
    Protected, protect, protect_as, take_point, take_point_at, write_everywhere, write_volumes,
};
pub use watch::{OperationRun, operation, poll_until_over};
