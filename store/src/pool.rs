//! Connections for reading: a few, kept while they work, and never put back in an unknown state.
//!
//! Dropping a read midway drops its connection with it. Absent: writing, which has its own
//! connection (J10: a thousand slow readers do not stop the engine).

use crate::connect::Target;
use crate::error::StoreError;
use std::future::Future;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long a reader waits for a connection, in milliseconds; then `Busy`.
const SEAT_WAIT_MAX_MS: u64 = 5_000;
/// How long one read may take, in milliseconds.
const READ_MAX_MS: u64 = 15_000;
/// How often a read is tried: it changes nothing, so it may be repeated on a fresh connection.
const READ_TRIES_MAX: u32 = 3;
/// Pause before a repeat, in milliseconds.
const READ_PAUSE_MS: u64 = 10;

/// Reading connections to one target.
pub(crate) struct Pool<T: Target> {
    target: T,
    idle: Mutex<Vec<T::Conn>>,
    seats: Semaphore,
}

/// One connection in use. Dropped without [`Lease::settle`], its connection is closed.
pub(crate) struct Lease<'p, T: Target> {
    pool: &'p Pool<T>,
    pub conn: T::Conn,
    _seat: SemaphorePermit<'p>,
}

impl<T: Target> Pool<T> {
    /// Waits for something on one of its connections, as the target wants it.
    pub async fn drive<A: Send>(
        &self,
        doing: impl Future<Output = Result<A, StoreError>> + Send,
    ) -> Result<A, StoreError> {
        self.target.drive(doing).await
    }

    pub fn new(target: T, size: usize) -> Self {
        Self {
            target,
            idle: Mutex::new(Vec::new()),
            seats: Semaphore::new(size),
        }
    }

    /// Errors: `Busy` if all are in use for too long, else as connecting.
    pub async fn lease(&self) -> Result<Lease<'_, T>, StoreError> {
        let limit = Duration::from_millis(SEAT_WAIT_MAX_MS);
        let seat = match tokio::time::timeout(limit, self.seats.acquire()).await {
            Ok(Ok(seat)) => seat,
            Ok(Err(_)) => return Err(StoreError::Down("the store is closed".to_owned())),
            Err(_) => return Err(StoreError::Busy),
        };
        let kept = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let conn = match kept {
            Some(conn) => conn,
            None => self.target.connect().await?,
        };
        Ok(Lease {
            pool: self,
            conn,
            _seat: seat,
        })
    }

    /// Closes what is idle; what is in use closes when it is done.
    pub fn close(&self) {
        self.seats.close();
        self.forget_idle();
    }

    fn forget_idle(&self) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl<T: Target> Lease<'_, T> {
    /// Ends one try of a read: puts the connection back if it can be used again, and says whether
    /// to try once more.
    pub async fn settle<A>(
        self,
        tried: u32,
        answer: Result<A, StoreError>,
    ) -> ControlFlow<Result<A, StoreError>> {
        match &answer {
            Err(why) if why.breaks_connection() => self.pool.forget_idle(),
            _ if self.pool.seats.is_closed() => {}
            _ => self
                .pool
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(self.conn),
        }
        let again = matches!(&answer, Err(why) if !why.is_own_fault());
        if again && tried < READ_TRIES_MAX {
            tokio::time::sleep(Duration::from_millis(READ_PAUSE_MS)).await;
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(answer)
        }
    }
}

/// Bounds one read in time.
pub(crate) async fn bounded<A>(
    reading: impl Future<Output = Result<A, StoreError>>,
) -> Result<A, StoreError> {
    match tokio::time::timeout(Duration::from_millis(READ_MAX_MS), reading).await {
        Ok(answer) => answer,
        Err(_) => Err(StoreError::Down(format!(
            "no answer within {READ_MAX_MS} ms"
        ))),
    }
}
