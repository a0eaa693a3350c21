//! Serving a tower service over connections, with the limits a bare accept loop lacks.
//!
//! Deliberately absent: routes, TLS, request timeouts and body limits (layers of the service), and
//! HTTP/2 in plain text: telling the two apart means waiting for a first byte without a limit.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::Service;

use crate::remote::BoxErr;

/// Pause after an accept that failed, milliseconds: out of file handles, it would spin otherwise.
const ACCEPT_PAUSE_MS: u64 = 50;

/// Where connections come from: TCP in production, a simulated network in tests.
pub trait Listen: Send {
    /// A connection's bytes.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection and its caller.
    fn accept(&self) -> impl Future<Output = std::io::Result<(Self::Io, SocketAddr)>> + Send;
}

impl Listen for tokio::net::TcpListener {
    type Io = tokio::net::TcpStream;

    async fn accept(&self) -> std::io::Result<(Self::Io, SocketAddr)> {
        let (stream, peer) = tokio::net::TcpListener::accept(self).await?;
        // Answers are small and whole: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        Ok((stream, peer))
    }
}

/// The limits of one listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// Connections at once; more wait in the kernel's queue.
    pub connections_max: usize,
    /// From the start of a connection, or the end of a request on it, to the end of the next head,
    /// milliseconds.
    pub header_timeout_ms: u64,
    /// How long requests in flight may take to end after the shutdown, milliseconds.
    pub drain_ms: u64,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            header_timeout_ms: 10_000,
            drain_ms: 15_000,
        }
    }
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Connections accepted in all.
    pub connections: u64,
    /// All requests in flight ended in time.
    pub drained: bool,
}

/// Serves `service` until `shutdown` ends, then drains. The caller's address is in each request's
/// extensions as a [`SocketAddr`].
///
/// A handler is dropped when its client hangs up. Wrap the service in
/// [`Detached`](crate::remote::Detached) where it must run to its end.
pub async fn serve<L, S, B>(
    listener: L,
    service: S,
    options: ServeOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> Served
where
    L: Listen,
    S: Service<http::Request<Incoming>, Response = http::Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxErr>,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxErr>,
{
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(
        options.connections_max.clamp(1, Semaphore::MAX_PERMITS),
    ));
    // Dropped at the end, and with it whatever did not drain.
    let mut tasks = JoinSet::new();
    let mut connections = 0;
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let next = async {
            let room = room.clone().acquire_owned().await.ok();
            (room, listener.accept().await)
        };
        let (room, accepted) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            next = next => next,
        };
        let (io, peer) = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                continue;
            }
        };
        connections += 1;
        let watcher = graceful.watcher();
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(options.header_timeout_ms))
            .serve_connection(
                TokioIo::new(io),
                TowerToHyperService::new(WithPeer(service.clone(), peer)),
            );
        // Reaps those that ended; never more than there is room for.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let _room = room;
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%peer, %error, "connection ended");
            }
        });
    }
    // No new ones while the old ones end.
    drop(listener);
    let drained = timeout(Duration::from_millis(options.drain_ms), graceful.shutdown()).await;
    Served {
        connections,
        drained: drained.is_ok(),
    }
}

/// Puts the caller's address into each request.
#[derive(Clone)]
struct WithPeer<S>(S, SocketAddr);

impl<S, B> Service<http::Request<B>> for WithPeer<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<B>) -> S::Future {
        request.extensions_mut().insert(self.1);
        self.0.call(request)
    }
}
