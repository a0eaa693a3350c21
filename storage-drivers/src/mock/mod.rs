//! The mock driver: the `StorageDriver` port over simulated arrays (`MOCK-01` to `MOCK-07`).
//!
//! For development, labs and training only: no data is replicated (`MOCK-06`).
//! Absent: what a driver does with an array (`flasharray`), how arrays behave (`model`).

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use protector_domain::ids::ArrayId;
use protector_domain::ports::{ErrorKind, PortError, PortResult};

use crate::flasharray::{Driver, Reach, Way};
use crate::link::ArrayLink;

/// The driver over simulated arrays.
pub type MockDriver = Driver<Simulated>;

/// Simulated arrays behind one link.
#[derive(Clone)]
pub struct Simulated {
    link: Arc<dyn ArrayLink>,
    /// Address of each registered array. What answers there must say it has this id (`F15`).
    addresses: BTreeMap<ArrayId, String>,
}

impl MockDriver {
    /// A driver for the arrays in `addresses`, reached through `link`.
    #[must_use]
    pub fn new(link: Arc<dyn ArrayLink>, addresses: BTreeMap<ArrayId, String>) -> Self {
        tracing::warn!("mock storage driver: arrays are simulated and no data is replicated");
        Self {
            reach: Simulated { link, addresses },
        }
    }
}

#[async_trait]
impl Reach for Simulated {
    fn driver_name(&self) -> &'static str {
        "mock"
    }

    async fn way(&self, id: &ArrayId) -> PortResult<Way> {
        let unknown =
            || PortError::new(ErrorKind::Refused, format!("array {id} is not registered"));
        Ok(Way {
            link: self.link.clone(),
            address: self.addresses.get(id).ok_or_else(unknown)?.clone(),
        })
    }
}
