//! Beginning and ending a move: one transaction each.

use crate::common::facts::{effect, event, operation};
use crate::common::pair::Pair;
use crate::common::world::World;
use protector_domain::effect::{Effect, EffectState};
use protector_domain::operation::{Operation, OperationStatus, Outcome};
use protector_domain::record::GroupStatus;
use protector_domain::sync::Epoch;
use protector_store::{Begun, EffectSettle, OperationUpdate, StoreError, Write};

/// A group that is here and in epoch 1, its move, and that move's operation.
async fn ready(w: &World) -> (Pair, Operation) {
    let mut pair = Pair::new(1, "web");
    w.store.group_put(pair.put(None)).await.unwrap();
    let op = Operation {
        idempotency_key: Some("key".to_owned()),
        ..operation(1, pair.group)
    };
    pair.forced_move(op.id);
    (pair, op)
}

async fn epoch(w: &World, pair: &Pair) -> Option<Epoch> {
    w.store
        .group_fetch(pair.group)
        .await
        .unwrap()
        .unwrap()
        .sync
        .epoch()
}

pub async fn a_move_begins_whole_or_not_at_all(w: &mut World) {
    let (pair, op) = ready(w).await;
    let stale = w
        .store
        .begin_move(pair.put(Some(9)), op.clone(), vec![event("a")])
        .await;
    assert_eq!(stale, Err(StoreError::Conflict));
    assert_eq!(
        w.store.operation_fetch(op.id).await,
        Ok(None),
        "no operation without its epoch"
    );
    assert_eq!(w.store.event_list(op.id, 0, 9).await, Ok(vec![]));
    let begun = w
        .store
        .begin_move(pair.put(Some(1)), op.clone(), vec![event("a")])
        .await;
    assert_eq!(begun, Ok(Begun::Started { revision: 2 }));
    assert_eq!(epoch(w, &pair).await, Some(Epoch(2)));
    assert_eq!(w.store.operation_fetch(op.id).await, Ok(Some(op.clone())));
    assert_eq!(w.store.event_list(op.id, 0, 9).await.unwrap().len(), 1);
}

pub async fn a_repeated_request_finds_its_move(w: &mut World) {
    let (pair, op) = ready(w).await;
    w.store
        .begin_move(pair.put(Some(1)), op.clone(), vec![])
        .await
        .unwrap();
    let repeat = Operation {
        idempotency_key: op.idempotency_key.clone(),
        ..operation(2, pair.group)
    };
    let begun = w
        .store
        .begin_move(pair.put(Some(2)), repeat, vec![])
        .await
        .unwrap();
    assert_eq!(begun, Begun::Existing(Box::new(op)));
    let stored = w.store.group_fetch(pair.group).await.unwrap().unwrap();
    assert_eq!(stored.revision, 2, "nothing was written");
}

fn end(op: &Operation) -> OperationUpdate {
    OperationUpdate {
        status: Some(OperationStatus::Completed),
        outcome: Some(Outcome::Full),
        progress_pct: Some(100),
        completed_at_us: Some(9),
        ..OperationUpdate::new(op.id)
    }
}

fn last(op: &Operation, pair: &Pair) -> (Effect, EffectSettle) {
    let effect = effect(op.id, pair.group, "commit_new_primary", "group");
    let settle = EffectSettle {
        key: effect.key.clone(),
        state: EffectState::Done,
        object_id: None,
        detail: None,
        error: None,
    };
    (effect, settle)
}

pub async fn a_move_ends_whole_or_not_at_all(w: &mut World) {
    let (mut pair, op) = ready(w).await;
    w.store
        .begin_move(pair.put(Some(1)), op.clone(), vec![])
        .await
        .unwrap();
    let (effect, settle) = last(&op, &pair);
    w.store
        .effects_intend(pair.group, Epoch(2), vec![effect.clone()])
        .await
        .unwrap();
    pair.finish(op.id);
    let finish = async |w: &World| {
        let events = vec![event("end")];
        w.store
            .finish_move(
                pair.put(Some(2)),
                end(&op),
                Epoch(2),
                vec![settle.clone()],
                events,
            )
            .await
    };
    let early = finish(w).await;
    assert!(
        matches!(early, Err(StoreError::Illegal(_))),
        "pending cannot complete: {early:?}"
    );
    assert_eq!(
        w.store.effect_fetch(&effect.key).await,
        Ok(Some(effect.clone()))
    );
    let stored = w.store.group_fetch(pair.group).await.unwrap().unwrap();
    assert_eq!(
        (stored.revision, stored.body.unwrap().status),
        (2, GroupStatus::FailingOver)
    );
    let running = OperationUpdate {
        status: Some(OperationStatus::Running),
        ..OperationUpdate::new(op.id)
    };
    w.store.operation_update(running).await.unwrap();
    assert_eq!(finish(w).await, Ok(3));
    let stored = w.store.group_fetch(pair.group).await.unwrap().unwrap();
    assert_eq!(stored.body.unwrap().status, GroupStatus::FailedOver);
    let ended = w.store.operation_fetch(op.id).await.unwrap().unwrap();
    assert_eq!(
        (ended.status, ended.progress_pct),
        (OperationStatus::Completed, 100)
    );
    let done = w.store.effect_fetch(&effect.key).await.unwrap().unwrap();
    assert_eq!(done.state, EffectState::Done);
}

pub async fn a_superseded_runner_cannot_end_its_move(w: &mut World) {
    let (mut pair, op) = ready(w).await;
    w.store
        .begin_move(pair.put(Some(1)), op.clone(), vec![])
        .await
        .unwrap();
    pair.finish(op.id);
    let said = w
        .store
        .finish_move(pair.put(Some(2)), end(&op), Epoch(1), vec![], vec![])
        .await;
    assert_eq!(said, Err(StoreError::Fenced));
    let fenced = Write::Batch(vec![
        Write::Fence {
            group: pair.group,
            epoch: Epoch(1),
        },
        Write::EventsAppend {
            operation: op.id,
            events: vec![event("late")],
        },
    ]);
    assert_eq!(w.store.write(fenced).await, Err(StoreError::Fenced));
    assert_eq!(w.store.event_list(op.id, 0, 9).await, Ok(vec![]));
    assert_eq!(
        w.store
            .group_fetch(pair.group)
            .await
            .unwrap()
            .unwrap()
            .revision,
        2
    );
}
