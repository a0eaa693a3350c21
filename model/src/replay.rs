//! Whether the rules allow what two real sites wrote: every record is written again by `step`, from
//! the state before, and has to come out with the same digest.
//!
//! Absent: records after a restore (base records, settled locks), which hang on marks that no record
//! tells; and what was said but never written.

use crate::cast;
use protector_domain::ids::{GroupId, SiteId};
use protector_domain::sync::{
    BodyCheck, Content, Digest, GroupSync, Input, Intent, LockOffer, MAX_MESSAGE_BYTES, Nonce,
    Output, Pair, Peer, Record, RecordKind, RecordRef, Role, Signed, SigningIdentity, SourceVms,
    StepContext, SyncRefusal, Tickets, Verified, step, verify,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// A record that the rules do not write where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind:?} {at}: {why}")]
pub struct Deviation {
    pub at: Pair,
    pub kind: RecordKind,
    pub why: String,
}

/// An envelope that cannot be read, or a record that deviates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("not an envelope: {0}")]
    Unreadable(String),
    #[error("two records at {0}")]
    Forked(Pair),
    #[error("{0} is not there, and a later record was built on it")]
    Gap(Pair),
    #[error(transparent)]
    Deviates(#[from] Deviation),
}

struct Site {
    state: GroupSync,
    tickets: Tickets,
    identity: SigningIdentity,
}

/// Both sites as they write it all again.
struct Again {
    sites: [Site; 2],
    envelopes: BTreeMap<Digest, Signed>,
    tickets: u32,
}

/// What the judge of bodies does in one step: bodies were judged when they were written.
struct Bodies<'a> {
    refuses: bool,
    tombstone: &'a Value,
}

impl BodyCheck for Bodies<'_> {
    fn lasting_reasons(&self, next: &Record, current: Option<&Record>) -> Vec<String> {
        let refuses = self.refuses;
        cast::Verdict { refuses }.lasting_reasons(next, current)
    }

    fn tombstone_body(&self, _: &Value) -> Value {
        self.tombstone.clone()
    }
}

/// Writes again what is in `envelopes`, in the order of their pairs. The same one may be there more
/// than once. Returns how many different records there were.
///
/// # Errors
/// The first record that `step` does not write in the same way; two records at one pair.
pub fn replay(envelopes: &[Signed]) -> Result<usize, Fault> {
    let mut records = BTreeMap::new();
    for signed in envelopes {
        let (sites, record) = read(signed)?;
        let digest = record.digest().map_err(|e| unreadable(&e))?;
        let pair = record.header.pair();
        let first = records
            .entry(pair)
            .or_insert_with(|| (digest.clone(), sites, record));
        if first.0 != digest {
            return Err(Fault::Forked(pair));
        }
    }
    let Some((_, (_, sites, first))) = records.first_key_value() else {
        return Ok(0);
    };
    let mut again = Again::new(first.header.group, *sites);
    for (digest, _, record) in records.values() {
        again.write(record, digest)?;
    }
    Ok(records.len())
}

fn unreadable(error: &SyncRefusal) -> Fault {
    Fault::Unreadable(error.to_string())
}

/// Home and other, and the record.
fn read(signed: &Signed) -> Result<([SiteId; 2], Record), Fault> {
    let bad = |error: serde_json::Error| Fault::Unreadable(error.to_string());
    let payload: Value = serde_json::from_str(&signed.payload).map_err(bad)?;
    let part = |name: &str| payload.get(name).cloned().unwrap_or_default();
    let from: SiteId = serde_json::from_value(part("from")).map_err(bad)?;
    let to: SiteId = serde_json::from_value(part("to")).map_err(bad)?;
    let record: Record = serde_json::from_value(part("content")).map_err(bad)?;
    let sites = match record.header.author {
        Role::Home => [from, to],
        Role::Other => [to, from],
    };
    Ok((sites, record))
}

impl Again {
    fn new(group: GroupId, [home, other]: [SiteId; 2]) -> Self {
        let site = |role: Role, id: SiteId, seed: u8| Site {
            state: GroupSync::vacant(group, home, other, role),
            tickets: Tickets::new(),
            identity: SigningIdentity::from_seed(id, &[seed; 32]),
        };
        Self {
            sites: [site(Role::Home, home, 1), site(Role::Other, other, 2)],
            envelopes: BTreeMap::new(),
            tickets: 0,
        }
    }

