//! A link that goes wrong when told to: the fault points around an array call.
//! Absent: chance. A scenario draws its faults from its seed and arms them here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{ArrayLink, LinkError};
use crate::model::{Answer, Command};

/// Most armed faults; further ones are dropped.
const ARMED_MAX: usize = 1_000;

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It never leaves (`B1`).
    NotSent,
    /// The array acts, the answer is lost (`B2`).
    AnswerLost,
    /// It is delivered twice; the caller sees the second answer (`B4`).
    Twice,
}

/// A link with armed faults in front of another link.
#[derive(Clone)]
pub struct FaultyLink {
    inner: Arc<dyn ArrayLink>,
    armed: Arc<Mutex<VecDeque<(&'static str, Fault)>>>,
}

impl FaultyLink {
    /// `inner`, without a fault so far.
    #[must_use]
    pub fn new(inner: Arc<dyn ArrayLink>) -> Self {
        Self {
            inner,
            armed: Arc::default(),
        }
    }

    /// The next call of this `verb` (see `Command::verb`) meets `fault`; armed ones queue up.
    pub fn arm(&self, verb: &'static str, fault: Fault) {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        if armed.len() < ARMED_MAX {
            armed.push_back((verb, fault));
        }
    }

    /// Faults that no call has met yet.
    #[must_use]
    pub fn armed(&self) -> usize {
        self.armed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    fn due(&self, verb: &str) -> Option<Fault> {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let at = armed
            .iter()
            .position(|(armed_verb, _)| *armed_verb == verb)?;
        armed.remove(at).map(|(_, fault)| fault)
    }
}

#[async_trait]
impl ArrayLink for FaultyLink {
    async fn call(&self, array: &str, command: Command) -> Result<Answer, LinkError> {
        match self.due(command.verb()) {
            None => self.inner.call(array, command).await,
            Some(Fault::NotSent) => Err(LinkError::NotSent("connection refused".to_owned())),
            Some(Fault::AnswerLost) => {
                // Whatever it was, the caller does not hear it.
                let _ = self.inner.call(array, command).await;
                Err(LinkError::Unknown("connection reset".to_owned()))
            }
            Some(Fault::Twice) => {
                let _ = self.inner.call(array, command.clone()).await;
                self.inner.call(array, command).await
            }
        }
    }
}
