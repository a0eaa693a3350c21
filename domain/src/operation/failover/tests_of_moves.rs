//! The decision table of planned moves, ways home, drills and their cleanup.

use super::facts::{Asked, FailoverAsk, FailoverFacts, LeftHere, SourceFacts, TestAsk};
use super::fixture::{facts, held};
use super::tests::run;
use super::{body_at_end, cleanup_plan, decide, decide_test};
use crate::ids::*;
use crate::operation::{Operation, OperationKind, OperationMode, OperationStatus, Outcome};
use crate::plan::{Plan, Step};
use crate::ports::Acting;
use crate::ports::compute::{AttachedVolume, Server, ServerStatus};
use crate::ports::engine::MoveKind;
use crate::ports::network::Port;
use crate::ports::volumes::Volume;
use crate::record::{DiskPlace, GroupStatus};
use crate::sync::{Epoch, Role};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) fn planned() -> FailoverAsk {
    FailoverAsk {
        mode: OperationMode::Planned,
        force: false,
        recovery_point: None,
    }
}

pub(super) fn server(id: &str, status: ServerStatus) -> Server {
    Server {
        id: ServerId::from(id),
        project_id: "pa".into(),
        user_id: "u".into(),
        name: id.into(),
        description: None,
        hostname: None,
        status,
        task: None,
        locked: false,
        fault: None,
        flavor_name: "m1".into(),
        image_id: None,
        key_name: None,
        user_data: None,
        config_drive: false,
        availability_zone: None,
        metadata: BTreeMap::new(),
        tags: vec![],
        volumes: vec![AttachedVolume {
            volume: VolumeId::from(format!("of-{id}")),
            device: None,
            tag: None,
            delete_on_termination: true,
        }],
        server_groups: vec![],
        addresses: vec![],
    }
}

pub(super) fn with_source() -> FailoverFacts {
    let servers = vec![
        server("srv-1", ServerStatus::Active),
        server("srv-2", ServerStatus::Shutoff),
    ];
    FailoverFacts {
        fence: Epoch(1),
        source: Some(SourceFacts {
            servers: Asked::Known(servers),
            acting: Acting::ServiceIn(ProjectId::from("pa")),
        }),
        ..facts()
    }
}

fn steps(plan: &Plan) -> Vec<String> {
    let stages = plan.stages.iter();
    let line = |s: &crate::plan::Stage| {
        let lanes = s
            .lanes
            .iter()
            .map(|l| l.steps.iter().map(Step::name).collect::<Vec<_>>().join("+"));
        format!("{}: {}", s.name, lanes.collect::<Vec<_>>().join(" | "))
    };
    stages.map(line).collect()
}

fn refused(kind: MoveKind, ask: &FailoverAsk, facts: &FailoverFacts) -> Vec<String> {
    let refusals = decide(kind, ask, facts).map(|_| ()).unwrap_err();
    refusals.0.iter().map(|r| r.code()).collect()
}

#[test]
fn a_planned_move_quiets_the_source_first_and_takes_its_own_last_point() {
    let plan = decide(MoveKind::Failover, &planned(), &with_source()).unwrap();
    let member = "import_volumes+create_ports+boot_server+await_server";
    assert_eq!(
        steps(&plan),
        [
            "validate_target: validate_target".to_owned(),
            "quiesce: quiesce_server | quiesce_server".to_owned(),
            "last_point: take_last_point".to_owned(),
            "storage_promo: recover_volumes".to_owned(),
            format!("instances: {member} | {member}"),
            "finalize: commit_new_primary".to_owned(),
        ]
    );
    assert_eq!((plan.fence, plan.fence_after), (Epoch(1), Epoch(2)));
    let point = plan.point.clone().unwrap();
    assert_eq!(point.age_s, Some(0));
    let Step::QuiesceServer {
        was_active,
        delete_on_termination,
        ..
    } = &plan.stages[1].lanes[0].steps[0]
    else {
        panic!("{plan:?}")
    };
    assert!(*was_active && delete_on_termination.len() == 1);
    // All or nothing: one member that fails takes everything back, the source last.
    let (outcome, journal) = run(&plan, |lane, step| lane == "web-2" && step == "boot_server");
    assert_eq!(outcome, Outcome::RolledBack);
    assert!(
        journal
            .values()
            .all(|e| e.state == crate::effect::EffectState::Undone)
    );
}

