//! Both sites, everything ever signed, and what can happen next.
//!
//! Absent: order and time. Messages are a set, and clocks are events.

use crate::act::{Act, How};
use crate::cast::{self, ROLES};
use crate::intern::{Interner, Missing};
use crate::letter::{Letter, Says};
use crate::pool::{Pool, Pools};
use crate::properties::{Broken, Property, broken, judge};
use crate::runs::Bounds;
use crate::stage::{Effect, Local, Stage};
use protector_domain::sync::{
    Intent, MARK_STRIDE, OperationMode, RecordKind, Role, Tickets, raised_mark,
};
use std::fmt;

/// Numbers of operations that need no lock begin here.
const FIRST_LOCAL_OPERATION: u32 = 1_000;

/// One state of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct World {
    pub home: u32,
    pub other: u32,
    pub pool: u32,
    pub past: u32,
}

/// What only an onlooker remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Past {
    /// The last record that each site reported synced, home first.
    pub synced: [Option<u32>; 2],
    /// Messages that changed a site (P7).
    pub effects: Vec<(Role, u32)>,
    /// States of sites that may be restored.
    pub backups: Vec<(Role, u32)>,
    pub restores: u32,
    pub local_operations: u32,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    At(Role, Act),
    Backup(Role),
    /// The database of this site becomes that of an older backup.
    Restore(Role, u32),
}

/// Where an event leads, and what it breaks on the way.
#[derive(Debug, Clone, Copy)]
pub struct Next {
    pub event: Event,
    pub world: World,
    pub broken: Option<Broken>,
}

/// All worlds of one run.
pub struct Universe {
    pub stage: Stage,
    pub pools: Pools,
    pub pasts: Interner<Past, Past>,
    pub bounds: Bounds,
    /// Messages that were signed before the run began.
    tickets_before: u32,
}

impl Universe {
    pub fn new(bounds: Bounds) -> Self {
        Self {
            stage: Stage::new(),
            pools: Pools::new(),
            pasts: Interner::new(),
            bounds,
            tickets_before: 0,
        }
    }

    /// The first world: nothing, or a group that both sites know.
    ///
    /// Errors: a number that was never given, or a group that cannot be created.
    pub fn first(&mut self) -> Result<World, Missing> {
        let past = self.past(Past::default());
        let [home, other] = ROLES.map(|role| self.stage.enter(cast::vacant(role), Tickets::new()));
        let mut world = World {
            home,
            other,
            pool: 0,
            past,
        };
        if self.bounds.from_nothing {
            return Ok(world);
        }
        let ask = Act::Ask {
            intent: Intent::Create,
            ticket: 1,
        };
        let mut said = self.play(&mut world, Role::Home, ask)?;
        for role in [Role::Other, Role::Home, Role::Other, Role::Home] {
            let act = Act::Deliver {
                letter: said,
                how: How::Plain,
                offer: None,
            };
            said = self.play(&mut world, role, act)?;
        }
        self.tickets_before = self.pools.get(world.pool)?.tickets;
        Ok(world)
    }

    /// One act of the prologue; the message it answers with.
    fn play(&mut self, world: &mut World, role: Role, act: Act) -> Result<u32, Missing> {
        let effect = self.stage.answer(world.of(role), act, 0)?;
        let effect = effect.ok_or(Missing(world.of(role)))?;
        *world = self.after(*world, role, act, &effect)?;
        Ok(effect.said.first().copied().unwrap_or_default())
    }

    fn past(&mut self, past: Past) -> u32 {
        match self.pasts.number(&past) {
            Some(known) => known,
            None => self.pasts.add(past.clone(), past),
        }
    }

    /// What breaks in a state by itself (P1 to P4).
    ///
    /// Errors: a number that was never given.
    pub fn judge(&self, world: World) -> Result<Option<Broken>, Missing> {
        let (home, other) = (
            self.stage.local(world.home)?,
            self.stage.local(world.other)?,
        );
        let (pool, past) = (self.pools.get(world.pool)?, self.pasts.get(world.past)?);
        Ok(judge([home, other], pool, past))
    }

    /// Everything that can happen next, within the bounds.
    ///
    /// Errors: a number that was never given.
    pub fn nexts(&mut self, world: World) -> Result<Vec<Next>, Missing> {
        let mut found = Vec::new();
        for role in ROLES {
            for act in self.acts(world, role)? {
                let mark = self.mark(world, act)?;
                if let Some(effect) = self.stage.answer(world.of(role), act, mark)? {
                    found.extend(self.next(world, role, act, &effect)?);
                }
            }
        }
        if self.bounds.restores > 0 {
            self.backups(world, &mut found)?;
        }
        Ok(found)
    }

    fn next(
        &mut self,
        world: World,
        role: Role,
        act: Act,
        effect: &Effect,
    ) -> Result<Option<Next>, Missing> {
        let broken = self.breaks(world, role, act, effect)?;
        let next = self.after(world, role, act, effect)?;
        let is_same =
            next.home == world.home && next.other == world.other && next.pool == world.pool;
        if is_same || !self.is_within(next)? {
            return Ok(None);
        }
        Ok(Some(Next {
            event: Event::At(role, act),
            world: next,
            broken,
        }))
    }

