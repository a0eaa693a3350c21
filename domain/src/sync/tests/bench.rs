//! Two sites with real keys, and a hand that carries their messages.

use crate::ids::{GroupId, OperationId, SiteId};
use crate::sync::frame::Verified;
use crate::sync::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

pub type Answer = Result<Vec<Output>, SyncRefusal>;

/// Refuses bodies that say `"bad": true`, unless told to let them pass.
pub struct Check {
    pub lenient: bool,
}

impl BodyCheck for Check {
    fn lasting_reasons(&self, next: &Record, _: Option<&Record>) -> Vec<String> {
        let bad = next.body.get("bad") == Some(&Value::Bool(true));
        if bad && !self.lenient {
            vec!["no such volume type".to_owned()]
        } else {
            Vec::new()
        }
    }
}

#[derive(Clone)]
pub struct Site {
    pub identity: SigningIdentity,
    pub state: GroupSync,
    pub tickets: Tickets,
    pub now_ms: u64,
    pub mark: u64,
    pub unix_ms: u64,
    /// Draft checks at R2 let bad bodies pass, as if the world changed before R6.
    pub lenient: bool,
    /// Envelopes with bad bodies are stored, as if the world changed only later.
    pub lenient_at_storing: bool,
    /// Every own record with its parent, and every record of the log, as they came out.
    pub written: Vec<(RecordRef, Option<RecordRef>)>,
    pub logged: Vec<Digest>,
}

impl Site {
    fn new(role: Role) -> Self {
        let (id, seed) = match role {
            Role::Home => (home_site(), [1; 32]),
            Role::Other => (other_site(), [2; 32]),
        };
        Self {
            identity: SigningIdentity::from_seed(id, &seed),
            state: GroupSync::vacant(group(), home_site(), other_site(), role),
            tickets: Tickets::new(),
            now_ms: 1_000,
            mark: 1_000,
            unix_ms: 0,
            lenient: false,
            lenient_at_storing: false,
            written: Vec::new(),
            logged: Vec::new(),
        }
    }

    /// Judges an input without keeping anything of it.
    pub fn ask(&self, input: Input) -> Result<Step, SyncRefusal> {
        let attests = self.lenient && matches!(input, Input::Ticket { .. });
        let lenient = attests || (self.lenient_at_storing && matches!(input, Input::Envelope(_)));
        let body = Check { lenient };
        let ctx = StepContext {
            identity: &self.identity,
            body: &body,
            monotonic_ms: self.now_ms,
            fresh_mark: raised_mark(self.mark, self.unix_ms),
        };
        step(&self.state, &self.tickets, input, &ctx)
    }

    /// Applies an input.
    pub fn act(&mut self, input: Input) -> Answer {
        let step = self.ask(input)?;
        self.state = step.state;
        self.tickets = step.tickets;
        self.mark = self.mark.max(self.state.restore_mark());
        self.note(&step.outputs);
        Ok(step.outputs)
    }

    fn note(&mut self, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::RecordChanged { at, is_own: true } => {
                    let record = self.state.current().unwrap().record();
                    self.written
                        .push((at.clone(), record.header.parent.clone()));
                }
                Output::Kept(kept) => self.logged.push(kept.stored.digest().clone()),
                _ => {}
            }
        }
    }

    /// What came by courier, verified as in production.
    pub fn hear(&mut self, signed: &Signed) -> Answer {
        let message = self.verify(signed)?;
        self.act(Input::from_courier(message))
    }

    pub fn verify(&self, signed: &Signed) -> Result<Verified, SyncRefusal> {
        let peers = [Role::Home, Role::Other].map(|role| Site::new(role).identity.as_peer());
        let me = self.identity.as_peer();
        let peers: BTreeMap<SiteId, Peer> = peers
            .into_iter()
            .filter(|peer| peer.site != me.site)
            .map(|p| (p.site, p))
            .collect();
        verify(signed, MAX_MESSAGE_BYTES, &me, &peers)
    }

    pub fn pair(&self) -> Pair {
        self.state.fence().unwrap().pair()
    }

    pub fn envelope(&self) -> Signed {
        self.state.current().unwrap().signed().clone()
    }

    pub fn may(&self, operation: Option<OperationId>) -> bool {
        let epoch = self.state.epoch().unwrap_or(Epoch(1));
        may_start(&self.state, self.state.role(), operation, epoch)
    }

    /// Whether anything at this site may start VMs now.
    pub fn may_any(&self) -> bool {
        self.may(None) || self.may(self.state.operation().map(|own| own.id))
    }

    pub fn mode(&self) -> Option<OperationMode> {
        self.state.operation().map(|own| own.mode)
    }

    pub fn text(&self) -> String {
        self.state.current().unwrap().record().body["text"]
            .as_str()
            .unwrap_or("")
            .to_owned()
    }

    pub fn kind(&self) -> RecordKind {
        self.state.current().unwrap().record().header.kind
    }

    pub fn lock(&self) -> Option<&Lock> {
        self.state
            .current()
            .and_then(|current| current.record().header.lock.as_ref())
    }

    /// Back to an older database. Detected: the runbook said so, or the mark file did.
    pub fn restore(&mut self, backup: &GroupSync) {
        self.restore_unnoticed(backup);
        self.act(Input::Restored).unwrap();
    }

    pub fn restore_unnoticed(&mut self, backup: &GroupSync) {
        self.state = backup.clone();
        self.tickets = Tickets::new();
    }
}

