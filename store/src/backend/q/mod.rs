//! The queries, written once. `Conn` is whatever the module above says.
//!
//! Rules that keep them portable: ids and times from the caller, no `returning`, no upsert, one row
//! per insert (but for the ledger's), no joins that one of the two plans badly.

pub(crate) use super::{Conn, Target, dialect};

pub(crate) mod apply;
pub(crate) mod delegations;
pub(crate) mod effects;
pub(crate) mod groups;
pub(crate) mod ledger;
pub(crate) mod logs;
pub(crate) mod meta;
pub(crate) mod migrate;
pub(crate) mod operations;
pub(crate) mod projections;
pub(crate) mod sites;
pub(crate) mod writer;
