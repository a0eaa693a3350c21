//! When a deleted group's array objects may go, and at whose array.

use super::*;
use crate::ids::{ArrayGroupName, GroupId};
use crate::sync::{Digest, Epoch, Lineage, RecordRef, Version};
use uuid::Uuid;

const GROUP: GroupId = GroupId(Uuid::from_u128(0xabcdef));

fn policy(array_group: &str) -> Policy {
    Policy {
        home_array: ArrayId::from("A"),
        other_array: ArrayId::from("B"),
        array_group: ArrayGroupName::from(array_group),
        replication_interval_s: 900,
        rpo_max_s: 1_800,
        target_retention_s: 86_400,
    }
}

/// A tombstone of `author` in `epoch`, written on a record of `parent`.
fn tombstone(author: Role, epoch: u64, parent: u64, policy: Option<Policy>) -> Record {
    let name = "shop".to_owned();
    let body = serde_json::to_value(Tombstone { name, policy }).unwrap();
    let header = RecordHeader {
        group: GROUP,
        epoch: Epoch(epoch),
        version: Version(9),
        parent: Some(RecordRef {
            epoch: Epoch(parent),
            version: Version(8),
            digest: Digest::of_bytes(b"parent"),
        }),
        lineage: Lineage::default(),
        author,
        kind: RecordKind::Tombstone,
        lock: None,
        deleted: true,
    };
    Record {
        header,
        body,
        sealed: [].into(),
    }
}

fn own() -> Option<Policy> {
    Some(policy("protector-000000abcdef"))
}

fn arrays(record: &Record, here: Role, synced: bool) -> Option<(String, String)> {
    let retirement = retirement(record, here, synced)?;
    let spec = &retirement.spec;
    assert_eq!(retirement.array(), &spec.source);
    assert_eq!(retirement.mark_prefix, mark_prefix(GROUP));
    Some((spec.source.to_string(), spec.target.to_string()))
}

#[test]
fn each_site_goes_to_its_own_array_and_only_when_both_have_the_tombstone() {
    let record = tombstone(Role::Home, 1, 1, own());
    let (a, b) = ("A".to_owned(), "B".to_owned());
    assert_eq!(arrays(&record, Role::Home, false), None);
    assert_eq!(
        arrays(&record, Role::Home, true),
        Some((a.clone(), b.clone()))
    );
    assert_eq!(arrays(&record, Role::Other, true), Some((b, a)));
}

#[test]
fn a_given_up_peer_is_not_waited_for_and_nothing_of_it_is_torn_down() {
    let record = tombstone(Role::Home, 3, 1, own());
    assert!(arrays(&record, Role::Home, false).is_some());
    assert_eq!(arrays(&record, Role::Other, true), None);
}

#[test]
fn what_lives_has_no_policy_or_is_not_the_groups_own_stays() {
    let mut lives = tombstone(Role::Home, 1, 1, own());
    lives.header.deleted = false;
    assert_eq!(arrays(&lives, Role::Home, true), None);
    for other in [
        None,
        Some(policy("protector-000000abcdee")),
        Some(policy("prod")),
    ] {
        let record = tombstone(Role::Home, 1, 1, other);
        assert_eq!(arrays(&record, Role::Home, true), None, "S4");
    }
}
