//! Named places where a test may kill the process.
//!
//! A simulated crash falls only where a task really waits. Everything between two waits, a whole
//! transaction included, is one poll, so the gap between a commit and the next line is never hit
//! unless the code names it. Deliberately absent: any decision about when to crash.

use futures::future::BoxFuture;

/// Asked at every named place.
pub trait CrashPoints: Send + Sync {
    /// Returns at once in production. A test may never return from here.
    fn at<'a>(&'a self, place: &'a str) -> BoxFuture<'a, ()>;
}

/// Goes on everywhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCrash;

impl CrashPoints for NoCrash {
    fn at<'a>(&'a self, _place: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}
