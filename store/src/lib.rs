//! What one site remembers: groups and their signed records, operations, the ledger of effects,
//! sites, arrays, logs; in SQLite or MariaDB, by one set of queries.
//!
//! All writes of a process pass through one task that shares commits between them; reads have their
//! own connections. Deliberately absent: decisions (`domain` makes them; the store only refuses what
//! can never be right), retries of effects, and foreign keys.

mod api;
mod backend;
mod classify;
mod codec;
mod config;
mod connect;
mod error;
mod exec;
mod history;
mod inbox;
mod keeper;
mod ledger;
mod model;
mod pool;
mod rows;
mod schema;
mod seal;
mod store;
mod write;

pub use api::{Begun, Inserted};
pub use config::{KeySource, StoreConfig};
pub use error::{SealError, StoreError};
pub use inbox::StoreStats;
pub use keeper::MemKeeper;
pub use model::{
    Array, AuditEntry, CgVolume, Claimed, ConsistencyFacts, ConsistencyGroup, Delegation,
    EffectSettle, GroupPut, IdempotencyClaim, Identity, MappingRow, MemberRow, NewEvent,
    OperationUpdate, PolicyRow, Projections, Site, SiteStatus, SiteType, StoredGroup, SyncLogEntry,
    SyncLogKind, TenantMapping,
};
pub use seal::{Sealed, SealingKey};
pub use store::Store;
pub use write::{Write, Written};
