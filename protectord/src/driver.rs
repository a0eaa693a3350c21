//! The one place that picks the storage driver (ARC-13, INS-14): from the configuration, and the
//! arrays that are registered when the process starts.
//!
//! Absent: drivers. An array registered later is used after the next start.

use crate::config::{Driver, MockArrays};
use protector_domain::ids::ArrayId;
use protector_domain::ports::StorageDriver;
use protector_runtime::ctx::Ctx;
use protector_storage_drivers::link::{ArrayLink, FileWorld, LinkError, SharedWorld};
use protector_storage_drivers::mock::MockDriver;
use protector_store::{Array, Store, StoreError};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a world of simulated arrays begins.
const MOCK_SEED: u64 = 1;

/// An array as an administrator registered it.
#[derive(Debug, Clone)]
pub struct RegisteredArray {
    pub array: Array,
    /// Opened; `None`: policies bring their own (CFG-03).
    pub token: Option<SecretString>,
}

/// Why no driver is loaded.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    #[error(
        "[engine] storage_driver = pure: this build has no PureStorageDriver; \
         for a laboratory set storage_driver = mock (no data is replicated then)"
    )]
    PureMissing,
    #[error("[engine] mock_db_path: {0}")]
    Mock(#[from] LinkError),
}

/// All drivers by their configured name, with whether this build has them (INS-10).
pub const DRIVERS: &[(&str, &str, bool)] = &[
    ("pure", "PureStorageDriver", false),
    ("mock", "MockStorageDriver", true),
];

/// The registered arrays with their tokens.
///
/// # Errors
/// The store cannot be read, or a token does not open.
pub async fn arrays_fetch(store: &Store) -> Result<Vec<RegisteredArray>, StoreError> {
    let mut arrays = Vec::new();
    for array in store.array_list().await? {
        let token = store.array_token_fetch(&array.id).await?;
        arrays.push(RegisteredArray { array, token });
    }
    Ok(arrays)
}

/// Loads the configured driver over `arrays`.
///
/// # Errors
/// It is not in this build, or its simulated arrays cannot be opened.
pub fn storage_driver(
    driver: &Driver,
    arrays: &[RegisteredArray],
    ctx: &Ctx,
) -> Result<Arc<dyn StorageDriver>, DriverError> {
    let link: Arc<dyn ArrayLink> = match driver {
        Driver::Pure => return Err(DriverError::PureMissing),
        Driver::Mock(MockArrays::Memory) => {
            Arc::new(SharedWorld::new(MOCK_SEED, ctx.clock.clone()))
        }
        Driver::Mock(MockArrays::File(path)) => {
            Arc::new(FileWorld::open(path, MOCK_SEED, ctx.clock.clone())?)
        }
    };
    tracing::warn!(
        "[engine] storage_driver = mock: arrays are simulated, NO DATA IS PROTECTED; never in production"
    );
    Ok(Arc::new(MockDriver::new(link, mock_addresses(arrays))))
}

/// Simulated arrays are found by the name they are registered under.
fn mock_addresses(arrays: &[RegisteredArray]) -> BTreeMap<ArrayId, String> {
    let pairs = arrays
        .iter()
        .map(|a| (a.array.id.clone(), a.array.name.clone()));
    pairs.collect()
}
