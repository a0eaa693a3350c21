//! The properties P1 to P5, P7 and P9, judged after each step from what was really signed and
//! stored, never from what the rules believe.

use super::bench::Site;
use crate::sync::*;
use std::collections::{BTreeMap, BTreeSet};

/// One step that was not refused.
pub struct Seen<'a> {
    pub role: Role,
    pub before: &'a Site,
    pub after: &'a Site,
    pub peer: &'a Site,
    pub outputs: &'a [Output],
    /// Signature of the message that caused it, if one did.
    pub cause: Option<(MessageType, &'a str)>,
}

#[derive(Default)]
pub struct Ghosts {
    by_pair: BTreeMap<Pair, Digest>,
    parents: BTreeMap<Digest, Option<RecordRef>>,
    authored: BTreeMap<Digest, Role>,
    logged: BTreeSet<Digest>,
    effects: BTreeSet<(Role, String)>,
    commits: BTreeSet<String>,
    forced: bool,
    /// A database was restored: what a site forgot it cannot keep (P3, P4, P5, P7, P9 pause).
    pub restored: bool,
}

type Judged = Result<(), String>;

impl Ghosts {
    pub fn watch(&mut self, seen: &Seen<'_>) -> Judged {
        self.note_logged(seen);
        self.judge_authorship(seen)?;
        self.judge_rights(seen)?;
        if self.restored {
            return Ok(());
        }
        self.judge_synced(seen)?;
        self.judge_kept(seen)?;
        self.judge_commit(seen)?;
        self.judge_repeats(seen)
    }

    fn note_logged(&mut self, seen: &Seen<'_>) {
        for output in seen.outputs {
            if let Output::Kept(kept) = output {
                self.logged.insert(kept.stored.digest().clone());
            }
        }
    }

    /// P1: one pair, one content, ever authored. P9: nothing under a running planned operation.
    fn judge_authorship(&mut self, seen: &Seen<'_>) -> Judged {
        let own = seen.outputs.iter().find_map(|output| match output {
            Output::RecordChanged { at, is_own: true } => Some(at.clone()),
            _ => None,
        });
        let Some(at) = own else { return Ok(()) };
        let header = &seen.after.state.current().unwrap().record().header;
        self.forced |= header
            .lock
            .as_ref()
            .is_some_and(|lock| lock.kind == LockKind::Forced);
        self.forced |=
            header.kind == RecordKind::Tombstone && header.epoch != epoch_of(seen.before);
        self.authored.insert(at.digest.clone(), seen.role);
        self.parents
            .insert(at.digest.clone(), header.parent.clone());
        let first = self
            .by_pair
            .entry(at.pair())
            .or_insert_with(|| at.digest.clone());
        if *first != at.digest {
            return Err(format!("P1: two contents at {}", at.pair()));
        }
        let under = seen.peer.mode() == Some(OperationMode::Planned) && !self.restored;
        if under && epoch_of(seen.peer) == at.epoch {
            return Err(format!(
                "P9: {} written under a planned operation",
                at.pair()
            ));
        }
        Ok(())
    }

    /// P2: never two starters in one epoch; without a forced move never two at all.
    fn judge_rights(&self, seen: &Seen<'_>) -> Judged {
        let both = seen.after.may_any() && seen.peer.may_any();
        let same = epoch_of(seen.after) == epoch_of(seen.peer);
        if both && (same || !(self.forced || self.restored)) {
            return Err(format!(
                "P2: both may start, epoch {}",
                epoch_of(seen.after)
            ));
        }
        Ok(())
    }

    /// P3: what was reported synced is in force at the peer.
    fn judge_synced(&self, seen: &Seen<'_>) -> Judged {
        for output in seen.outputs {
            if let Output::Synced { at } = output
                && !self.ancestry(seen.peer).contains(&at.digest)
            {
                return Err(format!("P3: {} is not in force at the peer", at.pair()));
            }
        }
        Ok(())
    }

    /// P4: what this site wrote is in force here, or in the log; orphans only after a forced move.
    fn judge_kept(&self, seen: &Seen<'_>) -> Judged {
        let in_force = self.ancestry(seen.after);
        for (digest, author) in &self.authored {
            let is_safe = in_force.contains(digest) || self.logged.contains(digest);
            if *author == seen.role && !is_safe {
                return Err(format!("P4: {digest} is lost"));
            }
        }
        let orphan = seen
            .after
            .state
            .kept()
            .iter()
            .any(|kept| kept.reason == KeptReason::Orphan);
        if orphan && !self.forced {
            return Err("P4: an orphan without a forced move".to_owned());
        }
        Ok(())
    }

    /// P5: no change while pending, locked or busy, nor on a reservation that is used or too old.
    fn judge_commit(&mut self, seen: &Seen<'_>) -> Judged {
        let Some((MessageType::Reservation, signature)) = seen.cause else {
            return Ok(());
        };
        let before = &seen.before.state;
        let is_create = before.current().is_none();
        let waits = !is_create && !before.is_synced();
        let foreign = before
            .operation()
            .is_some_and(|own| own.mode != OperationMode::Local);
        let busy = foreign || (before.operation().is_some() && seen.after.lock().is_some());
        if waits || seen.before.lock().is_some() || busy {
            return Err("P5: a change while another one is under way".to_owned());
        }
        if !is_create && !before.leads() {
            return Err("P5: a change by the follower".to_owned());
        }
        if !self.commits.insert(signature.to_owned()) {
            return Err("P5: a reservation was used twice".to_owned());
        }
        Ok(())
    }

    /// P7: no message changes a site twice. (A ticket may be answered twice: that leaves no state
    /// but a requested operation, which has no right.)
    fn judge_repeats(&mut self, seen: &Seen<'_>) -> Judged {
        let Some((kind, signature)) = seen.cause else {
            return Ok(());
        };
        let changed = seen.before.state != seen.after.state;
        if kind == MessageType::Ticket || !changed {
            return Ok(());
        }
        if !self.effects.insert((seen.role, signature.to_owned())) {
            return Err(format!("P7: a {} took effect twice", kind.as_str()));
        }
        Ok(())
    }

    /// P4 at the end, when both sites agree: everything ever written is in force or in a log.
    pub fn judge_end(&mut self, home: &Site, other: &Site) -> Judged {
        for site in [home, other] {
            self.logged.extend(site.logged.iter().cloned());
            let written = site.written.iter().cloned();
            self.parents
                .extend(written.map(|(at, parent)| (at.digest, parent)));
        }
        let in_force = self.ancestry(home);
        let lost = |digest: &&Digest| !in_force.contains(*digest) && !self.logged.contains(*digest);
        match self.authored.keys().find(lost) {
            Some(digest) if !self.restored => Err(format!("P4: {digest} is lost in the end")),
            _ => Ok(()),
        }
    }

    fn ancestry(&self, site: &Site) -> BTreeSet<Digest> {
        let mut found = BTreeSet::new();
        let mut next = site.state.fence();
        while let Some(at) = next {
            next = self.parents.get(&at.digest).cloned().flatten();
            found.insert(at.digest);
        }
        found
    }
}

fn epoch_of(site: &Site) -> Epoch {
    site.state.epoch().unwrap_or(Epoch(0))
}
