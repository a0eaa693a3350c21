//! An operation: a frozen plan, run to its end whatever happens to the process.
//!
//! Owned by its group, supervised beside it. It may start steps and end itself; it may not decide
//! (that is `domain::saga`), and no handler of it waits for a cloud or an array.

mod actor;
pub(crate) mod ending;
mod found;
mod orders;
mod overtaken;
pub(crate) mod perform;
mod step_run;

pub(crate) use actor::{Msg as OperationMsg, child_spec};
