//! One login for everybody who needs it.
//!
//! A thousand calls that see 401 at once must not become a thousand logins (fault `E2`), and a login
//! that fails must not be tried by each of them in turn: wrong passwords lock accounts.
//! Deliberately absent: what a login is, and when a caller should give up.

use std::future::Future;
use std::sync::{Arc, Mutex};

use super::errors::CallError;
use crate::clock::Clock;
use crate::sync::lock;

/// What a login brings.
#[derive(Clone)]
pub struct Fresh<T> {
    /// The token, the session, whatever it is.
    pub value: T,
    /// When it ends, Unix milliseconds; `None`: when somebody says so.
    pub expires_at_ms: Option<i64>,
}

/// A value together with the number of the login it came from.
#[derive(Clone, PartialEq, Eq)]
pub struct Lease<T> {
    /// What the login brought.
    pub value: T,
    /// Hand this to [`Session::invalidate`] when the value turns out to be dead.
    pub generation: u64,
}

// Neither shows its value: it is a token.
impl<T> std::fmt::Debug for Fresh<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fresh")
            .field("expires_at_ms", &self.expires_at_ms)
            .finish_non_exhaustive()
    }
}

impl<T> std::fmt::Debug for Lease<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// Holds one value, renews it by one login at a time. `E`: what a login fails with.
pub struct Session<T: Clone, E: Clone = CallError> {
    clock: Arc<dyn Clock>,
    early_ms: i64,
    held: Mutex<Held<T, E>>,
    // Fair: waiters come in order of arrival.
    turn: tokio::sync::Mutex<()>,
}

struct Held<T, E> {
    /// Logins tried so far; also the generation of `value`, which the last success brought.
    tries: u64,
    current: Option<(Lease<T>, Option<i64>)>,
    failed: Option<E>,
}

impl<T: Clone, E: Clone> Session<T, E> {
    /// Holds nothing yet. Values count as ended `early_ms` before they do.
    pub fn new(clock: Arc<dyn Clock>, early_ms: u64) -> Self {
        let held = Held {
            tries: 0,
            current: None,
            failed: None,
        };
        Self {
            clock,
            early_ms: i64::try_from(early_ms).unwrap_or(i64::MAX),
            held: Mutex::new(held),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// The held value, or the one that `login` brings.
    ///
    /// Of all callers that wait at once one logs in and the others share its value or its error. If
    /// that one is dropped in the middle, the next in line logs in.
    pub async fn get<F, Fut>(&self, login: F) -> Result<Lease<T>, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Fresh<T>, E>>,
    {
        let tries_seen = match self.look() {
            Ok(lease) => return Ok(lease),
            Err(tries) => tries,
        };
        let _turn = self.turn.lock().await;
        if let Ok(lease) = self.look() {
            return Ok(lease);
        }
        if let Some(error) = self.failure_since(tries_seen) {
            return Err(error);
        }
        let outcome = login().await;
        self.keep(outcome)
    }

    /// Throws the value of login `generation` away. Does nothing if a newer one is held already.
    pub fn invalidate(&self, generation: u64) {
        let mut held = lock(&self.held);
        let is_held = |(lease, _): &(Lease<T>, _)| lease.generation == generation;
        if held.current.as_ref().is_some_and(is_held) {
            held.current = None;
        }
    }

    /// The value, if one is held that has not ended; else how many logins were tried so far.
    fn look(&self) -> Result<Lease<T>, u64> {
        let held = lock(&self.held);
        let now_ms = self.clock.now_us().div_euclid(1_000);
        let lives =
            |ends: Option<i64>| ends.is_none_or(|e| now_ms < e.saturating_sub(self.early_ms));
        match &held.current {
            Some((lease, ends)) if lives(*ends) => Ok(lease.clone()),
            _ => Err(held.tries),
        }
    }

    /// The error of a login that ended while the caller waited for its turn.
    fn failure_since(&self, tries_seen: u64) -> Option<E> {
        let held = lock(&self.held);
        (held.tries > tries_seen)
            .then(|| held.failed.clone())
            .flatten()
    }

    fn keep(&self, outcome: Result<Fresh<T>, E>) -> Result<Lease<T>, E> {
        let mut held = lock(&self.held);
        held.tries += 1;
        let fresh = match outcome {
            Ok(fresh) => fresh,
            Err(error) => {
                held.failed = Some(error.clone());
                return Err(error);
            }
        };
        let lease = Lease {
            value: fresh.value,
            generation: held.tries,
        };
        held.failed = None;
        held.current = Some((lease.clone(), fresh.expires_at_ms));
        Ok(lease)
    }
}

impl<T: Clone, E: Clone> std::fmt::Debug for Session<T, E> {
    /// Never the value: it is a token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
