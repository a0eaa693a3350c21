//! P6 and P8: what could be done from a state. Engines end what is theirs, an honest courier runs
//! sync-force (section 7 of the protocol), then an ordinary change; or one site takes over alone.
//!
//! Absent: the messages that are on their way. An honest courier needs none of them.

use crate::act::{Act, How};
use crate::cast::{ROLES, operation_number};
use crate::intern::Missing;
use crate::stage::{Effect, Local, Stage};
use protector_domain::sync::{Intent, Lock, OperationMode, Pair, RecordRef, Role, leader, overall};
use std::rc::Rc;

/// Rounds of sync-force, as the protocol gives them.
const ROUNDS_MAX: usize = 8;
/// Turns of "engines act, then sync-force" until everything has settled.
const TURNS_MAX: usize = 6;
/// Tickets of a healing are numbered from here.
const FIRST_TICKET: u32 = 1_000_000;
/// The operation of a site that takes over alone.
const LAST_OPERATION: u32 = 1_000_000;
/// Above every mark of a run, should healing discover a restore.
const MARK: u64 = 1 << 45;

/// Two sites that are to be brought into step.
struct Pairing<'a> {
    stage: &'a mut Stage,
    home: u32,
    other: u32,
    tickets: u32,
}

/// P6: why the two states cannot be brought into step, if they cannot.
///
/// Errors: a number that was never given.
pub fn stays_apart(
    stage: &mut Stage,
    home: u32,
    other: u32,
) -> Result<Option<&'static str>, Missing> {
    let is_empty = stage.local(home)?.current.is_none() && stage.local(other)?.current.is_none();
    if is_empty {
        return Ok(None); // nobody has created it yet
    }
    for finish in [true, false] {
        let mut pairing = Pairing {
            stage,
            home,
            other,
            tickets: FIRST_TICKET,
        };
        if !pairing.heal(finish)? {
            return Ok(Some("the sites do not come into step"));
        }
        if !pairing.change_works()? {
            return Ok(Some("no change is possible after healing"));
        }
    }
    Ok(None)
}

/// P8: whether a site with a record can neither start its VMs nor take over.
///
/// Errors: a number that was never given.
pub fn is_stuck(stage: &mut Stage, local: u32) -> Result<bool, Missing> {
    let site = stage.local(local)?.clone();
    if site.current.is_none() || site.state.is_deleted() {
        return Ok(false);
    }
    let holds = site.state.leads() || site.mode == Some(OperationMode::Forced);
    if site.may_start && holds {
        return Ok(false);
    }
    let force = Act::Force {
        operation: LAST_OPERATION,
        reclaim: true,
    };
    Ok(stage.answer(local, force, MARK)?.is_none())
}

