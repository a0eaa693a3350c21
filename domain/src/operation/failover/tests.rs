//! The decision table of a failover: facts in, a plan or refusals out, as text.

use super::facts::{Asked, FailoverAsk, FailoverFacts};
use super::fixture::*;
use super::{body_at_end, decide};
use crate::effect::{Effect, EffectState};
use crate::ids::*;
use crate::operation::OperationMode;
use crate::plan::{Plan, Step};
use crate::ports::engine::MoveKind;
use crate::ports::network::{FixedIp, Port};
use crate::ports::volumes::VolumeQuota;
use crate::record::*;
use crate::saga::{Advance, Journal, Way, advance, progress_pct};
use crate::sync::Role;

fn unplanned() -> FailoverAsk {
    FailoverAsk {
        mode: OperationMode::Unplanned,
        force: false,
        recovery_point: None,
    }
}

/// The outcome in one line.
fn outcome(ask: &FailoverAsk, facts: &FailoverFacts) -> String {
    match decide(MoveKind::Failover, ask, facts) {
        Err(refusals) => format!("refused: {refusals}"),
        Ok(plan) => {
            let lanes = plan.stages[2]
                .lanes
                .iter()
                .map(|l| l.title.clone())
                .collect::<Vec<_>>();
            let warnings: Vec<String> = plan.warnings.iter().map(|w| w.refusal.code()).collect();
            let left: Vec<String> = plan
                .left_out
                .iter()
                .map(|l| {
                    format!(
                        "{}({})",
                        l.name,
                        l.reasons
                            .iter()
                            .map(|r| r.code())
                            .collect::<Vec<_>>()
                            .join("+")
                    )
                })
                .collect();
            let point = plan.point.map(|p| p.suffix.to_string()).unwrap_or_default();
            format!(
                "from {point}: {} | warns {} | leaves {}",
                lanes.join(","),
                warnings.join(","),
                left.join(",")
            )
        }
    }
}

fn check(ask: &FailoverAsk, change: impl FnOnce(&mut FailoverFacts), expected: &str) {
    let mut facts = facts();
    change(&mut facts);
    assert_eq!(outcome(ask, &facts), expected);
}

#[test]
fn the_newest_complete_point_is_taken_by_the_arrays_own_order() {
    check(
        &unplanned(),
        |_| {},
        "from s2: web-1,web-2 | warns  | leaves ",
    );
    // D4: a point whose date lies in the future, or has none, does not jump the queue.
    let lying = |f: &mut FailoverFacts| {
        let mut old = point(1, true, 0);
        old.created_ms = i64::MAX;
        f.points = Asked::Known(vec![old, point(2, true, 60)]);
    };
    check(
        &unplanned(),
        lying,
        "from s2: web-1,web-2 | warns  | leaves ",
    );
}

#[test]
fn without_a_complete_point_there_is_nothing_to_recover() {
    let partial = |f: &mut FailoverFacts| f.points = Asked::Known(vec![point(3, false, 1)]);
    check(
        &unplanned(),
        partial,
        "refused: no completely replicated recovery point exists at the target array",
    );
    let named = FailoverAsk {
        recovery_point: Some(PointSuffix::from("s3")),
        ..unplanned()
    };
    check(
        &named,
        |_| {},
        "refused: recovery point s3 is not among the complete ones",
    );
    let named = FailoverAsk {
        recovery_point: Some(PointSuffix::from("s1")),
        ..unplanned()
    };
    check(&named, |_| {}, "from s1: web-1,web-2 | warns  | leaves ");
}

#[test]
fn an_old_point_warns_and_never_stops_an_unplanned_move() {
    let old = |f: &mut FailoverFacts| f.points = Asked::Known(vec![point(2, true, 2_820)]);
    check(
        &unplanned(),
        old,
        "from s2: web-1,web-2 | warns rpo_violation | leaves ",
    );
}

#[test]
fn a_member_that_cannot_be_rebuilt_is_left_out_by_name_and_the_rest_goes_on() {
    let big = |f: &mut FailoverFacts| f.body.members[1].captured.flavor = flavor("huge");
    check(
        &unplanned(),
        big,
        "from s2: web-1 | warns  | leaves web-2(no_flavor)",
    );
    let taken = |f: &mut FailoverFacts| {
        f.target.ports = Asked::Known(vec![Port {
            id: PortId::from("theirs"),
            project_id: "pb".into(),
            name: String::new(),
            description: String::new(),
            network: NetworkId::from("net-b"),
            mac_address: "fa:16:3e:ff:ff:ff".into(),
            fixed_ips: vec![FixedIp {
                subnet: SubnetId::from("sub-b"),
                address: "10.0.0.1".into(),
            }],
            security_groups: vec![],
            port_security_enabled: true,
            allowed_address_pairs: vec![],
            device: None,
            device_owner: String::new(),
            vnic_type: None,
            created_at: None,
        }]);
    };
    check(
        &unplanned(),
        taken,
        "from s2: web-2 | warns  | leaves web-1(address_taken)",
    );
}

