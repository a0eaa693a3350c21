//! Actors with bounded, measured mailboxes.
//!
//! The actor library's own mailboxes are unbounded and opaque. Here each message takes a place in a
//! fixed room and gives it back when it has been handled or lost, so the depth is right even after a
//! crash. Room and figures belong to the *slot* that an actor fills and outlive its incarnations.
//!
//! Deliberately absent: priorities (an actor that needs them keeps its own queue) and delivery
//! guarantees (a message behind a crash is lost; what must survive is in the store).

mod behaviour;
mod envelope;
mod reply;
mod spawn;
#[cfg(test)]
mod tests;

pub use behaviour::{Behaviour, ChildDown, ChildEnd, Tracked};
pub use envelope::{Env, Mailbox, SendErr};
pub use ractor::{ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
pub use reply::{AskErr, Reply};
pub use spawn::{Kind, spawn_tracked};

pub(crate) use envelope::Slot;
pub(crate) use spawn::start_linked;
