//! Two sites and one group between them, moved by the real rules: what the store gets to keep.

use super::facts::{body, id};
use protector_domain::ids::{GroupId, OperationId, ProjectId, SiteId};
use protector_domain::record::{GroupBody, GroupStatus, Tombstone};
use protector_domain::sync::{
    BodyCheck, Content, Digest, GroupSync, Input, Intent, MAX_MESSAGE_BYTES, Nonce, Output, Peer,
    Record, Role, Signed, SigningIdentity, StepContext, Tickets, Verified, step, verify,
};
use protector_store::GroupPut;
use serde_json::Value;
use std::collections::BTreeMap;

struct AllGood;
impl BodyCheck for AllGood {
    fn lasting_reasons(&self, _: &Record, _: Option<&Record>) -> Vec<String> {
        Vec::new()
    }

    /// As the product's own check has it.
    fn tombstone_body(&self, body: &Value) -> Value {
        let body: GroupBody = serde_json::from_value(body.clone()).unwrap();
        serde_json::to_value(Tombstone::of(&body)).unwrap()
    }
}

pub fn home_site() -> SiteId {
    SiteId(id(0xA))
}

pub fn other_site() -> SiteId {
    SiteId(id(0xB))
}

pub fn project() -> ProjectId {
    ProjectId::from("tenant-at-b")
}

#[derive(Clone)]
struct Side {
    identity: SigningIdentity,
    state: GroupSync,
    tickets: Tickets,
}

impl Side {
    fn act(&mut self, input: Input) -> Vec<Signed> {
        let ctx = StepContext {
            identity: &self.identity,
            body: &AllGood,
            monotonic_ms: 1,
            fresh_mark: 1,
        };
        let stepped = step(&self.state, &self.tickets, input, &ctx).unwrap();
        (self.state, self.tickets) = (stepped.state, stepped.tickets);
        let replies = stepped
            .outputs
            .into_iter()
            .filter_map(|output| match output {
                Output::Reply(signed) => Some(signed),
                _ => None,
            });
        replies.collect()
    }
}

/// The group as both sites see it. `other`'s view is what most tests store.
#[derive(Clone)]
pub struct Pair {
    pub group: GroupId,
    home: Side,
    other: Side,
    nonces: u8,
}

impl Pair {
    /// Created at home, not yet anywhere else.
    pub fn new(number: u128, name: &str) -> Self {
        let group = GroupId(id(0x1000 + number));
        let side = |role: Role, seed: u8| {
            let site = if role == Role::Home {
                home_site()
            } else {
                other_site()
            };
            Side {
                identity: SigningIdentity::from_seed(site, &[seed; 32]),
                state: GroupSync::vacant(group, home_site(), other_site(), role),
                tickets: Tickets::new(),
            }
        };
        let (home, other) = (side(Role::Home, 1), side(Role::Other, 2));
        let mut pair = Self {
            group,
            home,
            other,
            nonces: 0,
        };
        pair.change(Intent::Create, Some(body(name)));
        pair
    }

    fn check(&self, at: Role, signed: &Signed) -> Verified {
        let (me, peer) = match at {
            Role::Home => (&self.home, &self.other),
            Role::Other => (&self.other, &self.home),
        };
        let pinned: BTreeMap<SiteId, Peer> = [(peer.identity.site, peer.identity.as_peer())].into();
        verify(signed, MAX_MESSAGE_BYTES, &me.identity.as_peer(), &pinned).unwrap()
    }

    /// A change at home, with the other site's reservation, envelope and receipt.
    pub fn change(&mut self, intent: Intent, draft: Option<GroupBody>) {
        self.nonces += 1;
        let ask = Input::AskTicket {
            nonce: Nonce::from_bytes([self.nonces; 16]),
            intent,
            draft: draft.map(|body| content(&body)),
            for_operation: None,
        };
        let ticket = self.home.act(ask).remove(0);
        let ticket = self.check(Role::Other, &ticket);
        let reservation = self
            .other
            .act(Input::Ticket {
                ticket,
                offer: None,
            })
            .remove(0);
        let reservation = self.check(Role::Home, &reservation);
        let envelope = self
            .home
            .act(Input::Commit {
                reservation: Some(reservation),
            })
            .remove(0);
        let envelope = self.check(Role::Other, &envelope);
        let receipt = self.other.act(Input::Envelope(envelope)).remove(0);
        let receipt = self.check(Role::Home, &receipt);
        self.home.act(Input::Receipt(receipt));
    }

    pub fn edit(&mut self, change: impl FnOnce(&mut GroupBody)) {
        let mut body = self.body();
        change(&mut body);
        self.change(Intent::Change, Some(body));
    }

    /// `other` was restored from a backup.
    pub fn restored(&mut self) {
        self.other.act(Input::Restored);
    }

    pub fn delete(&mut self) {
        self.change(Intent::Delete, None);
    }

    /// R4 at the other site: an unplanned failover begins there.
    pub fn forced_move(&mut self, operation: OperationId) {
        let mut body = self.body();
        body.status = GroupStatus::FailingOver;
        self.other.act(Input::ForcedMove {
            operation,
            plan_digest: Digest::of_bytes(b"plan"),
            content: content(&body),
            reclaim: false,
        });
    }

    /// R5 at the other site.
    pub fn finish(&mut self, operation: OperationId) {
        let mut body = self.body();
        body.status = GroupStatus::FailedOver;
        body.failover_count += 1;
        self.other.act(Input::Finish {
            operation,
            content: content(&body),
        });
    }

    /// As the other site sees it.
    pub fn sync(&self) -> &GroupSync {
        &self.other.state
    }

    pub fn body(&self) -> GroupBody {
        let record = self
            .other
            .state
            .current()
            .or(self.home.state.current())
            .unwrap()
            .record();
        serde_json::from_value(record.body.clone()).unwrap()
    }

    pub fn put(&self, expect_revision: Option<i64>) -> GroupPut {
        GroupPut {
            project: project(),
            expect_revision,
            sync: self.sync().clone(),
            kept: Vec::new(),
        }
    }
}

fn content(body: &GroupBody) -> Content {
    Content {
        body: serde_json::to_value(body).unwrap(),
        sealed: BTreeMap::new(),
    }
}
