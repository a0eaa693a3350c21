//! Whose an object is that carries no key any more, when an administrator says so: it becomes a step's own
//! only if what it is made of speaks for it, too (S4). It is then taken over as done, and its lane goes back
//! with it.
//!
//! Pure. Absent: looking at the object (`actors`), and who may say it (`http`).

use crate::effect::{Effect, EffectKey, EffectKind, EffectState};
use crate::ids::OperationId;
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::saga::{Journal, stuck};

/// Longest id of an object, letters.
const ID_LETTERS_MAX: usize = 64;

/// An object as it was just seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub project: Option<String>,
    /// The key of ours that it carries, if any.
    pub key: Option<String>,
    /// It is made of what only this operation has made.
    pub is_of_the_operation: bool,
}

/// True for text that can be an id: it becomes part of a path.
fn is_object_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !text.is_empty() && text.len() <= ID_LETTERS_MAX && text.chars().all(plain)
}

/// The row of the ledger that `step` (`<step>/<target>`) names, if its lane waits for people and it has no
/// object.
///
/// # Errors
/// `NotStuck`, `NotAdoptable`; `NoSuchObject` for what is no id.
pub fn row(plan: &Plan, journal: &Journal, step: &str, object: &str) -> Result<Effect, Refusal> {
    let operation = plan.operation;
    if !is_object_id(object) {
        let object = object.chars().take(ID_LETTERS_MAX).collect();
        return Err(Refusal::NoSuchObject { object });
    }
    let stuck = stuck(plan, journal);
    if stuck.is_empty() {
        let operation = operation.to_string();
        return Err(Refusal::NotStuck { operation });
    }
    let no = |why: &str| Refusal::NotAdoptable {
        step: step.to_owned(),
        why: why.to_owned(),
    };
    let effect = journal.get(key_of(operation, step).as_str());
    let effect = effect.ok_or_else(|| no("it was never begun"))?;
    let kinds = [EffectKind::Server, EffectKind::Port, EffectKind::Volume];
    if !kinds.contains(&effect.kind) {
        return Err(no("it makes no server, port or volume"));
    }
    let same_lane = |e: &Effect| e.lane == effect.lane && e.stage == effect.stage;
    if !stuck.iter().any(same_lane) {
        return Err(no("its lane does not wait"));
    }
    match (effect.state, effect.object_id.as_deref()) {
        (EffectState::Failed | EffectState::Undone, _) => Ok(effect.clone()),
        (EffectState::UndoFailed | EffectState::LeftBehind, known)
            if known.is_none_or(|id| id == object) =>
        {
            Ok(effect.clone())
        }
        _ => Err(no("it has its object, or is under way")),
    }
}

fn key_of(operation: OperationId, step: &str) -> EffectKey {
    EffectKey(format!("{}{step}", EffectKey::operation_prefix(operation)))
}

/// The row with the object as its own. `ledger`: the whole group's.
///
/// # Errors
/// `NoSuchObject`: absent, or another project's. `NotItsObject`: something speaks against it, or nothing for it.
pub fn adopted(
    effect: &Effect,
    ledger: &[Effect],
    object: &str,
    seen: Option<&Seen>,
) -> Result<Effect, Refusal> {
    let its_project = |s: &&Seen| s.project.as_deref().is_none_or(|p| p == effect.project.0);
    let seen = seen
        .filter(its_project)
        .ok_or_else(|| Refusal::NoSuchObject {
            object: object.to_owned(),
        })?;
    let no = |why: &str| Refusal::NotItsObject {
        object: object.to_owned(),
        why: why.to_owned(),
    };
    if seen.key.as_ref().is_some_and(|k| *k != effect.key.0) {
        return Err(no("it carries the key of another one"));
    }
    let has_it = |e: &&Effect| e.key != effect.key && e.object_id.as_deref() == Some(object);
    let holds = |e: &&Effect| !matches!(e.state, EffectState::Undone | EffectState::Failed);
    if ledger.iter().filter(has_it).any(|e| holds(&e)) {
        return Err(no("the ledger knows it as another one's"));
    }
    if !seen.is_of_the_operation {
        return Err(no("it is made of nothing that this operation has made"));
    }
    let state = match effect.state {
        EffectState::UndoFailed => EffectState::UndoIntended,
        _ => EffectState::Done,
    };
    Ok(Effect {
        state,
        object_id: Some(object.to_owned()),
        ..effect.clone()
    })
}
