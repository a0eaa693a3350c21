//! What goes in and comes out of the store beside the domain's own types. Secrets never stand in
//! these types: they go in and out by calls of their own.

mod delegation;
mod group;
mod log;
mod operation;
mod site;

pub use delegation::Delegation;
pub use group::{
    CgVolume, ConsistencyFacts, ConsistencyGroup, GroupPut, MappingRow, MemberRow, PolicyRow,
    Projections, StoredGroup,
};
pub use log::{AuditEntry, Claimed, IdempotencyClaim, SyncLogEntry, SyncLogKind};
pub use operation::{EffectSettle, NewEvent, OperationUpdate};
pub use site::{Array, Identity, Site, SiteStatus, SiteType, TenantMapping};
