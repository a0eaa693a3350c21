//! Where SQLite's blocking calls run: on tokio's blocking threads, or right here.

use diesel_async::sync_connection_wrapper as wrapper;
use futures::future::BoxFuture;
use std::error::Error;

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