/// G8: what counts is how large the volumes are, not how large they were.
#[test]
fn a_volume_that_has_grown_counts_as_large_as_the_point_has_it() {
    let grown = |f: &mut FailoverFacts| {
        let Asked::Known(held) = &mut f.point_volumes else {
            return;
        };
        held[0].size_bytes = (980 << 30) + 1;
    };
    let expected = "from s2: web-1,web-2 | warns quota_exceeded | leaves ";
    check(&unplanned(), grown, expected);
}

#[test]
fn a_member_that_joined_after_the_point_is_left_out_and_the_others_are_saved() {
    let late = |f: &mut FailoverFacts| {
        let Asked::Known(names) = &mut f.point_volumes else {
            return;
        };
        names.pop();
    };
    let expected = "from s2: web-1 | warns  | leaves web-2(not_in_point)";
    check(&unplanned(), late, expected);
    let silent = |f: &mut FailoverFacts| {
        f.point_volumes = Asked::CouldNotAsk("no answer".into());
    };
    let expected = "from s2: web-1,web-2 | warns  | leaves ";
    check(&unplanned(), silent, expected);
}

/// Each speaks against its member alone, and with all of its facts.
#[test]
fn what_a_member_lacks_at_the_target_is_named() {
    let lacks = |change: &dyn Fn(&mut FailoverFacts)| {
        let mut facts = facts();
        change(&mut facts);
        decide(MoveKind::Failover, &unplanned(), &facts)
    };
    let no = |refusals: Result<Plan, crate::refusal::Refusals>| {
        let all = refusals.unwrap_err().0;
        let first = &all[0];
        format!("{}: {first}", first.code())
    };
    let subnet = lacks(&|f| f.target.subnets = Asked::Known(vec![]));
    let expected = "no_subnet: web-1: no subnet at the target for app-subnet";
    assert_eq!(no(subnet), expected);
    let group = lacks(&|f| f.target.security_groups = Asked::Known(vec![]));
    let expected = "no_security_group: web-1: no security group at the target for web";
    assert_eq!(no(group), expected);
    let warned = |plan: Result<Plan, crate::refusal::Refusals>| {
        let warnings = plan.unwrap().warnings.into_iter();
        let words = warnings.map(|w| format!("{}: {}", w.refusal.code(), w.refusal));
        words.collect::<Vec<_>>()
    };
    for (vcpus, ram_mib, smaller) in [(2, 4_096, 0), (1, 4_096, 2), (2, 4_095, 2), (4, 8_192, 0)] {
        let plan = lacks(&|f| {
            if let Asked::Known(flavors) = &mut f.target.flavors {
                (flavors[0].vcpus, flavors[0].ram_mib) = (vcpus, ram_mib);
            }
        });
        let told = warned(plan);
        assert_eq!(told.len(), smaller, "{told:?}");
        let word = "flavor_smaller: web-1: flavor m1 at the target is smaller than at the source";
        assert!(told.first().is_none_or(|first| first == word), "{told:?}");
    }
}

#[test]
fn all_findings_are_told_when_nothing_can_start() {
    let bare = |f: &mut FailoverFacts| {
        f.target.networks = Asked::Known(vec![]);
        f.target.flavors = Asked::Known(vec![]);
    };
    let expected = "refused: web-1: no flavor at the target for m1; web-1: no network at the target for app-net; \
                    web-2: no flavor at the target for m1; web-2: no network at the target for app-net";
    check(&unplanned(), bare, expected);
}

#[test]
fn an_unanswered_question_is_no_empty_cloud() {
    let silent = |f: &mut FailoverFacts| f.target.flavors = Asked::CouldNotAsk("no answer".into());
    let mut unknown = facts();
    silent(&mut unknown);
    let told = outcome(&unplanned(), &unknown);
    assert!(told.contains("could not ask flavors: no answer"), "{told}");
    assert!(!told.contains("no flavor at the target"), "{told}");
}

#[test]
fn two_networks_of_one_name_are_not_guessed_between() {
    let twice = |f: &mut FailoverFacts| {
        let Asked::Known(networks) = &mut f.target.networks else {
            return;
        };
        let mut second = networks[0].clone();
        second.id = NetworkId::from("net-c");
        networks.push(second);
    };
    let mut ambiguous = facts();
    twice(&mut ambiguous);
    assert!(outcome(&unplanned(), &ambiguous).starts_with("refused: web-1: no network"));
    let mapped = |f: &mut FailoverFacts| {
        twice(f);
        f.body
            .mappings
            .networks
            .insert(NetworkId::from("net-a"), NetworkId::from("net-b"));
    };
    check(
        &unplanned(),
        mapped,
        "from s2: web-1,web-2 | warns  | leaves ",
    );
}

#[test]
fn quotas_are_summed_over_all_members_and_only_warn() {
    let small = |f: &mut FailoverFacts| {
        f.target.volume_quota = Asked::Known(VolumeQuota {
            volumes: quota(2),
            gigabytes: quota(1000),
        });
    };
    check(
        &unplanned(),
        small,
        "from s2: web-1,web-2 | warns quota_exceeded | leaves ",
    );
}