    fn is_within(&self, world: World) -> Result<bool, Missing> {
        let pool = self.pools.get(world.pool)?;
        let bounds = &self.bounds;
        Ok(pool.records <= bounds.records
            && pool.tickets <= bounds.tickets + self.tickets_before
            && pool.operations.len() <= bounds.operations
            && pool.epochs.len() <= bounds.epochs)
    }

    /// P5, P7 and P9, of one thing that happens. A restored site repeats what it has forgotten.
    fn breaks(
        &self,
        world: World,
        role: Role,
        act: Act,
        effect: &Effect,
    ) -> Result<Option<Broken>, Missing> {
        let past = self.pasts.get(world.past)?;
        if past.restores > 0 {
            return Ok(None);
        }
        if let Some(why) = effect.fault {
            return Ok(broken(Property::P5, why));
        }
        if let Some(letter) = self.effective(world, role, act, effect)?
            && past.effects.contains(&(role, letter))
        {
            return Ok(broken(Property::P7, "a message took effect twice"));
        }
        let peer = self.stage.local(world.of(role.peer()))?;
        let at = effect.wrote.map(|letter| self.stage.letter(letter));
        let epoch = at
            .transpose()?
            .and_then(|letter| letter.written().map(|w| w.at.epoch));
        if epoch.is_some() && epoch == peer.epoch && peer.mode == Some(OperationMode::Planned) {
            return Ok(broken(Property::P9, "written under a planned operation"));
        }
        Ok(None)
    }

    /// The message that changed the site, if one did. A ticket may be answered twice: that leaves
    /// no state but a requested operation, which has no right.
    fn effective(
        &self,
        world: World,
        role: Role,
        act: Act,
        effect: &Effect,
    ) -> Result<Option<u32>, Missing> {
        let Act::Deliver { letter, .. } = act else {
            return Ok(None);
        };
        let is_ticket = matches!(self.stage.letter(letter)?.says, Says::Ticket { .. });
        Ok((!is_ticket && effect.next != world.of(role)).then_some(letter))
    }

    fn after(
        &mut self,
        world: World,
        role: Role,
        act: Act,
        effect: &Effect,
    ) -> Result<World, Missing> {
        let mut next = world.with(role, effect.next);
        for letter in &effect.said {
            next.pool = self.pools.with(next.pool, *letter, &self.stage)?;
        }
        let mut past = Past::clone(self.pasts.get(world.past)?);
        if past.restores == 0 {
            let [home, other] = &mut past.synced;
            let reported = if role == Role::Home { home } else { other };
            *reported = effect.synced.or(*reported);
            let letter = self.effective(world, role, act, effect)?;
            past.effects.extend(letter.map(|letter| (role, letter)));
            past.effects.sort_unstable();
            past.effects.dedup();
        }
        past.local_operations += u32::from(matches!(act, Act::TakeLocal { .. }));
        next.past = self.past(past);
        Ok(next)
    }

    /// A mark above every number in use, where a restore may be discovered.
    fn mark(&self, world: World, act: Act) -> Result<u64, Missing> {
        if !matches!(act, Act::Deliver { .. }) || self.bounds.restores == 0 {
            return Ok(0);
        }
        self.fresh_mark(world)
    }

    fn fresh_mark(&self, world: World) -> Result<u64, Missing> {
        let marks = [world.home, world.other].map(|local| self.stage.local(local));
        let mut greatest = self.pools.get(world.pool)?.greatest;
        for local in marks {
            greatest = greatest.max(local?.state.restore_mark());
        }
        Ok(raised_mark(
            greatest,
            greatest.saturating_add(2 * MARK_STRIDE),
        ))
    }

    fn backups(&mut self, world: World, found: &mut Vec<Next>) -> Result<(), Missing> {
        let past = self.pasts.get(world.past)?.clone();
        let room = past.backups.len() < usize::try_from(self.bounds.restores).unwrap_or(usize::MAX);
        for role in ROLES {
            let backup = (role, world.of(role));
            if past.restores < self.bounds.restores && room && !past.backups.contains(&backup) {
                let mut next = Past::clone(&past);
                next.backups.push(backup);
                next.backups.sort_unstable();
                let past = self.past(next);
                found.push(quiet(Event::Backup(role), World { past, ..world }));
            }
        }
        if past.restores == self.bounds.restores {
            return Ok(());
        }
        for (role, backup) in &past.backups {
            if *backup != world.of(*role) {
                let next = self.restored(world, *role, *backup, &past)?;
                found.push(quiet(Event::Restore(*role, *backup), next));
            }
        }
        Ok(())
    }