impl Pairing<'_> {
    fn number(&self, role: Role) -> u32 {
        match role {
            Role::Home => self.home,
            Role::Other => self.other,
        }
    }

    fn site(&self, role: Role) -> Result<Rc<Local>, Missing> {
        self.stage.local(self.number(role)).cloned()
    }

    /// What a site answers; none if it refuses.
    fn act(&mut self, role: Role, act: Act) -> Result<Option<Rc<Effect>>, Missing> {
        let effect = self.stage.answer(self.number(role), act, MARK)?;
        if let Some(effect) = &effect {
            match role {
                Role::Home => self.home = effect.next,
                Role::Other => self.other = effect.next,
            }
        }
        Ok(effect)
    }

    /// Carries a message to a site; the last thing that it answers.
    fn carry(&mut self, to: Role, letter: Option<u32>) -> Result<Option<u32>, Missing> {
        let Some(letter) = letter else {
            return Ok(None);
        };
        let deliver = Act::Deliver {
            letter,
            how: How::Plain,
            offer: None,
        };
        let effect = self.act(to, deliver)?;
        Ok(effect.and_then(|effect| effect.said.last().copied()))
    }

    fn ask(&mut self, role: Role, intent: Intent) -> Result<Option<u32>, Missing> {
        self.tickets += 1;
        let ticket = self.tickets;
        let effect = self.act(role, Act::Ask { intent, ticket })?;
        Ok(effect.and_then(|effect| effect.said.last().copied()))
    }

    /// Engines and courier until nothing is left to do: both agree and no lock remains.
    fn heal(&mut self, finish: bool) -> Result<bool, Missing> {
        for _ in 0..TURNS_MAX {
            for role in ROLES {
                self.engine_ends(role, finish)?;
            }
            let met = self.sync_force()?;
            let (home, other) = (self.site(Role::Home)?, self.site(Role::Other)?);
            let quiet = home.mode.is_none() && other.mode.is_none();
            if met && quiet && lock(&home).is_none() {
                return Ok(home.current == other.current);
            }
        }
        Ok(false)
    }

    fn engine_ends(&mut self, role: Role, finish: bool) -> Result<(), Missing> {
        let end = match self.site(role)?.mode {
            None => Act::Settle,
            Some(OperationMode::Local) => Act::EndLocal,
            Some(OperationMode::Forced) => Act::Finish,
            Some(OperationMode::Planned) if finish => Act::Finish,
            Some(OperationMode::Planned | OperationMode::Requested) => Act::Abort,
        };
        self.act(role, end).map(|_| ())
    }

    fn sync_force(&mut self) -> Result<bool, Missing> {
        for _ in 0..ROUNDS_MAX {
            self.end_doubts()?;
            self.push_greater()?;
            self.release_dead_lock()?;
            if self.in_sync()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn in_sync(&self) -> Result<bool, Missing> {
        let (home, other) = (self.site(Role::Home)?, self.site(Role::Other)?);
        Ok(overall(&home.state.head(), Some(&other.state.head())).in_sync)
    }

    fn end_doubts(&mut self) -> Result<(), Missing> {
        for role in ROLES {
            if self.site(role)?.state.is_suspect() {
                let ticket = self.ask(role, Intent::Head)?;
                let head = self.carry(role.peer(), ticket)?;
                self.carry(role, head)?;
            }
        }
        Ok(())
    }

    /// The greater envelope to the lower site; the same one for its receipt; and of two different
    /// ones at one pair the stranger's to its author.
    fn push_greater(&mut self) -> Result<(), Missing> {
        let (home, other) = (self.fence(Role::Home)?, self.fence(Role::Other)?);
        let pair = |at: &Option<RecordRef>| at.as_ref().map(RecordRef::pair);
        let from = match pair(&home).cmp(&pair(&other)) {
            std::cmp::Ordering::Greater => Role::Home,
            std::cmp::Ordering::Less => Role::Other,
            std::cmp::Ordering::Equal => author_first(pair(&home), home == other),
        };
        let envelope = self.site(from)?.current;
        let answer = self.carry(from.peer(), envelope)?;
        self.carry(from, answer).map(|_| ())
    }

    fn fence(&self, role: Role) -> Result<Option<RecordRef>, Missing> {
        Ok(self.site(role)?.state.fence())
    }

    /// A lock whose holder says that the operation is not alive.
    fn release_dead_lock(&mut self) -> Result<(), Missing> {
        let home = self.site(Role::Home)?;
        let Some(lock) = lock(&home) else {
            return Ok(());
        };
        if self.fence(Role::Home)? != self.fence(Role::Other)? {
            return Ok(());
        }
        let operation = operation_number(lock.operation);
        if self.site(lock.holder)?.operation == Some(operation) {
            return Ok(());
        }
        let ask = Act::AskRelease {
            operation,
            searched: true,
        };
        let release = self.act(lock.holder, ask)?;
        let release = release.and_then(|effect| effect.said.last().copied());
        self.carry(lock.holder.peer(), release).map(|_| ())
    }

    /// An ordinary change by the leader, up to its receipt; nothing more of a deleted group.
    fn change_works(&mut self) -> Result<bool, Missing> {
        let (home, other) = (self.site(Role::Home)?, self.site(Role::Other)?);
        if home.state.is_deleted() {
            return Ok(other.state.is_deleted());
        }
        let author = if home.state.leads() {
            Role::Home
        } else {
            Role::Other
        };
        let before = self.fence(author)?;
        let ticket = self.ask(author, Intent::Change)?;
        let reservation = self.carry(author.peer(), ticket)?;
        let envelope = self.carry(author, reservation)?;
        let receipt = self.carry(author.peer(), envelope)?;
        self.carry(author, receipt)?;
        Ok(self.in_sync()? && self.fence(author)? != before)
    }
}

fn lock(local: &Local) -> Option<Lock> {
    let current = local.state.current()?;
    current.record().header.lock.clone()
}

fn author_first(pair: Option<Pair>, same: bool) -> Role {
    let author = pair.map_or(Role::Home, |pair| leader(pair.epoch));
    if same { author } else { author.peer() }
}