/// Both sites of one group.
#[derive(Clone)]
pub struct Bench {
    pub home: Site,
    pub other: Site,
    nonces: u128,
}

impl Bench {
    /// Neither site has heard of the group.
    pub fn empty() -> Self {
        Self {
            home: Site::new(Role::Home),
            other: Site::new(Role::Other),
            nonces: 0,
        }
    }

    /// The group was created and both sites know it: `(1, 1)`, home leads.
    pub fn created() -> Self {
        let mut bench = Self::empty();
        bench.create("v1").unwrap();
        bench
    }

    /// As [`Self::created`], with the lock for `op(1)` stored at both sites.
    pub fn locked() -> Self {
        let mut bench = Self::created();
        bench.lock_at_leader(1);
        bench.carry(Role::Home);
        bench
    }

    pub fn site(&mut self, role: Role) -> &mut Site {
        match role {
            Role::Home => &mut self.home,
            Role::Other => &mut self.other,
        }
    }

    pub fn nonce(&mut self) -> Nonce {
        self.nonces += 1;
        Nonce::from_bytes(self.nonces.to_be_bytes())
    }

    pub fn ticket(
        &mut self,
        at: Role,
        intent: Intent,
        draft: Option<Content>,
    ) -> Result<Signed, SyncRefusal> {
        let nonce = self.nonce();
        let input = Input::AskTicket {
            nonce,
            intent,
            draft,
            for_operation: None,
        };
        Ok(reply(&self.site(at).act(input)?))
    }

    /// Ticket and reservation, not committed yet.
    pub fn reserve(
        &mut self,
        at: Role,
        intent: Intent,
        draft: Option<Content>,
    ) -> Result<Signed, SyncRefusal> {
        let ticket = self.ticket(at, intent, draft)?;
        Ok(reply(&self.site(at.peer()).hear(&ticket)?))
    }

    /// An ordinary change up to the receipt.
    pub fn change(
        &mut self,
        at: Role,
        intent: Intent,
        draft: Option<Content>,
    ) -> Result<(), SyncRefusal> {
        let reservation = self.reserve(at, intent, draft)?;
        let envelope = reply(&self.site(at).hear(&reservation)?);
        let receipt = reply(&self.site(at.peer()).hear(&envelope)?);
        self.site(at).hear(&receipt).map(|_| ())
    }

    pub fn create(&mut self, text: &str) -> Result<(), SyncRefusal> {
        self.change(Role::Home, Intent::Create, Some(content(text)))
    }

    pub fn edit(&mut self, at: Role, text: &str) -> Result<(), SyncRefusal> {
        self.change(at, Intent::Change, Some(content(text)))
    }

    /// A committed change whose envelope nobody carried.
    pub fn edit_pending(&mut self, at: Role, draft: Content) -> Signed {
        let reservation = self.reserve(at, Intent::Change, Some(draft)).unwrap();
        reply(&self.site(at).hear(&reservation).unwrap())
    }

