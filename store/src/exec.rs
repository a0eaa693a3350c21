//! Where a database is waited for: aside, or right here, in the caller's poll.
//!
//! Right here is for simulated time, which leaps whenever everybody waits. SQLite blocks by nature; MariaDB
//! answers through a socket, so its calls are driven to their end by a loop, and the socket is watched by a
//! thread of its own. What is driven so has its own limit in real time.

use crate::error::StoreError;
use diesel_async::sync_connection_wrapper as wrapper;
use futures::future::BoxFuture;
use std::error::Error;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use tokio::runtime::{Builder, Handle, Runtime};

/// Chosen per store, so that one process can hold both kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exec {
    /// In the caller's poll: quick, and the only way under simulated time.
    Inline,
    /// On a blocking thread: a slow disk (J8) holds up nobody else.
    Threads,
}

impl wrapper::SpawnBlocking for Exec {
    fn spawn_blocking<'a, R: Send + 'static>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn Error + Send + Sync>>> {
        match self {
            Exec::Inline => {
                let answer = task();
                Box::pin(std::future::ready(Ok(answer)))
            }
            Exec::Threads => {
                // The one allowed place: SQLite blocks, and in simulation `Inline` is used.
                #[allow(clippy::disallowed_methods)]
                let running = tokio::task::spawn_blocking(task);
                Box::pin(async move { running.await.map_err(Into::into) })
            }
        }
    }

    fn get_runtime() -> Self {
        Exec::Threads
    }
}

impl Exec {
    /// Does all of something whose calls block, without a change of threads for each call. The connection in it
    /// must be one that is waited for inline.
    ///
    /// Errors: `Down` if it died.
    pub(crate) async fn aside<T: Send + 'static>(
        self,
        doing: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self {
            Exec::Inline => Ok(doing.await),
            Exec::Threads => {
                let here = Handle::current();
                // As above: SQLite blocks, and in simulation `Inline` is used.
                #[allow(clippy::disallowed_methods)]
                let running = tokio::task::spawn_blocking(move || here.block_on(doing));
                running.await.map_err(|e| StoreError::Down(e.to_string()))
            }
        }
    }
}

/// Watches the sockets of inline stores; their callers' own runtimes stand still meanwhile.
static WATCH: Mutex<Option<Runtime>> = Mutex::new(None);

fn watch() -> Result<Handle, StoreError> {
    let mut watch = WATCH.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = &*watch {
        return Ok(running.handle().clone());
    }
    let built = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("store-inline")
        .enable_all()
        .build()
        .map_err(|e| StoreError::Down(e.to_string()))?;
    Ok(watch.insert(built).handle().clone())
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Does it to its end without letting anybody else run, by real time. `doing` must bound itself.
pub(crate) fn to_its_end<T>(
    doing: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let watch = watch()?;
    let _timers_and_sockets = watch.enter();
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut task = Context::from_waker(&waker);
    // The caller's task may have used up its share of polls, and nobody would give it a new one.
    let mut doing = pin!(tokio::task::unconstrained(doing));
    loop {
        if let Poll::Ready(done) = doing.as_mut().poll(&mut task) {
            return done;
        }
        std::thread::park();
    }
}
