//! Order, lineage and the shape of records; and the state as the store keeps it.

use super::bench::*;
use crate::sync::*;

#[test]
fn the_number_of_an_epoch_names_its_leader() {
    let roles: Vec<Role> = (1..=4).map(|epoch| leader(Epoch(epoch))).collect();
    assert_eq!(roles, [Role::Home, Role::Other, Role::Home, Role::Other]);
    assert_eq!(next_own_epoch(Epoch(3), Role::Other), Epoch(4));
    assert_eq!(next_own_epoch(Epoch(3), Role::Home), Epoch(5));
    assert_eq!(own_epoch_from(Epoch(1_000), Role::Other), Epoch(1_000));
    assert_eq!(own_epoch_from(Epoch(1_000), Role::Home), Epoch(1_001));
}

#[test]
fn a_raised_mark_lies_above_all_that_was_written_since_the_last_one() {
    let written_since = 1_000_000;
    assert!(
        raised_mark(5_000, 0) > 5_000 + written_since,
        "a clock that was set back"
    );
    assert_eq!(raised_mark(0, 1_700_000_000_000), 1_700_000_000_000);
    let (one, two) = (raised_mark(7, 0), raised_mark(raised_mark(7, 0), 0));
    for role in [Role::Home, Role::Other] {
        assert!(own_epoch_from(Epoch(two), role) > own_epoch_from(Epoch(one), role));
    }
}

#[test]
fn pairs_are_ordered_by_epoch_first() {
    assert!(Pair::new(2, 1) > Pair::new(1, 99));
    assert!(Pair::new(2, 3) > Pair::new(2, 2));
    assert_eq!(Pair::new(3, 17).to_string(), "17 (epoch 3)");
}

#[test]
fn a_lineage_lists_64_epochs_and_folds_the_rest() {
    let mut lineage = Lineage::default();
    let at = |n: u64| RecordRef {
        epoch: Epoch(n),
        version: Version(n),
        digest: Digest::of_bytes(&n.to_be_bytes()),
    };
    for n in 1..=64 {
        lineage = lineage.after(&at(n)).unwrap();
    }
    assert_eq!((lineage.entries.len(), lineage.older.clone()), (64, None));
    let fuller = lineage.after(&at(65)).unwrap();
    assert_eq!(fuller.entries.len(), MAX_LINEAGE);
    assert_eq!(fuller.entry(Epoch(65)), Some(&at(65)));
    assert_eq!(fuller.entry(Epoch(1)), None);
    let folded = fuller
        .older
        .clone()
        .expect("a hash over what no longer fits");
    let fullest = fuller.after(&at(66)).unwrap();
    assert_ne!(fullest.older, Some(folded), "the hash rolls on");
}

/// A record that home could have written, for breaking.
fn lock_record() -> Record {
    Bench::locked()
        .home
        .state
        .current()
        .unwrap()
        .record()
        .clone()
}

fn shape(change: impl Fn(&mut Record)) -> &'static str {
    let mut record = lock_record();
    change(&mut record);
    code_of(record.check_shape())
}

#[test]
fn a_header_must_agree_with_itself() {
    let bad = "malformed_message";
    assert_eq!(shape(|_| {}), "ok");
    assert_eq!(shape(|r| r.header.author = Role::Other), "wrong_author");
    assert_eq!(shape(|r| r.header.epoch = Epoch(2)), "wrong_author");
    assert_eq!(shape(|r| r.header.version = Version(0)), bad);
    assert_eq!(shape(|r| r.header.version = Version(MAX_NUMBER + 1)), bad);
    assert_eq!(shape(|r| r.header.parent = None), bad);
    assert_eq!(
        shape(|r| r.header.version = Version(1)),
        bad,
        "not above its parent"
    );
    assert_eq!(
        shape(|r| r.header.lock = None),
        bad,
        "a lock record without lock"
    );
    assert_eq!(
        shape(|r| r.header.kind = RecordKind::Edit),
        bad,
        "an edit with a lock"
    );
    assert_eq!(shape(|r| r.header.deleted = true), bad);
    let own = |r: &mut Record| r.header.lock.as_mut().unwrap().holder = Role::Home;
    assert_eq!(shape(own), bad, "the leader cannot plan a move to itself");
    let future = |r: &mut Record| {
        let parent = r.header.parent.clone().unwrap();
        r.header.lineage.entries.push(parent);
    };
    assert_eq!(shape(future), bad, "a lineage that leads to its own epoch");
}

#[test]
fn a_state_survives_the_store_byte_for_byte() {
    let mut bench = Bench::locked();
    bench.force(Role::Other, 5, false).unwrap();
    bench.home.act(Input::Restored).unwrap();
    for site in [&bench.home, &bench.other] {
        let text = serde_json::to_string(&site.state).unwrap();
        let back: GroupSync = serde_json::from_str(&text).unwrap();
        assert_eq!(back, site.state);
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }
}

#[test]
fn a_first_contact_tells_who_is_home() {
    let bench = Bench::created();
    let envelope = bench.other.verify(&bench.home.envelope()).unwrap();
    let vacant = GroupSync::vacant_for(&envelope, other_site());
    assert_eq!(
        (vacant.role(), vacant.site_of(Role::Home)),
        (Role::Other, home_site())
    );
    // Home, which has lost everything, meets a record that the other site wrote.
    let mut bench = Bench::created();
    bench.force(Role::Other, 1, false).unwrap();
    let envelope = bench.home.verify(&bench.other.envelope()).unwrap();
    let vacant = GroupSync::vacant_for(&envelope, home_site());
    assert_eq!(
        (vacant.role(), vacant.site_of(Role::Other)),
        (Role::Home, other_site())
    );
}
