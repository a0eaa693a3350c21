//! The seam over nothing: calls a handler of the same process.
//!
//! Deliberately absent: latency and faults. A test wraps the service for those.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tower::{Service, ServiceExt};

use super::errors::BodyTooBig;
use super::{BoxErr, HttpService};

/// Longest answer of a handler in process, bytes.
pub const IN_PROCESS_BODY_MAX_BYTES: usize = 64 * 1024 * 1024;

/// Runs every call of a service in a task of its own.
///
/// A server drops its handler when the client hangs up: work begun would be forgotten half way.
/// With this around it the handler always ends; only its answer is lost.
#[derive(Debug, Clone)]
pub struct Detached<S>(pub S);

impl<S, R> Service<R> for Detached<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
    S::Response: Send + 'static,
    S::Error: Into<BoxErr> + Send + 'static,
{
    type Response = S::Response;
    type Error = BoxErr;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxErr>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxErr>> {
        self.0.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let task = tokio::spawn(self.0.call(request));
        Box::pin(async move {
            match task.await {
                Ok(outcome) => outcome.map_err(Into::into),
                Err(fell) => Err(fell.into()),
            }
        })
    }
}

/// Puts `service` behind the seam, for example `warp::service(routes)`.
///
/// The handler runs in a task of its own: a caller that gives up does not undo what was begun, as
/// over a real network. The caller's address is in the request's extensions, as when served.
pub fn in_process<S, B>(service: S) -> HttpService
where
    S: Service<http::Request<Full<Bytes>>, Response = http::Response<B>>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxErr> + Send + 'static,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxErr>,
{
    let call = move |request: http::Request<Bytes>| {
        let handler = service.clone();
        let whole = async move {
            let response = handler
                .oneshot(with_peer(request))
                .await
                .map_err(Into::into)?;
            body_collect(response).await
        };
        async move { tokio::spawn(whole).await? }
    };
    HttpService::new(tower::service_fn(call))
}

fn with_peer(request: http::Request<Bytes>) -> http::Request<Full<Bytes>> {
    let mut request = request.map(Full::new);
    let peer = SocketAddr::from(([127, 0, 0, 1], 0));
    request.extensions_mut().insert(peer);
    request
}

async fn body_collect<B>(response: http::Response<B>) -> Result<http::Response<Bytes>, BoxErr>
where
    B: http_body::Body + Send + 'static,
    B::Error: Into<BoxErr>,
{
    let (parts, body) = response.into_parts();
    let limited = Limited::new(body, IN_PROCESS_BODY_MAX_BYTES);
    let bytes = limited.collect().await.map_err(|error| {
        if !error.is::<LengthLimitError>() {
            return error;
        }
        let limit_bytes = IN_PROCESS_BODY_MAX_BYTES;
        BoxErr::from(BodyTooBig { limit_bytes })
    })?;
    Ok(http::Response::from_parts(parts, bytes.to_bytes()))
}
