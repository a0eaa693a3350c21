//! Calling a handler of the same process.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use http_body_util::{BodyExt, Full};
use tower::ServiceExt;

use super::*;

#[tokio::test(start_paused = true)]
async fn request_and_answer_pass_whole_and_the_caller_has_an_address() {
    let handler = |request: http::Request<Full<Bytes>>| async move {
        let peer = request
            .extensions()
            .get::<SocketAddr>()
            .map(ToString::to_string);
        let (parts, body) = request.into_parts();
        let said = body.collect().await?.to_bytes();
        let text = format!("{} {} {said:?} {peer:?}", parts.method, parts.uri.path());
        Ok::<_, BoxErr>(
            http::Response::builder()
                .status(202)
                .body(Full::new(Bytes::from(text)))?,
        )
    };
    let seam = in_process(tower::service_fn(handler));
    let request = http::Request::put("http://any/x?y").body(Bytes::from("hello"));
    let answer = seam.oneshot(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.body(), "PUT /x b\"hello\" Some(\"127.0.0.1:0\")");
}

#[tokio::test(start_paused = true)]
async fn a_handler_ends_although_its_caller_gave_up() {
    let done = Arc::new(AtomicBool::new(false));
    let flag = done.clone();
    let handler = move |_request: http::Request<Full<Bytes>>| {
        let flag = flag.clone();
        async move {
            ms(100).await;
            flag.store(true, Ordering::Relaxed);
            Ok::<_, BoxErr>(http::Response::new(Full::new(Bytes::new())))
        }
    };
    let options = RemoteOptions {
        timeout_ms: 50,
        ..RemoteOptions::default()
    };
    let seam = in_process(tower::service_fn(handler));
    let remote = Remote::new("here", seam, options, Ctx::seeded("a", 1, 0));
    assert!(matches!(
        get(&remote, "/").await,
        Err(CallError::Unknown(_))
    ));
    assert!(!done.load(Ordering::Relaxed));
    ms(100).await;
    assert!(done.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn a_detached_service_ends_although_its_caller_gave_up() {
    let done = Arc::new(AtomicBool::new(false));
    let flag = done.clone();
    let mut service = Detached(tower::service_fn(move |answer: u8| {
        let flag = flag.clone();
        async move {
            ms(100).await;
            flag.store(true, Ordering::Relaxed);
            Ok::<_, BoxErr>(answer)
        }
    }));
    assert_eq!(service.ready().await.unwrap().oneshot(7).await.unwrap(), 7);
    done.store(false, Ordering::Relaxed);
    drop(tower::Service::call(&mut service, 8));
    ms(101).await;
    assert!(done.load(Ordering::Relaxed));
}
