//! The one place that picks the storage driver (ARC-13, INS-14): from the configuration. The Pure
//! driver looks registered arrays up at every call; the mock driver knows those that are registered
//! when the process starts.
//!
//! Absent: drivers.

use crate::StoreArrays;
use crate::config::{Driver, MockArrays};
use protector_domain::ids::ArrayId;
use protector_domain::ports::StorageDriver;
use protector_runtime::ctx::Ctx;
use protector_storage_drivers::link::{ArrayLink, FileWorld, LinkError, SharedWorld};
use protector_storage_drivers::mock::MockDriver;
use protector_storage_drivers::pure::{PureStorageDriver, sockets};
use protector_store::{Array, Store, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a world of simulated arrays begins.
const MOCK_SEED: u64 = 1;

const NOT_KEPT: &str = "[engine] mock_db_path = :memory: keeps no simulated array over a restart; give the path of a file to keep them";

/// Why no driver is loaded.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    #[error("[engine] mock_db_path: {0}")]
    Mock(#[from] LinkError),
    #[error("[database]: {0}")]
    Store(#[from] StoreError),
}

/// Loads the configured driver. It finds the arrays that are registered in `store`.
///
/// # Errors
/// Its simulated arrays cannot be opened or listed.
pub async fn storage_driver(
    driver: &Driver,
    store: &Store,
    ctx: &Ctx,
) -> Result<Arc<dyn StorageDriver>, DriverError> {
    let link: Arc<dyn ArrayLink> = match driver {
        Driver::Pure => {
            let registry = Arc::new(StoreArrays::new(store.clone()));
            let pure = PureStorageDriver::new(registry, sockets(), ctx.clone());
            return Ok(Arc::new(pure));
        }
        Driver::Mock(MockArrays::Memory) => {
            tracing::warn!("{NOT_KEPT}");
            Arc::new(SharedWorld::new(MOCK_SEED, ctx.clock.clone()))
        }
        Driver::Mock(MockArrays::File(path)) => {
            Arc::new(FileWorld::open(path, MOCK_SEED, ctx.clock.clone())?)
        }
    };
    tracing::warn!(
        "[engine] storage_driver = mock: arrays are simulated, NO DATA IS PROTECTED; never in production"
    );
    let arrays = store.array_list().await?;
    Ok(Arc::new(MockDriver::new(link, mock_addresses(&arrays))))
}

/// Simulated arrays are found by the name they are registered under.
fn mock_addresses(arrays: &[Array]) -> BTreeMap<ArrayId, String> {
    let pairs = arrays
        .iter()
        .map(|array| (array.id.clone(), array.name.clone()));
    pairs.collect()
}
