//! The one way a standard mutex is locked here.
//!
//! Deliberately absent: waiting locks. Nothing holds one of these across an await.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a panic of an earlier holder.
///
/// Statistics and call logs must stay readable after a crash: that is when somebody reads them.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
