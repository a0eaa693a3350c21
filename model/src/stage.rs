//! Where the sites act: every state of one site and every message that came up so far, and what the
//! rules answered. The same question is put to `step` once; after that it is two numbers.
//!
//! Absent: the other site. What one site does depends on it by messages alone.

use crate::act::{Act, How};
use crate::cast;
use crate::intern::{Interner, Missing};
use crate::letter::{Letter, Says};
use crate::properties::commit_fault;
use protector_domain::sync::{
    Digest, Epoch, GroupSync, Input, Intent, KeptReason, LockOffer, OperationMode, Output, Role,
    Signed, SigningIdentity, SourceVms, StepContext, TICKET_LIFE_MS, Tickets, canonical_json,
    may_start, step,
};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The state of one site, with what is asked of it again and again.
#[derive(Debug)]
pub struct Local {
    pub state: GroupSync,
    pub tickets: Tickets,
    /// The message that holds the record in force.
    pub current: Option<u32>,
    /// The record in force and all it was built on.
    pub line: Rc<BTreeSet<u32>>,
    /// Records in the sync log, and whether as orphans.
    pub kept: Vec<(u32, bool)>,
    /// Anything at this site may start VMs now.
    pub may_start: bool,
    pub epoch: Option<Epoch>,
    pub mode: Option<OperationMode>,
    pub operation: Option<u32>,
}

/// What an act does.
#[derive(Debug)]
pub struct Effect {
    pub next: u32,
    pub said: Vec<u32>,
    /// The record in force was reported synced.
    pub synced: Option<u32>,
    /// A record of this site's own was written.
    pub wrote: Option<u32>,
    /// What is wrong with it, seen from this site alone.
    pub fault: Option<&'static str>,
}

/// A question to the rules: which state, what happens, under which mark.
type Question = (u32, Act, u64);

/// All states, messages and answers.
pub struct Stage {
    identities: [SigningIdentity; 2],
    locals: Interner<Digest, Local>,
    letters: Interner<String, Letter>,
    records: BTreeMap<Digest, u32>,
    lines: BTreeMap<u32, Rc<BTreeSet<u32>>>,
    answers: BTreeMap<Question, Option<Rc<Effect>>>,
}

