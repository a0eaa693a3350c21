//! The accept loop over pretend connections in virtual time.
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use protector_runtime::serve::{Listen, ServeOptions, Served, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

type Connection = std::io::Result<(DuplexStream, SocketAddr)>;

/// Hands out what it is given.
struct Given(Mutex<mpsc::UnboundedReceiver<Connection>>);

impl Listen for Given {
    type Io = DuplexStream;

    async fn accept(&self) -> Connection {
        match self.0.lock().await.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }
}

struct Server {
    give: mpsc::UnboundedSender<Connection>,
    stop: oneshot::Sender<()>,
    end: JoinHandle<Served>,
}

/// Answers with the caller's address; a path `/250` answers after so many milliseconds.
async fn answer(
    request: http::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let pause_ms = request
        .uri()
        .path()
        .trim_start_matches('/')
        .parse()
        .unwrap_or(0);
    sleep(Duration::from_millis(pause_ms)).await;
    let peer = request
        .extensions()
        .get::<SocketAddr>()
        .unwrap()
        .to_string();
    Ok(http::Response::new(Full::new(Bytes::from(peer))))
}

fn server(options: ServeOptions) -> Server {
    let (give, given) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel();
    let shutdown = async {
        let _ = stopped.await;
    };
    let listener = Given(Mutex::new(given));
    let end = tokio::spawn(serve(
        listener,
        tower::service_fn(answer),
        options,
        shutdown,
    ));
    Server { give, stop, end }
}

impl Server {
    fn connect(&self, port: u16) -> DuplexStream {
        let (near, far) = tokio::io::duplex(4_096);
        let peer = SocketAddr::from(([10, 0, 0, 1], port));
        self.give.send(Ok((far, peer))).unwrap();
        near
    }
}

async fn ask(io: &mut DuplexStream, path: &str) {
    let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    io.write_all(head.as_bytes()).await.unwrap();
}

/// One answer, or what there was of it when the connection closed.
async fn hear(io: &mut DuplexStream) -> String {
    let mut text = vec![0; 4_096];
    let len = io.read(&mut text).await.unwrap_or(0);
    String::from_utf8_lossy(&text[..len]).into_owned()
}

fn options() -> ServeOptions {
    ServeOptions {
        connections_max: 2,
        header_timeout_ms: 1_000,
        drain_ms: 500,
    }
}

async fn ms(time: u64) {
    sleep(Duration::from_millis(time)).await;
}

#[tokio::test(start_paused = true)]
async fn requests_on_one_connection_know_their_caller() {
    let server = server(options());
    let mut io = server.connect(7);
    for _ in 0..2 {
        ask(&mut io, "/").await;
        let heard = hear(&mut io).await;
        assert!(
            heard.starts_with("HTTP/1.1 200") && heard.ends_with("10.0.0.1:7"),
            "{heard}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn shutdown_lets_a_request_in_flight_end_and_takes_no_new_one() {
    let server = server(options());
    let (mut busy, mut idle) = (server.connect(1), server.connect(2));
    ask(&mut idle, "/").await;
    hear(&mut idle).await;
    ask(&mut busy, "/300").await;
    ms(100).await;
    server.stop.send(()).unwrap();
    assert_eq!(hear(&mut idle).await, "", "an idle connection is closed");
    assert!(
        server.give.is_closed(),
        "it does not listen while it drains"
    );
    assert!(hear(&mut busy).await.starts_with("HTTP/1.1 200"));
    let served = server.end.await.unwrap();
    assert_eq!(
        served,
        Served {
            connections: 2,
            drained: true
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_outlasts_the_drain_is_cut_off() {
    let server = server(options());
    let mut io = server.connect(1);
    ask(&mut io, "/60000").await;
    ms(100).await;
    let began = Instant::now();
    server.stop.send(()).unwrap();
    assert!(!server.end.await.unwrap().drained);
    assert_eq!(began.elapsed(), Duration::from_millis(500));
    assert_eq!(hear(&mut io).await, "");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_ends_its_head_loses_its_place() {
    let server = server(options());
    let (mut silent, mut slow) = (server.connect(1), server.connect(2));
    slow.write_all(b"GET / HTTP/1.1\r\nhos").await.unwrap();
    let mut third = server.connect(3);
    ask(&mut third, "/").await;
    let began = Instant::now();
    // There is room for two: the third is served when the others have been thrown out.
    assert!(hear(&mut third).await.ends_with("10.0.0.1:3"));
    assert_eq!(began.elapsed(), Duration::from_millis(1_000));
    for io in [&mut silent, &mut slow] {
        assert!(!hear(io).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_does_not_keep_its_place_for_ever() {
    let server = server(ServeOptions {
        connections_max: 1,
        ..options()
    });
    let mut idle = server.connect(1);
    ask(&mut idle, "/").await;
    hear(&mut idle).await;
    let mut next = server.connect(2);
    ask(&mut next, "/").await;
    assert!(hear(&mut next).await.ends_with("10.0.0.1:2"));
}

#[tokio::test(start_paused = true)]
async fn a_failed_accept_is_survived_without_spinning() {
    let server = server(options());
    let began = Instant::now();
    for _ in 0..3 {
        server
            .give
            .send(Err(std::io::Error::other("no file handles")))
            .unwrap();
    }
    let mut io = server.connect(1);
    ask(&mut io, "/").await;
    assert!(hear(&mut io).await.starts_with("HTTP/1.1 200"));
    assert_eq!(began.elapsed(), Duration::from_millis(150));
}
