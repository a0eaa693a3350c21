//! The cloud over HTTP: bytes in, `Cloud::handle`, bytes out.
//!
//! Deliberately absent: routing (one arm takes everything), waiting, and the call's own latency,
//! which belongs to the network in front.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes};
use futures::{Stream, StreamExt, pin_mut};
use http::{HeaderMap, Method};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::filters::path::FullPath;
use warp::reply::Response;

use super::Cloud;
use super::wire::{Req, Resp, parse_query};

/// Longest request body taken, in bytes; a longer one is answered with 413.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Tells the cloud's time in Unix milliseconds.
pub type NowMs = Arc<dyn Fn() -> i64 + Send + Sync>;

/// One filter that serves the whole cloud.
pub fn routes(cloud: Arc<Mutex<Cloud>>, now_ms: NowMs) -> BoxedFilter<(Response,)> {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |method, path, query: String, headers, body| {
            let (cloud, now_ms) = (Arc::clone(&cloud), Arc::clone(&now_ms));
            async move {
                let Some(body) = collect(body).await else {
                    return carry(&method, Resp::empty(413));
                };
                let req = request(&method, &path, &query, &headers, body);
                let mut cloud = cloud.lock().unwrap_or_else(PoisonError::into_inner);
                carry(&method, cloud.handle(&req, now_ms()))
            }
        })
        .boxed()
}

/// The whole body, or `None` when it is too long or breaks off.
async fn collect(body: impl Stream<Item = Result<impl Buf, warp::Error>> + Send) -> Option<Bytes> {
    pin_mut!(body);
    let mut whole = Vec::new();
    while let Some(chunk) = body.next().await {
        let mut chunk = chunk.ok()?;
        if whole.len() + chunk.remaining() > BODY_BYTES_MAX {
            return None;
        }
        whole.extend_from_slice(&chunk.copy_to_bytes(chunk.remaining()));
    }
    Some(Bytes::from(whole))
}

fn request(method: &Method, path: &FullPath, query: &str, headers: &HeaderMap, body: Bytes) -> Req {
    let headers: BTreeMap<String, String> = headers
        .iter()
        .filter_map(|(name, value)| {
            let text = value.to_str().ok()?;
            Some((name.as_str().to_owned(), text.to_owned()))
        })
        .collect();
    Req {
        method: method.as_str().to_owned(),
        path: path.as_str().to_owned(),
        query: parse_query(query),
        headers,
        body,
    }
}

fn carry(method: &Method, resp: Resp) -> Response {
    let mut builder = http::Response::builder().status(resp.status);
    for (name, value) in &resp.headers {
        builder = builder.header(name, value);
    }
    let silent = resp.body.is_null() || method == Method::HEAD;
    let body = if silent {
        String::new()
    } else {
        builder = builder.header("Content-Type", "application/json");
        resp.body.to_string()
    };
    builder.body(body.into()).unwrap_or_default()
}
