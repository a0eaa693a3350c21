//! The circuit seen from outside.

use super::*;

fn options() -> RemoteOptions {
    RemoteOptions {
        circuit_failures_max: 3,
        circuit_open_ms: 1_000,
        timeout_ms: 500,
        ..RemoteOptions::default()
    }
}

async fn run(rig: &Rig, count: usize) {
    for _ in 0..count {
        let _ = rig.get("/").await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_sort_of_failure_opens_it_and_one_probe_closes_it() {
    for act in [Act::Refuse, Act::Break, Act::Status(500), Act::Panic] {
        let rig = rig(options(), &vec![act.clone(); 3]);
        run(&rig, 3).await;
        ms(400).await;
        let open = Err(CallError::CircuitOpen {
            retry_after_ms: 600,
        });
        assert_eq!(rig.get("/").await, open, "{act:?}");
        ms(600).await;
        assert_eq!(rig.get("/").await, Ok(200), "{act:?}");
        assert_eq!(
            rig.many(5).await.iter().filter(|end| end.is_ok()).count(),
            5
        );
        assert_eq!(rig.remote.calls(), 9);
    }
}

#[tokio::test(start_paused = true)]
async fn a_good_answer_in_between_keeps_it_closed_and_refusals_are_good_answers() {
    let fails = [Act::Break, Act::Break];
    let script = [
        &fails[..],
        &[Act::Status(404)],
        &fails,
        &[Act::Status(429)],
        &fails,
    ]
    .concat();
    let rig = rig(options(), &script);
    run(&rig, 8).await;
    assert_eq!(rig.remote.view().circuit, "closed");
}

#[tokio::test(start_paused = true)]
async fn where_told_so_an_error_of_the_server_is_just_an_answer() {
    let options = RemoteOptions {
        circuit_counts_5xx: false,
        ..options()
    };
    let rig = rig(options, &vec![Act::Status(503); 9]);
    run(&rig, 9).await;
    assert_eq!(rig.remote.view().circuit, "closed");
}

#[tokio::test(start_paused = true)]
async fn only_one_probes_and_its_failure_opens_it_again() {
    let script = [&vec![Act::Break; 3][..], &[Act::Slow(600, 200)]].concat();
    let rig = rig(options(), &script);
    run(&rig, 3).await;
    ms(1_000).await;
    let ends = rig.many(4).await;
    assert!(
        matches!(ends[0], Err(CallError::Unknown(_))),
        "the probe ran into its timeout"
    );
    let refused = |end: &Result<u16, CallError>| matches!(end, Err(CallError::CircuitOpen { .. }));
    assert!(ends[1..].iter().all(refused), "{ends:?}");
    assert_eq!(rig.remote.calls(), 4);
    assert!(refused(&rig.get("/").await));
    ms(1_000).await;
    assert_eq!(rig.get("/").await, Ok(200));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_panics_or_loses_its_caller_still_reports() {
    let script = [&vec![Act::Break; 3][..], &[Act::Panic, Act::Slow(100, 200)]].concat();
    let rig = rig(options(), &script);
    run(&rig, 3).await;
    ms(1_000).await;
    assert!(matches!(rig.get("/").await, Err(CallError::Unknown(_))));
    assert_eq!(rig.remote.view().circuit, "open");
    ms(1_000).await;
    let remote = rig.remote.clone();
    let caller = tokio::spawn(async move { get(&remote, "/").await });
    ms(10).await;
    caller.abort();
    ms(100).await;
    assert_eq!(rig.remote.view().circuit, "closed");
}
