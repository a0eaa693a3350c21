//! The calls of the store, by table group. Each write is one entry of [`crate::Write`]; each read
//! goes through its own connections. Secrets are sealed and opened here.

mod delegations;
mod effects;
mod groups;
mod logs;
mod moves;
mod operations;
mod sites;

pub use moves::{Begun, Inserted};

use crate::error::StoreError;
use crate::store::Store;
use crate::write::{Write, Written};

/// Most rows of one page.
const PAGE_MAX: u32 = 1_000;

fn page(limit: u32) -> i64 {
    i64::from(limit.min(PAGE_MAX))
}

fn odd(answer: &Written) -> StoreError {
    StoreError::Illegal(format!("an answer of another kind: {answer:?}"))
}

impl Store {
    async fn write_done(&self, write: Write) -> Result<(), StoreError> {
        match self.write(write).await? {
            Written::Done => Ok(()),
            other => Err(odd(&other)),
        }
    }

    async fn write_count(&self, write: Write) -> Result<u64, StoreError> {
        match self.write(write).await? {
            Written::Count(count) => Ok(count),
            other => Err(odd(&other)),
        }
    }

    async fn write_revision(&self, write: Write) -> Result<i64, StoreError> {
        match self.write(write).await? {
            Written::Revision(revision) => Ok(revision),
            other => Err(odd(&other)),
        }
    }
}
