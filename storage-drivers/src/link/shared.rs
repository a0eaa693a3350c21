//! A world of arrays in this process (`:memory:`): gone when the process ends.
//! Absent: states on disk (`file`).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use protector_runtime::clock::Clock;

use super::{ArrayLink, LinkError};
use crate::model::{Answer, ArrayWorld, Command, Control, ControlError, GroundTruth};

/// Most calls the log keeps; the oldest go first.
const CALLS_MAX: usize = 10_000;
const US_PER_MS: i64 = 1_000;

/// One call as the arrays saw it. Never contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallEntry {
    pub at_ms: i64,
    pub array: String,
    pub verb: &'static str,
    pub is_read: bool,
    pub accepted: bool,
}

/// Arrays shared by everybody in this process who holds a clone.
#[derive(Clone)]
pub struct SharedWorld {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
}

struct State {
    world: ArrayWorld,
    calls: VecDeque<CallEntry>,
}

impl SharedWorld {
    /// A world without arrays, living by `clock`.
    #[must_use]
    pub fn new(seed: u64, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            world: ArrayWorld::new(seed),
            calls: VecDeque::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            clock,
        }
    }

    /// Turns a knob of the simulation now.
    pub fn control(&self, control: Control) -> Result<(), ControlError> {
        let now_ms = self.now_ms();
        self.lock().world.control(control, now_ms)
    }

    /// Everything there is now, for tests.
    #[must_use]
    pub fn ground_truth(&self) -> GroundTruth {
        let now_ms = self.now_ms();
        let mut state = self.lock();
        state.world.advance(now_ms);
        state.world.ground_truth()
    }

    /// The calls the arrays saw, oldest first, the latest 10,000 of them.
    #[must_use]
    pub fn calls(&self) -> Vec<CallEntry> {
        self.lock().calls.iter().cloned().collect()
    }

    /// `call` without waiting for anything.
    pub fn apply(&self, array: &str, command: Command) -> Result<Answer, LinkError> {
        let now_ms = self.now_ms();
        let mut entry = CallEntry {
            at_ms: now_ms,
            array: array.to_owned(),
            verb: command.verb(),
            is_read: command.is_read(),
            accepted: false,
        };
        let mut state = self.lock();
        let answer = state.world.apply(array, command, now_ms);
        entry.accepted = answer.is_ok();
        if state.calls.len() >= CALLS_MAX {
            state.calls.pop_front();
        }
        state.calls.push_back(entry);
        Ok(answer?)
    }

    fn now_ms(&self) -> i64 {
        self.clock.now_us() / US_PER_MS
    }

    /// A panic elsewhere cannot leave half a change: the model changes only after it has judged.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ArrayLink for SharedWorld {
    async fn call(&self, array: &str, command: Command) -> Result<Answer, LinkError> {
        self.apply(array, command)
    }
}
