//! Room, pace, and pauses the far side asks for.

use super::*;

#[tokio::test(start_paused = true)]
async fn pace_is_exact_and_first_come_first_served() {
    let rig = rig(rate(10, 5), &[]);
    assert!(rig.many(25).await.iter().all(|status| *status == Ok(200)));
    assert_eq!(rig.now_ms(), 2_000);
    let expected: Vec<(String, u64)> = (0..25_u64)
        .map(|n| (format!("/{n}"), n.saturating_sub(4) * 100))
        .collect();
    assert_eq!(rig.seen(), expected);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_so_many_fly_at_once() {
    let options = RemoteOptions {
        concurrency_max: 3,
        ..RemoteOptions::default()
    };
    let rig = rig(options, &vec![Act::Slow(100, 200); 10]);
    rig.many(10).await;
    assert_eq!(rig.far.now.lock().unwrap().1, 3);
    assert_eq!(rig.now_ms(), 400);
    assert_eq!(rig.remote.view().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_too_long_in_line_was_not_sent() {
    let options = RemoteOptions {
        concurrency_max: 1,
        queue_timeout_ms: 50,
        ..RemoteOptions::default()
    };
    let rig = rig(options, &[Act::Slow(200, 200)]);
    let ends = rig.many(2).await;
    assert_eq!(ends[0], Ok(200));
    assert!(matches!(ends[1], Err(CallError::NotSent(_))), "{ends:?}");
    assert_eq!((rig.remote.calls(), rig.seen().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_told_pause_slows_everybody_and_is_not_retried_here() {
    for act in [
        Act::Header(429, "retry-after", "3"),
        Act::Header(503, "retry-after", "Tue, 14 Nov 2023 22:13:23 GMT"),
        Act::Header(429, "ratelimit-reset", "3"),
    ] {
        let rig = rig(RemoteOptions::default(), std::slice::from_ref(&act));
        assert!(
            rig.get("/first").await.unwrap() >= 429,
            "the answer is handed on"
        );
        assert_eq!(rig.many(2).await, [Ok(200), Ok(200)]);
        assert_eq!(rig.seen_ms(), [0, 3_000, 3_000], "{act:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_that_asks_for_no_pause_causes_none() {
    let rig = rig(
        RemoteOptions::default(),
        &[Act::Header(200, "retry-after", "3"), Act::Status(429)],
    );
    rig.many(3).await;
    assert_eq!(rig.seen_ms(), [0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_also_holds_those_already_in_line() {
    let script = [Act::Header(429, "retry-after", "2")];
    let rig = rig(
        RemoteOptions {
            concurrency_max: 1,
            ..rate(10, 1)
        },
        &script,
    );
    rig.many(3).await;
    assert_eq!(rig.seen_ms(), [0, 2_000, 2_100]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_outlasts_the_caller_is_refused_at_once() {
    let options = RemoteOptions {
        queue_timeout_ms: 5_000,
        ..RemoteOptions::default()
    };
    let rig = rig(options, &[Act::Header(503, "retry-after", "60")]);
    rig.get("/").await.unwrap();
    let refused = rig.get("/").await;
    assert_eq!(
        refused,
        Err(CallError::CircuitOpen {
            retry_after_ms: 60_000
        })
    );
    assert_eq!(rig.now_ms(), 0);
    assert_eq!(rig.remote.view().pause_ms, 60_000);
    ms(56_000).await;
    assert_eq!(rig.get("/").await, Ok(200));
    assert_eq!(rig.seen_ms(), [0, 60_000]);
}

#[tokio::test(start_paused = true)]
async fn nobody_overtakes_the_one_who_waits() {
    let rig = rig(rate(10, 1), &[]);
    let later = |path: &'static str| {
        let remote = rig.remote.clone();
        tokio::spawn(async move {
            ms(100).await;
            get(&remote, path).await
        })
    };
    // Two arrive in the very millisecond in which the waiting one may go; their timers were set
    // before and after its own.
    let before = later("/before");
    ms(0).await;
    rig.get("/first").await.unwrap();
    let remote = rig.remote.clone();
    let waiting = tokio::spawn(async move { get(&remote, "/waiting").await });
    ms(0).await;
    let after = later("/after");
    for call in [before, waiting, after] {
        call.await.unwrap().unwrap();
    }
    assert_eq!(rig.seen()[1].0, "/waiting");
}
