//! The same filter on real sockets, and behind the seam that the pretend world uses.

use crate::world::*;
use bytes::Bytes;
use protector_runtime::remote::in_process;
use protector_runtime::serve::{ServeOptions, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tower::ServiceExt;

/// Sends one connection's bytes and reads until the server closes.
async fn talk(address: std::net::SocketAddr, sent: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn over_tcp() {
    let world = World::new();
    world.will(ticket_reply(1, 3));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let service = warp::service(world.service.clone());
    let served = tokio::spawn(serve(listener, service, ServeOptions::default(), async {
        let _ = stopped.await;
    }));

    let close = "Host: x\r\nConnection: close\r\n";
    let got = talk(address, &format!("GET / HTTP/1.1\r\n{close}\r\n")).await;
    assert!(
        got.starts_with("HTTP/1.1 300 ") && got.contains("\"v1.0\""),
        "{got}"
    );
    let got = talk(address, &format!("HEAD /v1/health HTTP/1.1\r\n{close}\r\n")).await;
    assert!(
        got.starts_with("HTTP/1.1 200 ") && got.ends_with("\r\n\r\n"),
        "{got}"
    );
    let got = talk(address, &format!("OPTIONS * HTTP/1.1\r\n{close}\r\n")).await;
    assert!(got.starts_with("HTTP/1.1 401 "), "{got}");
    let (part, rest) = (r#"{"member": "#, r#"{"instance_id": "vm-1"}}"#);
    let chunked = format!(
        "{:x}\r\n{part}\r\n{:x}\r\n{rest}\r\n0\r\n\r\n",
        part.len(),
        rest.len()
    );
    let head = format!(
        "POST {} HTTP/1.1\r\n{close}X-Auth-Token: member\r\n",
        group_path("/members")
    );
    let got = talk(
        address,
        &format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunked}"),
    )
    .await;
    assert!(got.starts_with("HTTP/1.1 202 "), "{got}");
    assert_eq!(world.commands().len(), 1);

    let _ = stop.send(());
    let ended = served.await.unwrap();
    assert!(ended.drained && ended.connections == 4, "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn in_process_gives_the_same_answers() {
    let world = World::new();
    let seam = in_process(warp::service(world.service.clone()));
    let request = http::Request::get(group_path("")).header("X-Auth-Token", "reader");
    let answer = seam
        .oneshot(request.body(Bytes::new()).unwrap())
        .await
        .unwrap();
    let direct = world.get("reader", &group_path("")).await;
    assert_eq!(
        (answer.status(), &answer.body()[..]),
        (direct.status, direct.text.as_bytes())
    );
}