    /// The backup, without tickets; noticed at once, or by nobody.
    fn restored(
        &mut self,
        world: World,
        role: Role,
        backup: u32,
        past: &Past,
    ) -> Result<World, Missing> {
        let mark = self.fresh_mark(world)?;
        let state = self.stage.local(backup)?.state.clone();
        let mut local = self.stage.enter(state, Tickets::new());
        if self.bounds.noticed
            && let Some(effect) = self.stage.answer(local, Act::Restored, mark)?
        {
            local = effect.next;
        }
        let mut past = past.clone();
        past.restores += 1;
        past.effects.clear();
        past.synced = [None, None];
        if past.restores == self.bounds.restores {
            past.backups.clear();
        }
        let past = self.past(past);
        Ok(World {
            past,
            ..world.with(role, local)
        })
    }

    /// What may be tried at one site; the rules refuse what may not be done.
    fn acts(&self, world: World, role: Role) -> Result<Vec<Act>, Missing> {
        let local = self.stage.local(world.of(role))?;
        let pool = self.pools.get(world.pool)?;
        let mut acts = Vec::new();
        self.asks(local, pool, &mut acts);
        for letter in &pool.letters {
            self.deliveries(*letter, role, pool, &mut acts)?;
        }
        let operation = next_operation(pool);
        if self.bounds.forced && pool.operations.len() < self.bounds.operations {
            for reclaim in [false, true] {
                acts.push(Act::Force { operation, reclaim });
            }
        }
        if self.bounds.abandons {
            acts.push(Act::Abandon);
        }
        match local.mode {
            Some(OperationMode::Local) => acts.push(Act::EndLocal),
            Some(_) => acts.extend([Act::Finish, Act::Abort]),
            None => {}
        }
        for operation in &pool.operations {
            for searched in [false, true] {
                if !searched || self.bounds.restores > 0 {
                    acts.push(Act::AskRelease {
                        operation: *operation,
                        searched,
                    });
                }
            }
        }
        let taken = self.pasts.get(world.past)?.local_operations;
        if taken < self.bounds.local_operations {
            let operation = FIRST_LOCAL_OPERATION + taken;
            acts.push(Act::TakeLocal { operation });
        }
        acts.extend([Act::Settle, Act::Restart]);
        Ok(acts)
    }

    fn asks(&self, local: &Local, pool: &Pool, acts: &mut Vec<Act>) {
        if pool.tickets >= self.bounds.tickets + self.tickets_before {
            return;
        }
        let ticket = pool.tickets + 1;
        let mut intents = vec![Intent::Change, Intent::Lock];
        if local.current.is_none() {
            intents = vec![Intent::Create];
        }
        if self.bounds.deletes {
            intents.push(Intent::Delete);
        }
        if self.bounds.restores > 0 {
            intents.push(Intent::Head);
        }
        acts.extend(
            intents
                .into_iter()
                .map(|intent| Act::Ask { intent, ticket }),
        );
    }

    fn deliveries(
        &self,
        number: u32,
        role: Role,
        pool: &Pool,
        acts: &mut Vec<Act>,
    ) -> Result<(), Missing> {
        let letter = self.stage.letter(number)?;
        if letter.at(role).is_none() {
            return Ok(());
        }
        let is_lock = matches!(
            letter.says,
            Says::Ticket {
                intent: Intent::Lock,
                ..
            }
        );
        let room = pool.operations.len() < self.bounds.operations;
        let offer = (is_lock && room).then(|| next_operation(pool));
        let mut hows = vec![How::Plain];
        if matches!(letter.says, Says::Reservation { .. }) {
            hows.push(How::Late);
        }
        if self.bounds.refusals && may_be_refused(letter, role) {
            hows.push(How::Refused);
        }
        let deliver = |how| Act::Deliver {
            letter: number,
            how,
            offer,
        };
        acts.extend(hows.into_iter().map(deliver));
        Ok(())
    }
}

fn may_be_refused(letter: &Letter, role: Role) -> bool {
    letter.written().is_some_and(|written| {
        let change = matches!(written.kind, RecordKind::Create | RecordKind::Edit);
        change && written.author != role
    })
}

fn next_operation(pool: &Pool) -> u32 {
    pool.operations.last().map_or(1, |last| last + 1)
}

fn quiet(event: Event, world: World) -> Next {
    Next {
        event,
        world,
        broken: None,
    }
}

impl World {
    pub fn of(&self, role: Role) -> u32 {
        match role {
            Role::Home => self.home,
            Role::Other => self.other,
        }
    }

    fn with(mut self, role: Role, local: u32) -> Self {
        match role {
            Role::Home => self.home = local,
            Role::Other => self.other = local,
        }
        self
    }
}

impl Event {
    /// In words.
    ///
    /// Errors: a number that was never given.
    pub fn tell(&self, stage: &Stage) -> Result<String, Missing> {
        Ok(match self {
            Self::At(role, Act::Deliver { letter, how, .. }) => {
                let letter = stage.letter(*letter)?;
                match how {
                    How::Plain => format!("{role} hears {letter}"),
                    How::Late => format!("{role} hears, when every ticket is over, {letter}"),
                    How::Refused => format!("{role} refuses for good {letter}"),
                }
            }
            Self::At(role, act) => format!("{role} {act}"),
            Self::Backup(role) => format!("{role} is backed up"),
            Self::Restore(role, _) => format!("{role} is restored from the backup"),
        })
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}/{}",
            self.home, self.other, self.pool, self.past
        )
    }
}