    fn site(&self, role: Role) -> &Site {
        let [home, other] = &self.sites;
        match role {
            Role::Home => home,
            Role::Other => other,
        }
    }

    fn write(&mut self, record: &Record, digest: &Digest) -> Result<(), Fault> {
        let header = &record.header;
        let (author, kind, at) = (header.author, header.kind, header.pair());
        if let Some(parent) = &header.parent {
            self.bring(author, parent)?;
        }
        let deviates = |why: String| Deviation { at, kind, why };
        let done = self.act(record);
        done.map_err(|refusal| deviates(refusal.to_string()))?;
        let written = self.site(author).state.current().cloned();
        let same = written.as_ref().is_some_and(|w| w.digest() == digest);
        match written {
            Some(written) if same => {
                let signed = written.signed().clone();
                self.envelopes.insert(digest.clone(), signed);
                Ok(())
            }
            _ => Err(deviates("the rules write another record here".to_owned()).into()),
        }
    }

    /// The author stands where its record was built on.
    fn bring(&mut self, author: Role, parent: &RecordRef) -> Result<(), Fault> {
        if self.site(author).state.fence().as_ref() == Some(parent) {
            return Ok(());
        }
        let envelope = self.envelopes.get(&parent.digest).cloned();
        let envelope = envelope.ok_or_else(|| Fault::Gap(parent.pair()))?;
        let none = Value::Null;
        let answer = self.hear(author, &envelope, false, &none);
        let answer = answer.map_err(|e| unreadable(&e))?;
        let _ = self.hear(author.peer(), &answer, false, &none);
        Ok(())
    }

    fn act(&mut self, record: &Record) -> Result<(), SyncRefusal> {
        let header = &record.header;
        let (author, body) = (header.author, &record.body);
        let content = || record.content();
        let moves = header
            .parent
            .as_ref()
            .is_some_and(|p| p.epoch != header.epoch);
        match header.kind {
            RecordKind::Create => self.change(record, Intent::Create, Some(content())),
            RecordKind::Edit => self.change(record, Intent::Change, Some(content())),
            RecordKind::Lock => self.change(record, Intent::Lock, None),
            RecordKind::Tombstone if !moves => self.change(record, Intent::Delete, None),
            RecordKind::Tombstone => self
                .ask(author, Input::AbandonPeer, false, body)
                .map(|_| ()),
            RecordKind::Mint | RecordKind::Finish => self.end_of_move(record),
            RecordKind::Unlock => self.unlock(record),
            RecordKind::Withdraw => self.withdraw(record),
            RecordKind::Base => Err(untold("a base record hangs on a mark")),
        }
    }

    /// R1 to R3, with the peer in step first.
    fn change(
        &mut self,
        record: &Record,
        intent: Intent,
        draft: Option<Content>,
    ) -> Result<(), SyncRefusal> {
        let (author, body) = (record.header.author, &record.body);
        self.in_step(author)?;
        self.tickets += 1;
        let nonce: Nonce = cast::nonce(self.tickets);
        let ask = Input::AskTicket {
            nonce,
            intent,
            draft,
            for_operation: None,
        };
        let ticket = self.ask(author, ask, false, body)?;
        let offer = record.header.lock.as_ref().map(|lock| LockOffer {
            operation: lock.operation,
            plan_digest: lock.plan_digest.clone(),
        });
        let ticket = self.verified(author.peer(), &ticket)?;
        let input = Input::Ticket { ticket, offer };
        let reservation = self.ask(author.peer(), input, false, body)?;
        self.hear(author, &reservation, false, body).map(|_| ())
    }

    /// The author's record is at the peer, and its receipt here.
    fn in_step(&mut self, author: Role) -> Result<(), SyncRefusal> {
        let current = self.site(author).state.current().cloned();
        let Some(current) = current.filter(|_| !self.site(author).state.is_synced()) else {
            return Ok(());
        };
        let receipt = self.hear(author.peer(), current.signed(), false, &Value::Null)?;
        self.hear_quietly(author, &receipt)
    }

