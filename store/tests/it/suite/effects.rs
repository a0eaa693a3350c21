//! The ledger and its fence.

use crate::common::facts::{effect, id, operation};
use crate::common::pair::Pair;
use crate::common::world::World;
use protector_domain::effect::{Effect, EffectKey, EffectState};
use protector_domain::ids::GroupId;
use protector_domain::operation::{Operation, OperationKind, OperationMode, OperationStatus};
use protector_domain::sync::Epoch;
use protector_store::{EffectSettle, StoreError};
use serde_json::json;

/// A group in epoch 1, and its effects' operation.
async fn group(w: &World, number: u128) -> Pair {
    let pair = Pair::new(number, &format!("g{number}"));
    w.store.group_put(pair.put(None)).await.unwrap();
    pair
}

fn of(pair: &Pair, target: &str) -> Effect {
    effect(
        operation(1, pair.group).id,
        pair.group,
        "recover_volumes",
        target,
    )
}

fn settle(effect: &Effect, state: EffectState) -> EffectSettle {
    EffectSettle {
        key: effect.key.clone(),
        state,
        object_id: None,
        detail: None,
        error: None,
    }
}

pub async fn an_intent_comes_first_and_counts_its_attempts(w: &mut World) {
    let pair = group(w, 1).await;
    let wanted = of(&pair, "disk-1");
    let intend = async |w: &World, at_us| {
        let effect = Effect {
            intended_us: at_us,
            ..wanted.clone()
        };
        w.store
            .effects_intend(pair.group, Epoch(1), vec![effect])
            .await
            .unwrap();
        w.store.effect_fetch(&wanted.key).await.unwrap().unwrap()
    };
    assert_eq!(intend(w, 3_000_000).await, wanted);
    let done = EffectSettle {
        object_id: Some("vol-9".to_owned()),
        detail: Some(json!({"serial": "S"})),
        error: Some("was slow".to_owned()),
        ..settle(&wanted, EffectState::Done)
    };
    w.store
        .effects_settle(pair.group, Epoch(1), vec![done])
        .await
        .unwrap();
    let again = intend(w, 5_000_000).await;
    assert_eq!((again.attempts, again.state), (2, EffectState::Intended));
    assert_eq!(
        again.object_id.as_deref(),
        Some("vol-9"),
        "known objects stay known"
    );
    assert_eq!(
        (again.error, again.settled_us, again.intended_us),
        (None, None, 5_000_000)
    );
    let early = Effect {
        state: EffectState::Done,
        ..of(&pair, "disk-2")
    };
    let said = w
        .store
        .effects_intend(pair.group, Epoch(1), vec![early])
        .await;
    assert!(matches!(said, Err(StoreError::Illegal(_))), "{said:?}");
}

pub async fn settling_keeps_what_it_is_not_told(w: &mut World) {
    let pair = group(w, 1).await;
    let wanted = of(&pair, "disk-1");
    w.store
        .effects_intend(pair.group, Epoch(1), vec![wanted.clone()])
        .await
        .unwrap();
    let mut told = EffectSettle {
        object_id: Some("vol-9".to_owned()),
        detail: Some(json!({"serial": "S"})),
        error: Some("odd".to_owned()),
        ..settle(&wanted, EffectState::Done)
    };
    w.store
        .effects_settle(pair.group, Epoch(1), vec![told.clone()])
        .await
        .unwrap();
    let done = w.store.effect_fetch(&wanted.key).await.unwrap().unwrap();
    assert_eq!(
        (done.state, done.error.as_deref()),
        (EffectState::Done, Some("odd"))
    );
    assert!(done.settled_us.is_some());
    told = settle(&wanted, EffectState::UndoIntended);
    w.store
        .effects_settle(pair.group, Epoch(1), vec![told])
        .await
        .unwrap();
    let undo = w.store.effect_fetch(&wanted.key).await.unwrap().unwrap();
    assert_eq!(undo.object_id.as_deref(), Some("vol-9"));
    assert_eq!(undo.detail, json!({"serial": "S"}));
    assert_eq!(
        (undo.error, undo.settled_us),
        (None, None),
        "an undo that began is open again"
    );
}