impl Stage {
    pub fn new() -> Self {
        Self {
            identities: cast::ROLES.map(cast::identity),
            locals: Interner::new(),
            letters: Interner::new(),
            records: BTreeMap::new(),
            lines: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    /// How many different states of one site there are.
    pub fn locals(&self) -> usize {
        self.locals.len()
    }

    /// How often `step` was asked.
    pub fn questions(&self) -> usize {
        self.answers.len()
    }

    /// Errors: nothing has this number.
    pub fn local(&self, number: u32) -> Result<&Rc<Local>, Missing> {
        self.locals.get(number)
    }

    /// Errors: nothing has this number.
    pub fn letter(&self, number: u32) -> Result<&Rc<Letter>, Missing> {
        self.letters.get(number)
    }

    /// The number of a state of one site.
    pub fn enter(&mut self, state: GroupSync, tickets: Tickets) -> u32 {
        let text = canonical_json(&state).unwrap_or_default();
        let key = Digest::of_bytes(format!("{text}{tickets:?}").as_bytes());
        if let Some(known) = self.locals.number(&key) {
            return known;
        }
        let local = self.look_at(state, tickets);
        self.locals.add(key, local)
    }

    fn look_at(&mut self, state: GroupSync, tickets: Tickets) -> Local {
        let signed = state.current().map(|current| current.signed().clone());
        let current = signed.and_then(|signed| self.post(&signed));
        let kept = state
            .kept()
            .iter()
            .map(|kept| {
                (
                    kept.stored.signed().clone(),
                    kept.reason == KeptReason::Orphan,
                )
            })
            .collect::<Vec<_>>();
        let kept = kept
            .into_iter()
            .filter_map(|(signed, orphan)| Some((self.post(&signed)?, orphan)))
            .collect();
        let own = state.operation();
        let epoch = state.epoch();
        let under = epoch.unwrap_or(Epoch(1));
        let may = |operation| may_start(&state, state.role(), operation, under);
        Local {
            current,
            line: current.map_or_else(Rc::default, |letter| self.line(letter)),
            kept,
            may_start: may(None) || may(own.map(|own| own.id)),
            epoch,
            mode: own.map(|own| own.mode),
            operation: own.map(|own| cast::operation_number(own.id)),
            state,
            tickets,
        }
    }

    /// The number of a message; none if no site would accept it.
    pub fn post(&mut self, signed: &Signed) -> Option<u32> {
        if let Some(known) = self.letters.number(&signed.signature) {
            return Some(known);
        }
        let letter = Letter::of(signed)?;
        let digest = letter.written().map(|written| written.at.digest.clone());
        let number = self.letters.add(signed.signature.clone(), letter);
        if let Some(digest) = digest {
            self.records.insert(digest, number);
        }
        Some(number)
    }

    /// A record and all that it was built on.
    fn line(&mut self, letter: u32) -> Rc<BTreeSet<u32>> {
        if let Some(known) = self.lines.get(&letter) {
            return known.clone();
        }
        let mut found = BTreeSet::new();
        let mut next = Some(letter);
        while let Some(number) = next {
            found.insert(number);
            let parent = self.letters.get(number).ok().and_then(|letter| {
                letter
                    .written()
                    .and_then(|written| written.parent.as_ref().map(|p| p.digest.clone()))
            });
            next = parent.and_then(|digest| self.records.get(&digest).copied());
        }
        let found = Rc::new(found);
        self.lines.insert(letter, found.clone());
        found
    }

    /// What `act` does to a site; none if it is refused.
    ///
    /// Errors: a number that was never given.
    pub fn answer(
        &mut self,
        local: u32,
        act: Act,
        mark: u64,
    ) -> Result<Option<Rc<Effect>>, Missing> {
        if let Some(known) = self.answers.get(&(local, act, mark)) {
            return Ok(known.clone());
        }
        let effect = self.ask(local, act, mark)?.map(Rc::new);
        self.answers.insert((local, act, mark), effect.clone());
        Ok(effect)
    }

    fn ask(&mut self, local: u32, act: Act, mark: u64) -> Result<Option<Effect>, Missing> {
        let before = self.local(local)?.clone();
        let role = before.state.role();
        let Some(input) = self.input(&before, act)? else {
            return Ok(None);
        };
        let how = match act {
            Act::Deliver { how, .. } => how,
            _ => How::Plain,
        };
        let [home, other] = &self.identities;
        let verdict = cast::Verdict {
            refuses: how == How::Refused,
        };
        let ctx = StepContext {
            identity: if role == Role::Home { home } else { other },
            body: &verdict,
            monotonic_ms: if how == How::Late { TICKET_LIFE_MS } else { 0 },
            fresh_mark: mark,
        };
        let Ok(done) = step(&before.state, &before.tickets, input, &ctx) else {
            return Ok(None);
        };
        let next = self.enter(done.state, done.tickets);
        self.effect(&before, act, next, &done.outputs).map(Some)
    }

    fn effect(
        &mut self,
        before: &Local,
        act: Act,
        next: u32,
        outputs: &[Output],
    ) -> Result<Effect, Missing> {
        let current = self.local(next)?.current;
        let mut effect = Effect {
            next,
            said: Vec::new(),
            synced: None,
            wrote: None,
            fault: None,
        };
        for output in outputs {
            match output {
                Output::Reply(signed) => effect.said.extend(self.post(signed)),
                Output::Synced { .. } => effect.synced = current,
                Output::RecordChanged { is_own: true, .. } => effect.wrote = current,
                _ => {}
            }
        }
        effect.fault = commit_fault(self, before, act, effect.wrote)?;
        Ok(effect)
    }

    /// What the rules are asked; none if the act makes no sense here.
    fn input(&self, before: &Local, act: Act) -> Result<Option<Input>, Missing> {
        let own = before.state.operation().map(|own| own.id);
        Ok(match act {
            Act::Ask { intent, ticket } => Some(ask(before, intent, ticket)),
            Act::Deliver { letter, offer, .. } => self.arrival(before, letter, offer)?,
            Act::Force { operation, reclaim } => Some(Input::ForcedMove {
                operation: cast::operation(operation),
                plan_digest: cast::plan(operation),
                content: cast::content("failing_over"),
                reclaim,
            }),
            Act::Abandon => Some(Input::AbandonPeer),
            Act::Finish => own.map(|operation| Input::Finish {
                operation,
                content: cast::content("moved"),
            }),
            Act::Abort => own.map(|operation| Input::Abort { operation }),
            Act::AskRelease {
                operation,
                searched,
            } => Some(Input::AskRelease {
                operation: cast::operation(operation),
                source_vms: SourceVms::Unknown,
                searched,
            }),
            Act::Settle => Some(Input::Settle {
                content: cast::content("settled"),
            }),
            Act::Restart => Some(Input::EngineStarted),
            Act::TakeLocal { operation } => Some(Input::TakeLocal {
                operation: cast::operation(operation),
            }),
            Act::EndLocal => own.map(|operation| Input::EndLocal { operation }),
            Act::Restored => Some(Input::Restored),
        })
    }

    fn arrival(
        &self,
        before: &Local,
        letter: u32,
        offer: Option<u32>,
    ) -> Result<Option<Input>, Missing> {
        let letter = self.letter(letter)?;
        let role = before.state.role();
        let Some(message) = letter.at(role).cloned() else {
            return Ok(None);
        };
        Ok(Some(match Input::from_courier(message) {
            Input::Ticket { ticket, .. } => Input::Ticket {
                ticket,
                offer: offer.map(|number| LockOffer {
                    operation: cast::operation(number),
                    plan_digest: cast::plan(number),
                }),
            },
            Input::Head { head, .. } => Input::Head {
                head,
                envelope: self.envelope_for(letter, role)?,
            },
            other => other,
        }))
    }

    /// The envelope that a courier brings together with a head.
    fn envelope_for(
        &self,
        head: &Letter,
        role: Role,
    ) -> Result<Option<Box<protector_domain::sync::Verified>>, Missing> {
        let Says::Head { at: Some(at) } = &head.says else {
            return Ok(None);
        };
        let Some(record) = self.records.get(&at.digest) else {
            return Ok(None);
        };
        Ok(self.letter(*record)?.at(role).cloned().map(Box::new))
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

/// The content of a change is named after its ticket, so that no two drafts say the same.
fn ask(before: &Local, intent: Intent, ticket: u32) -> Input {
    let has_draft = matches!(intent, Intent::Create | Intent::Change);
    let own = before.state.operation();
    let for_operation = own
        .filter(|own| own.mode == OperationMode::Local && intent == Intent::Change)
        .map(|own| own.id);
    Input::AskTicket {
        nonce: cast::nonce(ticket),
        intent,
        draft: has_draft.then(|| cast::content(&format!("text {ticket}"))),
        for_operation,
    }
}