#[test]
fn a_planned_move_is_refused_rather_than_half_done() {
    let ask = planned();
    assert_eq!(
        refused(MoveKind::Failover, &ask, &facts()),
        ["could_not_ask"],
        "no peer cloud"
    );
    let mut silent = with_source();
    silent.source.as_mut().unwrap().servers = Asked::CouldNotAsk("gone".into());
    assert_eq!(
        refused(MoveKind::Failover, &ask, &silent),
        ["could_not_ask"]
    );
    let mut old = with_source();
    let Asked::Known(points) = &mut old.points else {
        panic!()
    };
    points.iter_mut().for_each(|p| p.age_s = Some(2_820));
    assert_eq!(
        refused(MoveKind::Failover, &ask, &old),
        ["rpo_violation"],
        "FO-07"
    );
    let forced = FailoverAsk {
        force: true,
        ..planned()
    };
    assert!(decide(MoveKind::Failover, &forced, &old).is_ok(), "C13");
    let mut short = with_source();
    short.target.flavors = Asked::Known(vec![]);
    assert_eq!(
        refused(MoveKind::Failover, &ask, &short),
        ["no_flavor", "no_flavor"]
    );
    let mut bare = with_source();
    bare.body.protected = false;
    assert_eq!(
        refused(MoveKind::Failover, &ask, &bare),
        ["not_protected"],
        "C39, I15"
    );
    let away = with_source();
    assert_eq!(
        refused(MoveKind::Failback, &ask, &away),
        ["wrong_group_status", "wrong_site"],
        "a failback goes home, from where the group failed over to"
    );
}

/// The group failed over to `other`; home still has every volume, and the first member's server.
pub(super) fn coming_home() -> FailoverFacts {
    let mut facts = with_source();
    facts.here = Role::Home;
    facts.fence = Epoch(2);
    facts.fence_after = Epoch(3);
    facts.body.status = GroupStatus::FailedOver;
    for (number, member) in facts.body.members.iter_mut().enumerate() {
        member.places.other = Some(ServerId::from(format!("away-{number}")));
        for disk in &mut member.disks {
            let away = format!("away-{}", disk.id);
            disk.places.other = Some(DiskPlace {
                volume: VolumeId::from(away.clone()),
                serial: Serial::from(away.clone()),
                array_name: format!("volume-{away}-cinder"),
            });
        }
    }
    let away = ["away-0", "away-1"].map(|id| server(id, ServerStatus::Active));
    facts.source.as_mut().unwrap().servers = Asked::Known(away.to_vec());
    let mut left = LeftHere {
        servers: vec![server("srv-1", ServerStatus::Shutoff)],
        volumes: vec![],
    };
    left.servers[0].volumes.clear();
    for (number, member) in facts.body.members.iter().enumerate() {
        for disk in &member.disks {
            let mut volume = volume(&disk.places.home.as_ref().unwrap().volume);
            if number == 0 {
                volume.attached_to = vec![ServerId::from("srv-1")];
                left.servers[0].volumes.push(AttachedVolume {
                    volume: volume.id.clone(),
                    device: None,
                    tag: None,
                    delete_on_termination: false,
                });
            }
            left.volumes.push(volume);
        }
    }
    facts.left_here = left;
    owned_by("pa", &mut facts);
    facts
}

/// What the target's network has is this project's.
fn owned_by(project: &str, facts: &mut FailoverFacts) {
    if let Asked::Known(networks) = &mut facts.target.networks {
        let owners = networks.iter_mut().map(|n| &mut n.project_id);
        owners.for_each(|owner| *owner = project.to_owned());
    }
    if let Asked::Known(groups) = &mut facts.target.security_groups {
        let owners = groups.iter_mut().map(|g| &mut g.project_id);
        owners.for_each(|owner| *owner = project.to_owned());
    }
}