pub async fn an_old_epoch_is_fenced(w: &mut World) {
    let mut pair = group(w, 1).await;
    let (one, two) = (of(&pair, "disk-1"), of(&pair, "disk-2"));
    w.store
        .effects_intend(pair.group, Epoch(1), vec![one.clone()])
        .await
        .unwrap();
    pair.forced_move(operation(1, pair.group).id);
    w.store.group_put(pair.put(Some(1))).await.unwrap();
    let late = w
        .store
        .effects_intend(pair.group, Epoch(1), vec![two.clone()])
        .await;
    assert_eq!(late, Err(StoreError::Fenced));
    let late = vec![settle(&one, EffectState::Done)];
    let late = w.store.effects_settle(pair.group, Epoch(1), late).await;
    assert_eq!(late, Err(StoreError::Fenced));
    assert_eq!(w.store.effects_of_group(pair.group).await, Ok(vec![one]));
    w.store
        .effects_intend(pair.group, Epoch(2), vec![two])
        .await
        .unwrap();
    let nobody = GroupId(id(9));
    let said = w.store.effects_intend(nobody, Epoch(1), vec![]).await;
    assert_eq!(said, Err(StoreError::Missing));
}

pub async fn in_doubt_nothing_begins_and_what_had_begun_is_told(w: &mut World) {
    let mut pair = group(w, 1).await;
    let (begun, new) = (of(&pair, "disk-1"), of(&pair, "disk-2"));
    let intend = async |w: &World, effect: &Effect| {
        let one = vec![effect.clone()];
        w.store.effects_intend(effect.group, Epoch(1), one).await
    };
    intend(w, &begun).await.unwrap();
    pair.restored();
    w.store.group_put(pair.put(Some(1))).await.unwrap();
    assert_eq!(intend(w, &new).await, Err(StoreError::Fenced));
    assert_eq!(intend(w, &begun).await, Err(StoreError::Fenced));
    assert!(w.store.effect_fetch(&new.key).await.unwrap().is_none());
    let done = vec![settle(&begun, EffectState::Done)];
    let told = w.store.effects_settle(pair.group, Epoch(1), done).await;
    told.unwrap();
}

pub async fn a_settle_without_an_intent_is_refused_whole(w: &mut World) {
    let (pair, foreign) = (group(w, 1).await, group(w, 2).await);
    let (one, never) = (of(&pair, "disk-1"), of(&pair, "disk-2"));
    w.store
        .effects_intend(pair.group, Epoch(1), vec![one.clone()])
        .await
        .unwrap();
    let both = vec![
        settle(&one, EffectState::Done),
        settle(&never, EffectState::Done),
    ];
    let said = w.store.effects_settle(pair.group, Epoch(1), both).await;
    assert_eq!(said, Err(StoreError::Missing));
    let stolen = vec![settle(&one, EffectState::Failed)];
    let said = w
        .store
        .effects_settle(foreign.group, Epoch(1), stolen)
        .await;
    assert_eq!(said, Err(StoreError::Missing), "another group's effect");
    let stolen = Effect {
        group: foreign.group,
        ..one.clone()
    };
    let said = w
        .store
        .effects_intend(foreign.group, Epoch(1), vec![stolen])
        .await;
    assert!(
        matches!(said, Err(StoreError::AlreadyThere { .. })),
        "{said:?}"
    );
    assert_eq!(
        w.store.effect_fetch(&one.key).await,
        Ok(Some(one)),
        "nothing of it happened"
    );
}