    /// Ticket and reservation of a lock for operation `n`, which is then requested at the follower.
    pub fn reserve_lock(&mut self, n: u128) -> Signed {
        let leader = if self.home.state.leads() {
            Role::Home
        } else {
            Role::Other
        };
        let ticket = self.ticket(leader, Intent::Lock, None).unwrap();
        let follower = self.site(leader.peer());
        let ticket = follower.verify(&ticket).unwrap();
        reply(
            &follower
                .act(Input::Ticket {
                    ticket,
                    offer: Some(offer(n)),
                })
                .unwrap(),
        )
    }

    /// The lock for operation `n` is committed at the leader; its envelope is returned.
    pub fn lock_at_leader(&mut self, n: u128) -> Signed {
        let leader = if self.home.state.leads() {
            Role::Home
        } else {
            Role::Other
        };
        let reservation = self.reserve_lock(n);
        reply(&self.site(leader).hear(&reservation).unwrap())
    }

    /// The current envelope of a site goes to its peer, and the receipt home.
    pub fn carry(&mut self, from: Role) {
        let envelope = self.site(from).envelope();
        let receipt = reply(&self.site(from.peer()).hear(&envelope).unwrap());
        self.site(from).hear(&receipt).unwrap();
    }

    pub fn force(&mut self, at: Role, n: u128, reclaim: bool) -> Answer {
        self.site(at).act(forced(n, reclaim))
    }

    pub fn finish(&mut self, at: Role, n: u128) -> Answer {
        let input = Input::Finish {
            operation: op(n),
            content: content("failed_over"),
        };
        self.site(at).act(input)
    }

    /// The holder signs that the operation is over; the release is returned.
    pub fn release_of(&mut self, at: Role, n: u128) -> Result<Signed, SyncRefusal> {
        Ok(reply(&self.site(at).act(ask_release(n, false))?))
    }

    /// A fresh head of the peer for a suspect site, with the peer's envelope if it has one.
    pub fn compare_heads(&mut self, at: Role) -> Answer {
        let ticket = self.ticket(at, Intent::Head, None)?;
        let head = reply(&self.site(at.peer()).hear(&ticket)?);
        self.hear_head(at, &head)
    }

    pub fn hear_head(&mut self, at: Role, head: &Signed) -> Answer {
        let envelope = self
            .site(at.peer())
            .state
            .current()
            .map(|c| c.signed().clone());
        let me = self.site(at);
        let head = Box::new(me.verify(head)?);
        let envelope = envelope.map(|e| me.verify(&e)).transpose()?.map(Box::new);
        me.act(Input::Head { head, envelope })
    }
}

pub fn forced(n: u128, reclaim: bool) -> Input {
    Input::ForcedMove {
        operation: op(n),
        plan_digest: plan(n),
        content: content("failing_over"),
        reclaim,
    }
}

pub fn ask_release(n: u128, searched: bool) -> Input {
    Input::AskRelease {
        operation: op(n),
        source_vms: SourceVms::Home,
        searched,
    }
}

/// The one message that an answer hands out.
pub fn reply(outputs: &[Output]) -> Signed {
    let mut replies = outputs.iter().filter_map(|output| match output {
        Output::Reply(signed) => Some(signed.clone()),
        _ => None,
    });
    let only = replies.next().expect("an answer for the courier");
    assert_eq!(replies.next(), None, "more than one answer for the courier");
    only
}

pub fn content(text: &str) -> Content {
    Content {
        body: json!({ "name": "pg", "text": text }),
        sealed: BTreeMap::new(),
    }
}

pub fn bad_content(text: &str) -> Content {
    Content {
        body: json!({ "name": "pg", "text": text, "bad": true }),
        sealed: BTreeMap::new(),
    }
}

pub fn op(n: u128) -> OperationId {
    OperationId(Uuid::from_u128(n))
}

pub fn plan(n: u128) -> Digest {
    Digest::of_bytes(&n.to_be_bytes())
}

pub fn offer(n: u128) -> LockOffer {
    LockOffer {
        operation: op(n),
        plan_digest: plan(n),
    }
}

pub fn group() -> GroupId {
    GroupId(Uuid::from_u128(7))
}

pub fn home_site() -> SiteId {
    SiteId(Uuid::from_u128(100))
}

pub fn other_site() -> SiteId {
    SiteId(Uuid::from_u128(200))
}

pub fn code(answer: Answer) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(refusal) => refusal.code(),
    }
}

pub fn code_of<T>(answer: Result<T, SyncRefusal>) -> &'static str {
    answer.map_or_else(|refusal| refusal.code(), |_| "ok")
}
