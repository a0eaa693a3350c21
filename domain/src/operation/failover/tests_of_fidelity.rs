//! What a server is made with beyond its disks and ports: in whose name, with which key and user data, and
//! which volumes go with it again at home.

use super::decide;
use super::facts::{Asked, FailoverAsk, FailoverFacts};
use super::fixture::*;
use super::tests_of_moves::{coming_home, planned, with_source};
use crate::effect::EffectKey;
use crate::operation::OperationMode;
use crate::plan::{Part, Plan, Step};
use crate::ports::Acting;
use crate::ports::engine::MoveKind;
use crate::record::UserData;

pub(super) fn unplanned(facts: &FailoverFacts) -> Plan {
    let ask = FailoverAsk {
        mode: OperationMode::Unplanned,
        force: false,
        recovery_point: None,
    };
    decide(MoveKind::Failover, &ask, facts).unwrap()
}

/// Who looks, in whose name, with which key: one line per server.
fn boots(plan: &Plan) -> Vec<(Acting, Option<Acting>, Option<String>)> {
    let boots = plan.steps().filter_map(|(_, _, step)| match step {
        Step::BootServer {
            acting,
            tenant,
            ask,
            ..
        } => Some((acting.clone(), tenant.clone(), ask.key_name.clone())),
        _ => None,
    });
    boots.collect()
}

/// The zone that each server is made in.
pub(super) fn zones(plan: &Plan) -> Vec<Option<String>> {
    let boots = plan.steps().filter_map(|(_, _, step)| match step {
        Step::BootServer { ask, .. } => Some(ask.availability_zone.clone()),
        _ => None,
    });
    boots.collect()
}

pub(super) fn warned(plan: &Plan) -> Vec<String> {
    let codes = plan.warnings.iter().map(|w| w.refusal.code());
    codes.collect()
}

fn with_keys() -> FailoverFacts {
    let mut facts = facts();
    for member in &mut facts.body.members {
        member.captured.key_name = Some("ops".to_owned());
    }
    facts.target.keypairs = Asked::Known(vec!["ops".to_owned()]);
    facts
}

#[test]
fn servers_are_made_in_the_tenants_name_and_looked_at_by_the_service() {
    let facts = with_keys();
    let plan = unplanned(&facts);
    let one = (
        facts.servers_as.clone(),
        Some(tenant()),
        Some("ops".to_owned()),
    );
    assert_eq!(boots(&plan), [one.clone(), one]);
    assert!(warned(&plan).is_empty());
}

#[test]
fn without_a_trust_the_service_makes_them_and_each_loss_is_told() {
    let mut facts = with_keys();
    facts.tenant = Asked::CouldNotAsk("the account is disabled".to_owned());
    facts.target.keypairs = Asked::Known(vec![]);
    let plan = unplanned(&facts);
    let one = (facts.servers_as.clone(), None, None);
    assert_eq!(boots(&plan), [one.clone(), one]);
    assert_eq!(warned(&plan), ["no_trust", "no_keypair", "no_keypair"]);
    facts.target.keypairs = Asked::CouldNotAsk("Nova is away".to_owned());
    assert!(warned(&unplanned(&facts)).contains(&"could_not_ask".to_owned()));
}

#[test]
fn the_plan_says_that_there_is_user_data_and_never_what() {
    let mut facts = facts();
    let why = "it is too large".to_owned();
    facts.body.members[1].user_data = UserData::NotKept { why };
    let plan = unplanned(&facts);
    assert_eq!(warned(&plan), ["no_user_data"]);
    let has = plan.steps().filter_map(|(_, _, step)| match step {
        Step::BootServer {
            has_user_data, ask, ..
        } => Some((*has_user_data, ask.user_data.clone())),
        _ => None,
    });
    assert_eq!(has.collect::<Vec<_>>(), [(false, None), (false, None)]);
}

fn restored(plan: &Plan) -> Vec<(Part, Vec<Part>)> {
    let steps = plan.steps().filter_map(|(_, _, step)| match step {
        Step::RestoreTermination {
            server, volumes, ..
        } => Some((server.clone(), volumes.clone())),
        _ => None,
    });
    steps.collect()
}

#[test]
fn volumes_that_went_with_their_server_do_so_again_at_home_only() {
    let doom = |facts: &mut FailoverFacts| {
        for member in &mut facts.body.members {
            member.disks[0].delete_on_termination = true;
        }
    };
    let mut home = coming_home();
    doom(&mut home);
    // The second member's volume is gone: it comes as a new one, on a new server.
    let _ = home.left_here.volumes.pop();
    let plan = decide(MoveKind::Failback, &planned(), &home).unwrap();
    let made =
        |step: &str, target: String| Part::Made(EffectKey::new(plan.operation, step, &target));
    let (member, disk) = (id(2).to_string(), id(200).to_string());
    assert_eq!(
        restored(&plan),
        [
            (
                Part::Kept("srv-1".to_owned()),
                vec![Part::Kept("vol-1-0".to_owned())]
            ),
            (
                made("boot_server", member),
                vec![made("import_volumes", disk)]
            ),
        ]
    );
    let stages: Vec<&str> = plan.stages.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(
        stages[stages.len() - 3..],
        ["finalize", "restore", "retire"],
        "never before the commit"
    );

    let mut away = with_source();
    doom(&mut away);
    let plan = decide(MoveKind::Failover, &planned(), &away).unwrap();
    assert_eq!(
        restored(&plan),
        [],
        "whoever deletes one there loses nothing"
    );
    let plain = decide(MoveKind::Failback, &planned(), &coming_home()).unwrap();
    assert_eq!(restored(&plain), []);
}
