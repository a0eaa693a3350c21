//! One session per array, as an actor: calls wait in a bounded line, urgent ones first, a few run at
//! a time, and the live tree shows what an array is asked and since when.
//!
//! Owned by `arrays`. It changes nothing about a call and repeats none; who asks decides that.

mod actor;
mod driver;

pub(crate) use driver::ArraySessions;

use futures::future::BoxFuture;

/// How urgent a call is; the line is served in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// A move waits for it.
    Move,
    /// Somebody looks.
    Look,
    /// Upkeep.
    Upkeep,
}

/// One call on its way: a future that sends its own answer.
pub(crate) struct Call {
    pub what: &'static str,
    pub urgency: Urgency,
    pub work: BoxFuture<'static, ()>,
}
