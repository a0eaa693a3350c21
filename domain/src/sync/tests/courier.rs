//! The procedure S (sync-force) as an honest courier runs it, and the engines that finish or abort
//! what is theirs: together the way from any state to `in_sync` (P6).

use super::bench::*;
use crate::sync::*;

/// Rounds of S, as the protocol gives them.
const MAX_ROUNDS: usize = 8;
/// Turns of "engines act, then S" until everything has settled.
const MAX_HEALS: usize = 6;

/// S: whether the heads met within its rounds.
pub fn sync_force(bench: &mut Bench) -> bool {
    for _ in 0..MAX_ROUNDS {
        doubt_ends(bench);
        push_greater(bench);
        release_dead_lock(bench);
        if in_sync(bench) {
            return true;
        }
    }
    false
}

pub fn in_sync(bench: &Bench) -> bool {
    let (home, other) = (bench.home.state.head(), bench.other.state.head());
    overall(&home, Some(&other)).in_sync
}

fn doubt_ends(bench: &mut Bench) {
    for role in [Role::Home, Role::Other] {
        if bench.site(role).state.is_suspect() {
            let _ = bench.compare_heads(role);
        }
    }
}

/// Lines 3 to 5: the greater envelope to the lower site, and what it answers to the author.
fn push_greater(bench: &mut Bench) {
    let (home, other) = (bench.home.state.fence(), bench.other.state.fence());
    let pair = |at: &Option<RecordRef>| at.as_ref().map(RecordRef::pair);
    if home.is_none() && other.is_none() {
        return;
    }
    if pair(&home) == pair(&other) {
        // The same record for its receipt; other content for its author to learn of it.
        let author = leader(pair(&home).unwrap().epoch);
        if home == other {
            carry_from(bench, author);
        } else {
            carry_from(bench, author.peer());
        }
    } else if pair(&home) > pair(&other) {
        carry_from(bench, Role::Home);
    } else {
        carry_from(bench, Role::Other);
    }
}

fn carry_from(bench: &mut Bench, from: Role) {
    let envelope = bench.site(from).envelope();
    let Ok(outputs) = bench.site(from.peer()).hear(&envelope) else {
        return;
    };
    for output in outputs {
        if let Output::Reply(answer) = output {
            let _ = bench.site(from).hear(&answer);
        }
    }
}

/// Line 6: a lock whose holder says that the operation is not alive.
fn release_dead_lock(bench: &mut Bench) {
    let Some(lock) = bench.home.lock().cloned() else {
        return;
    };
    if bench.home.state.fence() != bench.other.state.fence() {
        return;
    }
    let holder = bench.site(lock.holder);
    if holder
        .state
        .operation()
        .is_some_and(|own| own.id == lock.operation)
    {
        return;
    }
    let ask = Input::AskRelease {
        operation: lock.operation,
        source_vms: SourceVms::Unknown,
        searched: true,
    };
    if let Ok(outputs) = holder.act(ask) {
        let _ = bench.site(lock.holder.peer()).hear(&reply(&outputs));
    }
}

/// Both engines end what is theirs; `finish` says how planned moves end.
pub fn engines_end(bench: &mut Bench, finish: bool) {
    for role in [Role::Home, Role::Other] {
        let site = bench.site(role);
        let Some(own) = site.state.operation().cloned() else {
            let _ = site.act(Input::Settle {
                content: content("settled"),
            });
            continue;
        };
        let operation = own.id;
        let end = match own.mode {
            OperationMode::Local => Input::EndLocal { operation },
            OperationMode::Forced => Input::Finish {
                operation,
                content: content("moved"),
            },
            OperationMode::Planned if finish => Input::Finish {
                operation,
                content: content("moved"),
            },
            OperationMode::Planned | OperationMode::Requested => Input::Abort { operation },
        };
        let _ = site.act(end);
    }
}

/// Engines and courier until nothing is left to do; whether both sites agree and no lock remains.
pub fn heal(bench: &mut Bench, finish: bool) -> bool {
    for _ in 0..MAX_HEALS {
        engines_end(bench, finish);
        let met = sync_force(bench);
        let quiet = bench.home.mode().is_none() && bench.other.mode().is_none();
        if met && quiet && bench.home.lock().is_none() {
            return true;
        }
    }
    false
}

/// After healing an ordinary change succeeds at the leader, unless the group is deleted.
pub fn change_works(bench: &mut Bench) -> bool {
    if bench.home.state.is_deleted() {
        return bench.other.state.is_deleted();
    }
    let leader = if bench.home.state.leads() {
        Role::Home
    } else {
        Role::Other
    };
    bench.edit(leader, "after healing").is_ok() && in_sync(bench)
}
