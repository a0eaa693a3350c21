//! Answers and the bytes and headers they become.
//!
//! Absent: which error becomes which answer (`problem`).

use crate::limits::RETRY_AFTER_S;
use crate::problem::{Item, Problem};
use crate::version::{API_VERSION, VERSION_HEADER};
use crate::wire::system::{ErrorAnswer, ErrorInfo};
use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, LOCATION, RETRY_AFTER, VARY,
    WWW_AUTHENTICATE,
};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use warp::Reply;
use warp::reply::Response;

/// Carries the id that finds a request in the log, both ways.
pub(crate) const REQUEST_ID_HEADER: &str = "x-openstack-request-id";

enum Content {
    Nothing,
    Json(Value),
    Text(String),
    /// Server-sent events, already framed.
    Events(mpsc::Receiver<Bytes>),
}

/// A status, a body, and the headers that only this answer has.
pub(crate) struct Answer {
    pub status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    content: Content,
}

impl Answer {
    fn new(status: StatusCode, content: Content) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content,
        }
    }

    /// JSON. A value that has none would be a fault of ours and becomes `null`.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        Self::new(
            status,
            Content::Json(serde_json::to_value(value).unwrap_or_default()),
        )
    }

    /// 204: it is done, and there is nothing left to show.
    pub fn nothing() -> Self {
        Self::new(StatusCode::NO_CONTENT, Content::Nothing)
    }

    pub fn text(text: String) -> Self {
        Self::new(StatusCode::OK, Content::Text(text))
    }

    pub fn events(events: mpsc::Receiver<Bytes>) -> Self {
        Self::new(StatusCode::OK, Content::Events(events))
    }

    pub fn etag(self, tag: &str) -> Self {
        self.header(ETAG, tag.to_owned())
    }

    pub fn location(self, href: String) -> Self {
        self.header(LOCATION, href)
    }

    fn header(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// An error (design: the API), with what its status asks for in headers.
    pub fn problem(
        problem: &Problem,
        request_id: &str,
        allow: &[&str],
        keystone_uri: &str,
    ) -> Self {
        let all = || problem.items.iter().map(|item| shown(item, request_id));
        let body = ErrorAnswer {
            error: all().next(),
            errors: (problem.items.len() > 1).then(|| all().collect()),
            envelope: problem.envelope.clone(),
        };
        let answer = Self::json(problem.status, &body);
        match problem.status {
            StatusCode::UNAUTHORIZED => {
                answer.header(WWW_AUTHENTICATE, format!("Keystone uri=\"{keystone_uri}\""))
            }
            StatusCode::METHOD_NOT_ALLOWED => answer.header(ALLOW, allow.join(", ")),
            StatusCode::SERVICE_UNAVAILABLE => {
                answer.header(RETRY_AFTER, RETRY_AFTER_S.to_string())
            }
            _ => answer,
        }
    }

    /// The answer with the headers that all have. `head`: without its body.
    pub fn into_response(self, request_id: &str, head: bool) -> Response {
        let (media, mut response) = match self.content {
            Content::Nothing => ("", Response::new(Bytes::new().into())),
            Content::Json(value) => ("application/json", Response::new(value.to_string().into())),
            Content::Text(text) => ("text/plain; charset=utf-8", Response::new(text.into())),
            Content::Events(events) => (
                "text/event-stream",
                warp::reply::stream(pieces(events)).into_response(),
            ),
        };
        if head {
            response = Response::new(Bytes::new().into());
        }
        *response.status_mut() = self.status;
        let media = (!media.is_empty()).then(|| (CONTENT_TYPE, media.to_owned()));
        let common = [
            (
                HeaderName::from_static(REQUEST_ID_HEADER),
                request_id.to_owned(),
            ),
            (
                HeaderName::from_static(VERSION_HEADER),
                API_VERSION.to_owned(),
            ),
            (VARY, "OpenStack-API-Version, X-Auth-Token".to_owned()),
            (CACHE_CONTROL, "no-store".to_owned()),
        ];
        for (name, value) in media.into_iter().chain(common).chain(self.headers) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

fn shown(item: &Item, request_id: &str) -> ErrorInfo {
    ErrorInfo {
        code: item.code.clone(),
        title: item.status.canonical_reason().unwrap_or("Error").to_owned(),
        message: item.message.clone(),
        reason: item.reason.clone(),
        remedy: item.remedy.clone(),
        request_id: request_id.to_owned(),
    }
}

fn pieces(
    events: mpsc::Receiver<Bytes>,
) -> impl futures::Stream<Item = Result<Bytes, std::convert::Infallible>> {
    futures::stream::unfold(events, |mut events| async move {
        events.recv().await.map(|piece| (Ok(piece), events))
    })
}
