//! Operations and their events.

use crate::common::facts::{event, id, operation};
use crate::common::pair::project;
use crate::common::world::World;
use protector_domain::ids::{GroupId, OperationId, ProjectId};
use protector_domain::operation::{Operation, OperationStatus, Outcome};
use protector_store::{Inserted, OperationUpdate, StoreError};

fn group(number: u128) -> GroupId {
    GroupId(id(0x1000 + number))
}

fn keyed(number: u128, key: &str) -> Operation {
    Operation {
        idempotency_key: Some(key.to_owned()),
        ..operation(number, group(1))
    }
}

fn set(id: OperationId, status: OperationStatus) -> OperationUpdate {
    OperationUpdate {
        status: Some(status),
        ..OperationUpdate::new(id)
    }
}

pub async fn an_operation_comes_back_as_it_was_inserted(w: &mut World) {
    let wanted = Operation {
        outcome: Some(Outcome::Partial),
        error_message: Some("Zürich: kaputt".to_owned()),
        ..keyed(1, "k")
    };
    assert_eq!(
        w.store.operation_insert(wanted.clone()).await,
        Ok(Inserted::New)
    );
    assert_eq!(
        w.store.operation_fetch(wanted.id).await,
        Ok(Some(wanted.clone()))
    );
    assert_eq!(w.store.operation_fetch(OperationId(id(9))).await, Ok(None));
    let again = Operation {
        idempotency_key: None,
        ..wanted.clone()
    };
    let taken = StoreError::AlreadyThere {
        what: "operation",
        id: Some(wanted.id.to_string()),
    };
    assert_eq!(w.store.operation_insert(again).await, Err(taken));
}

pub async fn the_same_key_gives_the_same_operation(w: &mut World) {
    let first = keyed(1, "k");
    w.store.operation_insert(first.clone()).await.unwrap();
    let second = w.store.operation_insert(keyed(2, "k")).await.unwrap();
    assert_eq!(second, Inserted::Existing(Box::new(first)));
    assert_eq!(w.store.operation_fetch(keyed(2, "k").id).await, Ok(None));
    assert_eq!(
        w.store.operation_insert(keyed(3, "K")).await,
        Ok(Inserted::New),
        "case counts"
    );
    let foreign = Operation {
        project: ProjectId::from("another"),
        ..keyed(4, "k")
    };
    assert_eq!(
        w.store.operation_insert(foreign).await,
        Ok(Inserted::New),
        "keys are per project"
    );
    for number in [5, 6] {
        let unkeyed = w.store.operation_insert(operation(number, group(1))).await;
        assert_eq!(unkeyed, Ok(Inserted::New), "no key is no equal key");
    }
}

pub async fn equal_requests_at_once_start_one_operation(w: &mut World) {
    let beside = w.another(9).await;
    let asked = (0..20).map(|n| {
        let store = if n % 2 == 0 {
            w.store.clone()
        } else {
            beside.clone()
        };
        tokio::spawn(async move { store.operation_insert(keyed(100 + n, "k")).await.unwrap() })
    });
    let mut new = 0;
    for answer in futures::future::join_all(asked).await {
        new += usize::from(answer.unwrap() == Inserted::New);
    }
    assert_eq!(new, 1);
    assert_eq!(
        w.store
            .operation_list(&project(), None, None, 100)
            .await
            .unwrap()
            .len(),
        1
    );
}

pub async fn only_legal_moves(w: &mut World) {
    use OperationStatus::{Completed, Failed, Pending, RollingBack, Running};
    let op = operation(1, group(1));
    w.store.operation_insert(op.clone()).await.unwrap();
    let illegal = async |w: &World, status| {
        let said = w.store.operation_update(set(op.id, status)).await;
        assert!(
            matches!(said, Err(StoreError::Illegal(_))),
            "{status}: {said:?}"
        );
    };
    illegal(w, Completed).await;
    w.store.operation_update(set(op.id, Running)).await.unwrap();
    illegal(w, Pending).await;
    w.store
        .operation_update(set(op.id, RollingBack))
        .await
        .unwrap();
    illegal(w, Running).await;
    illegal(w, Completed).await;
    let end = OperationUpdate {
        outcome: Some(Outcome::RolledBack),
        error_message: Some("no point".to_owned()),
        completed_at_us: Some(9),
        steps_failed: Some(1),
        ..set(op.id, Failed)
    };
    let ended = w.store.operation_update(end.clone()).await.unwrap();
    assert_eq!(
        (ended.status, ended.outcome),
        (Failed, Some(Outcome::RolledBack))
    );
    assert_eq!(
        w.store.operation_fetch(op.id).await.unwrap(),
        Some(ended.clone())
    );
    assert_eq!(
        w.store.operation_update(end).await,
        Ok(ended),
        "a repeat changes nothing"
    );
    for status in [Pending, Running, RollingBack, Completed] {
        illegal(w, status).await;
    }
    let late = OperationUpdate {
        steps_failed: Some(2),
        ..OperationUpdate::new(op.id)
    };
    assert!(matches!(
        w.store.operation_update(late).await,
        Err(StoreError::Illegal(_))
    ));
    let nobody = OperationUpdate::new(OperationId(id(9)));
    assert_eq!(
        w.store.operation_update(nobody).await,
        Err(StoreError::Missing)
    );
}