#[test]
fn what_could_not_be_asked_warns_and_what_cannot_work_stops() {
    let silent = |f: &mut FailoverFacts| f.target.port_quota = Asked::CouldNotAsk("timeout".into());
    check(
        &unplanned(),
        silent,
        "from s2: web-1,web-2 | warns could_not_ask | leaves ",
    );
    let down = |f: &mut FailoverFacts| {
        let Asked::Known(services) = &mut f.target.volume_services else {
            return;
        };
        services[0].up = false;
    };
    check(
        &unplanned(),
        down,
        "refused: no cinder-volume service that is up serves volume type ssd",
    );
    let busy = |f: &mut FailoverFacts| f.body.status = GroupStatus::FailingOver;
    check(
        &unplanned(),
        busy,
        "refused: the group is failing_over; this needs active or failed_over_partial",
    );
}

fn plan() -> Plan {
    decide(MoveKind::Failover, &unplanned(), &facts()).unwrap()
}

#[test]
fn every_key_of_a_plan_is_its_own_and_fits_the_fields_it_travels_in() {
    let plan = plan();
    let mut keys = Vec::new();
    for (_, _, step) in plan.steps() {
        keys.extend(step.targets(plan.operation).into_iter().map(|t| t.key.0));
    }
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), count, "a key stands for one effect");
    assert!(
        keys.iter()
            .all(|k| k.len() <= 255 && k.starts_with(&plan.operation.to_string()))
    );
    for (_, _, step) in plan.steps() {
        if let Step::RecoverVolumes { copies, .. } = step {
            assert!(
                copies.iter().all(|c| c.copy_name.len() <= 63),
                "array names end at 63 letters"
            );
        }
    }
}

/// Runs the plan on paper; `fails` answers which lane and step says a definite no.
pub(super) fn run(
    plan: &Plan,
    fails: impl Fn(&str, &str) -> bool,
) -> (crate::operation::Outcome, Journal) {
    let mut journal = Journal::new();
    let mut shown = 0;
    for _ in 0..1_000 {
        match advance(plan, &journal) {
            Advance::Settled(outcome) => return (outcome, journal),
            Advance::Work(work) => {
                let (at, way) = work[0];
                let (lane, step) = (plan.lane(at).unwrap(), plan.step(at).unwrap());
                let state = match way {
                    Way::Undo => EffectState::Undone,
                    Way::Do if fails(&lane.title, step.name()) => EffectState::Failed,
                    Way::Do => EffectState::Done,
                };
                for target in step.targets(plan.operation) {
                    journal.insert(
                        target.key.to_string(),
                        row(plan, &lane.id, step, target, state),
                    );
                }
                let pct = progress_pct(plan, &journal);
                if way == Way::Do {
                    assert!(pct >= shown, "progress went from {shown} to {pct}");
                    shown = pct;
                }
            }
        }
    }
    panic!("the plan does not end");
}

pub(super) fn row(
    plan: &Plan,
    lane: &str,
    step: &Step,
    target: crate::plan::Target,
    state: EffectState,
) -> Effect {
    Effect {
        object_id: Some(format!("obj-{}", target.key)),
        key: target.key,
        operation: plan.operation,
        group: plan.group,
        project: plan.project.clone(),
        site: plan.site,
        lane: lane.to_owned(),
        stage: 0,
        place: 0,
        step: step.name().to_owned(),
        kind: target.kind,
        state,
        detail: serde_json::Value::Null,
        attempts: 1,
        error: None,
        intended_us: 0,
        settled_us: None,
    }
}

#[test]
fn a_plan_runs_full_partial_or_back() {
    use crate::operation::Outcome;
    let plan = plan();
    let (outcome, journal) = run(&plan, |_, _| false);
    assert_eq!(outcome, Outcome::Full);
    assert_eq!(progress_pct(&plan, &journal), 100);
    let ended = body_at_end(&body(), &plan, &journal, Role::Other, 9);
    assert_eq!(
        (ended.status, ended.failover_count),
        (GroupStatus::FailedOver, 1)
    );
    assert!(
        ended
            .members
            .iter()
            .all(|m| m.places.other.is_some() && m.disks.iter().all(|d| d.places.other.is_some()))
    );

    let (outcome, journal) = run(&plan, |lane, step| lane == "web-2" && step == "boot_server");
    assert_eq!(
        outcome,
        Outcome::Partial,
        "one member down is no rollback of the others (I14)"
    );
    assert_eq!(progress_pct(&plan, &journal), 100);
    let ended = body_at_end(&body(), &plan, &journal, Role::Other, 9);
    assert_eq!(ended.status, GroupStatus::FailedOverPartial);
    assert!(ended.members[0].places.other.is_some() && ended.members[1].places.other.is_none());

    let (outcome, journal) = run(&plan, |_, step| step == "recover_volumes");
    assert_eq!(
        outcome,
        Outcome::RolledBack,
        "without volumes there is nothing to go on with"
    );
    assert!(journal.values().all(|e| e.state == EffectState::Undone));
}
