//! Event streams: nothing missed, nothing twice, and an end.

use crate::world::*;
use http::StatusCode;
use http_body_util::BodyExt;
use protector_domain::operation::EventKind;
use protector_domain::ports::engine::EngineError;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use warp::reply::Response;

const SSE: (&str, &str) = ("Accept", "text/event-stream");

fn events_path() -> String {
    format!("/v1/{MINE}/operations/{}/events", operation(0x51, MINE).id)
}

fn tell(world: &World, seq: u64, kind: EventKind) {
    let event = event(&operation(0x51, MINE), seq, kind);
    world.engine.events.lock().unwrap().push(event);
}

/// The next piece, or `end`.
async fn next(response: &mut Response) -> String {
    match response.body_mut().frame().await {
        Some(frame) => String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap(),
        None => "end".to_owned(),
    }
}

fn ids(piece: &str) -> Vec<&str> {
    piece
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .collect()
}

async fn listen(world: &World, headers: &[(&str, &str)]) -> Response {
    let headers: Vec<_> = headers.iter().copied().chain([SSE]).collect();
    world
        .open(request("reader", "GET", &events_path(), &headers, ""))
        .await
}

#[tokio::test(start_paused = true)]
async fn a_page_of_events_as_json() {
    let world = World::new();
    (1..=5).for_each(|seq| tell(&world, seq, EventKind::StepDone));
    let seqs = |got: &Got| -> Vec<u64> {
        let json = got.json();
        json["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["seq"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(
        seqs(&world.get("reader", &events_path()).await),
        [1, 2, 3, 4, 5]
    );
    let part = world
        .get("reader", &format!("{}?after=2&limit=2", events_path()))
        .await;
    assert_eq!(seqs(&part), [3, 4]);
    assert_eq!(part.json()["events"][0]["kind"], "step_done");
    assert_eq!(part.json()["events"][0]["text"], "event 3");
}

#[tokio::test(start_paused = true)]
async fn a_stream_follows_the_operation_to_its_end() {
    let world = World::new();
    tell(&world, 1, EventKind::Accepted);
    tell(&world, 2, EventKind::StepDone);
    let mut stream = listen(&world, &[]).await;
    assert_eq!(stream.status(), StatusCode::OK);
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let first = next(&mut stream).await;
    assert_eq!(ids(&first), ["1", "2"]);
    assert!(
        first.starts_with("id: 1\nevent: accepted\ndata: {"),
        "{first}"
    );
    tell(&world, 3, EventKind::StepStarted);
    assert_eq!(ids(&next(&mut stream).await), ["3"]);
    tell(&world, 4, EventKind::Ended);
    assert_eq!(ids(&next(&mut stream).await), ["4"]);
    assert_eq!(next(&mut stream).await, "end");
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_comes_back_goes_on_where_it_stopped() {
    let world = World::new();
    (1..=3).for_each(|seq| tell(&world, seq, EventKind::StepDone));
    let mut stream = listen(&world, &[("Last-Event-ID", "2")]).await;
    assert_eq!(ids(&next(&mut stream).await), ["3"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_a_404_and_no_stream() {
    let world = World::new();
    let path = format!("/v1/{MINE}/operations/{}/events", operation(0x52, OTHER).id);
    let got = world
        .send(request("reader", "GET", &path, &[SSE], ""))
        .await;
    assert_eq!(got.line(), "404 not_found");
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_shows_life_and_ends_in_time() {
    let world = World::new();
    let begun = Instant::now();
    let mut stream = listen(&world, &[]).await;
    let mut beats = 0;
    loop {
        let piece = timeout(Duration::from_secs(20), next(&mut stream))
            .await
            .expect("silent for too long");
        if piece == "end" {
            break;
        }
        assert!(piece.starts_with(':'), "a comment, not {piece}");
        beats += 1;
    }
    assert_eq!(begun.elapsed().as_secs(), 600);
    assert!(beats >= 30, "{beats} signs of life");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_away_for_a_moment_ends_nothing() {
    let world = World::new();
    let mut stream = listen(&world, &[]).await;
    *world.engine.query_fails.lock().unwrap() = Some(EngineError::Unavailable {
        why: "restart".into(),
    });
    tokio::time::sleep(Duration::from_secs(5)).await;
    *world.engine.query_fails.lock().unwrap() = None;
    tell(&world, 1, EventKind::Ended);
    assert_eq!(ids(&next(&mut stream).await), ["1"]);
    assert_eq!(next(&mut stream).await, "end");
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_ends_its_stream_within_thirty_seconds() {
    let world = World::new();
    let begun = Instant::now();
    let mut stream = listen(&world, &[]).await;
    world.keystone.revoke("reader");
    while next(&mut stream).await != "end" {}
    let lived = begun.elapsed().as_secs();
    assert!((29..=32).contains(&lived), "lived for {lived} s");
    assert!(
        world.keystone.asked.load(Ordering::Relaxed) <= 2,
        "a stream is no load on Keystone"
    );
}

#[tokio::test(start_paused = true)]
async fn streams_are_counted_and_given_back() {
    let world = World::new();
    let mut open = Vec::new();
    for _ in 0..protector_http::limits::STREAMS_MAX {
        open.push(listen(&world, &[]).await);
    }
    assert_eq!(
        listen(&world, &[]).await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(
        world.get("reader", &events_path()).await.status,
        StatusCode::OK,
        "pages are not streams"
    );
    open.clear();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(
        listen(&world, &[]).await.status(),
        StatusCode::OK,
        "readers who left make room"
    );
}

/// A reader who does not read holds a few pieces and one task, for a bounded time.
#[tokio::test(start_paused = true)]
async fn a_reader_who_does_not_read_is_dropped() {
    let world = World::new();
    world
        .keystone
        .tokens
        .lock()
        .unwrap()
        .get_mut("admin")
        .unwrap()
        .expires_at_s = START_S + 100_000;
    let stream = world
        .open(request("admin", "GET", "/v1/admin/actors/stream", &[], ""))
        .await;
    tokio::time::sleep(Duration::from_secs(700)).await;
    let mut stream = stream;
    let mut pieces = 0;
    while next(&mut stream).await != "end" {
        pieces += 1;
    }
    assert!((1..=5).contains(&pieces), "{pieces} pieces were kept");
}

#[tokio::test(start_paused = true)]
async fn the_live_tree_comes_each_second() {
    let world = World::new();
    let mut stream = world
        .open(request(
            "admin",
            "GET",
            "/v1/admin/actors/stream?kind=group",
            &[],
            "",
        ))
        .await;
    assert_eq!(
        next(&mut stream).await,
        "event: actors\ndata: {\"actors\":[]}\n\n"
    );
    let stats = std::sync::Arc::new(protector_runtime::introspect::Stats::new("group", 4));
    let _entry = world.api.ctx.tree.enter("root/groups/web", stats);
    let begun = Instant::now();
    let piece = next(&mut stream).await;
    assert!(piece.contains(r#""path":"root/groups/web""#), "{piece}");
    assert_eq!(begun.elapsed().as_millis(), 1_000);
}
