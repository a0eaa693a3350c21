//! P1 to P5, P7 and P9, judged from what was signed, stored and reported, never from what the rules
//! believe. P6 and P8, which ask what could be done next, are in `heal`.
//!
//! Absent: repair. A state that breaks a property is the end of its history.

use crate::act::{Act, How};
use crate::intern::Missing;
use crate::letter::Says;
use crate::pool::Pool;
use crate::stage::{Local, Stage};
use crate::world::Past;
use protector_domain::sync::{OperationMode, RecordKind};
use std::fmt;

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    P1,
    P2,
    P3,
    P4,
    P5,
    P6,
    P7,
    P8,
    P9,
}

/// All of them.
pub const PROPERTIES: [Property; 9] = [
    Property::P1,
    Property::P2,
    Property::P3,
    Property::P4,
    Property::P5,
    Property::P6,
    Property::P7,
    Property::P8,
    Property::P9,
];

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says = match self {
            Self::P1 => "P1: one pair, one content, ever authored",
            Self::P2 => "P2: never two starters in one epoch; two at all only after a forced move",
            Self::P3 => "P3: what was reported synced is in force at both sites",
            Self::P4 => "P4: what was written is in force or in the log",
            Self::P5 => "P5: no change while pending, locked or on a dead reservation",
            Self::P6 => "P6: engines and a courier bring both into step, then a change succeeds",
            Self::P7 => "P7: no message takes effect twice",
            Self::P8 => "P8: each site with a record can take over alone",
            Self::P9 => "P9: nothing is written under a running planned operation",
        };
        f.write_str(says)
    }
}

/// A property that does not hold, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    pub property: Property,
    pub why: &'static str,
}

pub fn broken(property: Property, why: &'static str) -> Option<Broken> {
    Some(Broken { property, why })
}

/// P1 to P4 in one state of the world. After a restore a site has forgotten what it acknowledged:
/// then P1 and P2 alone are judged.
pub fn judge(locals: [&Local; 2], pool: &Pool, past: &Past) -> Option<Broken> {
    let [home, other] = locals;
    if pool.forked {
        return broken(Property::P1, "two records at one pair");
    }
    if home.may_start && other.may_start {
        if home.epoch == other.epoch {
            return broken(Property::P2, "both may start in one epoch");
        }
        if !pool.forced && past.restores == 0 {
            return broken(Property::P2, "both may start, nobody was forced");
        }
    }
    if past.restores > 0 {
        return None;
    }
    let synced = past.synced.iter().flatten();
    let both = |letter: &u32| home.line.contains(letter) && other.line.contains(letter);
    if synced.clone().any(|letter| !both(letter)) {
        return broken(Property::P3, "reported synced and not in force");
    }
    locals.into_iter().find_map(|local| lost(local, pool))
}

/// P4 at one site.
fn lost(local: &Local, pool: &Pool) -> Option<Broken> {
    let is_kept = |letter: &u32| local.kept.iter().any(|(kept, _)| kept == letter);
    let own = pool.authored_by(local.state.role());
    if own
        .iter()
        .any(|letter| !local.line.contains(letter) && !is_kept(letter))
    {
        return broken(Property::P4, "a record of this site is lost");
    }
    if !pool.forced && local.kept.iter().any(|(_, orphan)| *orphan) {
        return broken(Property::P4, "an orphan, and nobody was forced");
    }
    None
}

/// P5, of a record that needs the peer's attestation.
///
/// Errors: a number that was never given.
pub fn commit_fault(
    stage: &Stage,
    before: &Local,
    act: Act,
    wrote: Option<u32>,
) -> Result<Option<&'static str>, Missing> {
    let Some(wrote) = wrote else { return Ok(None) };
    let letter = stage.letter(wrote)?;
    let Some(written) = letter.written() else {
        return Ok(None);
    };
    let same_epoch = before.epoch == Some(written.at.epoch);
    let (says, how) = match act {
        Act::Deliver { letter, how, .. } => (Some(&stage.letter(letter)?.says), how),
        _ => (None, How::Plain),
    };
    let needs_peer = match written.kind {
        RecordKind::Create | RecordKind::Edit | RecordKind::Lock => true,
        RecordKind::Tombstone => same_epoch && !matches!(says, Some(Says::Rejection(_))),
        _ => false,
    };
    if !needs_peer {
        return Ok(None);
    }
    if !matches!(says, Some(Says::Reservation { .. })) {
        return Ok(Some("a change without a reservation"));
    }
    if how == How::Late {
        return Ok(Some("a change on a ticket that is over"));
    }
    Ok(commit_state_fault(before, written.kind))
}

fn commit_state_fault(before: &Local, kind: RecordKind) -> Option<&'static str> {
    let state = &before.state;
    if state.is_suspect() {
        return Some("a change by a suspect site");
    }
    let Some(current) = state.current() else {
        return (kind != RecordKind::Create).then_some("a change of nothing");
    };
    let header = &current.record().header;
    if kind == RecordKind::Create {
        return Some("a create of something");
    }
    if header.deleted {
        return Some("a change of a deleted group");
    }
    if !state.is_synced() {
        return Some("a change while another one is pending");
    }
    if header.lock.is_some() {
        return Some("a change under a lock");
    }
    if !state.leads() {
        return Some("a change by the follower");
    }
    match before.mode {
        None => None,
        Some(OperationMode::Local) if kind == RecordKind::Edit => None,
        Some(_) => Some("a change while an operation runs"),
    }
}
