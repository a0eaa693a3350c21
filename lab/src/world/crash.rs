//! Killing a site at a named place: the k-th time that it comes there.
//!
//! The place never returns, as a power failure would have it; whoever waits on `struck` then takes
//! the site down.

use futures::future::{BoxFuture, pending, ready};
use protector_runtime::crash::CrashPoints;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// Where to strike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strike {
    /// What the place's name starts with, for example `after_intent:do:boot_server`.
    pub place: String,
    /// How often it is passed before.
    pub skip: u64,
}

#[derive(Default)]
struct State {
    strike: Option<Strike>,
    seen: Vec<String>,
}

/// The crash points of one site, over all its lives.
#[derive(Default)]
pub struct CrashSwitch {
    state: Mutex<State>,
    struck: Notify,
}

impl CrashSwitch {
    /// Arms it; the next life does not strike again by itself.
    pub fn arm(&self, strike: Strike) {
        self.lock().strike = Some(strike);
    }

    /// Ends when the site has struck its place.
    pub async fn struck(&self) {
        self.struck.notified().await;
    }

    /// True while it waits for its place.
    pub fn is_armed(&self) -> bool {
        self.lock().strike.is_some()
    }

    /// Every place that was passed, in order.
    pub fn seen(&self) -> Vec<String> {
        self.lock().seen.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_here(&self, place: &str) -> bool {
        let mut state = self.lock();
        state.seen.push(place.to_owned());
        let Some(strike) = state
            .strike
            .as_mut()
            .filter(|s| place.starts_with(&s.place))
        else {
            return false;
        };
        if strike.skip > 0 {
            strike.skip -= 1;
            return false;
        }
        state.strike = None;
        true
    }
}

impl CrashPoints for CrashSwitch {
    fn at<'a>(&'a self, place: &'a str) -> BoxFuture<'a, ()> {
        if self.is_here(place) {
            self.struck.notify_one();
            return Box::pin(pending());
        }
        Box::pin(ready(()))
    }
}
