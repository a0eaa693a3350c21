//! Steps side by side: they share the statements of a commit, and none has to answer for another.

use crate::common::facts::{effect, event, id, operation};
use crate::common::pair::Pair;
use crate::common::world::World;
use protector_domain::effect::{Effect, EffectKey, EffectState};
use protector_domain::sync::Epoch;
use protector_store::{EffectSettle, StoreError, Write, Written};
use std::collections::BTreeSet;

const WORKERS: u128 = 64;

fn of(pair: &Pair, worker: u128) -> Effect {
    effect(
        operation(1, pair.group).id,
        pair.group,
        "import",
        &worker.to_string(),
    )
}

/// As the engine writes it: the row and its line of story.
fn intent(effect: Effect, fence: u64) -> Write {
    let lines = Write::EventsAppend {
        operation: effect.operation,
        events: vec![event(effect.key.as_str())],
    };
    let intend = Write::EffectsIntend {
        group: effect.group,
        fence: Epoch(fence),
        effects: vec![effect],
    };
    Write::Batch(vec![lines, intend])
}

fn outcome(pair: &Pair, key: EffectKey, object: &str) -> Write {
    Write::EffectsSettle {
        group: pair.group,
        fence: Epoch(1),
        settles: vec![EffectSettle {
            key,
            state: EffectState::Done,
            object_id: Some(object.to_owned()),
            detail: None,
            error: None,
        }],
    }
}

async fn all_at_once(w: &World, writes: Vec<Write>) -> Vec<Result<Written, StoreError>> {
    let tasks = writes.into_iter().map(|write| {
        let store = w.store.clone();
        tokio::spawn(async move { store.write(write).await })
    });
    let answers = futures::future::join_all(tasks).await;
    answers.into_iter().map(Result::unwrap).collect()
}

/// Every eighth brings an old epoch, another group's key, or the outcome of nothing.
pub async fn faults_among_steps_are_their_own(w: &mut World) {
    let (pair, foreign) = (Pair::new(1, "g1"), Pair::new(2, "g2"));
    for pair in [&pair, &foreign] {
        w.store.group_put(pair.put(None)).await.unwrap();
    }
    let taken = Effect {
        key: of(&pair, 5).key,
        ..of(&foreign, 5)
    };
    w.store.write(intent(taken, 1)).await.unwrap();
    let nothing = EffectKey::new(operation(1, pair.group).id, "import", "nothing");
    let writes = (0..WORKERS).map(|n| match n % 8 {
        3 => intent(of(&pair, n), 2),
        5 => intent(of(&pair, 5), 1),
        6 => Write::Batch(vec![
            intent_line(&pair),
            outcome(&pair, nothing.clone(), "vol"),
        ]),
        _ => intent(of(&pair, n), 1),
    });
    let answers = all_at_once(w, writes.collect()).await;
    let mut numbers = BTreeSet::new();
    for (n, answer) in (0..WORKERS).zip(answers) {
        match (n % 8, answer) {
            (3, answer) => assert_eq!(answer, Err(StoreError::Fenced), "{n}"),
            (5, answer) => {
                assert!(
                    matches!(answer, Err(StoreError::AlreadyThere { .. })),
                    "{n}: {answer:?}"
                )
            }
            (6, answer) => assert_eq!(answer, Err(StoreError::Missing), "{n}"),
            (_, Ok(Written::Batch(parts))) => {
                let Written::Seq(seq) = parts[0] else {
                    panic!("{parts:?}")
                };
                assert!(numbers.insert(seq), "{n}: a number twice");
            }
            (_, answer) => panic!("{n}: {answer:?}"),
        }
    }
    let rows = w.store.effects_of_group(pair.group).await.unwrap();
    assert_eq!(rows.len(), 40);
    assert!(
        rows.iter()
            .all(|row| row.attempts == 1 && row.state == EffectState::Intended)
    );
    let lines = w
        .store
        .event_list(operation(1, pair.group).id, 0, 1_000)
        .await
        .unwrap();
    let seqs: Vec<u64> = lines.iter().map(|line| line.seq).collect();
    assert_eq!(
        seqs,
        (1..=41).collect::<Vec<u64>>(),
        "no line of a refused write"
    );
    let stats = w.store.stats();
    assert!(
        stats.commits < stats.writes,
        "they shared commits: {stats:?}"
    );
}

fn intent_line(pair: &Pair) -> Write {
    Write::EventsAppend {
        operation: operation(1, pair.group).id,
        events: vec![event("of nothing")],
    }
}

/// A lane's name that no column takes: nobody knows it before the database says so.
pub async fn what_only_the_database_refuses_is_refused_alone(w: &mut World) {
    let pair = Pair::new(1, "g1");
    w.store.group_put(pair.put(None)).await.unwrap();
    let writes = (0..WORKERS).map(|n| {
        let effect = of(&pair, n);
        let lane = if n == 17 {
            "x".repeat(256)
        } else {
            effect.lane.clone()
        };
        intent(Effect { lane, ..effect }, 1)
    });
    let answers = all_at_once(w, writes.collect()).await;
    for (n, answer) in (0..WORKERS).zip(answers) {
        assert_eq!(answer.is_ok(), n != 17, "{n}: {answer:?}");
    }
    assert_eq!(
        w.store.effects_of_group(pair.group).await.unwrap().len(),
        63
    );
}

/// Outcomes side by side keep to their rows.
pub async fn outcomes_side_by_side_reach_their_rows(w: &mut World) {
    let pair = Pair::new(1, "g1");
    w.store.group_put(pair.put(None)).await.unwrap();
    let intents = (0..WORKERS).map(|n| intent(of(&pair, n), 1)).collect();
    assert!(all_at_once(w, intents).await.iter().all(Result::is_ok));
    let outcomes = (0..WORKERS).map(|n| outcome(&pair, of(&pair, n).key, &id(n).to_string()));
    assert!(
        all_at_once(w, outcomes.collect())
            .await
            .iter()
            .all(Result::is_ok)
    );
    for n in 0..WORKERS {
        let row = w
            .store
            .effect_fetch(&of(&pair, n).key)
            .await
            .unwrap()
            .unwrap();
        let expected = (EffectState::Done, Some(id(n).to_string()), 1);
        assert_eq!((row.state, row.object_id, row.attempts), expected, "{n}");
        assert!(row.settled_us.is_some());
    }
}
