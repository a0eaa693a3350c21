//! Who is down after a forced move, what another try does for them, and what the record then learns.

use super::facts::{Asked, FailoverAsk, FailoverFacts};
use super::fixture::{facts, held, id, member, point};
use super::tests::run;
use super::tests_of_moves::coming_home;
use super::{ForcedMove, Ran, body_at_end, decide, decide_retry, settle};
use crate::ids::{OperationId, PointSuffix, ServerId};
use crate::operation::{OperationKind, OperationMode, Outcome};
use crate::plan::Plan;
use crate::ports::engine::MoveKind;
use crate::record::{GroupBody, GroupStatus};
use crate::saga::Journal;
use crate::sync::Role;

fn forced() -> FailoverAsk {
    FailoverAsk {
        mode: OperationMode::Unplanned,
        force: false,
        recovery_point: None,
    }
}

/// A forced move that did not bring up `down`, and the facts for a try after it.
fn moved(kind: MoveKind, facts: FailoverFacts, down: &str) -> (ForcedMove, FailoverFacts) {
    let plan = decide(kind, &forced(), &facts).unwrap();
    let (outcome, journal) = run(&plan, |lane, step| fails(lane, step, down));
    assert_eq!(outcome, Outcome::Partial);
    let body = body_at_end(&facts.body, &plan, &journal, facts.here, 9);
    assert_eq!(body.status, GroupStatus::FailedOverPartial);
    let since = ForcedMove {
        moved: (plan, journal),
        tries: vec![],
    };
    let operation = OperationId(id(78));
    let after = FailoverFacts {
        operation,
        body,
        ..facts
    };
    (since, after)
}

fn fails(lane: &str, step: &str, down: &str) -> bool {
    lane == down && matches!(step, "await_server" | "restart_server")
}

fn lanes(plan: &Plan) -> Vec<String> {
    let stage = plan.stages.iter().find(|s| s.name == "instances").unwrap();
    stage.lanes.iter().map(|l| l.title.clone()).collect()
}

fn refused(since: &ForcedMove, facts: &FailoverFacts) -> String {
    decide_retry(since, facts).unwrap_err().to_string()
}

fn try_again(since: &mut ForcedMove, facts: &FailoverFacts, down: &str) -> Plan {
    let plan = decide_retry(since, facts).unwrap();
    let (_, journal): (_, Journal) = run(&plan, |lane, step| fails(lane, step, down));
    let tried: Ran = (plan.clone(), journal);
    since.tries.push(tried);
    plan
}

#[test]
fn a_try_is_for_those_that_are_down_from_the_point_of_the_move() {
    let (since, mut after) = moved(MoveKind::Failover, facts(), "web-2");
    // S6: newer ones have come since.
    after.points = Asked::Known(vec![point(9, true, 1), point(2, true, 60)]);
    let plan = decide_retry(&since, &after).unwrap();
    assert_eq!(lanes(&plan), ["web-2"]);
    assert_eq!(plan.kind, OperationKind::RetryMembers);
    let taken = plan.point.map(|p| p.suffix);
    assert_eq!(taken, Some(PointSuffix::from("s2")));
    assert!(
        plan.stages.iter().all(|s| s.name != "finalize"),
        "nobody is moved"
    );

    after.points = Asked::Known(vec![point(9, true, 1)]);
    let gone = refused(&since, &after);
    assert!(gone.contains("recovery point s2 is not among"), "{gone}");
}

#[test]
fn what_a_try_has_brought_up_is_not_down_settled_or_not() {
    let (mut since, after) = moved(MoveKind::Failover, facts(), "web-2");
    try_again(&mut since, &after, "web-2");
    assert!(decide_retry(&since, &after).is_ok(), "that one was in vain");
    assert!(
        settle(&after.body, after.here, &since).is_err(),
        "nothing new"
    );
    try_again(&mut since, &after, "nobody");
    assert!(refused(&since, &after).contains("every member is up"));

    let settled = settle(&after.body, after.here, &since).unwrap();
    assert_eq!(settled.status, GroupStatus::FailedOver);
    let web_2 = &settled.members[1];
    assert!(web_2.places.other.is_some() && web_2.disks[0].places.other.is_some());
    assert_eq!(settled.members[0], after.body.members[0], "the others stay");
    assert!(
        settle(&settled, after.here, &since).is_err(),
        "once is enough"
    );
    let after = FailoverFacts {
        body: settled,
        ..after
    };
    assert!(refused(&since, &after).contains("every member is up"));
}

/// At home every member has the place that it had before it left.
#[test]
fn at_home_a_place_says_nothing_and_the_ledger_says_who_is_down() {
    for (down, server) in [("web-1", "srv-1"), ("web-2", "obj")] {
        let mut home = coming_home();
        home.source = None;
        let disks = home.body.members.iter().flat_map(|m| &m.disks);
        let names = disks.map(|d| held(&d.places.other.as_ref().unwrap().array_name));
        home.point_volumes = Asked::Known(names.collect());
        let (mut since, after) = moved(MoveKind::Failback, home, down);
        assert!(after.body.members.iter().all(|m| m.places.home.is_some()));
        let plan = try_again(&mut since, &after, "nobody");
        assert_eq!(lanes(&plan), [down]);
        let settled = settle(&after.body, Role::Home, &since).unwrap();
        assert_eq!(
            (settled.status, settled.protected),
            (GroupStatus::Active, true)
        );
        let at = settled.members.iter().find(|m| m.captured.name == down);
        let at: &ServerId = at.unwrap().places.home.as_ref().unwrap();
        assert!(at.as_str().starts_with(server), "{at}");
        assert!(refused(&since, &after).contains("every member is up"));
    }
}

#[test]
fn one_that_could_not_even_be_planned_is_down_and_one_that_joined_later_is_not() {
    let mut short = facts();
    short.body.members[1].captured.flavor.name = "gone".to_owned();
    let (since, mut after) = moved(MoveKind::Failover, short, "nobody");
    after.body.members[1].captured.flavor.name = "m1".to_owned();
    let mut joined = member(3, 1);
    joined.places.other = Some(ServerId::from("here-3"));
    after.body.members.push(joined);
    assert_eq!(lanes(&decide_retry(&since, &after).unwrap()), ["web-2"]);
    let body: &GroupBody = &after.body;
    assert!(settle(body, after.here, &since).is_err());
}
