//! The seam over real sockets on loopback, in real time: what only sockets show.
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use protector_runtime::Ctx;
use protector_runtime::remote::{
    CallError, HttpService, Remote, RemoteOptions, ReqwestOptions, reqwest_service,
};
use protector_runtime::serve::{ServeOptions, serve};
use tokio::net::TcpListener;

struct Server {
    url: String,
    hits: Arc<AtomicUsize>,
}

async fn answer(request: http::Request<Incoming>) -> http::Response<Full<Bytes>> {
    let reply = http::Response::builder();
    let path = request.uri().path().to_owned();
    let whole = |len: usize| Full::new(Bytes::from(vec![b'x'; len]));
    let reply = match path.as_str() {
        "/away" => reply.status(302).header("location", "/big").body(whole(0)),
        "/big" => reply.body(whole(2_000)),
        "/never" => std::future::pending().await,
        _ => {
            let agent = request.headers().get("x-mark").cloned();
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let reply = reply.status(201).header("x-mark", agent.unwrap());
            reply.body(Full::new(body))
        }
    };
    reply.unwrap()
}

async fn server() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let hits = Arc::new(AtomicUsize::new(0));
    let count = hits.clone();
    let service = tower::service_fn(move |request| {
        count.fetch_add(1, Ordering::Relaxed);
        async move { Ok::<_, Infallible>(answer(request).await) }
    });
    tokio::spawn(serve(
        listener,
        service,
        ServeOptions::default(),
        std::future::pending(),
    ));
    Server { url, hits }
}

fn seam() -> HttpService {
    let options = ReqwestOptions {
        timeout_ms: 300,
        body_max_bytes: 1_000,
        ..ReqwestOptions::default()
    };
    reqwest_service(options).unwrap()
}

async fn call(url: String) -> Result<http::Response<Bytes>, CallError> {
    let remote = Remote::new(
        "there",
        seam(),
        RemoteOptions::default(),
        Ctx::production("a"),
    );
    let request = http::Request::post(url)
        .header("x-mark", "m")
        .body(Bytes::from("hello"));
    remote.call(request.unwrap()).await
}

#[tokio::test]
async fn a_request_and_its_answer_pass_whole() {
    let server = server().await;
    let answer = call(format!("{}/echo?q=1", server.url)).await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["x-mark"], "m");
    assert_eq!(answer.body(), "hello");
}

#[tokio::test]
async fn redirects_are_answers() {
    let server = server().await;
    let answer = call(format!("{}/away", server.url)).await.unwrap();
    assert_eq!(answer.status(), 302);
    assert_eq!(server.hits.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_long_answer_is_not_read_to_its_end() {
    let server = server().await;
    let end = call(format!("{}/big", server.url)).await;
    assert_eq!(end.unwrap_err(), CallError::BodyTooBig);
}

#[tokio::test]
async fn nobody_there_is_certain_and_silence_is_not() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}/x?secret=1", free.local_addr().unwrap());
    drop(free);
    let refused = call(nobody).await.unwrap_err();
    assert!(
        matches!(&refused, CallError::NotSent(why) if why.contains("refused")),
        "{refused}"
    );
    assert!(!refused.to_string().contains("secret"), "{refused}");

    let server = server().await;
    let silent = call(format!("{}/never?secret=1", server.url))
        .await
        .unwrap_err();
    assert!(matches!(silent, CallError::Unknown(_)), "{silent}");
    assert!(!silent.to_string().contains("secret"), "{silent}");
    assert_eq!(server.hits.load(Ordering::Relaxed), 1, "it was sent once");
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_is_unknown_and_not_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let accepts = Arc::new(AtomicUsize::new(0));
    let count = accepts.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            // Takes the request and hangs up.
            let mut some = [0; 64];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut some).await;
        }
    });
    assert!(matches!(call(url).await, Err(CallError::Unknown(_))));
    assert_eq!(accepts.load(Ordering::Relaxed), 1);
}

#[test]
fn roots_that_are_none_are_refused() {
    let bad = ReqwestOptions {
        extra_root_pem: Some(
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec(),
        ),
        ..ReqwestOptions::default()
    };
    assert!(reqwest_service(bad).is_err());
    let nothing = ReqwestOptions {
        only_extra_root: true,
        ..ReqwestOptions::default()
    };
    assert!(reqwest_service(nothing).is_err());
}
