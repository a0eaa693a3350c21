//! What a group's record says: the body that both sites hold word for word (SYNC-01, MEM-08).
//!
//! Absent: order, authorship and signatures (`sync`), and secrets, which never stand here in clear.

mod group;
mod member;
mod tombstone;

pub use group::{
    GroupBody, GroupStatus, Mappings, Policy, ReplicationType, SCHEMA, SidePlace, Sides,
};
pub use member::{Captured, Disk, DiskPlace, Member, Nic, NicSecurityGroup, Places};
pub use tombstone::Tombstone;