fn port(id: &str, device: Option<&str>) -> Port {
    Port {
        id: PortId::from(id),
        project_id: "pa".into(),
        name: String::new(),
        description: String::new(),
        network: NetworkId::from("net-a"),
        mac_address: "fa:16:3e:00:00:02".into(),
        fixed_ips: vec![],
        security_groups: vec![],
        port_security_enabled: true,
        allowed_address_pairs: vec![],
        device: device.map(ServerId::from),
        device_owner: String::new(),
        vnic_type: None,
        created_at: None,
    }
}

fn volume(id: &VolumeId) -> Volume {
    Volume {
        id: id.clone(),
        project_id: None,
        name: None,
        description: None,
        status: "available".into(),
        size_gib: 10,
        volume_type: None,
        bootable: true,
        encrypted: false,
        multiattach: false,
        host: None,
        group_id: None,
        attached_to: vec![],
        metadata: BTreeMap::new(),
        image_metadata: BTreeMap::new(),
        created_at: None,
    }
}

#[test]
fn the_way_home_overwrites_what_stayed_and_rebuilds_what_is_gone() {
    let shown_of = |facts: &FailoverFacts| {
        steps(&decide(MoveKind::Failback, &planned(), facts).unwrap())[3..5].join("; ")
    };
    let storage = |steps: &str| format!("storage_promo: {steps}; instances: restart_server | ");
    let overwritten = storage("grow_volumes+safety_snapshot+overwrite_volumes");
    let both = storage("grow_volumes+safety_snapshot+overwrite_volumes+recover_volumes");

    // Of the second member the server is gone, and its port with it.
    let home = coming_home();
    let made_port = format!("{overwritten}create_ports+boot_server+await_server");
    assert_eq!(shown_of(&home), made_port);
    let mut with_port = coming_home();
    with_port.target.ports = Asked::Known(vec![port("port-2", None)]);
    let kept = format!("{overwritten}boot_server+await_server");
    assert_eq!(shown_of(&with_port), kept, "address and MAC are its own");
    let mut without_volume = with_port.clone();
    let _ = without_volume.left_here.volumes.pop();
    let imported = format!("{both}import_volumes+boot_server+await_server");
    assert_eq!(shown_of(&without_volume), imported);
    let mut lent = with_port.clone();
    lent.left_here.volumes[2].attached_to = vec![ServerId::from("somebody-else")];
    assert_eq!(shown_of(&lent), imported, "S4: somebody uses it");

    let plan = decide(MoveKind::Failback, &planned(), &with_port).unwrap();
    let shown = steps(&plan);
    let retired = "retire_server+retire_ports+retire_volumes";
    assert_eq!(shown[6], format!("retire: {retired} | {retired}"));
    let commit = plan
        .steps()
        .find(|(_, _, s)| matches!(s, Step::CommitNewPrimary))
        .unwrap()
        .0;
    let last = plan.steps().last().unwrap().0;
    assert_eq!(
        (plan.fence_at(commit), plan.fence_at(last)),
        (Epoch(2), Epoch(3))
    );

    let mut running = coming_home();
    running.left_here.servers[0].status = ServerStatus::Active;
    let plan = decide(MoveKind::Failback, &planned(), &running).unwrap();
    let overwritten: Vec<&str> = plan
        .steps()
        .flat_map(|(_, _, step)| match step {
            Step::OverwriteVolumes { overwrites, .. } => overwrites.as_slice(),
            _ => &[],
        })
        .map(|o| o.volume.as_str())
        .collect();
    assert_eq!(overwritten, ["vol-2-0"], "never under a running server");

    let mut unplugged = coming_home();
    let _ = unplugged.left_here.servers[0].volumes.pop();
    let plan = decide(MoveKind::Failback, &planned(), &unplugged).unwrap();
    let restarts = |s: &Step| matches!(s, Step::RestartServer { .. });
    assert!(
        !plan.steps().any(|(_, _, s)| restarts(s)),
        "it would come up without one of its disks"
    );
}

