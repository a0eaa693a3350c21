//! An operation's story: a page of it as JSON, or all of it as it happens.
//!
//! Absent: pushing. The engine may be another process; it is asked by sequence number, so a reader
//! who comes back misses nothing and gets nothing twice.

use crate::answer::Answer;
use crate::cx::{Cx, unexpected};
use crate::error::ApiError;
use crate::front::Front;
use crate::limits::{EVENTS_POLL_MS, PAGE_DEFAULT};
use crate::paging::limit;
use crate::stream::{Fed, Feed, frame, open_stream};
use crate::wire::operation::{EventInfo, EventsAnswer};
use http::StatusCode;
use protector_domain::ids::OperationId;
use protector_domain::operation::{EventKind, OperationEvent};
use protector_domain::ports::engine::{Caller, EngineError, Query, View};
use std::sync::Arc;

pub(super) async fn events(cx: &Cx) -> Result<Answer, ApiError> {
    let query = EventFeed {
        front: cx.front.clone(),
        caller: cx.bearer()?.caller.clone(),
        operation: cx.operation_id()?,
        after_seq: after(cx)?,
        limit: limit(cx, PAGE_DEFAULT)?,
    };
    if wants_stream(cx)? {
        stream(cx, query).await
    } else {
        page(query).await
    }
}

async fn page(feed: EventFeed) -> Result<Answer, ApiError> {
    let events = feed.fetch().await?;
    let answer = EventsAnswer {
        events: events.iter().map(EventInfo::from).collect(),
    };
    Ok(Answer::json(StatusCode::OK, &answer))
}

/// The first page is fetched before the answer begins, so that a 404 is one.
async fn stream(cx: &Cx, mut feed: EventFeed) -> Result<Answer, ApiError> {
    let events = feed.fetch().await?;
    let first = feed.take_in(&events);
    open_stream(cx, first, feed, EVENTS_POLL_MS)
}

fn wants_stream(cx: &Cx) -> Result<bool, ApiError> {
    let accept = cx.header("accept")?.unwrap_or_default();
    let essence = |part: &str| {
        part.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    };
    Ok(accept
        .split(',')
        .any(|part| essence(part) == "text/event-stream"))
}

/// Where to begin: `after`, or what the browser remembers of a broken stream.
fn after(cx: &Cx) -> Result<u64, ApiError> {
    let text = match cx.header("last-event-id")? {
        Some(seen) => Some(seen),
        None => cx.query("after"),
    };
    let number = text.map(str::parse::<u64>).transpose();
    Ok(number
        .map_err(|_| ApiError::bad("after is the seq of the last event seen"))?
        .unwrap_or(0))
}

struct EventFeed {
    front: Arc<Front>,
    caller: Caller,
    operation: OperationId,
    after_seq: u64,
    limit: u32,
}

impl EventFeed {
    async fn fetch(&self) -> Result<Vec<OperationEvent>, ApiError> {
        let EventFeed {
            operation,
            after_seq,
            limit,
            ..
        } = *self;
        let query = Query::OperationEvents {
            operation,
            after_seq,
            limit,
        };
        match self.front.engine().query(&self.caller, query).await? {
            View::Events { events } => Ok(events),
            other => Err(unexpected(&other)),
        }
    }

    fn take_in(&mut self, events: &[OperationEvent]) -> Fed {
        let mut fed = Fed::default();
        for event in events {
            self.after_seq = self.after_seq.max(event.seq);
            fed.text.push_str(&frame(
                Some(event.seq),
                &event.kind.to_string(),
                &EventInfo::from(event),
            ));
            fed.last |= event.kind == EventKind::Ended;
        }
        fed
    }
}

impl Feed for EventFeed {
    /// An engine that is away for a moment is asked again at the next turn.
    async fn poll(&mut self) -> Fed {
        match self.fetch().await {
            Ok(events) => self.take_in(&events),
            Err(ApiError::Engine(EngineError::Unavailable { .. })) => Fed::default(),
            Err(_) => Fed {
                text: String::new(),
                last: true,
            },
        }
    }
}
