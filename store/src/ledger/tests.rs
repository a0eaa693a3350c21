//! Many writes in one go are what they are one by one, and one that is at fault leaves nothing behind.

use super::*;
use protector_domain::effect::{EffectKey, EffectKind};
use protector_domain::ids::{ProjectId, SiteId};
use protector_domain::operation::EventKind;
use uuid::Uuid;

const NOW_US: i64 = 9_000_000;
const TRUSTED: Standing = Standing {
    epoch: 1,
    suspect: false,
};

fn group(number: u128) -> GroupId {
    GroupId(Uuid::from_u128(number))
}

fn operation(number: u128) -> OperationId {
    OperationId(Uuid::from_u128(100 + number))
}

fn effect(of: u128, target: u128) -> Effect {
    Effect {
        key: EffectKey::new(operation(1), "step", &target.to_string()),
        operation: operation(1),
        group: group(of),
        project: ProjectId::from("p"),
        site: SiteId(Uuid::from_u128(7)),
        lane: "group".to_owned(),
        stage: 0,
        place: 0,
        step: "step".to_owned(),
        kind: EffectKind::ArrayVolume,
        state: EffectState::Intended,
        object_id: None,
        detail: serde_json::json!({}),
        attempts: 0,
        error: None,
        intended_us: 1_000_000,
        settled_us: None,
    }
}

fn intend(of: u128, fence: u64, target: u128) -> Write {
    Write::EffectsIntend {
        group: group(of),
        fence: Epoch(fence),
        effects: vec![effect(of, target)],
    }
}

fn settle(of: u128, fence: u64, target: u128, object: Option<&str>) -> Write {
    Write::EffectsSettle {
        group: group(of),
        fence: Epoch(fence),
        settles: vec![EffectSettle {
            key: effect(of, target).key,
            state: EffectState::Done,
            object_id: object.map(str::to_owned),
            detail: None,
            error: None,
        }],
    }
}

fn line(of: u128) -> Write {
    Write::EventsAppend {
        operation: operation(of),
        events: vec![NewEvent {
            at_us: 1,
            kind: EventKind::StepDone,
            lane: None,
            step: None,
            text: String::new(),
        }],
    }
}

/// What a database would hold.
#[derive(Default, Clone, PartialEq, Eq, Debug)]
struct Tables {
    rows: BTreeMap<String, EffectRow>,
    events: BTreeMap<(String, i64), EventRow>,
}

/// Groups 1 and 2 are in epoch 1; group 3 is not there.
fn apply(tables: &mut Tables, writes: &[Write]) -> Vec<Result<Written, StoreError>> {
    let all: Vec<&Write> = writes.iter().collect();
    let needs = Needs::of(&all);
    let there = needs.groups.iter().filter(|g| **g != group(3));
    let rows = needs.keys.iter().filter_map(|key| tables.rows.get(key));
    let last = needs.operations.iter().filter_map(|id| {
        let of = id.to_string();
        let lines = tables.events.keys().filter(|(o, _)| *o == of);
        Some((*id, lines.map(|(_, seq)| *seq).max()?))
    });
    let mut ledger = Ledger::new(
        there.map(|g| (*g, TRUSTED)).collect(),
        rows.cloned().collect(),
        last.collect(),
        NOW_US,
    );
    let answers = all.iter().map(|write| ledger.apply(write)).collect();
    let outcome = ledger.outcome();
    for row in outcome.new {
        let before = tables.rows.insert(row.effect_key.clone(), row);
        assert_eq!(before, None, "a new row was there");
    }
    for row in outcome.changed {
        let before = tables.rows.insert(row.effect_key.clone(), row);
        assert!(before.is_some(), "a changed row was not there");
    }
    for event in outcome.events {
        let at = (event.operation_id.clone(), event.seq);
        assert_eq!(tables.events.insert(at, event), None, "a number twice");
    }
    answers
}

