//! The queue in front of the writer: bounded, measured, and closed in one place.
//!
//! Absent: what the writer does with it (`q::writer`).

use crate::error::StoreError;
use crate::write::{Write, Written};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Writes that may wait; more callers wait for a place.
pub(crate) const QUEUE_CAP: usize = 1_024;
/// How long a caller waits for a place, in milliseconds; then `Busy` (J10).
const QUEUE_WAIT_MAX_MS: u64 = 10_000;
/// Writes that share one commit at most: bounds what a deadlock makes us repeat.
pub(crate) const COMMIT_MAX: usize = 128;

/// One write on its way, with the way back for its answer.
pub(crate) struct Job {
    pub write: Write,
    pub reply: oneshot::Sender<Result<Written, StoreError>>,
}

impl Job {
    pub fn parts(self) -> (Write, oneshot::Sender<Result<Written, StoreError>>) {
        (self.write, self.reply)
    }
}

/// What the writer has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreStats {
    /// Answers given, good and bad.
    pub writes: u64,
    /// Database transactions committed.
    pub commits: u64,
    /// Transactions that were taken back, for a repeat or for good.
    pub rollbacks: u64,
    /// Repeats after deadlocks, lock waits and lost connections (J3).
    pub retries: u64,
    pub queue_depth: usize,
    pub queue_cap: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub writes: AtomicU64,
    pub commits: AtomicU64,
    pub rollbacks: AtomicU64,
    pub retries: AtomicU64,
}

pub(crate) fn add(counter: &AtomicU64, by: usize) {
    counter.fetch_add(u64::try_from(by).unwrap_or(u64::MAX), Relaxed);
}

/// The callers' end.
pub(crate) struct Outbox {
    queue: Mutex<Option<mpsc::Sender<Job>>>,
    cut: Arc<AtomicBool>,
    pub counters: Arc<Counters>,
}

/// The writer's end.
pub(crate) struct Inbox {
    queue: mpsc::Receiver<Job>,
    cut: Arc<AtomicBool>,
    pub counters: Arc<Counters>,
}

pub(crate) fn open() -> (Outbox, Inbox) {
    let (send, receive) = mpsc::channel(QUEUE_CAP);
    let cut = Arc::new(AtomicBool::new(false));
    let counters = Arc::new(Counters::default());
    let outbox = Outbox {
        queue: Mutex::new(Some(send)),
        cut: Arc::clone(&cut),
        counters: Arc::clone(&counters),
    };
    (
        outbox,
        Inbox {
            queue: receive,
            cut,
            counters,
        },
    )
}

fn closed() -> StoreError {
    StoreError::Down("the store is closed".to_owned())
}

impl Outbox {
    fn sender(&self) -> Result<mpsc::Sender<Job>, StoreError> {
        self.check_open()?;
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.clone().ok_or_else(closed)
    }

    /// Errors: `Down` once closed or cut.
    pub fn check_open(&self) -> Result<(), StoreError> {
        if AtomicBool::load(&self.cut, Relaxed) {
            Err(closed())
        } else {
            Ok(())
        }
    }

    /// Queues a write and waits for its answer, which comes after its commit.
    ///
    /// A caller that gives up has not withdrawn its write. Errors: `Busy` if no place came free,
    /// `Unknown` if the writer died with the write in hand.
    pub async fn write(&self, write: Write) -> Result<Written, StoreError> {
        let sender = self.sender()?;
        let (reply, answer) = oneshot::channel();
        let limit = Duration::from_millis(QUEUE_WAIT_MAX_MS);
        match sender.send_timeout(Job { write, reply }, limit).await {
            Ok(()) => {}
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => return Err(StoreError::Busy),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => return Err(closed()),
        }
        // The writer's queue must be able to close while we wait.
        drop(sender);
        answer.await.unwrap_or(Err(StoreError::Unknown))
    }

    /// No new writes; those queued are still done.
    pub fn close(&self) {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    /// As if the process had died: what is queued is lost, reads are refused.
    pub fn cut(&self) {
        AtomicBool::store(&self.cut, true, Relaxed);
        self.close();
    }

    pub fn stats(&self) -> StoreStats {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let free = queue.as_ref().map_or(QUEUE_CAP, mpsc::Sender::capacity);
        let counters = &self.counters;
        StoreStats {
            writes: AtomicU64::load(&counters.writes, Relaxed),
            commits: AtomicU64::load(&counters.commits, Relaxed),
            rollbacks: AtomicU64::load(&counters.rollbacks, Relaxed),
            retries: AtomicU64::load(&counters.retries, Relaxed),
            queue_depth: QUEUE_CAP.saturating_sub(free),
            queue_cap: QUEUE_CAP,
        }
    }
}

impl Inbox {
    /// Waits for a write and takes what has gathered behind it. `None`: closed and empty, or cut.
    pub async fn next(&mut self) -> Option<Vec<Job>> {
        let first = self.queue.recv().await?;
        if self.is_cut() {
            return None;
        }
        let mut jobs = vec![first];
        while jobs.len() < COMMIT_MAX {
            match self.queue.try_recv() {
                Ok(job) => jobs.push(job),
                Err(_) => break,
            }
        }
        Some(jobs)
    }

    pub fn is_cut(&self) -> bool {
        AtomicBool::load(&self.cut, Relaxed)
    }
}
