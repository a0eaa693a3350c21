//! The way of one courier to both sites: pauses, lost answers, doubled and late calls, and the courier's own end, as
//! its plan says; and a notebook of what it was told.
//!
//! Absent: the network itself, which is the lab's.

use super::plan::{Fate, Leg};
use bytes::Bytes;
use protector_runtime::remote::{BoxErr, HttpService};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tower::ServiceExt;

type Request = http::Request<Bytes>;
type Response = http::Response<Bytes>;

/// One answered call.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub path: String,
    pub sent: Value,
    pub status: u16,
    pub answer: Value,
}

/// Messages that were brought to a site, and can be brought again by anybody.
#[derive(Clone, Default)]
pub(super) struct Brought(Arc<Mutex<Vec<Request>>>);

impl Brought {
    /// One of them, if there is any.
    pub(super) fn nth(&self, number: u64) -> Option<Request> {
        let all = open(&self.0);
        let at = number.checked_rem(all.len() as u64)?;
        all.get(usize::try_from(at).ok()?).cloned()
    }

    fn keep(&self, request: &Request) {
        if request.uri().path().contains("/sync/") {
            open(&self.0).push(request.clone());
        }
    }
}

#[derive(Default)]
struct Book {
    legs: VecDeque<Leg>,
    notes: Vec<Note>,
}

/// The road. Clones are the same one.
#[derive(Clone)]
pub(super) struct Road {
    net: HttpService,
    book: Arc<Mutex<Book>>,
    brought: Brought,
    end: Arc<Notify>,
}

#[derive(Debug, thiserror::Error)]
#[error("nothing was heard")]
struct Silence;

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn value(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

impl Road {
    pub(super) fn new(net: HttpService, legs: &[Leg], brought: &Brought) -> Self {
        let legs = legs.iter().copied().collect();
        let notes = Vec::new();
        Self {
            net,
            book: Arc::new(Mutex::new(Book { legs, notes })),
            brought: brought.clone(),
            end: Arc::default(),
        }
    }

    /// Ends when the courier has to.
    pub(super) async fn end(&self) {
        self.end.notified().await;
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        open(&self.book).notes.clone()
    }

    /// What an endpoint calls.
    pub(super) fn service(&self) -> HttpService {
        let road = self.clone();
        HttpService::new(tower::service_fn(move |request: Request| {
            let road = road.clone();
            async move { road.carry(request).await }
        }))
    }

    async fn carry(&self, request: Request) -> Result<Response, BoxErr> {
        let leg = open(&self.book).legs.pop_front().unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(leg.pause_ms)).await;
        if leg.fate == Fate::DiesBefore {
            return self.die().await;
        }
        self.brought.keep(&request);
        match leg.fate {
            Fate::Late(late_ms) => {
                self.send_later(request, late_ms);
                Err(Box::new(Silence))
            }
            Fate::DiesAfter => {
                self.send_later(request, 0);
                self.die().await
            }
            Fate::AnswerLost => {
                let _nobody_hears = self.net.clone().oneshot(request).await;
                Err(Box::new(Silence))
            }
            Fate::Doubled => {
                let _first = self.net.clone().oneshot(request.clone()).await;
                self.ask(request).await
            }
            Fate::Carried | Fate::DiesBefore => self.ask(request).await,
        }
    }

    async fn die(&self) -> Result<Response, BoxErr> {
        self.end.notify_one();
        std::future::pending().await
    }

    fn send_later(&self, request: Request, late_ms: u64) {
        let net = self.net.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(late_ms)).await;
            let _nobody_hears = net.oneshot(request).await;
        });
    }

    async fn ask(&self, request: Request) -> Result<Response, BoxErr> {
        let (path, sent) = (request.uri().path().to_owned(), value(request.body()));
        let answer = self.net.clone().oneshot(request).await?;
        open(&self.book).notes.push(Note {
            path,
            sent,
            status: answer.status().as_u16(),
            answer: value(answer.body()),
        });
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// How often the site was called, and what the courier heard of each of its calls.
    async fn over(fates: &[Fate]) -> (u32, Vec<bool>) {
        let count = Arc::new(AtomicU32::new(0));
        let calls = count.clone();
        let net = HttpService::new(tower::service_fn(move |_: Request| {
            AtomicU32::fetch_add(&calls, 1, Ordering::Relaxed);
            async { Ok::<_, BoxErr>(Response::new(Bytes::from_static(b"{}"))) }
        }));
        let legs: Vec<Leg> = fates
            .iter()
            .map(|fate| Leg {
                pause_ms: 5,
                fate: *fate,
            })
            .collect();
        let road = Road::new(net, &legs, &Brought::default());
        let mut heard = Vec::new();
        for _ in fates {
            let request = http::Request::builder().uri("http://a/v1/p/sync/commits");
            let request = request.body(Bytes::new()).unwrap();
            tokio::select! {
                biased;
                () = road.end() => break,
                answer = road.service().oneshot(request) => heard.push(answer.is_ok()),
            }
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        (AtomicU32::load(&count, Ordering::Relaxed), heard)
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_meets_its_fate() {
        assert_eq!(over(&[Fate::Carried]).await, (1, vec![true]));
        assert_eq!(over(&[Fate::AnswerLost]).await, (1, vec![false]));
        assert_eq!(over(&[Fate::Doubled]).await, (2, vec![true]));
        assert_eq!(over(&[Fate::Late(9_000)]).await, (1, vec![false]));
        assert_eq!(
            over(&[Fate::Carried, Fate::DiesBefore, Fate::Carried]).await,
            (1, vec![true])
        );
        assert_eq!(over(&[Fate::DiesAfter, Fate::Carried]).await, (1, vec![]));
    }
}
