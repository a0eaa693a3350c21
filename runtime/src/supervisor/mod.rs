//! One-for-one supervision: who is started again, how soon, how often, and in which order all end.
//!
//! A child that ends is started again by its own rule, after a growing pause. When restarts come too
//! often the supervisor stops the rest in order and fails itself: its parent decides then. Children
//! whose rule does not bring them back leave the tree and introspection.
//!
//! Budgets multiply up the tree, so keep the top small. Deliberately absent: one-for-all and
//! rest-for-one (a group of actors that only makes sense together is one supervisor's children).

mod actor;
mod budget;
mod handle;
mod roster;
mod spec;
mod stopping;
#[cfg(test)]
mod tests;

pub use handle::{SupErr, Supervisor};
pub use spec::{
    ChildSpec, Restart, SUPERVISOR_SHUTDOWN_MS, StartPlace, Started, SupervisorOptions,
};
