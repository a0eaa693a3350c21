//! The doors to the world, as small traits: five for a cloud, one for storage, one for the engine,
//! one for administrators.
//!
//! Every answer separates *absent* (`Ok(None)`, an empty list, `ErrorKind::Missing`) from *could not
//! ask*. Absent: how anything is reached; adapters live in `openstack/` and `storage-drivers/`.

pub mod admin;
pub mod compute;
pub mod engine;
pub mod error;
pub mod identity;
pub mod images;
pub mod marks;
pub mod network;
pub mod peers;
pub mod storage;
pub mod volumes;

pub use admin::Admin;
pub use compute::Compute;
pub use engine::Engine;
pub use error::{ErrorKind, PortError, PortResult};
pub use identity::{Acting, Identity};
pub use images::Images;
pub use marks::{MarkError, MarkKeeper};
pub use network::Network;
pub use peers::{PeerAddress, PeerDial};
pub use storage::StorageDriver;
pub use volumes::Volumes;

use std::sync::Arc;

/// The five services of one cloud, ready to be asked.
#[derive(Clone)]
pub struct Cloud {
    pub identity: Arc<dyn Identity>,
    pub compute: Arc<dyn Compute>,
    pub volumes: Arc<dyn Volumes>,
    pub network: Arc<dyn Network>,
    pub images: Arc<dyn Images>,
}
