//! A world for random walks: two sites, engines that act at whim, and couriers that may deliver
//! anything ever signed, anywhere, in any order, again, or never.

use super::bench::*;
use super::ghosts::{Ghosts, Seen};
use crate::sync::frame::Verified;
use crate::sync::*;
use std::collections::BTreeMap;

/// What may happen besides couriers and ordinary work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Restores {
    None,
    /// At once noticed by the mark file or the runbook.
    Detected,
    /// Nobody notices before a record comes back.
    Unnoticed,
}

#[derive(Clone, Copy)]
pub struct Rules {
    pub forced: bool,
    pub restores: Restores,
    pub deletes: bool,
    pub from_nothing: bool,
}

/// A small generator of our own: the seed is the bug report.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1))
    }

    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// A place in a list of `len` things.
    fn below(&mut self, len: usize) -> usize {
        usize::try_from(self.roll(u64::try_from(len).unwrap())).unwrap()
    }
}

/// What this world likes to do: worlds that differ reach further than one that does a little of
/// everything.
struct Habits {
    moves: Vec<Move>,
}

#[derive(Clone, Copy)]
enum Move {
    Deliver,
    Ask,
    PassTime,
    Restart,
    Local,
    Force,
    Abandon,
    End,
    Release,
    Settle,
    Restore,
}

impl Habits {
    /// Each move with its weight, drawn anew for each world.
    fn draw(dice: &mut Dice, rules: Rules) -> Self {
        let mut moves = Vec::new();
        let mut likes = |what: Move, least: u64, spread: u64| {
            let weight = least + dice.roll(spread + 1);
            moves.extend((0..weight).map(|_| what));
        };
        likes(Move::Deliver, 40, 20);
        likes(Move::Ask, 12, 12);
        likes(Move::PassTime, 0, 3);
        likes(Move::Restart, 0, 2);
        likes(Move::Local, 0, 1);
        likes(Move::End, 3, 8);
        likes(Move::Release, 3, 6);
        likes(Move::Settle, 1, 1);
        if rules.forced {
            likes(Move::Force, 0, 3);
        }
        if rules.forced && rules.deletes {
            likes(Move::Abandon, 0, 1);
        }
        if rules.restores != Restores::None {
            likes(Move::Restore, 1, 2);
        }
        Self { moves }
    }
}

pub struct World {
    pub bench: Bench,
    pub ghosts: Ghosts,
    pub dice: Dice,
    rules: Rules,
    habits: Habits,
    pool: Vec<Verified>,
    /// How many of the pool's messages nobody has delivered yet, by their place.
    fresh: Vec<usize>,
    backups: Vec<(Role, GroupSync)>,
    /// The greatest number that was ever in use.
    latest: u64,
    operations: u128,
    texts: u64,
    /// Steps that were not refused: a walk in which nothing happens proves nothing.
    pub effective: u64,
    /// How often each kind of record was written and each kind of output came out.
    pub tally: BTreeMap<String, u64>,
}

/// Old states that may be restored.
const MAX_BACKUPS: usize = 32;

impl World {
    pub fn new(seed: u64, rules: Rules) -> Self {
        let bench = Bench::empty();
        let (ghosts, mut dice) = (Ghosts::default(), Dice::new(seed));
        let habits = Habits::draw(&mut dice, rules);
        let (pool, backups) = (Vec::new(), Vec::new());
        let mut world = Self {
            bench,
            ghosts,
            dice,
            rules,
            habits,
            pool,
            fresh: Vec::new(),
            backups,
            latest: 0,
            operations: 0,
            texts: 0,
            effective: 0,
            tally: BTreeMap::new(),
        };
        if !rules.from_nothing {
            world.create();
        }
        world
    }

    fn create(&mut self) {
        let nonce = self.bench.nonce();
        let draft = Some(content("v1"));
        let ask = Input::AskTicket {
            nonce,
            intent: Intent::Create,
            draft,
            for_operation: None,
        };
        self.act(Role::Home, ask, None).unwrap();
        for (role, kind) in [
            (Role::Other, MessageType::Ticket),
            (Role::Home, MessageType::Reservation),
            (Role::Other, MessageType::Envelope),
            (Role::Home, MessageType::Receipt),
        ] {
            let message = self
                .pool
                .iter()
                .rfind(|m| m.signed().message_type == kind)
                .cloned();
            self.deliver(role, message.unwrap()).unwrap();
        }
        assert!(self.bench.home.may(None));
    }