    fn end_of_move(&mut self, record: &Record) -> Result<(), SyncRefusal> {
        let author = record.header.author;
        let content = record.content();
        let input = match &record.header.lock {
            Some(lock) => Input::ForcedMove {
                operation: lock.operation,
                plan_digest: lock.plan_digest.clone(),
                content,
                reclaim: true,
            },
            None => {
                let own = self.site(author).state.operation().map(|own| own.id);
                let operation = own.ok_or_else(|| untold("no operation ends here"))?;
                Input::Finish { operation, content }
            }
        };
        self.ask(author, input, false, &record.body).map(|_| ())
    }

    /// R10 and R11.
    fn unlock(&mut self, record: &Record) -> Result<(), SyncRefusal> {
        let author = record.header.author;
        let current = self.site(author).state.current().cloned();
        let lock = current.and_then(|current| current.record().header.lock.clone());
        let lock = lock.filter(|lock| lock.holder != author);
        let operation = lock
            .ok_or_else(|| untold("no lock of the peer ends here"))?
            .operation;
        let holder = author.peer();
        let abort = Input::Abort { operation };
        self.quietly(holder, abort)?;
        let ask = Input::AskRelease {
            operation,
            source_vms: SourceVms::Unknown,
            searched: false,
        };
        let release = self.ask(holder, ask, false, &record.body)?;
        self.hear_quietly(author, &release)
    }

    /// R8 and R9.
    fn withdraw(&mut self, record: &Record) -> Result<(), SyncRefusal> {
        let author = record.header.author;
        let current = self.site(author).state.current().cloned();
        let refused = current.ok_or(SyncRefusal::NoRecord)?;
        let rejection = self.hear(author.peer(), refused.signed(), true, &record.body)?;
        self.hear_quietly(author, &rejection)
    }

    fn verified(&self, at: Role, signed: &Signed) -> Result<Verified, SyncRefusal> {
        let peer: Peer = self.site(at.peer()).identity.as_peer();
        let me = self.site(at).identity.as_peer();
        let peers = BTreeMap::from([(peer.site, peer)]);
        verify(signed, MAX_MESSAGE_BYTES, &me, &peers)
    }

    fn hear(
        &mut self,
        at: Role,
        signed: &Signed,
        refuses: bool,
        tombstone: &Value,
    ) -> Result<Signed, SyncRefusal> {
        let input = Input::from_courier(self.verified(at, signed)?);
        self.ask(at, input, refuses, tombstone)
    }

    fn hear_quietly(&mut self, at: Role, signed: &Signed) -> Result<(), SyncRefusal> {
        let input = Input::from_courier(self.verified(at, signed)?);
        self.quietly(at, input)
    }

    /// Applies an input; the last thing that is said.
    fn ask(
        &mut self,
        at: Role,
        input: Input,
        refuses: bool,
        tombstone: &Value,
    ) -> Result<Signed, SyncRefusal> {
        let outputs = self.apply(at, input, refuses, tombstone)?;
        let said = outputs.into_iter().rev().find_map(|output| match output {
            Output::Reply(signed) => Some(signed),
            _ => None,
        });
        said.ok_or_else(|| untold("nothing was said"))
    }

    fn quietly(&mut self, at: Role, input: Input) -> Result<(), SyncRefusal> {
        self.apply(at, input, false, &Value::Null).map(|_| ())
    }

    fn apply(
        &mut self,
        at: Role,
        input: Input,
        refuses: bool,
        tombstone: &Value,
    ) -> Result<Vec<Output>, SyncRefusal> {
        let [home, other] = &mut self.sites;
        let site = if at == Role::Home { home } else { other };
        let body = Bodies { refuses, tombstone };
        let ctx = StepContext {
            identity: &site.identity,
            body: &body,
            monotonic_ms: 0,
            fresh_mark: 0,
        };
        let done = step(&site.state, &site.tickets, input, &ctx)?;
        (site.state, site.tickets) = (done.state, done.tickets);
        Ok(done.outputs)
    }
}

/// What no record tells.
fn untold(why: &str) -> SyncRefusal {
    SyncRefusal::Malformed {
        why: why.to_owned(),
    }
}
