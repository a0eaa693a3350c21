//! A protection group: takes one request at a time, asks the rules, writes the answer down.
//!
//! Owned by `groups`, woken on demand; everything but its open tickets is in the store. It may not
//! wait for a cloud or an array (gatherers do), nor run steps (operations do).

mod actor;
mod apply;
mod body_check;
mod changes;
mod doubt;
pub(crate) mod finish;
mod leaving;
mod local;
mod messages;
mod moves;
mod release;

pub(crate) use actor::child_spec;
pub(crate) use apply::{kept_in, not_found};
pub(crate) use messages::{Answer, ChangeAsk, Goal, GroupMsg, OperationAsk};