    /// One random thing happens. The error names the property that broke.
    pub fn step(&mut self) -> Result<(), String> {
        let role = if self.dice.roll(2) == 0 {
            Role::Home
        } else {
            Role::Other
        };
        match self.habits.moves[self.dice.below(self.habits.moves.len())] {
            Move::Deliver => self.deliver_something(),
            Move::Ask => self.ask_something(role),
            Move::PassTime => self.pass_time(),
            Move::Restart => self.act(role, Input::EngineStarted, None),
            Move::Local => self.local(role),
            Move::Force => self.force(role),
            Move::Abandon if self.dice.roll(8) == 0 => self.act(role, Input::AbandonPeer, None),
            Move::Abandon => Ok(()),
            Move::End => self.end_operation(role),
            Move::Release => self.ask_release(role),
            Move::Settle => self.act(
                role,
                Input::Settle {
                    content: content("settled"),
                },
                None,
            ),
            Move::Restore => self.restore(role),
        }
    }

    fn pass_time(&mut self) -> Result<(), String> {
        let passed_ms = self.dice.roll(TICKET_LIFE_MS);
        self.bench.home.now_ms += passed_ms;
        self.bench.other.now_ms += self.dice.roll(TICKET_LIFE_MS);
        Ok(())
    }

    fn draft(&mut self) -> Content {
        self.texts += 1;
        let text = format!("text {}", self.texts);
        if self.dice.roll(8) == 0 {
            bad_content(&text)
        } else {
            content(&text)
        }
    }

    fn operation(&mut self) -> u128 {
        self.operations += 1;
        self.operations
    }

    fn ask_something(&mut self, role: Role) -> Result<(), String> {
        let is_new = self.bench.site(role).state.current().is_none();
        let (intent, draft) = match self.dice.roll(16) {
            _ if is_new => (Intent::Create, Some(self.draft())),
            0..8 => (Intent::Change, Some(self.draft())),
            8..13 => (Intent::Lock, None),
            13 if self.rules.deletes && self.dice.roll(4) == 0 => (Intent::Delete, None),
            _ => (Intent::Head, None),
        };
        let nonce = self.bench.nonce();
        let own = self.bench.site(role).state.operation().map(|own| own.id);
        let for_operation = own.filter(|_| self.dice.roll(2) == 0);
        self.act(
            role,
            Input::AskTicket {
                nonce,
                intent,
                draft,
                for_operation,
            },
            None,
        )
    }

    fn local(&mut self, role: Role) -> Result<(), String> {
        let operation = op(self.operation());
        self.act(role, Input::TakeLocal { operation }, None)
    }

    fn force(&mut self, role: Role) -> Result<(), String> {
        let reclaim = self.dice.roll(2) == 0;
        let mut input = forced(self.operation(), reclaim);
        if let Input::ForcedMove { content, .. } = &mut input {
            *content = self.draft();
        }
        self.act(role, input, None)
    }

    fn end_operation(&mut self, role: Role) -> Result<(), String> {
        let Some(own) = self.bench.site(role).state.operation().cloned() else {
            return Ok(());
        };
        let operation = own.id;
        let input = match (own.mode, self.dice.roll(3)) {
            (OperationMode::Local, _) => Input::EndLocal { operation },
            (OperationMode::Requested, 0) | (_, 1) => Input::Abort { operation },
            (OperationMode::Requested, _) => return Ok(()),
            _ => Input::Finish {
                operation,
                content: self.draft(),
            },
        };
        self.act(role, input, None)
    }

    fn ask_release(&mut self, role: Role) -> Result<(), String> {
        let peer = self
            .bench
            .site(role.peer())
            .lock()
            .map(|lock| lock.operation);
        let own = self.bench.site(role).lock().map(|lock| lock.operation);
        let any = op(u128::from(
            self.dice.roll(u64::try_from(self.operations + 1).unwrap()),
        ));
        let operation = match self.dice.roll(3) {
            0 => any,
            1 => own.unwrap_or(any),
            _ => peer.unwrap_or(any),
        };
        let searched = self.dice.roll(2) == 0;
        let source_vms = SourceVms::Home;
        self.act(
            role,
            Input::AskRelease {
                operation,
                source_vms,
                searched,
            },
            None,
        )
    }

    fn restore(&mut self, role: Role) -> Result<(), String> {
        let theirs: Vec<usize> = (0..self.backups.len())
            .filter(|i| self.backups[*i].0 == role)
            .collect();
        if self.rules.restores == Restores::None || theirs.is_empty() {
            return Ok(());
        }
        let place = theirs[self.dice.below(theirs.len())];
        let backup = self.backups[place].1.clone();
        self.ghosts.restored = true;
        match self.rules.restores {
            Restores::Detected => self.bench.site(role).restore(&backup),
            _ => self.bench.site(role).restore_unnoticed(&backup),
        }
        Ok(())
    }

