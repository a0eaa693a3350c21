//! What a group's record says: the body that both sites hold word for word (SYNC-01, MEM-08).
//!
//! Absent: order, authorship and signatures (`sync`), and secrets, which never stand here in clear.

mod group;
mod member;
mod tombstone;
mod user_data;

pub use group::{
    GroupBody, GroupStatus, Mappings, Policy, ReplicationType, SCHEMA, SidePlace, Sides,
};
pub use member::{Captured, Disk, DiskPlace, Member, Nic, NicSecurityGroup, Places};
pub use tombstone::Tombstone;
pub use user_data::{USER_DATA_LETTERS_MAX, USER_DATA_OF_GROUP_LETTERS_MAX, UserData, UserDataOf};
