//! Server-sent events: a feed is asked again and again, in a task of its own, for a bounded time.
//!
//! Absent: what the feeds say (`handlers`).

use crate::answer::Answer;
use crate::cx::Cx;
use crate::error::ApiError;
use crate::front::Front;
use crate::limits::{STREAM_BEAT_MS, STREAM_LIFETIME_MS, STREAM_QUEUE_MAX};
use bytes::Bytes;
use secrecy::SecretString;
use serde::Serialize;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};

/// What a feed had to say.
#[derive(Debug, Default)]
pub(crate) struct Fed {
    /// Framed events; empty: nothing new.
    pub text: String,
    /// Nothing will follow.
    pub last: bool,
}

/// Something that can be asked what is new.
pub(crate) trait Feed: Send + 'static {
    fn poll(&mut self) -> impl Future<Output = Fed> + Send;
}

/// One event in the format of the HTML standard. JSON text has no line breaks, so one line does.
pub(crate) fn frame(id: Option<u64>, event: &str, data: &impl Serialize) -> String {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("{id}event: {event}\ndata: {data}\n\n")
}

struct Line {
    front: Arc<Front>,
    token: SecretString,
    sender: mpsc::Sender<Bytes>,
    every: Duration,
    end: Instant,
}

/// Starts a stream with `first`; `feed` is asked every `every_ms` from then on.
///
/// Errors: `Overloaded` if too many are open.
pub(crate) fn open_stream(
    cx: &Cx,
    first: Fed,
    feed: impl Feed,
    every_ms: u64,
) -> Result<Answer, ApiError> {
    let permit = cx.front.stream_permit()?;
    let (sender, receiver) = mpsc::channel(STREAM_QUEUE_MAX);
    let line = Line {
        front: cx.front.clone(),
        token: cx.bearer()?.token.clone(),
        sender,
        every: Duration::from_millis(every_ms),
        end: Instant::now() + Duration::from_millis(STREAM_LIFETIME_MS),
    };
    tokio::spawn(async move {
        run(&line, first, feed).await;
        drop(permit);
    });
    Ok(Answer::events(receiver))
}

/// Ends with the feed, the reader, the token or the time, whichever is first.
async fn run(line: &Line, first: Fed, mut feed: impl Feed) {
    let mut fed = first;
    let mut spoke = Instant::now();
    while Instant::now() < line.end {
        if fed.text.is_empty() && spoke.elapsed() >= Duration::from_millis(STREAM_BEAT_MS) {
            fed.text = ": still here\n\n".to_owned();
        }
        if !fed.text.is_empty() {
            spoke = Instant::now();
            if !line.send(fed.text).await {
                return;
            }
        }
        if fed.last || !line.pause().await || !line.is_welcome().await {
            return;
        }
        fed = feed.poll().await;
    }
}

impl Line {
    async fn send(&self, text: String) -> bool {
        let sent = timeout_at(self.end, self.sender.send(Bytes::from(text))).await;
        matches!(sent, Ok(Ok(())))
    }

    /// Waits for the next turn. False: the reader has gone.
    async fn pause(&self) -> bool {
        let until = (Instant::now() + self.every).min(self.end);
        tokio::select! {
            biased;
            () = self.sender.closed() => false,
            () = sleep_until(until) => true,
        }
    }

    /// A revoked token ends its streams within the promised time (K9).
    async fn is_welcome(&self) -> bool {
        self.front.auth().validate(&self.token).await.is_ok()
    }
}