#[test]
fn each_fault_has_its_answer() {
    let mut tables = Tables::default();
    let writes = [
        intend(1, 1, 1),
        intend(2, 1, 1),
        intend(1, 2, 2),
        intend(3, 1, 3),
        settle(1, 1, 9, None),
        settle(2, 1, 1, None),
        settle(1, 1, 1, Some("vol-1")),
        Write::GroupRetired(group(1)),
    ];
    let answers = apply(&mut tables, &writes);
    let words = answers.into_iter().map(|answer| match answer {
        Ok(_) => "done",
        Err(StoreError::Missing) => "missing",
        Err(StoreError::Fenced) => "fenced",
        Err(StoreError::AlreadyThere { .. }) => "another group's",
        Err(_) => "illegal",
    });
    let words: Vec<&str> = words.collect();
    let expected = [
        "done",
        "another group's",
        "fenced",
        "missing",
        "missing",
        "missing",
        "done",
        "illegal",
    ];
    assert_eq!(words, expected);
    assert_eq!(tables.rows.len(), 1);
}

#[test]
fn a_batch_at_fault_leaves_nothing_behind() {
    let mut tables = Tables::default();
    apply(&mut tables, &[intend(1, 1, 1), line(1)]);
    let before = tables.clone();
    let bad = Write::Batch(vec![
        settle(1, 1, 1, Some("vol-1")),
        intend(1, 1, 2),
        line(1),
        line(2),
        settle(1, 1, 9, None),
    ]);
    assert_eq!(
        apply(&mut tables, std::slice::from_ref(&bad)),
        [Err(StoreError::Missing)]
    );
    assert_eq!(tables, before);
    let answers = apply(&mut tables, &[bad, line(1), line(2)]);
    let expected = [
        Err(StoreError::Missing),
        Ok(Written::Seq(2)),
        Ok(Written::Seq(1)),
    ];
    assert_eq!(answers, expected);
}

/// The next of a row of numbers that look like chance (an LCG's upper half).
fn next(seed: &mut u64, below: u64) -> u128 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    u128::from((*seed >> 33) % below)
}

fn any_leaf(seed: &mut u64) -> Write {
    let of = 1 + next(seed, 8) / 3;
    let fence = if next(seed, 8) == 0 { 2 } else { 1 };
    match next(seed, 4) {
        0 => intend(of, fence, next(seed, 6)),
        1 => settle(of, fence, next(seed, 6), Some("vol")),
        2 => settle(of, fence, next(seed, 6), None),
        _ => line(next(seed, 3)),
    }
}

#[test]
fn together_is_the_same_as_one_by_one() {
    for case in 0..400 {
        let mut seed = case;
        let writes = (0..24).map(|_| {
            let leaves = (0..1 + next(&mut seed, 3)).map(|_| any_leaf(&mut seed));
            Write::Batch(leaves.collect())
        });
        let writes: Vec<Write> = writes.collect();
        let (mut together, mut alone) = (Tables::default(), Tables::default());
        let answers = apply(&mut together, &writes);
        let singly: Vec<_> = writes
            .iter()
            .flat_map(|write| apply(&mut alone, std::slice::from_ref(write)))
            .collect();
        assert_eq!(answers, singly, "case {case}");
        assert_eq!(together, alone, "case {case}");
        assert!(answers.iter().any(Result::is_ok) && answers.iter().any(Result::is_err));
    }
}

#[test]
fn a_large_batch_is_left_to_the_writer_of_single_ones() {
    assert!(is_of_steps(&line(1)));
    assert!(is_of_steps(&Write::Batch(vec![line(1), intend(1, 1, 1)])));
    assert!(!is_of_steps(&Write::GroupRetired(group(1))));
    assert!(!is_of_steps(&Write::Batch(vec![line(1); BATCH_MAX + 1])));
    let mixed = vec![line(1), Write::GroupRetired(group(1))];
    assert!(!is_of_steps(&Write::Batch(mixed)));
}
