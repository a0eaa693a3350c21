//! What of a network a project may use: as a table, and what a plan makes of it (S14).

use super::facts::{Asked, FailoverAsk, FailoverFacts, TestAsk};
use super::fixture::facts;
use super::walls::{may_use_network, may_use_security_group};
use super::{decide, decide_test};
use crate::ids::{NetworkId, ProjectId, SecurityGroupId};
use crate::operation::OperationMode;
use crate::plan::{Plan, Step};
use crate::ports::engine::MoveKind;
use crate::ports::network::{NetworkInfo, SecurityGroup};
use crate::refusal::Refusals;

const OTHERS: &str = "px";

fn network(id: &str, project: &str, shared: bool) -> NetworkInfo {
    NetworkInfo {
        id: NetworkId::from(id),
        name: "app-net".to_owned(),
        project_id: project.to_owned(),
        shared,
    }
}

fn security_group(id: &str, project: &str) -> SecurityGroup {
    SecurityGroup {
        id: SecurityGroupId::from(id),
        name: "web".to_owned(),
        project_id: project.to_owned(),
    }
}

#[test]
fn ones_own_and_what_is_shared() {
    let mine = ProjectId::from("pb");
    for (owner, shared, expected) in [
        ("pb", false, true),
        ("pb", true, true),
        (OTHERS, true, true),
        (OTHERS, false, false),
        ("", false, false),
    ] {
        let found = may_use_network(&network("n", owner, shared), &mine);
        assert_eq!(found, expected, "{owner:?} {shared}");
    }
    for (owner, expected) in [("pb", true), (OTHERS, false), ("", false)] {
        let found = may_use_security_group(&security_group("g", owner), &mine);
        assert_eq!(found, expected, "{owner:?}");
    }
}

fn plan(facts: &FailoverFacts) -> Result<Plan, Refusals> {
    let ask = FailoverAsk {
        mode: OperationMode::Unplanned,
        force: false,
        recovery_point: None,
    };
    decide(MoveKind::Failover, &ask, facts)
}

/// Network and security groups of the first interface.
fn wired(plan: &Plan) -> (String, Vec<String>) {
    let ports = plan.steps().find_map(|(_, _, step)| match step {
        Step::CreatePorts { ports, .. } => ports.first().cloned(),
        _ => None,
    });
    let ask = ports.unwrap().ask;
    let groups = ask.security_groups.into_iter().map(|g| g.0);
    (ask.network.0, groups.collect())
}

fn codes(refusals: &Refusals) -> Vec<String> {
    let mut codes: Vec<String> = refusals.0.iter().map(|r| r.code()).collect();
    codes.dedup();
    codes
}

/// The target with more networks and security groups, listed before its own.
fn beside(networks: Vec<NetworkInfo>, groups: Vec<SecurityGroup>) -> FailoverFacts {
    let mut facts = facts();
    if let Asked::Known(known) = &mut facts.target.networks {
        known.splice(0..0, networks);
    }
    if let Asked::Known(known) = &mut facts.target.security_groups {
        known.splice(0..0, groups);
    }
    facts
}

#[test]
fn another_projects_things_of_the_same_name_are_not_there() {
    let theirs = beside(
        vec![network("net-x", OTHERS, false)],
        vec![security_group("sg-x", OTHERS)],
    );
    let own = ("net-b".to_owned(), vec!["sg-b".to_owned()]);
    assert_eq!(wired(&plan(&theirs).unwrap()), own);
    let shared = beside(vec![network("net-x", OTHERS, true)], vec![]);
    let no = plan(&shared).unwrap_err();
    assert_eq!(
        codes(&no),
        ["no_network"],
        "two of one name are not guessed between"
    );
}

#[test]
fn a_mapping_by_id_does_not_reach_over_the_wall() {
    let home = || NetworkId::from("net-a");
    let mut facts = beside(
        vec![network("net-x", OTHERS, false)],
        vec![security_group("sg-x", OTHERS)],
    );
    facts
        .body
        .mappings
        .networks
        .insert(home(), NetworkId::from("net-x"));
    assert_eq!(codes(&plan(&facts).unwrap_err()), ["no_network"]);
    facts.body.mappings.networks.clear();
    let groups = &mut facts.body.mappings.security_groups;
    groups.insert(SecurityGroupId::from("sg-a"), SecurityGroupId::from("sg-x"));
    assert_eq!(codes(&plan(&facts).unwrap_err()), ["no_security_group"]);

    let drill = |network: &str| {
        let ask = TestAsk {
            networks: [(home(), NetworkId::from(network))].into(),
            recovery_point: None,
        };
        decide_test(&ask, &facts)
    };
    assert_eq!(codes(&drill("net-x").unwrap_err()), ["no_network"]);
}

#[test]
fn a_drill_may_use_a_network_that_is_shared() {
    let mut facts = beside(vec![network("net-s", OTHERS, true)], vec![]);
    if let Asked::Known(known) = &mut facts.target.networks {
        known[0].name = "drill".to_owned();
    }
    if let Asked::Known(known) = &mut facts.target.subnets {
        let there = crate::ports::network::Subnet {
            network: NetworkId::from("net-s"),
            ..known[0].clone()
        };
        known.push(there);
    }
    let ask = TestAsk {
        networks: [(NetworkId::from("net-a"), NetworkId::from("net-s"))].into(),
        recovery_point: None,
    };
    let plan = decide_test(&ask, &facts).unwrap();
    assert_eq!(wired(&plan).0, "net-s");
}
