//! The statistics of one actor's place in the tree.
//!
//! They belong to the place and not to the incarnation that fills it: a crash loses nothing.
//! Deliberately absent: a clock. Whoever notes something says when it was.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use serde::Serialize;

use crate::sync::lock;
use crate::text::cut;

/// How many reasons of restarts are kept, oldest dropped first.
pub const REASONS_MAX: usize = 8;
/// Longest text of one kept error.
pub const TEXT_BYTES_MAX: usize = 500;

/// Where an actor is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Its `init` runs, or has not been called yet.
    Starting,
    /// It takes messages.
    Up,
    /// It fell and waits for its next start.
    Backoff,
    /// It was asked to end.
    Stopping,
}

/// What an actor does right now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Busy {
    /// The kind of the message in hand, or `init`, `stopped`.
    pub what: &'static str,
    /// When it began, Unix microseconds.
    pub since_us: i64,
}

/// Something that went wrong, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// Unix microseconds.
    pub at_us: i64,
    /// The error or the panic, cut to [`TEXT_BYTES_MAX`].
    pub reason: String,
}

/// One actor's figures, shared by the actor, its mailboxes, its supervisor and the reader.
#[derive(Debug)]
pub struct Stats {
    kind: &'static str,
    cap: usize,
    depth: AtomicUsize,
    handled: AtomicU64,
    rest: Mutex<Rest>,
}

#[derive(Debug, Clone)]
pub(super) struct Rest {
    pub phase: Phase,
    pub started_us: Option<i64>,
    pub busy: Option<Busy>,
    pub restarts: u64,
    pub reasons: VecDeque<Ended>,
    pub last_error: Option<Ended>,
    pub state: serde_json::Value,
}

impl Stats {
    /// Figures of an actor of `kind` whose mailbox holds `cap` messages (0: it has no bounded mailbox).
    pub fn new(kind: &'static str, cap: usize) -> Self {
        let rest = Rest {
            phase: Phase::Starting,
            started_us: None,
            busy: None,
            restarts: 0,
            reasons: VecDeque::new(),
            last_error: None,
            state: serde_json::Value::Null,
        };
        Self {
            kind,
            cap,
            depth: AtomicUsize::new(0),
            handled: AtomicU64::new(0),
            rest: Mutex::new(rest),
        }
    }

    /// What sort of actor this is.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Room in the mailbox, messages.
    pub fn cap(&self) -> usize {
        self.cap
    }

    /// Messages that hold room: queued ones and the one in hand.
    pub fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    /// Messages handled to their end since the place was made, over all incarnations.
    pub fn handled(&self) -> u64 {
        self.handled.load(Ordering::Relaxed)
    }

    /// How often the place was filled again.
    pub fn restarts(&self) -> u64 {
        lock(&self.rest).restarts
    }

    /// Where the actor is in its life.
    pub fn phase(&self) -> Phase {
        lock(&self.rest).phase
    }

    pub(crate) fn depth_add(&self) {
        self.depth.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn depth_sub(&self) {
        self.depth.fetch_sub(1, Ordering::Relaxed);
    }

    /// Notes that the actor began with `what`.
    pub fn begin(&self, what: &'static str, now_us: i64) {
        lock(&self.rest).busy = Some(Busy {
            what,
            since_us: now_us,
        });
    }

    /// Notes that the message in hand is done and what the state looks like now.
    pub fn finish(&self, state: serde_json::Value) {
        self.handled.fetch_add(1, Ordering::Relaxed);
        self.rest_now(state);
    }

    /// Notes that nothing is in hand and what the state looks like, without counting a message.
    pub fn rest_now(&self, state: serde_json::Value) {
        let mut rest = lock(&self.rest);
        rest.busy = None;
        rest.state = state;
    }

    /// Notes that a new incarnation is up.
    pub fn up(&self, now_us: i64, state: serde_json::Value) {
        let mut rest = lock(&self.rest);
        rest.phase = Phase::Up;
        rest.started_us = Some(now_us);
        rest.busy = None;
        rest.state = state;
    }

    /// Notes a phase. The phases other than `Up` have nothing in hand unless noted afterwards.
    pub fn enter(&self, phase: Phase) {
        let mut rest = lock(&self.rest);
        rest.phase = phase;
        if phase == Phase::Backoff {
            // A panic leaves its message in hand for ever otherwise.
            rest.busy = None;
        }
    }

    /// Notes an error.
    pub fn error(&self, reason: &str, now_us: i64) {
        lock(&self.rest).last_error = Some(ended(reason, now_us));
    }

    /// Notes that the place is going to be filled again, and why.
    pub fn restart(&self, reason: &str, now_us: i64) {
        let mut rest = lock(&self.rest);
        rest.restarts += 1;
        while rest.reasons.len() >= REASONS_MAX {
            rest.reasons.pop_front();
        }
        rest.reasons.push_back(ended(reason, now_us));
    }

    pub(super) fn rest(&self) -> Rest {
        lock(&self.rest).clone()
    }
}

fn ended(reason: &str, at_us: i64) -> Ended {
    let reason = cut(reason, TEXT_BYTES_MAX).to_owned();
    Ended { at_us, reason }
}
