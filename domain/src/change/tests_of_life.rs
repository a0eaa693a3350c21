//! The decision tables of what happens to a group after it was made: other words, other times, less
//! members, its end.

use super::tests::*;
use super::*;
use crate::ids::{ArrayGroupName, ArrayId, MemberId, OperationId, ServerId};
use crate::record::{GroupBody, GroupStatus};
use crate::sync::Role;
use uuid::Uuid;

fn words(name: Option<&str>, description: Option<&str>) -> UpdateAsk {
    UpdateAsk {
        name: name.map(str::to_owned),
        description: description.map(str::to_owned),
    }
}

#[test]
fn a_group_gets_another_name_and_nothing_else_changes() {
    let renamed = update(&ready(), &words(Some("store"), None), false).unwrap();
    let expected = GroupBody {
        name: "store".into(),
        ..ready()
    };
    assert_eq!(renamed, expected);
    let described = update(&ready(), &words(None, Some("of all")), false).unwrap();
    assert_eq!(
        (described.name.as_str(), described.description.as_str()),
        ("shop", "of all")
    );
    for (ask, taken, expected) in [
        (words(Some(""), None), false, "bad_name"),
        (words(Some("two\nlines"), None), false, "bad_name"),
        (words(Some("store"), None), true, "name_taken"),
        (words(Some("shop"), Some("")), false, "nothing_to_change"),
        (words(None, None), false, "nothing_to_change"),
    ] {
        assert_eq!(codes(update(&ready(), &ask, taken)), [expected], "{ask:?}");
    }
}

#[test]
fn a_policy_gets_other_times_and_keeps_its_place() {
    let with = |change: fn(&mut PolicyAsk)| {
        let mut ask = policy();
        change(&mut ask);
        update_policy(&ready(), &ask, &policy_facts())
    };
    let slower = |p: &mut PolicyAsk| {
        p.replication_interval_s = 43_200;
        p.rpo_minutes = 1_440;
    };
    let old = ready().policy.unwrap();
    let new = with(slower).unwrap().policy.unwrap();
    assert_eq!(
        (
            new.replication_interval_s,
            new.rpo_max_s,
            new.target_retention_s
        ),
        (43_200, 86_400, 172_800)
    );
    assert_eq!(
        (&new.home_array, &new.other_array, &new.array_group),
        (&old.home_array, &old.other_array, &old.array_group)
    );
    // As shown and as asked for are both as it is.
    for name in ["protector", "protector-000000abcdef"] {
        let mut ask = policy();
        ask.rpo_minutes = 60;
        ask.pure_pg_name = Some(ArrayGroupName::from(name));
        assert!(update_policy(&ready(), &ask, &policy_facts()).is_ok());
    }
    for change in [
        (|p: &mut PolicyAsk| p.replication_interval_s = 299) as fn(&mut PolicyAsk),
        |p| p.rpo_minutes = 14,
        |p| {
            let arrays = (p.primary_array.clone(), p.secondary_array.clone());
            (p.secondary_array, p.primary_array) = arrays;
        },
        |p| p.pure_pg_name = Some(ArrayGroupName::from("other")),
    ] {
        assert_eq!(codes(with(change)), ["bad_policy"]);
    }
    let array = with(|p| p.secondary_array = ArrayId::from("C"));
    assert_eq!(codes(array), ["array_not_registered", "bad_policy"]);
    assert_eq!(codes(with(|_| {})), ["nothing_to_change"]);
    let bare = update_policy(&group(), &policy(), &policy_facts());
    assert_eq!(codes(bare), ["no_policy"]);
}

fn two() -> GroupBody {
    let mut body = add_member(&ready(), &member_facts(), RebuildAsk::default()).unwrap();
    let mut second = member_facts();
    second.member = MemberId(Uuid::from_u128(19));
    second.wanted = ServerId::from("srv-2");
    second.server.as_mut().unwrap().id = ServerId::from("srv-2");
    body = add_member(&body, &second, RebuildAsk::default()).unwrap();
    body
}

fn drill_of(member: u128) -> DrillUp {
    DrillUp {
        operation: OperationId(Uuid::from_u128(70)),
        lanes: vec![
            "group".to_owned(),
            MemberId(Uuid::from_u128(member)).to_string(),
        ],
    }
}

#[test]
fn a_member_leaves_and_the_others_stay_as_they_are() {
    let body = two();
    let without = remove_member(&body, &ServerId::from("srv"), &LeaveFacts::default()).unwrap();
    let mut expected = body.clone();
    expected.members.remove(0);
    assert_eq!(without, expected);
    assert_eq!(gone(&body, &without), [body.members[0].id]);
    // Known by its server at the other site, too.
    let mut away = body.clone();
    away.status = GroupStatus::FailedOver;
    away.members[0]
        .places
        .set(Role::Other, Some(ServerId::from("srv-b")));
    let without = remove_member(&away, &ServerId::from("srv-b"), &LeaveFacts::default());
    assert_eq!(without.unwrap().members, expected.members);
}

