//! The restore mark beside a pretend site's key: it outlives every life and every database of the site.
//!
//! Absent: files (`protectord`).

use protector_domain::ports::{MarkError, MarkKeeper};
use std::sync::atomic::{AtomicU64, Ordering};

/// One number in memory.
#[derive(Debug, Default)]
pub struct MemMark(AtomicU64);

impl MarkKeeper for MemMark {
    fn fetch(&self) -> Result<u64, MarkError> {
        Ok(self.0.load(Ordering::Acquire))
    }

    fn raise(&self, mark: u64) -> Result<(), MarkError> {
        self.0.fetch_max(mark, Ordering::AcqRel);
        Ok(())
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}