#[test]
fn what_a_member_kept_at_home_is_where_the_record_says_afterwards() {
    let mut facts = coming_home();
    facts.target.ports = Asked::Known(vec![port("port-2", None)]);
    let plan = decide(MoveKind::Failback, &planned(), &facts).unwrap();
    let (outcome, journal) = run(&plan, |_, _| false);
    assert_eq!(outcome, Outcome::Full);
    let body = body_at_end(&facts.body, &plan, &journal, Role::Home, 0);
    for (before, after) in facts.body.members.iter().zip(&body.members) {
        let volumes = |m: &crate::record::Member| {
            let places = m.disks.iter().map(|d| d.places.home.clone());
            places.collect::<Vec<_>>()
        };
        assert_eq!(volumes(after), volumes(before));
        assert_eq!(after.nics[0].places.home, before.nics[0].places.home);
    }
    let servers: Vec<_> = body.members.iter().map(|m| &m.places.home).collect();
    assert_eq!(servers[0], &Some(ServerId::from("srv-1")));
    assert_ne!(servers[1], &Some(ServerId::from("srv-2")), "a new one");
    assert!(servers[1].is_some());
}

#[test]
fn a_disk_that_the_point_does_not_hold_keeps_its_member_down_and_the_others_not() {
    let mut facts = FailoverFacts {
        source: None,
        ..coming_home()
    };
    let sources = facts.body.members.iter().flat_map(|m| &m.disks);
    let names = sources.map(|d| held(&d.places.other.as_ref().unwrap().array_name));
    facts.point_volumes = Asked::Known(names.skip(1).collect());
    let ask = FailoverAsk {
        mode: OperationMode::Unplanned,
        ..planned()
    };
    let plan = decide(MoveKind::Failback, &ask, &facts).unwrap();
    let left: Vec<_> = plan.left_out.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(left, ["web-1"]);
    let lanes = plan.member_lane_ids();
    assert_eq!(lanes.len(), 1, "{lanes:?}");
}

#[test]
fn a_drill_needs_isolated_networks_and_its_cleanup_takes_back_what_it_made() {
    let ask = |to: &str| TestAsk {
        networks: BTreeMap::from([(NetworkId::from("net-a"), NetworkId::from(to))]),
        recovery_point: None,
    };
    let code = |ask: &TestAsk| {
        let refusals = decide_test(ask, &facts()).map(|_| ()).unwrap_err();
        refusals.0.first().map(|r| r.code()).unwrap_or_default()
    };
    assert_eq!(code(&ask("net-b")), "test_network_not_isolated", "I9");
    let none = TestAsk {
        networks: BTreeMap::new(),
        recovery_point: None,
    };
    assert_eq!(code(&none), "no_test_network");
    assert_eq!(code(&ask("net-of-another")), "no_network", "S14");

    let plan = decide_test(&ask("net-t"), &facts()).unwrap();
    assert!(
        !plan.moves()
            && !plan
                .steps()
                .any(|(_, _, s)| matches!(s, Step::CommitNewPrimary))
    );
    let (outcome, journal) = run(&plan, |_, _| false);
    assert_eq!(outcome, Outcome::Full);
    let drill = Operation {
        id: plan.operation,
        group: plan.group,
        project: plan.project.clone(),
        kind: OperationKind::TestFailover,
        mode: OperationMode::Unplanned,
        status: OperationStatus::Completed,
        outcome: Some(Outcome::Full),
        epoch: plan.fence,
        source_site: plan.peer,
        target_site: plan.site,
        plan,
        progress_pct: 100,
        steps_completed: 0,
        steps_failed: 0,
        instances_failed: 0,
        error_message: None,
        started_at_us: 0,
        completed_at_us: None,
        requested_by: UserId::from("u"),
        request_id: String::new(),
        idempotency_key: None,
    };
    let cleanup = cleanup_plan(OperationId(Uuid::from_u128(5)), &drill, &journal, Epoch(1));
    let taken: Vec<String> = cleanup
        .steps()
        .filter_map(|(_, _, s)| match s {
            Step::TakeBack { what, .. } => Some(what.name().to_owned()),
            _ => None,
        })
        .collect();
    let member = ["boot_server", "create_ports", "import_volumes"];
    let expected: Vec<&str> = member
        .iter()
        .chain(&member)
        .chain(&["recover_volumes"])
        .copied()
        .collect();
    assert_eq!(taken, expected, "server first, array copies last");
    let (outcome, _) = run(&cleanup, |_, _| false);
    assert_eq!(outcome, Outcome::Full);
}
