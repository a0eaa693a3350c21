//! Histories that the rules allow, and some that they do not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use protector_domain::sync::{
    GroupSync, Intent, Message, MessageContent, Pair, Record, RecordKind, Role, Signed, Tickets,
    sign,
};
use protector_model::act::{Act, How};
use protector_model::cast;
use protector_model::replay::{Fault, replay};
use protector_model::stage::Stage;

/// Both sites, and every envelope in the order of writing.
struct Story {
    stage: Stage,
    home: u32,
    other: u32,
    tickets: u32,
    written: Vec<Signed>,
}

impl Story {
    fn new() -> Self {
        let mut stage = Stage::new();
        let [home, other] =
            [Role::Home, Role::Other].map(|role| stage.enter(cast::vacant(role), Tickets::new()));
        Self {
            stage,
            home,
            other,
            tickets: 0,
            written: Vec::new(),
        }
    }

    fn at(&mut self, role: Role) -> &mut u32 {
        match role {
            Role::Home => &mut self.home,
            Role::Other => &mut self.other,
        }
    }

    fn act(&mut self, role: Role, act: Act) -> u32 {
        let local = *self.at(role);
        let effect = self.stage.answer(local, act, 0).unwrap();
        let effect = effect.unwrap_or_else(|| panic!("{role} {act}"));
        *self.at(role) = effect.next;
        if let Some(letter) = effect.wrote {
            let signed = self.stage.letter(letter).unwrap().signed.clone();
            self.written.push(signed);
        }
        effect.said.last().copied().unwrap_or_default()
    }

    fn carry(&mut self, to: Role, letter: u32, offer: Option<u32>, how: How) -> u32 {
        self.act(to, Act::Deliver { letter, how, offer })
    }

    /// Up to the commit.
    fn commit(&mut self, author: Role, intent: Intent, offer: Option<u32>) -> u32 {
        self.tickets += 1;
        let ticket = self.tickets;
        let asked = self.act(author, Act::Ask { intent, ticket });
        let reservation = self.carry(author.peer(), asked, offer, How::Plain);
        self.carry(author, reservation, None, How::Plain)
    }

    fn deliver(&mut self, author: Role, envelope: u32) {
        let receipt = self.carry(author.peer(), envelope, None, How::Plain);
        self.carry(author, receipt, None, How::Plain);
    }

    fn change(&mut self, author: Role, intent: Intent, offer: Option<u32>) {
        let envelope = self.commit(author, intent, offer);
        self.deliver(author, envelope);
    }

    fn state(&mut self, role: Role) -> GroupSync {
        let local = *self.at(role);
        self.stage.local(local).unwrap().state.clone()
    }
}

/// Created, edited, released, refused, moved on purpose and by force, edited in a lost epoch, deleted.
fn long_story() -> Story {
    let mut story = Story::new();
    story.change(Role::Home, Intent::Create, None);
    story.change(Role::Home, Intent::Change, None);
    story.change(Role::Home, Intent::Lock, Some(1));
    story.act(Role::Other, Act::Abort);
    let ask = Act::AskRelease {
        operation: 1,
        searched: false,
    };
    let release = story.act(Role::Other, ask);
    let unlocked = story.carry(Role::Home, release, None, How::Plain);
    story.deliver(Role::Home, unlocked);
    let refused = story.commit(Role::Home, Intent::Change, None);
    let rejection = story.carry(Role::Other, refused, None, How::Refused);
    let withdrawn = story.carry(Role::Home, rejection, None, How::Plain);
    story.deliver(Role::Home, withdrawn);
    story.change(Role::Home, Intent::Lock, Some(2));
    let minted = story.act(Role::Other, Act::Finish);
    story.deliver(Role::Other, minted);
    let _never_carried = story.commit(Role::Other, Intent::Change, None);
    let force = Act::Force {
        operation: 3,
        reclaim: false,
    };
    story.act(Role::Home, force);
    let finished = story.act(Role::Home, Act::Finish);
    story.deliver(Role::Home, finished);
    story.change(Role::Home, Intent::Delete, None);
    story
}

#[test]
fn what_the_rules_wrote_they_write_again() {
    let mut written = long_story().written;
    assert_eq!(written.len(), 12);
    assert_eq!(replay(&written), Ok(12));
    written.reverse();
    written.push(written[0].clone());
    assert_eq!(replay(&written), Ok(12), "order and repetition are nothing");
    assert_eq!(replay(&[]), Ok(0));
}

#[test]
fn a_history_with_a_gap_is_not_taken() {
    let whole = long_story().written;
    for place in 0..whole.len() - 1 {
        let mut written = whole.clone();
        written.remove(place);
        let orphan = place == 8; // the edit in the lost epoch: nothing was built on it
        assert_eq!(replay(&written).is_ok(), orphan, "without {place}");
    }
}

/// As a site would sign it whose rules are broken.
fn forged(base: &GroupSync, change: impl Fn(&mut Record)) -> Signed {
    let current = base.current().unwrap();
    let mut record = current.record().clone();
    record.header.parent = Some(current.at());
    record.header.version = record.header.version.next();
    change(&mut record);
    let (from, author) = (cast::site_of(record.header.author), record.header.author);
    let message = Message {
        group: cast::group(),
        from,
        to: cast::site_of(author.peer()),
        content: MessageContent::Envelope(Box::new(record)),
    };
    sign(&cast::identity(author), &message).unwrap()
}

#[test]
fn what_the_rules_never_write_is_not_taken() {
    let mut story = Story::new();
    story.change(Role::Home, Intent::Create, None);
    story.change(Role::Home, Intent::Lock, Some(1));
    let locked = story.state(Role::Home);
    let edit = forged(&locked, |record| {
        record.header.kind = RecordKind::Edit;
        record.header.lock = None;
    });
    let stolen = forged(&locked, |record| {
        record.header.kind = RecordKind::Unlock;
        record.header.lock = None;
        record.body = serde_json::json!({ "name": "another" });
    });
    for (what, signed) in [("under a lock", edit), ("with other content", stolen)] {
        let mut written = story.written.clone();
        written.push(signed);
        assert!(
            matches!(replay(&written), Err(Fault::Deviates(_))),
            "{what}"
        );
    }
}

#[test]
fn two_contents_at_one_pair_are_told() {
    let mut story = Story::new();
    story.change(Role::Home, Intent::Create, None);
    let before = story.state(Role::Home);
    story.change(Role::Home, Intent::Change, None);
    let twin = forged(&before, |record| record.header.kind = RecordKind::Edit);
    story.written.push(twin);
    assert_eq!(replay(&story.written), Err(Fault::Forked(Pair::new(1, 2))));
}
