//! What one call may end with, who is told, and what is written down.

use super::*;

#[tokio::test(start_paused = true)]
async fn every_ending_says_what_may_be_concluded() {
    let options = RemoteOptions {
        timeout_ms: 500,
        body_max_bytes: 10,
        ..RemoteOptions::default()
    };
    let script = [
        Act::Refuse,
        Act::Break,
        Act::Slow(501, 200),
        Act::Body(11),
        Act::Body(10),
    ];
    let rig = rig(options, &script);
    let refused = rig.get("/").await.unwrap_err();
    assert_eq!(refused, CallError::NotSent("connection refused".into()));
    assert!(refused.is_certain_no_effect());
    let broken = rig.get("/").await.unwrap_err();
    assert_eq!(broken, CallError::Unknown("reset in the middle".into()));
    assert!(!broken.is_certain_no_effect());
    assert_eq!(rig.now_ms(), 0);
    assert!(matches!(rig.get("/").await, Err(CallError::Unknown(_))));
    assert_eq!(rig.now_ms(), 500, "it does not wait beyond its limit");
    assert_eq!(rig.get("/").await, Err(CallError::BodyTooBig));
    assert_eq!(rig.get("/").await, Ok(200), "exactly the limit passes");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_changes_nothing() {
    let rig = rig(
        RemoteOptions {
            concurrency_max: 1,
            ..RemoteOptions::default()
        },
        &[Act::Slow(100, 201)],
    );
    let remote = rig.remote.clone();
    let caller = tokio::spawn(async move { get(&remote, "/begun").await });
    ms(10).await;
    caller.abort();
    ms(1).await;
    assert_eq!(
        rig.remote.view().in_flight,
        1,
        "its room stays taken: it still flies"
    );
    ms(200).await;
    assert_eq!(*rig.far.ended.lock().unwrap(), 1);
    assert_eq!(rig.remote.view().in_flight, 0);
    assert_eq!(
        rig.remote.call_log()[0].status_or_error,
        StatusOrError::Status(201)
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_in_line_has_sent_nothing() {
    let rig = rig(rate(1, 1), &[]);
    rig.get("/").await.unwrap();
    let remote = rig.remote.clone();
    let caller = tokio::spawn(async move { get(&remote, "/never").await });
    ms(10).await;
    caller.abort();
    ms(5_000).await;
    assert_eq!(rig.get("/next").await, Ok(200));
    assert_eq!(rig.remote.calls(), 2);
    assert_eq!(rig.seen()[1].0, "/next");
}

#[tokio::test(start_paused = true)]
async fn the_log_names_calls_and_keeps_secrets_out() {
    let rig = rig(RemoteOptions::default(), &[Act::Slow(20, 204), Act::Refuse]);
    let request = http::Request::post("http://far/things/17?password=secret1")
        .header("x-auth-token", "secret2")
        .extension(PathTemplate("/things/{id}"))
        .body(Bytes::from("secret3"));
    rig.remote.call(request.unwrap()).await.unwrap();
    let _ = rig.get("/plain?token=secret4").await;
    let log = rig.remote.call_log();
    let first = CallRecord {
        at_us: 1_700_000_000_000_000,
        method: "POST".into(),
        path: "/things/{id}".into(),
        status_or_error: StatusOrError::Status(204),
        elapsed_us: 20_000,
    };
    assert_eq!(log[0], first);
    assert_eq!(log[1].path, "/plain");
    let error = StatusOrError::Error("not sent: connection refused".into());
    assert_eq!(log[1].status_or_error, error);
    let text = format!("{}{:?}", serde_json::to_string(&log).unwrap(), rig.remote);
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_log_forgets_and_the_counter_does_not() {
    let rig = rig(RemoteOptions::default(), &[]);
    for n in 0..CALL_LOG_MAX + 3 {
        rig.get(&format!("/{n}")).await.unwrap();
    }
    let log = rig.remote.call_log();
    assert_eq!(log.len(), CALL_LOG_MAX);
    assert_eq!(log[0].path, "/3");
    assert_eq!(rig.remote.calls(), CALL_LOG_MAX as u64 + 3);
}
