//! The registered arrays as the Pure driver asks for them: out of the store, at every call, so that
//! an array an administrator registers or changes is used without a restart (CFG-03).
//!
//! Absent: drivers, and tokens that policies carry.

use async_trait::async_trait;
use protector_domain::ids::ArrayId;
use protector_domain::ports::{ErrorKind, PortError, PortResult};
use protector_storage_drivers::pure::{ArrayAccess, ArrayRegistry};
use protector_store::{Store, StoreError};

/// Arrays as the store has them.
pub struct StoreArrays {
    store: Store,
}

impl StoreArrays {
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

/// Nothing has left this process: the array was not even found.
fn unread(id: &ArrayId, error: &StoreError) -> PortError {
    let what = format!("the registration of array {id} cannot be read: {error}");
    PortError::new(ErrorKind::Unreachable, what)
}

#[async_trait]
impl ArrayRegistry for StoreArrays {
    async fn access(&self, id: &ArrayId) -> PortResult<Option<ArrayAccess>> {
        let found = self.store.array_fetch(id).await;
        let Some(array) = found.map_err(|error| unread(id, &error))? else {
            return Ok(None);
        };
        let api_token = self.store.array_token_fetch(id).await;
        Ok(Some(ArrayAccess {
            url: array.url,
            api_token: api_token.map_err(|error| unread(id, &error))?,
            certificate_pem: array.certificate,
        }))
    }
}
