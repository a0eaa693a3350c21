//! What the work behind each host of the pretend network costs in processor time, for the benches: a pretend
//! cloud's share is not the product's.
//!
//! Absent: reading the processor's clock; who wants to know hands in how.

use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

/// Processor time that the calling thread has used so far.
pub type ThreadCpu = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Off until somebody hands in a clock. Clones are the same one.
#[derive(Clone, Default)]
pub(super) struct Meter {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    clock: Option<ThreadCpu>,
    spent: BTreeMap<String, Duration>,
}

impl Meter {
    pub fn start(&self, clock: ThreadCpu) {
        self.with(|state| state.clock = Some(clock));
    }

    pub fn spent(&self, host: &str) -> Duration {
        self.with(|state| state.spent.get(host).copied().unwrap_or_default())
    }

    /// `work` at `host`, its polls measured one by one: whatever it spawns is not in it.
    pub async fn measure<T>(&self, host: &str, mut work: BoxFuture<'static, T>) -> T {
        let Some(clock) = self.with(|state| state.clock.clone()) else {
            return work.await;
        };
        std::future::poll_fn(|cx| {
            let before = clock();
            let polled: Poll<T> = work.as_mut().poll(cx);
            self.add(host, clock().saturating_sub(before));
            polled
        })
        .await
    }

    fn add(&self, host: &str, cost: Duration) {
        self.with(|state| *state.spent.entry(host.to_owned()).or_default() += cost);
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[tokio::test]
    async fn every_poll_counts_for_its_host_alone() {
        let (meter, ticks) = (Meter::default(), Arc::new(AtomicU64::new(0)));
        let unmeasured: BoxFuture<'static, u8> = Box::pin(std::future::ready(1));
        assert_eq!(meter.measure("a", unmeasured).await, 1);
        let read = ticks.clone();
        meter.start(Arc::new(move || {
            Duration::from_millis(AtomicU64::load(&read, Ordering::Relaxed))
        }));
        let work = async move {
            AtomicU64::fetch_add(&ticks, 3, Ordering::Relaxed);
            tokio::task::yield_now().await;
            AtomicU64::fetch_add(&ticks, 4, Ordering::Relaxed);
        };
        meter.measure("a", Box::pin(work)).await;
        assert_eq!(meter.spent("a"), Duration::from_millis(7));
        assert_eq!(meter.spent("b"), Duration::ZERO);
    }
}
