//! Asking an actor and waiting for its answer, within a limit.
//!
//! Deliberately absent: cancelling. An actor that was asked may act although nobody waits any more.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::envelope::{Mailbox, SendErr};

/// Where one answer goes. Dropping it tells the asker that there will be none.
#[derive(Debug)]
pub struct Reply<T>(oneshot::Sender<T>);

impl<T> Reply<T> {
    /// Answers. False: nobody waits any more.
    pub fn send(self, answer: T) -> bool {
        self.0.send(answer).is_ok()
    }

    /// A reply and where its answer arrives: for asking without a mailbox.
    pub fn pair() -> (Self, oneshot::Receiver<T>) {
        let (sender, receiver) = oneshot::channel();
        (Self(sender), receiver)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AskErr {
    /// The question was not taken: no room.
    #[error("the mailbox is full")]
    Full,
    /// The question was not taken: nobody there.
    #[error("the actor is gone")]
    Gone,
    /// The question was taken; the answer did not come in time. It may have been acted upon.
    #[error("no answer in time")]
    Timeout,
    /// The question was taken; its actor fell or ended. It may have been acted upon.
    #[error("the actor ended without an answer")]
    NoAnswer,
}

impl From<SendErr> for AskErr {
    fn from(error: SendErr) -> Self {
        match error {
            SendErr::Full => Self::Full,
            SendErr::Gone => Self::Gone,
        }
    }
}

impl<M: Send + 'static> Mailbox<M> {
    /// Sends what `question` makes of a reply and waits at most `limit_ms` for the answer.
    ///
    /// Never waits for room. Not from inside a handler: the asked actor may be asking back.
    ///
    /// # Errors
    /// `Full`, `Gone`: certainly not acted upon. `Timeout`, `NoAnswer`: perhaps.
    pub async fn ask<T>(
        &self,
        kind: &'static str,
        limit_ms: u64,
        question: impl FnOnce(Reply<T>) -> M,
    ) -> Result<T, AskErr> {
        let (reply, answer) = Reply::pair();
        self.try_send(kind, question(reply))?;
        match timeout(Duration::from_millis(limit_ms), answer).await {
            Ok(answer) => answer.map_err(|_| AskErr::NoAnswer),
            Err(_) => Err(AskErr::Timeout),
        }
    }
}
