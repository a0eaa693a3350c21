//! Commits: shared, all or nothing, and durable once answered.

use crate::common::facts::{event, id, operation};
use crate::common::pair::Pair;
use crate::common::world::World;
use protector_domain::ids::{GroupId, OperationId, ProjectId};
use protector_domain::operation::Operation;
use protector_store::{Inserted, Store, StoreError, Write, Written};

const WRITERS: u128 = 64;

fn group() -> GroupId {
    GroupId(id(0x1001))
}

/// All at once; the operations' ids in the order of the answers.
async fn insert_all(
    store: &Store,
    operations: Vec<Operation>,
) -> Vec<Result<Inserted, StoreError>> {
    let tasks = operations.into_iter().map(|operation| {
        let store = store.clone();
        tokio::spawn(async move { store.operation_insert(operation).await })
    });
    futures::future::join_all(tasks)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

pub async fn writers_share_commits(w: &mut World) {
    let before = w.store.stats();
    let wanted: Vec<Operation> = (0..WRITERS).map(|n| operation(n, group())).collect();
    for answer in insert_all(&w.store, wanted).await {
        assert_eq!(answer, Ok(Inserted::New));
    }
    let after = w.store.stats();
    let (writes, commits) = (after.writes - before.writes, after.commits - before.commits);
    assert_eq!(u128::from(writes), WRITERS);
    assert!(
        commits * 3 <= writes,
        "{commits} commits for {writes} writes"
    );
    assert_eq!(after.queue_depth, 0);
    assert_eq!(w.store.operation_list_unfinished().await.unwrap().len(), 64);
}

/// Every eighth writer brings something that fails after it has begun to change things.
pub async fn one_bad_write_fails_alone(w: &mut World) {
    let is_bad = |n: u128| n % 8 == 3;
    let writes = (0..WRITERS).map(|n| {
        let insert = Write::OperationInsert(Box::new(operation(n, group())));
        let nobody = Write::GroupRebuild(GroupId(id(9)));
        let write = if is_bad(n) {
            Write::Batch(vec![insert, nobody])
        } else {
            insert
        };
        let store = w.store.clone();
        tokio::spawn(async move { store.write(write).await })
    });
    let answers = futures::future::join_all(writes).await;
    for (n, answer) in (0..WRITERS).zip(answers) {
        let expected = if is_bad(n) {
            Err(StoreError::Missing)
        } else {
            Ok(Written::Done)
        };
        assert_eq!(answer.unwrap(), expected, "writer {n}");
        let there = w
            .store
            .operation_fetch(operation(n, group()).id)
            .await
            .unwrap();
        assert_eq!(there.is_some(), !is_bad(n), "writer {n}");
    }
    let stats = w.store.stats();
    assert!(
        stats.commits < stats.writes,
        "they shared commits: {stats:?}"
    );
}

pub async fn a_batch_is_all_or_nothing(w: &mut World) {
    let pair = Pair::new(1, "web");
    let op = operation(1, pair.group);
    let batch = |last: Write| {
        Write::Batch(vec![
            Write::OperationInsert(Box::new(op.clone())),
            Write::GroupPut(Box::new(pair.put(None))),
            Write::EventsAppend {
                operation: op.id,
                events: vec![event("a")],
            },
            last,
        ])
    };
    let nobody = Write::GroupRebuild(GroupId(id(9)));
    assert_eq!(w.store.write(batch(nobody)).await, Err(StoreError::Missing));
    assert_eq!(w.store.operation_fetch(op.id).await, Ok(None));
    assert_eq!(w.store.group_fetch(pair.group).await, Ok(None));
    assert_eq!(w.store.cg_volume_list(pair.group).await, Ok(vec![]));
    assert_eq!(w.store.event_list(op.id, 0, 9).await, Ok(vec![]));
    let answers = w
        .store
        .write(batch(Write::GroupRebuild(pair.group)))
        .await
        .unwrap();
    let expected = [
        Written::Done,
        Written::Revision(1),
        Written::Seq(1),
        Written::Done,
    ];
    assert_eq!(answers, Written::Batch(expected.to_vec()));
    let nested = Write::Batch(vec![Write::Batch(vec![])]);
    assert!(matches!(
        w.store.write(nested).await,
        Err(StoreError::Illegal(_))
    ));
}

pub async fn acknowledged_is_there_after_a_crash(w: &mut World) {
    let mut acknowledged = Vec::new();
    for round in 0..5u128 {
        let store = w.store.clone();
        // Nobody waits for these: whatever was not answered may be lost, whole.
        let flood: Vec<_> = (0..40u128)
            .map(|n| {
                let store = store.clone();
                let op = operation(1_000 * (round + 1) + n, group());
                tokio::spawn(async move {
                    let id = op.id;
                    let events = Write::EventsAppend {
                        operation: id,
                        events: vec![event("x")],
                    };
                    let both = Write::Batch(vec![Write::OperationInsert(Box::new(op)), events]);
                    store.write(both).await.map(|_| id)
                })
            })
            .collect();
        let first = operation(100 + round, group());
        store.operation_insert(first.clone()).await.unwrap();
        acknowledged.push(first.id);
        w.crash().await;
        for task in flood {
            if let Ok(id) = task.await.unwrap() {
                acknowledged.push(id);
            }
        }
    }
    assert!(w.store.schema_check().await.is_ok());
    let there: Vec<OperationId> = w
        .store
        .operation_list_unfinished()
        .await
        .unwrap()
        .into_iter()
        .map(|op| op.id)
        .collect();
    for id in &acknowledged {
        assert!(there.contains(id), "{id} was acknowledged");
    }
    for id in there
        .iter()
        .filter(|there| !acknowledged[..5].contains(*there))
    {
        if *id >= operation(1_000, group()).id {
            let events = w.store.event_list(*id, 0, 9).await.unwrap();
            assert_eq!(events.len(), 1, "{id} is there by half");
        }
    }
}

pub async fn a_closed_store_refuses(w: &mut World) {
    let queued = insert_all(&w.store, (0..10).map(|n| operation(n, group())).collect());
    let (answers, ()) = futures::join!(queued, async {
        tokio::task::yield_now().await;
        w.store.close().await;
    });
    let done = answers.iter().filter(|answer| answer.is_ok()).count();
    let refused = answers
        .iter()
        .filter(|a| matches!(a, Err(StoreError::Down(_))))
        .count();
    assert_eq!(done + refused, 10, "{answers:?}");
    let said = w.store.operation_insert(operation(90, group())).await;
    assert!(matches!(said, Err(StoreError::Down(_))), "{said:?}");
    assert!(matches!(
        w.store.operation_list_unfinished().await,
        Err(StoreError::Down(_))
    ));
    w.crash().await;
    assert_eq!(
        w.store.operation_list_unfinished().await.unwrap().len(),
        done
    );
}

/// Two engines on one database change the same groups in opposite order: some transactions are
/// repeated, none is lost, none is done twice (J3).
pub async fn two_processes_share_one_database(w: &mut World) {
    const ROUNDS: u64 = 20;
    let (one, two) = (Pair::new(1, "g1"), Pair::new(2, "g2"));
    for pair in [&one, &two] {
        w.store.group_put(pair.put(None)).await.unwrap();
    }
    let beside = w.another(9).await;
    let op = operation(1, group()).id;
    let touch = |pair: &Pair| Write::Fence {
        group: pair.group,
        epoch: pair.sync().epoch().unwrap(),
    };
    let both = |first: &Pair, second: &Pair| {
        let events = Write::EventsAppend {
            operation: op,
            events: vec![event("x")],
        };
        Write::Batch(vec![touch(first), events, touch(second)])
    };
    let run = |store: Store, first: &Pair, second: &Pair| {
        let write = both(first, second);
        tokio::spawn(async move {
            for _ in 0..ROUNDS {
                store.write(write.clone()).await.unwrap();
            }
        })
    };
    let (a, b) = (run(w.store.clone(), &one, &two), run(beside, &two, &one));
    a.await.unwrap();
    b.await.unwrap();
    let events = w.store.event_list(op, 0, 1_000).await.unwrap();
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=2 * ROUNDS).collect::<Vec<u64>>());
}