pub async fn progress_never_goes_back(w: &mut World) {
    let op = operation(1, group(1));
    w.store.operation_insert(op.clone()).await.unwrap();
    let mut seen = Vec::new();
    for wanted in [10, 40, 30, 0, 60] {
        let update = OperationUpdate {
            progress_pct: Some(wanted),
            ..OperationUpdate::new(op.id)
        };
        seen.push(w.store.operation_update(update).await.unwrap().progress_pct);
    }
    assert_eq!(seen, [10, 40, 40, 40, 60]);
    let over = OperationUpdate {
        progress_pct: Some(101),
        ..OperationUpdate::new(op.id)
    };
    assert!(matches!(
        w.store.operation_update(over).await,
        Err(StoreError::Illegal(_))
    ));
}

pub async fn lists_newest_first_and_unfinished_oldest_first(w: &mut World) {
    for number in 1..=5 {
        let op = operation(number, group(number % 2));
        w.store.operation_insert(op).await.unwrap();
    }
    let foreign = Operation {
        project: ProjectId::from("another"),
        ..operation(6, group(1))
    };
    w.store.operation_insert(foreign.clone()).await.unwrap();
    let ids = |list: &[Operation]| -> Vec<OperationId> { list.iter().map(|op| op.id).collect() };
    let op = |number| operation(number, group(1)).id;
    let page = w
        .store
        .operation_list(&project(), None, None, 3)
        .await
        .unwrap();
    assert_eq!(ids(&page), [op(5), op(4), op(3)]);
    let rest = w
        .store
        .operation_list(&project(), None, Some(op(3)), 3)
        .await
        .unwrap();
    assert_eq!(ids(&rest), [op(2), op(1)]);
    let odd = w
        .store
        .operation_list(&project(), Some(group(1)), None, 9)
        .await
        .unwrap();
    assert_eq!(ids(&odd), [op(5), op(3), op(1)]);
    w.store
        .operation_update(set(op(2), OperationStatus::Failed))
        .await
        .unwrap();
    w.store
        .operation_update(set(op(3), OperationStatus::Running))
        .await
        .unwrap();
    let open = w.store.operation_list_unfinished().await.unwrap();
    assert_eq!(ids(&open), [op(1), op(3), op(4), op(5), foreign.id]);
}

pub async fn events_are_numbered_by_the_store(w: &mut World) {
    let (one, two) = (operation(1, group(1)).id, operation(2, group(1)).id);
    assert_eq!(
        w.store
            .events_append(one, vec![event("a"), event("b")])
            .await,
        Ok(2)
    );
    assert_eq!(w.store.events_append(two, vec![event("x")]).await, Ok(1));
    assert_eq!(w.store.events_append(one, vec![]).await, Ok(2));
    let beside = w.another(9).await;
    let appends = (0..20).map(|n| {
        let store = if n % 2 == 0 {
            w.store.clone()
        } else {
            beside.clone()
        };
        tokio::spawn(async move { store.events_append(one, vec![event("c")]).await.unwrap() })
    });
    for done in futures::future::join_all(appends).await {
        done.unwrap();
    }
    let all = w.store.event_list(one, 0, 100).await.unwrap();
    let numbers: Vec<u64> = all.iter().map(|e| e.seq).collect();
    assert_eq!(numbers, (1..=22).collect::<Vec<u64>>());
    let later = w.store.event_list(one, 1, 1).await.unwrap();
    assert_eq!((later[0].text.as_str(), later.len()), ("b", 1));
}
