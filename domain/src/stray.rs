//! Objects that carry our key, held against the ledger: what stays, what goes, what is only listed.
//!
//! Requests may arrive later than anybody waited (B3), so a step that is long done can get a twin.
//! Pure. Absent: listing and removing (`actors::sweepers`).

use crate::effect::{Effect, EffectKey, EffectKind, EffectState};
use std::collections::BTreeMap;

/// An object found by its key, at a cloud or an array.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    pub key: EffectKey,
    pub kind: EffectKind,
    pub id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the one the ledger names, or its step is still under way.
    Keep,
    /// Carries our key, and the ledger names another one or says it was taken back.
    Remove,
    /// Carries our key and the ledger knows nothing of it (J5): for people, never removed.
    List,
}

/// What to do with one object found.
pub fn judge(found: &Found, ledger: &BTreeMap<String, Effect>) -> Verdict {
    let Some(effect) = ledger.get(found.key.as_str()) else {
        return Verdict::List;
    };
    let is_the_one = effect.object_id.as_deref() == Some(found.id.as_str());
    match effect.state {
        EffectState::Intended | EffectState::UndoIntended | EffectState::UndoFailed => {
            Verdict::Keep
        }
        EffectState::Done | EffectState::LeftBehind if is_the_one => Verdict::Keep,
        EffectState::Done | EffectState::LeftBehind => Verdict::Remove,
        EffectState::Failed | EffectState::Undone => Verdict::Remove,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{GroupId, OperationId, ProjectId, SiteId};
    use uuid::Uuid;

    fn effect(state: EffectState, object: Option<&str>) -> Effect {
        let operation = OperationId(Uuid::nil());
        Effect {
            key: EffectKey::new(operation, "boot_server", "m"),
            operation,
            group: GroupId(Uuid::nil()),
            project: ProjectId::from("p"),
            site: SiteId(Uuid::nil()),
            lane: "m".into(),
            stage: 0,
            place: 0,
            step: "boot_server".into(),
            kind: EffectKind::Server,
            state,
            object_id: object.map(str::to_owned),
            detail: serde_json::Value::Null,
            attempts: 1,
            error: None,
            intended_us: 0,
            settled_us: None,
        }
    }

    #[test]
    fn only_the_object_the_ledger_names_stays() {
        use EffectState::*;
        let cases = [
            (Done, Some("one"), "one", Verdict::Keep),
            (Done, Some("one"), "twin", Verdict::Remove),
            (LeftBehind, Some("one"), "one", Verdict::Keep),
            (LeftBehind, Some("one"), "twin", Verdict::Remove),
            (Undone, Some("one"), "one", Verdict::Remove),
            (Failed, None, "late", Verdict::Remove),
            (Intended, None, "fresh", Verdict::Keep),
            (UndoIntended, Some("one"), "one", Verdict::Keep),
        ];
        for (state, object, id, expected) in cases {
            let effect = effect(state, object);
            let found = Found {
                key: effect.key.clone(),
                kind: effect.kind,
                id: id.into(),
            };
            let ledger = BTreeMap::from([(effect.key.to_string(), effect)]);
            assert_eq!(judge(&found, &ledger), expected, "{state:?} {id}");
        }
    }

    #[test]
    fn what_the_ledger_forgot_is_listed_never_removed() {
        let key = EffectKey::new(OperationId(Uuid::nil()), "boot_server", "m");
        let found = Found {
            key,
            kind: EffectKind::Server,
            id: "x".into(),
        };
        assert_eq!(judge(&found, &BTreeMap::new()), Verdict::List);
    }
}
