//! The rule for one lane.

use crate::effect::{Effect, EffectState};

/// What the journal says of one step; no mark at all: never begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Begun; whether it happened is unknown until it is looked for.
    Started,
    Done,
    /// A definite no.
    Failed,
    UndoStarted,
    Undone,
    UndoFailed,
}

/// How a lane ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LaneEnd {
    Completed,
    RolledBack,
    NeedsOperator,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Run(usize),
    Undo(usize),
    Settled(LaneEnd),
}

/// The mark of a step from the effects of its targets. A step's intents are written together, so
/// the worst state among them speaks for all.
pub fn mark_of<'a>(effects: impl Iterator<Item = &'a Effect>) -> Option<Mark> {
    let states: Vec<EffectState> = effects.map(|e| e.state).collect();
    let any = |state| states.contains(&state);
    let ended_undo = |s: &EffectState| matches!(s, EffectState::Undone | EffectState::LeftBehind);
    if states.is_empty() {
        None
    } else if any(EffectState::UndoFailed) {
        Some(Mark::UndoFailed)
    } else if states.iter().all(ended_undo) {
        Some(Mark::Undone)
    } else if any(EffectState::UndoIntended) || states.iter().any(ended_undo) {
        Some(Mark::UndoStarted)
    } else if any(EffectState::Failed) {
        Some(Mark::Failed)
    } else if any(EffectState::Intended) {
        Some(Mark::Started)
    } else {
        Some(Mark::Done)
    }
}

/// What a lane does next.
///
/// `steps`: for each step whether it is a point of no return, and its mark. `unwind`: the lane has
/// to go back although nothing in it failed (a group step failed, or somebody cancelled).
pub fn next(steps: &[(bool, Option<Mark>)], unwind: bool) -> Next {
    let has = |wanted: Mark| steps.iter().any(|(_, mark)| *mark == Some(wanted));
    if has(Mark::UndoFailed) {
        return Next::Settled(LaneEnd::NeedsOperator);
    }
    let at_the_end = |marks: &[Mark]| {
        steps
            .iter()
            .any(|(last, mark)| *last && mark.is_some_and(|m| marks.contains(&m)))
    };
    // Nobody knows any more whether it happened, and nothing unwinds what may have: people decide.
    if at_the_end(&[Mark::Failed, Mark::UndoStarted, Mark::Undone]) {
        return Next::Settled(LaneEnd::NeedsOperator);
    }
    let forward_only = at_the_end(&[Mark::Started, Mark::Done]);
    let went_wrong = unwind || has(Mark::Failed) || has(Mark::UndoStarted) || has(Mark::Undone);
    if went_wrong && !forward_only {
        // A step that started may have half happened, so it is undone too.
        return steps
            .iter()
            .rposition(|(_, mark)| !matches!(mark, None | Some(Mark::Undone)))
            .map_or(Next::Settled(LaneEnd::RolledBack), Next::Undo);
    }
    steps
        .iter()
        .position(|(_, mark)| *mark != Some(Mark::Done))
        .map_or(Next::Settled(LaneEnd::Completed), Next::Run)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: [Option<Mark>; 7] = [
        None,
        Some(Mark::Started),
        Some(Mark::Done),
        Some(Mark::Failed),
        Some(Mark::UndoStarted),
        Some(Mark::Undone),
        Some(Mark::UndoFailed),
    ];

    /// Plays a lane to its end; `fails` says which step answers a definite no, and every do and
    /// undo is interrupted once after its intent when `interrupted`.
    fn play(
        len: usize,
        fails: Option<usize>,
        last: Option<usize>,
        interrupted: bool,
    ) -> (LaneEnd, Vec<Option<Mark>>) {
        let mut marks = vec![None; len];
        for _ in 0..100 {
            let steps: Vec<_> = (0..len).map(|i| (last == Some(i), marks[i])).collect();
            match next(&steps, false) {
                Next::Settled(end) => return (end, marks),
                Next::Run(i) if interrupted && marks[i].is_none() => marks[i] = Some(Mark::Started),
                Next::Run(i) => {
                    marks[i] = Some(if fails == Some(i) {
                        Mark::Failed
                    } else {
                        Mark::Done
                    })
                }
                Next::Undo(i) if interrupted && marks[i] != Some(Mark::UndoStarted) => {
                    marks[i] = Some(Mark::UndoStarted)
                }
                Next::Undo(i) => marks[i] = Some(Mark::Undone),
            }
        }
        panic!("did not settle: {marks:?}");
    }

    #[test]
    fn a_lane_runs_to_its_end_or_takes_everything_back() {
        for interrupted in [false, true] {
            assert_eq!(play(4, None, None, interrupted).0, LaneEnd::Completed);
            for failing in 0..4 {
                let (end, marks) = play(4, Some(failing), None, interrupted);
                assert_eq!(end, LaneEnd::RolledBack);
                for (i, mark) in marks.iter().enumerate() {
                    let expected = if i <= failing {
                        Some(Mark::Undone)
                    } else {
                        None
                    };
                    assert_eq!(*mark, expected, "step {i} after a failure of {failing}");
                }
            }
        }
    }

    #[test]
    fn nothing_unwinds_past_the_point_of_no_return() {
        let steps = [
            (false, Some(Mark::Done)),
            (true, Some(Mark::Done)),
            (false, Some(Mark::Failed)),
        ];
        assert_eq!(next(&steps, false), Next::Run(2), "retried, never undone");
        assert_eq!(next(&steps, true), Next::Run(2));
        let failed = [(false, Some(Mark::Done)), (true, Some(Mark::Failed))];
        for unwind in [false, true] {
            let end = Next::Settled(LaneEnd::NeedsOperator);
            assert_eq!(next(&failed, unwind), end, "a failed commit is for people");
        }
    }

    /// Every combination of marks over three steps: the rule never undoes what never began, never
    /// runs while it goes back, and always names a step that is not settled yet.
    #[test]
    fn every_journal_has_a_sane_next() {
        for a in MARKS {
            for b in MARKS {
                for c in MARKS {
                    for unwind in [false, true] {
                        let marks = [a, b, c];
                        let steps: Vec<_> = marks.iter().map(|m| (false, *m)).collect();
                        match next(&steps, unwind) {
                            Next::Run(i) => {
                                assert!(!unwind);
                                assert!(
                                    matches!(marks[i], None | Some(Mark::Started)),
                                    "{marks:?}"
                                );
                                assert!(
                                    marks[..i].iter().all(|m| *m == Some(Mark::Done)),
                                    "{marks:?}"
                                );
                            }
                            Next::Undo(i) => {
                                assert!(!matches!(marks[i], None | Some(Mark::Undone)));
                                let later = &marks[i + 1..];
                                assert!(
                                    later.iter().all(|m| matches!(m, None | Some(Mark::Undone))),
                                    "last first: {marks:?}"
                                );
                            }
                            Next::Settled(LaneEnd::Completed) => {
                                assert_eq!(marks, [Some(Mark::Done); 3])
                            }
                            Next::Settled(LaneEnd::RolledBack) => {
                                assert!(
                                    marks.iter().all(|m| matches!(m, None | Some(Mark::Undone)))
                                );
                            }
                            Next::Settled(LaneEnd::NeedsOperator) => {
                                assert!(marks.contains(&Some(Mark::UndoFailed)))
                            }
                        }
                    }
                }
            }
        }
    }
}