    /// Anything that was ever signed; more often something that nobody has delivered yet.
    fn deliver_something(&mut self) -> Result<(), String> {
        if self.pool.is_empty() {
            return Ok(());
        }
        let place = if self.fresh.is_empty() || self.dice.roll(3) == 0 {
            self.dice.below(self.pool.len())
        } else {
            let newest = self.fresh.len() - 1;
            let chosen = if self.dice.roll(3) == 0 {
                self.dice.below(newest + 1)
            } else {
                newest
            };
            self.fresh.remove(chosen)
        };
        let message = self.pool[place].clone();
        let to_home = message.message().to == home_site();
        let mut role = if to_home { Role::Home } else { Role::Other };
        let is_envelope = message.signed().message_type == MessageType::Envelope;
        if is_envelope && self.dice.roll(6) == 0 {
            role = role.peer(); // back to its author
        }
        self.deliver(role, message)
    }

    fn deliver(&mut self, role: Role, message: Verified) -> Result<(), String> {
        let signed = message.signed().clone();
        let input = match Input::from_courier(message) {
            Input::Ticket { ticket, .. } => Input::Ticket {
                ticket,
                offer: Some(offer(self.operation())),
            },
            Input::Head { head, .. } => Input::Head {
                envelope: self.envelope_for(&head),
                head,
            },
            other => other,
        };
        self.bench.site(role).lenient = true;
        self.act(role, input, Some((signed.message_type, &signed.signature)))
    }

    fn envelope_for(&self, head: &Verified) -> Option<Box<Verified>> {
        let MessageContent::Head(report) = &head.message().content else {
            return None;
        };
        let at = report.head.at.as_ref()?;
        let found = self
            .pool
            .iter()
            .find(|message| match &message.message().content {
                MessageContent::Envelope(record) => {
                    record.header.pair() == at.pair()
                        && record.digest().ok().as_ref() == Some(&at.digest)
                }
                _ => false,
            });
        found.cloned().map(Box::new)
    }

    /// A clock under which every mark is truly greater, as the protocol takes it.
    fn set_clock(&mut self, role: Role) {
        let sites = [&self.bench.home, &self.bench.other];
        let numbers = sites.map(|site| {
            let pair = site.state.fence().map_or(Pair::new(0, 0), |at| at.pair());
            site.mark.max(pair.epoch.0).max(pair.version.0)
        });
        let latest = numbers.into_iter().max().unwrap_or(0).max(self.latest);
        self.latest = latest;
        self.bench.site(role).unix_ms = latest + 2 * MARK_STRIDE;
    }

    fn count(&mut self, role: Role, outputs: &[Output]) {
        for output in outputs {
            let name = match output {
                Output::Reply(signed) => signed.message_type.as_str().to_owned(),
                Output::RecordChanged { is_own: true, .. } => {
                    format!("{:?}", self.bench.site(role).kind())
                }
                Output::Kept(kept) => format!("{:?}", kept.reason),
                other => format!("{other:?}")
                    .split(' ')
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            };
            *self.tally.entry(name).or_default() += 1;
        }
    }

    fn act(
        &mut self,
        role: Role,
        input: Input,
        cause: Option<(MessageType, &str)>,
    ) -> Result<(), String> {
        self.set_clock(role);
        let before = self.bench.site(role).clone();
        let Ok(outputs) = self.bench.site(role).act(input) else {
            return Ok(());
        };
        self.effective += 1;
        self.count(role, &outputs);
        for output in &outputs {
            if let Output::Reply(signed) = output
                && !self.pool.iter().any(|known| known.signed() == signed)
            {
                self.fresh.push(self.pool.len());
                self.pool.push(Verified::trusted(signed.clone()).unwrap());
            }
        }
        if self.rules.restores != Restores::None && self.dice.roll(3) == 0 {
            self.backups.push((role, before.state.clone()));
            if self.backups.len() > MAX_BACKUPS {
                self.backups.remove(0);
            }
        }
        let (after, peer) = match role {
            Role::Home => (&self.bench.home, &self.bench.other),
            Role::Other => (&self.bench.other, &self.bench.home),
        };
        let before = &before;
        self.ghosts.watch(&Seen {
            role,
            before,
            after,
            peer,
            outputs: &outputs,
            cause,
        })
    }
}