#[test]
fn a_member_that_is_needed_stays() {
    let facts = |drill: Option<u128>, unfenced: Option<&str>| LeaveFacts {
        drills: drill.map(drill_of).into_iter().collect(),
        unfenced: unfenced.map(ServerId::from).into_iter().collect(),
    };
    let active = GroupStatus::Active;
    let partial = GroupStatus::FailedOverPartial;
    for (status, server, facts, expected) in [
        (active, "nobody", facts(None, None), Some("not_a_member")),
        (active, "srv", facts(Some(9), None), Some("drill_is_up")),
        // A drill that is older than the member.
        (active, "srv", facts(Some(19), None), None),
        (active, "srv", facts(None, Some("srv")), Some("split_brain")),
        (active, "srv", facts(None, Some("srv-2")), None),
        (
            partial,
            "srv",
            facts(None, None),
            Some("wrong_group_status"),
        ),
    ] {
        let body = GroupBody { status, ..two() };
        let outcome = remove_member(&body, &ServerId::from(server), &facts);
        match expected {
            None => assert_eq!(outcome.unwrap().members.len(), 1),
            Some(code) => assert_eq!(codes(outcome), [code], "{server} {facts:?}"),
        }
    }
}

#[test]
fn a_group_is_deleted_at_home_when_nothing_of_it_stands() {
    let said = |status, facts: &LeaveFacts| {
        let outcome = delete(&GroupBody { status, ..two() }, facts);
        let refusals = outcome.err().map(|r| r.0).unwrap_or_default();
        refusals.iter().map(|r| r.code()).collect::<Vec<_>>()
    };
    let free = LeaveFacts::default();
    assert!(said(GroupStatus::Active, &free).is_empty());
    for status in [
        GroupStatus::FailedOver,
        GroupStatus::FailedOverPartial,
        GroupStatus::FailingOver,
    ] {
        assert_eq!(said(status, &free), ["not_home"]);
    }
    let busy = LeaveFacts {
        drills: vec![drill_of(9)],
        unfenced: vec![ServerId::from("srv")],
    };
    assert_eq!(
        said(GroupStatus::FailedOver, &busy),
        ["not_home", "drill_is_up", "split_brain"]
    );
}

/// The drill runs at the peer, which alone knows of it.
#[test]
fn the_peer_lets_go_of_what_no_drill_of_it_runs() {
    let (before, facts) = (
        two(),
        LeaveFacts {
            drills: vec![drill_of(9)],
            unfenced: vec![],
        },
    );
    let without = |at: usize| {
        let mut next = before.clone();
        next.members.remove(at);
        next
    };
    let said = |next: Option<&GroupBody>| may_leave(&before, next, &facts).is_ok();
    assert!(!said(None) && !said(Some(&without(0))));
    assert!(said(Some(&without(1))) && said(Some(&before)));
    assert!(may_leave(&before, None, &LeaveFacts::default()).is_ok());
}

#[test]
fn the_trail_says_what_a_record_changed() {
    let (before, mut after) = (two(), two());
    after.name = "store".into();
    after.members.remove(1);
    let said = difference(Some(&before), Some(&after));
    assert_eq!(said, ["name", "member removed: web"]);
    assert_eq!(
        difference(Some(&after), Some(&before)),
        ["name", "member added: web"]
    );
    assert_eq!(difference(None, Some(&before)), ["created"]);
    assert_eq!(difference(Some(&before), None), ["deleted"]);
    assert!(difference(Some(&before), Some(&before)).is_empty());
}

fn rebuild(tier: Option<u8>, fixed_ip: Option<Addressing>, mac: Option<Addressing>) -> RebuildAsk {
    RebuildAsk {
        tier,
        fixed_ip,
        mac,
    }
}

/// Of the only member: its tier, and whether it keeps its addresses.
fn wishes(body: &GroupBody) -> (u8, bool, bool) {
    let member = &body.members[0];
    (member.tier, member.nics[0].keep_ip, member.nics[0].keep_mac)
}

#[test]
fn a_member_is_rebuilt_as_wished_from_the_start_or_later() {
    use Addressing::{Keep, New};
    let facts = member_facts();
    let plain = add_member(&ready(), &facts, RebuildAsk::default()).unwrap();
    assert_eq!(wishes(&plain), (0, true, true), "MEM-02");
    let ask = rebuild(Some(3), None, Some(New));
    let wished = add_member(&ready(), &facts, ask).unwrap();
    assert_eq!(wishes(&wished), (3, true, false));
    let server = facts.wanted.clone();
    let later = set_member(&wished, &server, rebuild(None, Some(New), Some(Keep))).unwrap();
    assert_eq!(wishes(&later), (3, false, true));
    let said = difference(Some(&wished), Some(&later));
    assert_eq!(
        said,
        [format!(
            "member changed: {}",
            later.members[0].captured.name
        )]
    );
    let same = set_member(&later, &server, rebuild(Some(3), Some(New), None));
    assert_eq!(codes(same), ["nothing_to_change"]);
    let foreign = set_member(&later, &ServerId::from("x"), rebuild(Some(1), None, None));
    assert_eq!(codes(foreign), ["not_a_member"]);
}