pub async fn limits_are_the_same_everywhere(w: &mut World) {
    let long = "x".repeat(256);
    let fits = Operation {
        idempotency_key: Some("x".repeat(255)),
        ..operation(1, group())
    };
    let umlauts = Operation {
        idempotency_key: Some("ü".repeat(255)),
        ..operation(2, group())
    };
    for op in [fits, umlauts] {
        assert_eq!(w.store.operation_insert(op).await, Ok(Inserted::New));
    }
    let wide = Operation {
        idempotency_key: Some(long.clone()),
        ..operation(3, group())
    };
    let said = w.store.operation_insert(wide).await;
    assert!(matches!(said, Err(StoreError::Illegal(_))), "{said:?}");
    let project = ProjectId::from("p");
    let claim = protector_store::IdempotencyClaim {
        project: project.clone(),
        key: long,
        request_digest: "d".to_owned(),
    };
    let said = w.store.idempotency_claim(claim).await;
    assert!(matches!(said, Err(StoreError::Illegal(_))), "{said:?}");
    let large = "y".repeat(300_000);
    w.store
        .events_append(OperationId(id(1)), vec![event(&large)])
        .await
        .unwrap();
    let read = w.store.event_list(OperationId(id(1)), 0, 9).await.unwrap();
    assert_eq!(read[0].text.len(), large.len(), "long texts are not cut");
}