pub async fn lists_by_operation_state_and_group(w: &mut World) {
    let pair = group(w, 1).await;
    let place = |target: &str, stage, lane: &str, place| Effect {
        stage,
        lane: lane.to_owned(),
        place,
        ..of(&pair, target)
    };
    let planned = [
        place("d", 0, "group", 0),
        place("c", 1, "a", 0),
        place("b", 1, "a", 1),
        place("a", 1, "b", 0),
    ];
    let mixed = [2, 0, 3, 1].map(|n: usize| planned[n].clone()).to_vec();
    w.store
        .effects_intend(pair.group, Epoch(1), mixed)
        .await
        .unwrap();
    let op = planned[0].operation;
    assert_eq!(w.store.effects_by_operation(op).await, Ok(planned.to_vec()));
    let settles = vec![
        settle(&planned[0], EffectState::Done),
        settle(&planned[1], EffectState::Failed),
    ];
    w.store
        .effects_settle(pair.group, Epoch(1), settles)
        .await
        .unwrap();
    let keys = |list: Vec<Effect>| -> Vec<EffectKey> { list.into_iter().map(|e| e.key).collect() };
    let [d, c, b, a] = planned.map(|effect| effect.key);
    let open = w
        .store
        .effects_by_state(&[EffectState::Intended], None, 9)
        .await
        .unwrap();
    assert_eq!(keys(open), [a.clone(), b.clone()]);
    let states = [
        EffectState::Done,
        EffectState::Failed,
        EffectState::Intended,
    ];
    let page = w
        .store
        .effects_by_state(&states, Some(&a), 2)
        .await
        .unwrap();
    assert_eq!(keys(page), [b.clone(), c.clone()]);
    let all = w.store.effects_of_group(pair.group).await.unwrap();
    assert_eq!(keys(all), [a, b, c, d]);
}

/// However many came later (S2): by the group, the epoch and the ledger, not by a look back.
pub async fn a_forced_move_and_what_followed_it_are_found_however_long_ago(w: &mut World) {
    let pair = group(w, 1).await;
    let epoch = Epoch(2);
    let insert = async |w: &World, number, kind, mode, at: Epoch| {
        let one = Operation {
            kind,
            mode,
            epoch: at,
            status: OperationStatus::Completed,
            ..operation(number, pair.group)
        };
        w.store.operation_insert(one.clone()).await.unwrap();
        one.id
    };
    let (forced, planned) = (OperationMode::Unplanned, OperationMode::Planned);
    let (failover, retry) = (OperationKind::Failover, OperationKind::RetryMembers);
    assert_eq!(w.store.operation_forced(pair.group, epoch).await, Ok(None));
    insert(w, 1, failover, forced, Epoch(1)).await;
    let moved = insert(w, 2, failover, forced, epoch).await;
    insert(w, 3, failover, planned, epoch).await;
    insert(w, 4, OperationKind::TestFailover, forced, epoch).await;
    let tries = [
        insert(w, 5, retry, forced, epoch).await,
        insert(w, 6, retry, forced, epoch).await,
        insert(w, 7, retry, forced, epoch).await,
        insert(w, 8, retry, forced, Epoch(1)).await,
    ];
    let found = w.store.operation_forced(pair.group, epoch).await.unwrap();
    assert_eq!(found.map(|o| o.id), Some(moved));

    let did = |operation, step: &str| effect(operation, pair.group, step, "vm");
    let done = [
        did(tries[2], "boot_server"),
        did(tries[0], "restart_server"),
        did(tries[3], "boot_server"),
        did(tries[1], "import_volumes"),
    ];
    let begun = did(tries[1], "boot_server");
    let all = done.iter().cloned().chain([begun]).collect();
    let at = Epoch(1); // the fence of the group itself
    w.store.effects_intend(pair.group, at, all).await.unwrap();
    let settles = done.iter().map(|e| settle(e, EffectState::Done)).collect();
    w.store
        .effects_settle(pair.group, at, settles)
        .await
        .unwrap();
    let steps = ["boot_server", "restart_server"];
    let found = w
        .store
        .operations_that_did(pair.group, epoch, retry, &steps)
        .await
        .unwrap();
    let found: Vec<_> = found.into_iter().map(|o| o.id).collect();
    assert_eq!(found, [tries[0], tries[2]], "oldest first, and only these");
}
